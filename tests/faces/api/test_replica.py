"""A copy that follows `/v1/sync` equals the server, whatever happens to both of them."""

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy.engine import Connection

from omnifolio.app import replicating
from omnifolio.faces.api.desk import Desk
from omnifolio.ledger import accounts, decisions, feed
from omnifolio.ledger.overlays import OverlayKind
from omnifolio.ledger.replica import Bookmark, Told, tell
from omnifolio.model.facts import Batch, Rewind
from tests.faces.api.replica import KINDS, NOW, Replica, ask, served
from tests.faces.api.world import World
from tests.ledger.builders import Book, batch, claim, leg, snapshot
from tests.ledger.histories import random_page

LIVES = {"sqlite": 850, "postgresql": 150}
"""A life on PostgreSQL costs five times as much; the statements are the same."""
LIVES_TO_FIND_A_MISTAKE = 100
STEPS_MAX = 14


class Life:
    """One user with a few accounts that change at random, and a replica that reads, stops, and goes on from anywhere."""

    def __init__(self, desk: Desk, book: Book, rng: random.Random) -> None:
        self.desk, self.book, self.rng = desk, book, rng
        self.books = [book]
        self.replica = Replica()
        self.kept: list[Replica] = [Replica()]

    async def step(self, number: int) -> None:
        """Something happens."""
        rng, store, who = self.rng, self.desk.context.store, self.book.principal
        what = rng.random()
        if what < 0.55 and self.books:
            await rng.choice(self.books).commit(_page(rng))
        elif what < 0.62:
            self.books.append(await self.book.beside(f"{self.book.account}/{number}"))
        elif what < 0.68 and self.books:
            leaving = self.books.pop(rng.randrange(len(self.books)))
            await store.write(accounts.delete, who, leaving.account, NOW)
        elif what < 0.76:
            newest = await self.book.seq()
            await store.write(feed.prune, who, up_to=rng.choice([newest, rng.randint(0, newest)]))
        elif what < 0.81:
            await self._decide()
        else:
            await self._read(rng.randint(1, 3))

    async def _decide(self) -> None:
        rng, store, who = self.rng, self.desk.context.store, self.book.principal
        rows = [row for book in self.books for row in await book.transactions()]
        if not rows:
            return
        if rng.random() < 0.5:
            kind: OverlayKind = "label"
            target, value = str(rng.choice(rows).id), f"word {rng.random()}"
        else:
            kind, target, value = "spam", f"venue:demo/{rng.choice(['BTC', 'ETH'])}", rng.choice(["yes", "no"])
        await store.write(decisions.decide, who, kind=kind, target=target, value=value, now=NOW)

    async def _read(self, answers: int) -> None:
        """Reads on; may have been killed before, and then goes on with what it has kept, or only with the cursor of that."""
        rng = self.rng
        if rng.random() < 0.3:
            found = rng.choice(self.kept)
            if rng.random() < 0.5:
                self.replica = found.copy()
            else:
                self.replica.cursor = found.cursor
        for _ in range(answers):
            answer = await ask(self.desk, self.book, self.replica.cursor, limit=rng.choice([1, 2, 3, 7, 100]))
            self.replica.take_in(answer)
            self.kept.append(self.replica.copy())
            if not answer["has_more"]:
                assert self.replica.told() == await served(self.desk, self.book)
                return

    async def finish(self) -> None:
        """Reads to the end: now both are equal, and nothing more is told."""
        while True:
            answer = await ask(self.desk, self.book, self.replica.cursor, limit=self.rng.choice([1, 2, 5, 100]))
            self.replica.take_in(answer)
            if not answer["has_more"]:
                break
        assert self.replica.told() == await served(self.desk, self.book)
        again = await ask(self.desk, self.book, self.replica.cursor, limit=100)
        assert not any(again[way][kind] for way in ("added", "modified") for kind in KINDS)
        assert not any(again["removed"].values())


def _page(rng: random.Random) -> Batch:
    """A random page; sometimes with balances of other wallets and products, or none any more."""
    if rng.random() < 0.4:
        return _blocks(rng)
    page = random_page(rng)
    if rng.random() < 0.4:
        amounts = {code: str(rng.randint(1, 3)) for code in rng.sample(["BTC", "ETH", "USD"], rng.randint(0, 2))}
        look = snapshot(amounts, wallet=rng.choice(["spot", "cold"]), product=rng.choice(["earn", "staked"]))
        page = structs.replace(page, snapshots=(*page.snapshots, look))
    return page


def _blocks(rng: random.Random) -> Batch:
    """A few transactions of a chain whose blocks are replaced again and again."""
    told = [
        claim(f"c{n}", leg(f"in {rng.randint(1, 2)} ETH"), book="chain", height=rng.randint(1, 9), finality="provisional")
        for n in rng.sample(range(6), rng.randint(0, 3))
    ]
    return batch(*told, stream="chain", rewind=Rewind("chain", rng.randint(0, 5)) if rng.random() < 0.6 else None)


async def live(desk: Desk, number: int) -> None:
    """One life from its seed."""
    rng = random.Random(number)
    life = Life(desk, await Book.open(desk.context.store, name=f"life {number} {random.random()}"), rng)
    for step in range(rng.randint(4, STEPS_MAX)):
        await life.step(step)
    await life.finish()


def _lives(world: World, desk: Desk, numbers: range) -> None:
    async def all_of_them() -> None:
        for number in numbers:
            try:
                await live(desk, number)
            except AssertionError as error:
                error.add_note(f"life {number}")
                raise

    world.write(_without_waiting_for_the_disk)
    world.run(all_of_them())


def _without_waiting_for_the_disk(conn: Connection) -> None:
    """What is told counts here, not its durability."""
    if conn.dialect.name == "postgresql":
        name = conn.exec_driver_sql("SELECT current_database()").scalar_one()
        conn.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')


def test_a_replica_equals_the_server_whatever_happens_to_both(world: World, desk: Desk) -> None:
    """Commits, merges, withdrawals, reorganisations, decisions, accounts that go, dropped tombstones, answers of any size, and a
    reader that is killed and goes on at any cursor that it ever had."""
    _lives(world, desk, range(LIVES[world.store.dialect]))


@pytest.mark.soak
def test_a_replica_equals_the_server_in_many_more_lives(world: World, desk: Desk) -> None:
    _lives(world, desk, range(1_000, 1_000 + 20 * LIVES[world.store.dialect]))


MISTAKES: Mapping[str, Callable[[Told], Told]] = {
    "what was taken back is not told": lambda told: structs.replace(told, graves=()),
    "an account that goes is not told": lambda told: structs.replace(told, closed=()),
    "the rest of a commit is skipped": lambda told: structs.replace(told, mark=structs.replace(told.mark, id=2**62)),
    "a reset is not said": lambda told: structs.replace(told, is_reset=False),
    "balances are forgotten": lambda told: structs.replace(told, balances={}),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_planted_mistake_is_found(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch, mistake: str) -> None:
    def wrong(*args: Any, **kwargs: Any) -> Told:
        return MISTAKES[mistake](tell(*args, **kwargs))

    monkeypatch.setattr(replicating, "tell", wrong)
    with pytest.raises(AssertionError):
        _lives(world, desk, range(LIVES_TO_FIND_A_MISTAKE))


def test_a_horizon_that_is_ignored_is_found(world: World, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bookmark, "needed", property(lambda _: 2**62))
    with pytest.raises(AssertionError):
        _lives(world, desk, range(LIVES_TO_FIND_A_MISTAKE))
