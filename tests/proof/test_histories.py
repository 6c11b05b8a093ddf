"""Random lives of an account: faults at random calls, kills at random moments, time that moves, a world that goes on.

One seed is one history. Whatever happened in it, once the venue is sound the ledger holds the truth, every id that was ever seen
still leads to its transaction, and what was known at a sequence stays byte for byte what it was.
"""

import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from omnifolio.ledger import read
from omnifolio.ledger.sequence import latest
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS
from omnifolio.model.ids import AccountId, TransactionId
from tests.proof.simulation import NOW, Installation, Venues, installed, simulated

SEEDS = range(8)
SEEDS_LONG = range(1000, 4000)
STEPS = (4, 9)
SOUND_DAYS = 31
"""After so many days every stream is walked from its beginning, so that what was dropped or back-dated is found."""
PATHS = {
    "kraken": ["*", "/0/private/BalanceEx", "/0/private/Ledgers", "/0/private/TradesHistory", "/0/private/DepositStatus"],
    "coinbase": ["*", "/v2/accounts", "/v2/accounts/*", "/api/v3/brokerage/*"],
}
EFFECTS: list[dict[str, Any]] = [
    {"effect": "empty_object"},
    {"effect": "empty_list"},
    {"effect": "half"},
    {"effect": "html"},
    {"effect": "reset"},
    {"effect": "drop_page"},
    {"effect": "rate_limit"},
    {"effect": "ban"},
    {"status": 500},
    {"status": 429, "headers": {"Retry-After": "120"}},
    {"status": 200, "body": "<html></html>"},
    {"skew_ms": 300_000},
]
HONEST = [effect for effect in EFFECTS if effect.get("effect") != "drop_page"]
"""What never passes for an answer of balances: an empty wallet that is told twice, minutes apart, is believed."""


class Life:
    """One history of one account, told by a seed."""

    def __init__(self, house: Installation, venues: Venues, seed: int) -> None:
        self.house, self.venues, self.rng = house, venues, random.Random(seed)
        self.venue = self.rng.choice(sorted(PATHS))
        self.user = f"life-{seed}-60"
        self.seen: set[int] = set()
        self.remembered: dict[int, bytes] = {}
        self.number: AccountId

    async def live(self) -> None:
        """The history, and what must hold in it and after it."""
        self.number = await self.house.link(self.venue, self.user)
        for _ in range(self.rng.randint(*STEPS)):
            self._break()
            await self._act()
            await self._note()
        self.venues.heal()
        await self._until_well()
        self.venues.pass_time(SOUND_DAYS * DAY_MS)
        await self._until_well()
        await self._prove()

    def _break(self) -> None:
        if self.rng.random() < 0.3:
            self.venues.heal()
        for _ in range(self.rng.randint(0, 2)):
            path = self.rng.choice(PATHS[self.venue])
            is_balances = path in ("*", "/0/private/BalanceEx", "/v2/accounts", "/api/v3/brokerage/*")
            effect = self.rng.choice(HONEST if is_balances else EFFECTS)
            nth = sorted(self.rng.sample(range(1, 9), self.rng.randint(1, 4)))
            self.venues.fault({"venue": self.venue, "path": path, "nth": nth, **effect})

    async def _act(self) -> None:
        if self.rng.random() < 0.4:
            at = self.house.time.now()
            when = {"at": at - self.rng.randint(0, 20 * DAY_MS), "visible_at": at + self.rng.randint(0, DAY_MS)}
            amount = str(self.rng.randint(1, 10**6) / 10**4)
            self.venues.deposit(self.user, self.venue, self.rng.choice(["BTC", "ETH", "LINK"]), amount, **when)
        self.venues.pass_time(self.rng.choice([MINUTE_MS, HOUR_MS, DAY_MS, 5 * DAY_MS]))
        work = self.house.sync if self.rng.random() < 0.5 else self.house.work
        if self.rng.random() < 0.5:
            await self.house.crash(self.rng.randint(1, 120), work)
        else:
            await work()

    async def _note(self) -> None:
        self.seen |= {row.id for row in await self.house.transactions(self.number)}
        seq = await self.house.runtime.context.store.read(latest, self.house.principal)
        self.remembered[seq] = await self.house.books_at(seq)

    async def _until_well(self) -> None:
        for _ in range(10):
            await self.house.sync()
            account = await self.house.account(self.number)
            if account.status == "ok" and not await self.house.problems(self.number):
                return
            assert account.next_sync_at is not None, (account.error_code, account.error_text)
            self.venues.pass_time(max(0, account.next_sync_at - self.house.time.now()))
        raise AssertionError((account.status, account.error_code, await self.house.problems(self.number)))

    async def _prove(self) -> None:
        assert await self.house.facts(self.number) == self.venues.truth(self.user, self.venue)
        assert await self.house.sums_agree(self.number)
        assert not [amount for amount in (await self.house.held(self.number)).values() if amount.endswith("?")]
        standing = {row.id for row in await self.house.transactions(self.number)}

        def resolved(conn: Connection) -> set[int]:
            rows = (read.transaction(conn, self.house.principal, self.number, TransactionId(number)) for number in self.seen)
            return {row.id for row in rows}

        assert await self.house.runtime.context.store.read(resolved) <= standing
        for seq, books in self.remembered.items():
            assert await self.house.books_at(seq) == books


@pytest.fixture
async def life(database_url: str, tmp_path_factory: pytest.TempPathFactory, seed: int) -> AsyncIterator[Life]:
    """A life that has not begun."""
    with simulated(now=NOW) as venues:
        async with installed(database_url, tmp_path_factory.mktemp("keys"), venues) as house:
            yield Life(house, venues, seed)
            assert venues.violations() == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_happens_the_ledger_ends_with_the_truth(life: Life) -> None:
    await life.live()


@pytest.mark.soak
@pytest.mark.parametrize("seed", SEEDS_LONG)
async def test_whatever_happens_in_many_more_lives(life: Life) -> None:
    await life.live()
