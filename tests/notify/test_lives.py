"""Random lives of an outbox: receivers that fail in every way, workers that die at any moment, clocks that jump.

Every event arrives, once by its id, in the order in which it happened to its user; what is told again says the same.
"""

import asyncio
import json
import random
from collections.abc import Mapping

import pytest

from omnifolio.model.clock import DAY_MS, HOUR_MS
from omnifolio.model.happenings import CHOSEN_TYPES
from omnifolio.notify import queue
from omnifolio.store.engine import Store, open_store
from omnifolio.tenancy import users
from omnifolio.transport.courier import Courier, Receipt
from tests.notify.stand import SetClock, Team, telling, until_settled

LIVES, SLOW_LIVES, SOAK_LIVES = 200, 10, 4_000
EVENTS_MAX = 14
USERS = ("alice", "bob", "carol")


class Fate(Courier):
    """A way to receivers that may lose the message, the answer, or the process; from `healed_ms` on nothing goes wrong."""

    def __init__(self, chance: random.Random, clock: SetClock, healed_ms: int) -> None:
        super().__init__(clock, lambda *_: None)
        self._chance, self._set, self._healed_ms = chance, clock, healed_ms
        self.arrived: dict[str, list[tuple[str, bytes]]] = {}
        self.sending: set[tuple[str, str]] = set()

    async def deliver(self, url: str, *, headers: Mapping[str, str], body: bytes, may_be_private: bool) -> Receipt:
        """Throws the dice."""
        message = headers["webhook-id"]
        assert (url, message) not in self.sending, "one message is never sent twice at once"
        self.sending.add((url, message))
        try:
            await asyncio.sleep(0)
            lot = 1.0 if self._set.now_ms >= self._healed_ms else self._chance.random()
            if lot < 0.1:
                raise asyncio.CancelledError  # the process died here
            if lot < 0.4:
                return self._receipt(self._chance.choice([None, 500, 302, 429, 404]))
            self.arrived.setdefault(url, []).append((message, body))
            if lot < 0.5:
                raise asyncio.CancelledError  # the process died here
            return self._receipt(None if lot < 0.6 else 200)
        finally:
            self.sending.discard((url, message))

    def _receipt(self, status: int | None) -> Receipt:
        retry_after = str(self._chance.randrange(7_200)) if status == 429 else ""
        return Receipt(
            status=status, outcome="timed_out" if status is None else "answered", duration_ms=1, retry_after=retry_after
        )


async def live(store: Store, seed: int) -> None:
    """One life."""
    chance = random.Random(seed)
    clock = SetClock()
    team = await Team.make(store, clock, f"Team {seed}")
    fate = Fate(chance, clock, clock.now_ms + chance.randrange(2 * DAY_MS))
    urls = [f"https://{number}.example.com/{seed}" for number in range(chance.choice([1, 1, 2]))]
    for url in urls:
        await team.hook(url)
    async with telling(store, clock, courier=fate) as one, telling(store, clock, courier=fate) as other:
        workers = chance.choice([(one,), (one, other)])
        expected: dict[str, int] = {}
        for _ in range(chance.randrange(1, EVENTS_MAX)):
            login = chance.choice(USERS)
            await team.happen(login, chance.choice(CHOSEN_TYPES[:5]))
            expected[login] = expected.get(login, 0) + 1
            if chance.random() < 0.5:
                await asyncio.gather(*(worker.run_until_idle() for worker in workers))
            clock.now_ms += chance.choice([0, 1, 5_000, queue.LEASE_MS + 1, HOUR_MS])
        await until_settled(store, clock, *workers)
    for url in urls:
        told: dict[str, list[int]] = {}
        bodies: dict[str, bytes] = {}
        for message, body in fate.arrived[url]:
            if message in bodies:
                assert bodies[message] == body
                continue
            bodies[message] = body
            data = json.loads(body)["data"]
            told.setdefault(data["user"], []).append(data["sequence"])
        for login, count in expected.items():
            uuid = (await store.read(users.me, await team.user(login))).uuid
            assert told[uuid] == list(range(1, count + 1)), (seed, login)


async def test_many_lives_end_well(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    try:
        for seed in range(LIVES):
            await live(store, seed)
    finally:
        await store.close()


async def test_some_lives_end_well_with_postgresql(postgres_url: str) -> None:
    store = open_store(postgres_url)
    try:
        for seed in range(SLOW_LIVES):
            await live(store, 1_000 + seed)
    finally:
        await store.close()


@pytest.mark.soak
async def test_thousands_of_lives_end_well(database_url: str) -> None:
    store = open_store(database_url)
    try:
        for seed in range(SOAK_LIVES):
            await live(store, 10_000 + seed)
    finally:
        await store.close()
