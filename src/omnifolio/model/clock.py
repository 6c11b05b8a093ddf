"""What time it is: the one place that asks the machine. Instants are UTC epoch milliseconds."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import NewType, Protocol

EpochMs = NewType("EpochMs", int)

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


class Clock(Protocol):
    """The time as a port, so that tests and replays can hold it still."""

    def now(self) -> EpochMs:
        """The instant, in UTC epoch milliseconds."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back, for durations and deadlines only."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> EpochMs:
        return EpochMs(time.time_ns() // 1_000_000)

    def monotonic(self) -> float:
        return time.monotonic()


def day_of(at: EpochMs) -> date:
    """The UTC date that holds the instant."""
    return datetime.fromtimestamp(at // 1000, UTC).date()


def start_of_day(day: date) -> EpochMs:
    """The first millisecond of a UTC date."""
    return EpochMs((day - date(1970, 1, 1)) // timedelta(days=1) * DAY_MS)


def end_of_day(day: date) -> EpochMs:
    """The last millisecond of a UTC date."""
    return EpochMs(start_of_day(day) + DAY_MS - 1)


def iso(at: EpochMs) -> str:
    """The instant as ISO 8601 in UTC with milliseconds, for people and files."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"
