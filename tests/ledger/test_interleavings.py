"""Two writers on PostgreSQL whose transactions overlap in every order, and a reader that follows `seq`.

Every writer stops at a gate between its last statement and its COMMIT. A seeded schedule opens the gates in any order and reads
in between, so commits overtake each other: of different users freely, of one user as far as the counter's lock lets them.
"""

import asyncio
import random
from collections.abc import Iterator

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.util import await_only

from omnifolio.ledger.commit import Committed, commit
from omnifolio.ledger.replica import Bookmark, tell
from omnifolio.model.facts import Batch
from omnifolio.model.ids import TransactionId
from omnifolio.store.engine import open_store
from tests.ledger.builders import Book, at
from tests.ledger.histories import Mirror, follow, live, random_page

INTERLEAVINGS = 1_000
WORLD = 50
"""Interleavings on one pair of users, before fresh ones."""


CHANGES = 20
"""Changes that a reader asks for at once."""


class Writer:
    """One page on its way into a book, held open between its last statement and its COMMIT."""

    def __init__(self, book: Book, page: Batch) -> None:
        self.book, self.page = book, page
        self.gate, self.written = asyncio.Event(), asyncio.Event()
        self.process = 0
        self.task: asyncio.Task[Committed] | None = None

    def begin(self) -> None:
        """Starts the transaction."""
        self.task = asyncio.create_task(self.book.store.write_sync(self._op))

    def _op(self, conn: Connection) -> Committed:
        self.process = conn.connection.driver_connection.get_server_pid()  # type: ignore[union-attr]
        done = commit(conn, self.book.principal, self.book.account, self.page, fence=self.book.fence, now=at(0))
        self.written.set()
        await_only(self.gate.wait())
        return done

    async def reach_the_gate(self, other: "Writer") -> None:
        """Returns when all is written, or when the other writer's lock stops this one from writing."""
        assert self.task is not None
        written = asyncio.create_task(self.written.wait())
        while other.is_open and not written.done() and not self.task.done():
            if await self._is_blocked():
                break
        else:
            await asyncio.wait({written, self.task}, return_when=asyncio.FIRST_COMPLETED)
        written.cancel()

    @property
    def is_open(self) -> bool:
        """It has written and not committed."""
        return self.written.is_set() and self.task is not None and not self.task.done()

    async def _is_blocked(self) -> bool:
        def op(conn: Connection) -> bool:
            if not self.process:
                return False
            waiting = conn.exec_driver_sql("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1", (self.process,))
            return bool(waiting.scalar_one())

        return await self.book.store.read(op)

    async def end(self) -> None:
        """Opens the gate and waits for the COMMIT."""
        assert self.task is not None
        self.gate.set()
        await self.task


class Follower:
    """A reader that holds what the change log told it so far, and a copy of all transactions beside it."""

    def __init__(self, book: Book) -> None:
        self.book, self.mirror, self.cursor = book, Mirror(), ""
        self.copy: set[TransactionId] = set()
        self.mark: Bookmark | None = None

    async def read_on(self) -> None:
        """Takes in what is new."""
        self.cursor = await follow(self.book, self.cursor, self.mirror, limit=CHANGES)
        has_more = True
        while has_more:
            told = await self.book.store.read(tell, self.book.principal, self.mark, limit=CHANGES)
            if told.is_reset:
                self.copy.clear()
            self.copy = (self.copy - {grave.id for grave in told.graves}) | told.transactions.keys()
            self.mark, has_more = told.mark, told.has_more


def schedules(rng: random.Random) -> Iterator[list[str]]:
    """Random orders of both writers' beginnings and ends with reads in between; a writer begins before it ends."""
    while True:
        steps = ["begin 0", "begin 1", "end 0", "end 1", "read", "read"]
        rng.shuffle(steps)
        for name in "01":
            first, second = sorted(place for place, step in enumerate(steps) if step.endswith(name))
            steps[first], steps[second] = f"begin {name}", f"end {name}"
        yield steps


async def interleave(writers: list[Writer], readers: list[Follower], steps: list[str]) -> None:
    """Plays one schedule."""
    for step in steps:
        if step == "read":
            for reader in readers:
                await reader.read_on()
            continue
        writer, other = writers[int(step[-1])], writers[1 - int(step[-1])]
        if step.startswith("begin"):
            writer.begin()
            await writer.reach_the_gate(other)
        else:
            # A writer that waits for the other's lock cannot commit before it: the gate is open, the other one goes first.
            writer.gate.set()
            if not writer.is_open and other.is_open:
                await other.end()
            await writer.end()


@pytest.mark.parametrize("share", range(2))
async def test_a_reader_that_follows_the_sequence_ends_with_the_rows_of_writers_that_overtake_each_other(
    postgres_url: str, share: int
) -> None:
    """Both shares together are 1,000 interleavings; half of them of two accounts of one user or of one account."""
    store = open_store(postgres_url)
    await store.write(_without_waiting_for_the_disk)
    rng = random.Random(20261122 + share)
    plan = schedules(rng)
    overtakings = 0
    for world in range(INTERLEAVINGS // 2 // WORLD):
        left = await Book.open(store, name=f"left {world}")
        books = [left, await left.beside("second"), await Book.open(store, name=f"right {world}")]
        readers = [Follower(books[0]), Follower(books[2])]
        for _ in range(WORLD):
            pair = [books[0], rng.choice([books[0], books[1], books[2], books[2]])]
            rng.shuffle(pair)
            steps = next(plan)
            overtakings += steps.index("begin 0") < steps.index("begin 1") and steps.index("end 1") < steps.index("end 0")
            await interleave([Writer(book, random_page(rng)) for book in pair], readers, steps)
        for reader in readers:
            await reader.read_on()
            await _holds_everything(reader, [book for book in books if book.principal == reader.book.principal])
    assert overtakings > INTERLEAVINGS // 20, "writers must overtake each other often"
    await store.close()


async def _holds_everything(reader: Follower, books: list[Book]) -> None:
    fresh = Follower(reader.book)
    await fresh.read_on()
    assert live(reader.mirror) == live(fresh.mirror)
    rows = {row.id for book in books for row in await book.transactions()}
    assert {number for kind, number, _ in live(reader.mirror) if kind == "transaction"} == rows
    assert reader.copy == rows


def _without_waiting_for_the_disk(conn: Connection) -> None:
    """The order of commits is what counts here, not their durability."""
    name = conn.exec_driver_sql("SELECT current_database()").scalar_one()
    conn.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
