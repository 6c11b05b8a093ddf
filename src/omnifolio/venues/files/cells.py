"""What a cell of a file says: an exact number in any country's spelling, a code beside it, an instant in a layout's forms."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused, InvalidField
from omnifolio.venues.exchanges.times import from_iso, from_ms, from_seconds

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._$-]{0,39}")
"""A token code in a file: nothing in it can be a formula, a path or a link."""

EPOCH_SECONDS = "epoch"
"""The time format of files that count seconds."""

ABSENT = frozenset({"", "-", "--", "N/A", "n/a"})
SYMBOLS = {"€": "EUR", "£": "GBP", "$": "USD"}
"""Signs that stand for a code before or behind a number."""

_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_GROUPED_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?")
_PARTS = re.compile(
    r"(?P<open>\()?(?P<sign>[+-])?(?P<before>[€£$])?(?P<inner>[+-])?(?P<digits>[\d.,]*\d(?:[eE][+-]?\d{1,3})?)"
    r" ?(?P<behind>[€£$]|[A-Za-z][A-Za-z0-9._$-]{0,39})?(?P<close>\))?"
)
_OFFSET = re.compile(r"\(UTC([+-])(\d{1,2}):?(\d{2})\)")
_SECONDS_TO_MS = 1_000


def amount_and_code(text: str, *, where: str, is_comma: bool = False) -> tuple[Decimal | None, str | None]:
    """The number in a cell and the code beside it; None for what is not there. Brackets are a minus, as in bookkeeping.

    Raises: InvalidAmount.
    """
    bare = " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2212", "-").split())
    if bare in ABSENT:
        return None, None
    found = _PARTS.fullmatch(bare)
    if not found or bool(found["open"]) != bool(found["close"]) or (found["sign"] and found["inner"]):
        return parse_amount(bare, where=where), None
    digits = found["digits"]
    if is_comma:
        digits = (digits.replace(".", "") if _GROUPED_COMMA.fullmatch(digits) else digits).replace(",", ".", 1)
    elif _GROUPED.fullmatch(digits):
        digits = digits.replace(",", "")
    number = parse_amount(digits, where=where)
    is_negative = bool(found["open"]) or "-" in (found["sign"], found["inner"])
    code = found["before"] or found["behind"]
    return -number if is_negative else number, SYMBOLS.get(code, code) if code else None


def code(text: str, *, where: str) -> str:
    """A token's code. Raises: InvalidField for anything else."""
    if not CODE.fullmatch(text):
        raise InvalidField(f"{where}: not a token code")
    return text


def instant(text: str, formats: Sequence[str], zone: tzinfo) -> EpochMs:
    """The instant that a cell tells, in the first of the formats that fits, else in ISO 8601. Raises: InvalidField."""
    text = text.replace("Sept.", "Sep.")  # the one month that is shortened to four letters by some
    for form in formats:
        if form == EPOCH_SECONDS:
            if text.replace(".", "", 1).isdigit():
                return from_seconds(text)
            continue
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is added where the text has none
        except ValueError:
            continue
        return _ms(moment, zone)
    if zone is UTC:
        return from_iso(text)
    try:
        return _ms(datetime.fromisoformat(text), zone)
    except ValueError:
        raise InvalidField(f"time: expected ISO 8601, got {text[:24]!r}") from None


def zone_of(name: str) -> tzinfo:
    """A time zone by its name. Raises: FileRefused."""
    if name in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise FileRefused(f"there is no time zone {name[:40]!r}; names are such as Europe/Berlin") from None


def zone_in(column: str) -> tzinfo | None:
    """The zone that a column's name tells, as `Time(UTC+08:00)` does."""
    found = _OFFSET.search(column)
    if not found:
        return None
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=minutes if found[1] == "+" else -minutes))


def _ms(moment: datetime, zone: tzinfo) -> EpochMs:
    whole = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return from_ms(int(whole.replace(microsecond=0).timestamp()) * _SECONDS_TO_MS + whole.microsecond // 1000)
