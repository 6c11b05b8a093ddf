"""A stage for everything that waits or calls out: time that moves only when told to, and wires that answer from a script."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

from aiohttp import web

from omnifolio.model.clock import EpochMs, SystemClock
from omnifolio.model.errors import VenueUnavailable
from omnifolio.transport.http import Answer, Request

START_MS = 1_700_000_000_000
T = TypeVar("T")


class StageTime:
    """A clock and its sleep. `play(...)` runs coroutines and jumps to the next waking moment whenever all of them wait."""

    def __init__(self) -> None:
        self.elapsed_s = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self.slept: list[float] = []

    def now(self) -> EpochMs:
        return EpochMs(START_MS + round(self.elapsed_s * 1000))

    def monotonic(self) -> float:
        return self.elapsed_s

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        waking: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.elapsed_s + seconds, next(self._numbers), waking))
        await waking

    async def play(self, *scenes: Awaitable[T]) -> list[T | BaseException]:
        """The results of all scenes, exceptions included."""
        running = asyncio.gather(*scenes, return_exceptions=True)
        while not running.done():
            for _ in range(60):
                await asyncio.sleep(0)
            if not running.done() and self._sleepers:
                at_s, _, waking = heapq.heappop(self._sleepers)
                self.elapsed_s = max(self.elapsed_s, at_s)
                if not waking.done():
                    waking.set_result(None)
        return await running


class Hurry:
    """The machine's clock for tests against real servers in which pauses shall not be waited for: `sleep` moves it on."""

    def __init__(self) -> None:
        self.skipped_s = 0.0

    def now(self) -> EpochMs:
        return SystemClock().now()

    def monotonic(self) -> float:
        return SystemClock().monotonic() + self.skipped_s

    async def sleep(self, seconds: float) -> None:
        self.skipped_s += seconds
        await asyncio.sleep(0)


class ScriptedWire:
    """A wire that gives the scripted answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(self, time: StageTime, script: Iterable[Answer | None]) -> None:
        self._time = time
        self._script = list(script)
        self.sent: list[tuple[float, Request]] = []

    async def send(self, request: Request) -> Answer:
        self.sent.append((self._time.monotonic(), request))
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if answer is None:
            raise VenueUnavailable("no answer")
        return answer

    async def close(self) -> None:
        self._script.clear()


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> Answer:
    """An answer of the scripted venue; header names with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body, received_at=EpochMs(START_MS))


@asynccontextmanager
async def loopback(handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> AsyncIterator[str]:
    """The URL of a server on 127.0.0.1 that answers every request by `handler`."""
    application = web.Application(client_max_size=1 << 20)
    application.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
