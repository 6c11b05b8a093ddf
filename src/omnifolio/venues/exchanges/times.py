"""A venue's ways of writing an instant, as UTC epoch milliseconds, without a float in between."""

from datetime import UTC, datetime
from typing import Any

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField

LATEST_MS = 4_102_444_800_000  # 2100-01-01: anything later is in another unit, not in the future.
DELIVERY_HOUR = 8
"""The hour of the day, UTC, at which exchanges deliver dated contracts that name the day alone."""


def from_ms(raw: Any) -> EpochMs:
    """Milliseconds as integer or digits. Raises: InvalidField."""
    if isinstance(raw, str) and raw.isdigit():
        raw = int(raw)
    if isinstance(raw, bool) or not isinstance(raw, int) or not 0 < raw < LATEST_MS:
        raise InvalidField(f"time: expected epoch milliseconds, got {str(raw)[:24]!r}")
    return EpochMs(raw)


def from_seconds(raw: Any) -> EpochMs:
    """Seconds as integer or decimal text; digits beyond the millisecond are cut. Raises: InvalidField."""
    whole, _, fraction = str(raw).partition(".")
    if isinstance(raw, bool) or not whole.isdigit() or (fraction and not fraction.isdigit()):
        raise InvalidField(f"time: expected epoch seconds, got {str(raw)[:24]!r}")
    return from_ms(int(whole) * 1000 + int((fraction + "000")[:3]))


def from_iso(raw: Any) -> EpochMs:
    """ISO 8601 or `YYYY-MM-DD hh:mm:ss`; without a zone it is UTC. Raises: InvalidField."""
    try:
        moment = datetime.fromisoformat(raw)
        whole = moment if moment.tzinfo else datetime.fromisoformat(raw + "+00:00")
        return from_ms(int(whole.replace(microsecond=0).timestamp()) * 1000 + whole.microsecond // 1000)
    except (TypeError, ValueError):
        raise InvalidField(f"time: expected ISO 8601, got {str(raw)[:24]!r}") from None


def from_delivery_day(raw: str, form: str) -> EpochMs:
    """The instant of delivery on the day in a contract's name, in the form of `strptime`. Raises: InvalidField."""
    try:
        return from_ms(int(datetime.strptime(raw, form).replace(hour=DELIVERY_HOUR, tzinfo=UTC).timestamp()) * 1000)
    except ValueError:
        raise InvalidField(f"expiry: expected a day, got {raw[:24]!r}") from None
