"""When a message is tried again: almost at once, then ever more rarely, for three days; later where the receiver asks for it."""

from email.utils import parsedate_to_datetime

from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, EpochMs

DELAYS_MS = (
    5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS,
    HOUR_MS, 2 * HOUR_MS, 4 * HOUR_MS, 8 * HOUR_MS, 12 * HOUR_MS,
)  # fmt: skip
"""The pause after the first try that failed, after the second, and so on; the last one holds for all later ones."""
JITTER_PERCENT = 20
"""Each pause is longer or shorter by up to so much, so that all that failed together is not tried together."""
RETRY_AFTER_MAX_MS = DAY_MS


def next_try(tries: int, now: EpochMs, until: EpochMs, *, retry_after: str, chance: float) -> EpochMs | None:
    """When to try again after `tries` failed; None when it is over. `chance` is from 0 to 1.

    The last try falls on `until`, whatever pause it would have been.
    """
    if now >= until:
        return None
    pause_ms = DELAYS_MS[min(tries, len(DELAYS_MS)) - 1]
    jittered_ms = pause_ms * (100 - JITTER_PERCENT) // 100 + int(pause_ms * 2 * JITTER_PERCENT * chance) // 100
    asked_ms = min(asked_pause(retry_after, now), RETRY_AFTER_MAX_MS)
    return EpochMs(min(now + max(jittered_ms, asked_ms), until))


def asked_pause(retry_after: str, now: EpochMs) -> int:
    """The milliseconds that a header Retry-After asks for, as seconds or as a date; 0 where it says nothing readable."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return int(text[:9]) * SECOND_MS
    try:
        return max(0, int(parsedate_to_datetime(text).timestamp()) * SECOND_MS - now)
    except (ValueError, IndexError, OverflowError):
        return 0
