"""The sandbox's two times: the world's (which events have happened) and the wire's (what servers call "now").

The world's time stands still until somebody moves it, so two runs of a test see the same history. The wire's time is
the machine's, because clients stamp and sign their requests with it; `wire="world"` makes it follow the world's time
for clients whose own clock is set by hand. This is the only module of the sandbox that asks the machine for the time.
"""

import time
from typing import Literal

Wire = Literal["real", "world"]

NS_PER_MS = 1_000_000
MS_PER_MINUTE = 60_000
MS_PER_DAY = 86_400_000


def machine_ms() -> int:
    """UTC epoch milliseconds of this machine."""
    return time.time_ns() // NS_PER_MS


class Clock:
    """World and wire time of one running sandbox, in UTC epoch milliseconds."""

    def __init__(self, *, now_ms: int | None = None, wire: Wire = "real") -> None:
        """Start at `now_ms`; None means this machine's time, rounded down to the minute."""
        machine = machine_ms()
        self.world_ms = machine - machine % MS_PER_MINUTE if now_ms is None else now_ms
        self.wire: Wire = wire

    def wire_ms(self) -> int:
        """What a venue's time endpoint says, and what signatures, windows and rate limits are judged by."""
        return self.world_ms if self.wire == "world" else machine_ms()

    def move_to(self, at_ms: int) -> None:
        """Set the world's time; going back hides what happened later."""
        if at_ms < 0:
            raise ValueError(f"the clock cannot be set to {at_ms} ms: give UTC epoch milliseconds, 0 or more")
        self.world_ms = at_ms

    def advance(self, by_ms: int) -> None:
        """Move the world's time by `by_ms` milliseconds."""
        self.move_to(self.world_ms + by_ms)
