"""Listens to the private streams of the accounts that have one, and has a look when something happens there.

One process listens to an account: it claims it in the database, and who dies loses what it held. A stream that was just opened
(again) may have missed something, so a round is asked for; after that, events name what is worth reading, and a debounced look
reads that and nothing else. A key that the venue refuses is left to a round, which tells the account.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from omnifolio.ledger import accounts, live
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, HOUR_MS, SECOND_MS, Clock, EpochMs
from omnifolio.model.errors import (
    EgressRefused,
    LeaseLost,
    MissingPermission,
    NotFound,
    OmnifolioError,
    SecretUnreadable,
    StoreUnavailable,
    VenueBusy,
    VenueUserError,
)
from omnifolio.store.engine import Store
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.glance import Glancer, Seen
from omnifolio.sync.pending import Pending
from omnifolio.transport.pacing import Sleep
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.listening import Listening, listening, renewal_s
from omnifolio.venues.exchanges.streams.contract import Want

LOOK_S = 5.0
"""How often it is looked which accounts are to be listened to, and said that this process lives."""
LIFE_MS = 15 * SECOND_MS
"""Who has not said so for this long is dead, and others take over what it held."""
BACK_FIRST_S, BACK_LAST_S = 1.0, 300.0
"""The first and the longest span in which a lost stream is opened again, at a random moment of it."""
STEADY_S = 60.0
"""A stream that held this long begins anew with the shortest span."""
REFUSED_MS = HOUR_MS
AGAIN_S = (1.0, 2.0, 4.0, 15.0, 60.0)
"""When a look is repeated that did not find what the event has announced."""
MORE_S = 4.0
"""When it is looked once more whether what was found is all."""
LEASED_S = 0.5
"""How often a look is tried while another worker has the account."""
OWNER_BYTES = 6

log = logging.getLogger(__name__)


class Live:
    """The listeners of this process. `wake` tells the workers that an account has become due."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        sleep: Sleep,
        chance: Callable[[], float],
        doorkeeper: Doorkeeper,
        glancer: Glancer,
        wake: Callable[[], None],
        on_news: Callable[[], None],
        venues: Sequence[str],
        sockets_max: int,
    ) -> None:
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._doorkeeper = doorkeeper
        self._glancer = glancer
        self._wake_workers = wake
        self._on_news = on_news
        self._venues = venues
        self._sockets_max = sockets_max
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{os.urandom(OWNER_BYTES).hex()}"
        self._woken = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._supervisor: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Starts to listen in the running loop."""
        self._supervisor = asyncio.create_task(self._supervise(), name="live")

    def wake(self) -> None:
        """Has it looked at once which accounts are to be listened to."""
        self._woken.set()

    async def stop(self) -> None:
        """Closes every stream and leaves the accounts to others."""
        if self._supervisor is None:
            return
        tasks = [self._supervisor, *self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._store.write(live.leave, self._owner)
        except StoreUnavailable as error:
            log.warning("live_not_left reason=%s", error.code)

    async def _supervise(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self._follow()
            except StoreUnavailable as error:
                log.warning("live_paused reason=%s", error.code)
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._woken.wait()
            except TimeoutError:
                continue

    async def _follow(self) -> None:
        """Listens to what this process holds, and to nothing else."""
        now = self._clock.now()
        if not self._tasks and not await self._store.read(live.is_wanted, venues=self._venues, now=now):
            return
        found = await self._store.write(
            live.claims,
            self._owner,
            venues=self._venues,
            count_max=self._sockets_max,
            now=now,
            until=EpochMs(now + LIFE_MS),
        )
        ours = {due.account: due for due in (*found.held, *found.taken)}
        # What was only just taken may have been ours before, with credentials that have changed since.
        kept = {due.account for due in found.held}
        for number, task in list(self._tasks.items()):
            if task.done() or number not in kept:
                task.cancel()
                del self._tasks[number]
        for number, due in ours.items():
            if number not in self._tasks:
                self._tasks[number] = asyncio.create_task(self._listen(due), name=f"live-{number}")

    async def _listen(self, due: accounts.Due) -> None:
        """One account's stream, opened again whenever it is lost; ends when it is of no use."""
        principal = Principal(team=due.team, user=due.user, actor="live")
        failures = 0
        while True:
            began_s = self._clock.monotonic()
            try:
                await self._hear(due, principal)
                failures = 0
                continue
            except (NotFound, _NotOurs):
                return
            except (VenueUserError, SecretUnreadable, EgressRefused) as error:
                await self._give_up(due, principal, error)
                return
            except StoreUnavailable as error:
                failures, wait_s, code = failures + 1, 0.0, error.code
            except OmnifolioError as error:
                failures = 1 if self._clock.monotonic() - began_s >= STEADY_S else failures + 1
                wait_s, code = error.retry_after_s if isinstance(error, VenueBusy) else 0.0, error.code
                await self._note_lost(due, principal, error.message, None)
            except Exception:
                # One account's surprise must not end the others' streams; it is seen, and this one waits longest.
                log.exception("live_crashed account=%s", due.account)
                failures, wait_s, code = failures + 1, BACK_LAST_S, OmnifolioError.code
            span_s = min(BACK_FIRST_S * 2 ** min(failures - 1, 16), BACK_LAST_S)
            pause_s = max(wait_s, span_s * self._chance())
            log.info("live_lost account=%s code=%s failures=%d pause_s=%.1f", due.account, code, failures, pause_s)
            await self._sleep(pause_s)

    async def _hear(self, due: accounts.Due, principal: Principal) -> None:
        """Opens the stream and follows it until it ends; returns when it is time for a new connection."""
        account = await self._store.read(accounts.get, principal, due.account, self._clock.now())
        async with AsyncExitStack() as stack:
            async with self._doorkeeper.open_between(principal, account, Known()) as (_, access):
                stream = await stack.enter_async_context(listening(access))
            if not await self._store.write(live.connected, principal, due.account, self._owner, self._clock.now()):
                raise _NotOurs
            log.info("live_connected account=%s venue=%s", due.account, account.venue)
            pending = Pending(self._clock, self._sleep)
            keeper = asyncio.create_task(self._keep_fresh(due, pending), name=f"live-look-{due.account}")
            try:
                async with asyncio.timeout(renewal_s(account.venue)) as limit:
                    await self._gather(stream, pending, keeper)
            except TimeoutError:
                if not limit.expired():
                    raise
                log.info("live_renewed account=%s", due.account)
            finally:
                keeper.cancel()
                await asyncio.gather(keeper, return_exceptions=True)

    async def _gather(self, stream: Listening, pending: Pending, keeper: asyncio.Task[None]) -> None:
        """Hands every event on. Raises what ends the stream, or what ends the looks."""

        async def hand_on() -> None:
            async for event in stream:
                pending.add(event.wants)

        reading = asyncio.create_task(hand_on(), name="live-read")
        try:
            done, _ = await asyncio.wait((reading, keeper), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _keep_fresh(self, due: accounts.Due, pending: Pending) -> None:
        """First a round for what was missed; then a look for every burst of events."""
        await self._ask_for_round(due)
        while True:
            wants = await pending.take()
            try:
                seen = await self._look(due, wants)
            except (NotFound, StoreUnavailable):
                raise
            except OmnifolioError as error:
                # A round asks again, and tells the account what is wrong.
                log.info("live_look_failed account=%s code=%s", due.account, error.code)
                await self._ask_for_round(due)
                continue
            await self._judge(due, pending, wants, seen)

    async def _look(self, due: accounts.Due, wants: Sequence[Want]) -> Seen:
        began_s = self._clock.monotonic()
        seen = None
        while seen is None:
            try:
                seen = await self._glancer.look(due, wants, owner=f"{self._owner}:{due.account}")
            except LeaseLost:
                log.info("live_look_dropped account=%s", due.account)
            if seen is None:
                await self._sleep(LEASED_S)
        log.info(
            "live_looked account=%s wants=%s moved=%s found=%d took_ms=%d",
            due.account,
            ",".join(dict.fromkeys(want.kind for want in wants)),
            seen.moved,
            seen.found,
            round((self._clock.monotonic() - began_s) * SECOND_MS),
        )
        self._on_news()
        return seen

    async def _judge(self, due: accounts.Due, pending: Pending, wants: Sequence[Want], seen: Seen) -> None:
        """Whether that was all. What belongs to one event may come in parts: so it is looked again until nothing more comes."""
        pending.moved |= seen.moved
        pending.explained |= bool(seen.found)
        is_all = pending.moved and pending.explained
        if not seen.is_whole:
            pending.clear()
            await self._ask_for_round(due)
        elif all(want.kind == "balances" for want in wants) or (is_all and not (seen.moved or seen.found)):
            pending.clear()
        elif is_all:
            pending.put_back(wants, after_s=MORE_S)
        elif pending.attempt < len(AGAIN_S):
            pending.put_back(wants, after_s=AGAIN_S[pending.attempt])
            pending.attempt += 1
        else:
            # A balance that moved and stays unexplained is a round's work; an event that nothing follows was read before.
            if pending.moved:
                await self._ask_for_round(due)
            pending.clear()

    async def _ask_for_round(self, due: accounts.Due) -> None:
        while not await self._store.write(live.hasten, due.account, self._clock.now()):
            await self._sleep(LEASED_S)
        self._wake_workers()

    async def _give_up(self, due: accounts.Due, principal: Principal, error: OmnifolioError) -> None:
        log.warning("live_refused account=%s code=%s", due.account, error.code)
        if not isinstance(error, EgressRefused | MissingPermission):
            await self._ask_for_round(due)
        pause_ms = DAY_MS if isinstance(error, EgressRefused) else REFUSED_MS
        await self._note_lost(due, principal, error.message, EpochMs(self._clock.now() + pause_ms))

    async def _note_lost(self, due: accounts.Due, principal: Principal, problem: str, after: EpochMs | None) -> None:
        now = self._clock.now()
        try:
            await self._store.write(live.lost, principal, due.account, self._owner, now, problem=problem, after=after)
        except (NotFound, StoreUnavailable) as error:
            log.info("live_not_noted account=%s reason=%s", due.account, error.code)


class _NotOurs(Exception):
    """Another process listens to this account by now."""
