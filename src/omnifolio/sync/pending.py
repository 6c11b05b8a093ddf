"""What events have made worth reading, gathered until it is quiet for a moment: one look for however many events of one trade."""

import asyncio
from collections.abc import Sequence

from omnifolio.model.clock import Clock
from omnifolio.transport.pacing import Sleep
from omnifolio.venues.exchanges.streams.contract import Want

QUIET_S = 0.25
"""So long nothing more must come before the look."""
LONGEST_S = 1.0
"""And so long the first one waits at the most, however many follow."""
GRAIN_S, STEP_S = 0.001, 0.1
"""The shortest and the longest of the pauses in between: an event that comes meanwhile may bring the look forward."""


class Pending:
    """Wants of one account, each once, in the order in which they came."""

    def __init__(self, clock: Clock, sleep: Sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._wants: dict[Want, None] = {}
        self._came = asyncio.Event()
        self._first_s = self._due_s = 0.0
        self._is_again = False
        self.attempt = 0
        """How often what waits was looked for in vain."""
        self.moved = self.explained = False
        """Whether a look for what waits saw a balance move, and whether one found transactions."""

    def add(self, wants: Sequence[Want]) -> None:
        """An event came. What is looked for again is looked for afresh, together with it."""
        waits_again = self._is_again and self._came.is_set()
        now_s = self._clock.monotonic()
        if not self._came.is_set() or waits_again:
            self._first_s = now_s
            self.clear()
        self._due_s = min(now_s + QUIET_S, self._first_s + LONGEST_S)
        self._wants |= dict.fromkeys(wants)
        self._came.set()

    def put_back(self, wants: Sequence[Want], *, after_s: float) -> None:
        """The same is due again then, or with the next event if that comes first."""
        if not self._came.is_set():
            self._is_again = True
            self._due_s = self._clock.monotonic() + after_s
        self._wants |= dict.fromkeys(wants)
        self._came.set()

    async def take(self) -> tuple[Want, ...]:
        """Everything that waits, once it is quiet."""
        await self._came.wait()
        while (wait_s := self._due_s - self._clock.monotonic()) > 0:
            await self._sleep(min(max(wait_s, GRAIN_S), STEP_S))
        wants = tuple(self._wants)
        self._wants.clear()
        self._came.clear()
        self._is_again = False
        return wants

    def clear(self) -> None:
        """What was looked for is there, or is not looked for any more."""
        self.attempt, self.moved, self.explained = 0, False, False
