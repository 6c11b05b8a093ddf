"""When and how often a read is tried again: a few times, at random moments within growing spans, before a deadline."""

from collections.abc import Callable

from msgspec import Struct

ATTEMPTS_MAX = 4
FIRST_SPAN_S = 0.5
SPAN_MAX_S = 8.0
DEADLINE_S = 60.0
"""No attempt begins later than this after the first one."""

RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524})


class Attempts(Struct):
    """The attempts of one read. `random` gives numbers from 0 to 1 (full jitter: any moment of the span is as likely)."""

    random: Callable[[], float]
    started_s: float
    left: int = ATTEMPTS_MAX
    made: int = 0

    def next_delay_s(self, *, now_s: float) -> float | None:
        """Seconds to wait before the next attempt; None when there is none left, or it would begin after the deadline."""
        self.made += 1
        if self.made >= self.left:
            return None
        delay_s: float = self.random() * min(FIRST_SPAN_S * 2 ** (self.made - 1), SPAN_MAX_S)
        return delay_s if now_s + delay_s <= self.started_s + DEADLINE_S else None
