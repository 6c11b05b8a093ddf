"""Who is due, and the workers that take their turns: the same loop on one machine or on many.

The truth is `next_sync_at` and the lease on the account's row. Several processes may run this loop on one database: a lost
turn is found due again when its lease ends, a doubled one meets the lease.
"""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Awaitable, Callable

from omnifolio.ledger import accounts
from omnifolio.model.clock import Clock, EpochMs
from omnifolio.model.errors import OmnifolioError, StoreUnavailable
from omnifolio.store.engine import Store
from omnifolio.sync.refresh import RETRY_FIRST_MS, Refresher

POLL_S = 2.0
"""How often the planner looks, when nobody wakes it."""
DUE_MAX = 50
STORE_PAUSE_S = 5.0
OWNER_BYTES = 6

log = logging.getLogger(__name__)


class Workers:
    """The planner and `count` workers of this process. `chores` is what the planner does besides, each time that it looks."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        refresher: Refresher,
        count: int,
        chores: Callable[[], Awaitable[None]],
        on_news: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._refresher = refresher
        self._count = count
        self._chores = chores
        self._on_news = on_news
        self._wake = asyncio.Event()
        self._stopping = False
        self._queue: asyncio.Queue[accounts.Due] = asyncio.Queue(DUE_MAX * 2)
        self._taken: set[int] = set()
        self._tasks: list[asyncio.Task[None]] = []
        # Host and process are for people; containers share both, and whoever has the same name may take a lease over.
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(OWNER_BYTES).hex()}"

    def start(self) -> None:
        """Starts planner and workers in the running loop."""
        self._tasks = [asyncio.create_task(self._plan(), name="planner")]
        self._tasks += [asyncio.create_task(self._work(n), name=f"worker-{n}") for n in range(self._count)]

    def wake(self) -> None:
        """Lets the planner look at once: something has become due."""
        self._wake.set()

    async def stop(self) -> None:
        """Stops after the pages that are being written; the rest is taken up at the next start."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def run_until_idle(self) -> None:
        """Works until nothing is due at this moment: for one-shot commands and tests."""
        places = asyncio.Semaphore(self._count)

        async def turn(due: accounts.Due) -> None:
            async with places:
                await self._turn(due, f"once-{due.account}")

        while found := await self._store.read(accounts.due, self._clock.now(), DUE_MAX):
            await asyncio.gather(*map(turn, found))
        await self._chores()

    async def _plan(self) -> None:
        while not self._stopping:
            pause_s = POLL_S
            try:
                await self._chores()
                for due in await self._store.read(accounts.due, self._clock.now(), DUE_MAX):
                    if due.account not in self._taken and not self._queue.full():
                        self._taken.add(due.account)
                        self._queue.put_nowait(due)
            except StoreUnavailable as error:
                log.warning("planner_paused reason=%s", error.code)
                pause_s = STORE_PAUSE_S
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause_s)
            self._wake.clear()

    async def _work(self, number: int) -> None:
        while True:
            due = await self._queue.get()
            try:
                await self._turn(due, str(number))
            finally:
                self._taken.discard(due.account)
                self._wake.set()

    async def _turn(self, due: accounts.Due, number: str) -> None:
        try:
            await self._refresher.slice(due, owner=f"{self._owner}:{number}")
            if self._on_news is not None:
                self._on_news()
        except StoreUnavailable as error:
            log.warning("slice_failed account=%s code=%s", due.account, error.code)
            await asyncio.sleep(STORE_PAUSE_S)
        except Exception as error:
            # The loop of all accounts must outlive one account's surprise; that account waits before it is tried again.
            if isinstance(error, OmnifolioError):
                log.warning("slice_failed account=%s code=%s", due.account, error.code)
            else:
                log.exception("slice_crashed account=%s", due.account)
            until = EpochMs(self._clock.now() + RETRY_FIRST_MS)
            with contextlib.suppress(StoreUnavailable):
                await self._store.write(accounts.postpone, due.account, until=until)
