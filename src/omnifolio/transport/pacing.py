"""How fast each venue may be asked."""

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from omnifolio.model.clock import EpochMs

RETRY_AFTER_MAX_S = 6 * 60 * 60.0


def retry_after_s(headers: Mapping[str, str], *, now: EpochMs) -> float:
    """The seconds of a Retry-After header (a number or an HTTP date); 0 when absent or unreadable, at most six hours."""
    raw = headers.get("retry-after", "").strip()
    if raw.replace(".", "", 1).isdecimal():
        seconds = float(raw)
    else:
        at = http_date_ms(raw)
        seconds = 0.0 if at is None else (at - now) / 1000
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def http_date_ms(raw: str) -> EpochMs | None:
    """An HTTP date as an instant; None when it is not one."""
    try:
        moment = parsedate_to_datetime(raw)
    except (TypeError, ValueError):
        return None
    return EpochMs(round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
