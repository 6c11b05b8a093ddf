"""Power cuts: whatever dies and whenever, nothing that was committed is lost and nothing is stored twice.

A child process commits a seeded history and is killed with SIGKILL, round after round, on the same database. Afterwards the
database must hold exactly what one that was never interrupted holds. Both databases keep their production durability
(`synchronous=FULL`, `fsync=on`).
"""

import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from msgspec import structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import coverage, feed
from omnifolio.ledger.tokens import by_number
from omnifolio.model.amounts import canonical
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import Store, open_store
from omnifolio.store.schema import METADATA, refs, transactions, wallets
from tests import postgres
from tests.ledger.builders import Book
from tests.ledger.crashing import POINTS, STREAM, Nursery, Point, Task, resume

ROUNDS = 50
"""Kills per database in the default suite."""
ROUNDS_LONG = 400
PAGES_PER_ROUND = 4
MOMENT_S_MAX = 0.04
STATEMENTS_MAX = 40
SERVER_DIES_EVERY = 6
"""On PostgreSQL every so many rounds the server dies with its client."""

SEQ_OF_LINKING = 1
"""The account's own creation takes the first sequence."""

ORDERS = [("api", "csv"), ("csv", "api"), ("api", "trades"), ("trades", "api")]


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    """The process that raises children."""
    opened = Nursery()
    yield opened
    opened.close()


class Machine:
    """One database that survives its processes; on PostgreSQL with a server of its own that can be killed."""

    def __init__(self, folder: Path, dialect: str) -> None:
        self.dialect = dialect
        self._file = folder / "crash.db"
        self._server = postgres.Server(folder) if dialect == "postgresql" else None

    async def begin(self) -> None:
        """Starts what must run and creates every table."""
        if self._server is not None:
            self._server.start()
        await postgres.prepare_database(self.url)

    @property
    def url(self) -> str:
        """Where the database is now; a server that died comes back on another port."""
        return f"sqlite:///{self._file}" if self._server is None else self._server.url("postgres")

    @property
    def server(self) -> int:
        """The process id of the server, 0 where there is none."""
        return 0 if self._server is None else int((self._server.data / "postmaster.pid").read_text().split()[0])

    def recover(self) -> None:
        """Starts the server again after its death."""
        assert self._server is not None
        self._server.kill()
        self._server.start()

    def end(self) -> None:
        """Stops what runs."""
        if self._server is not None:
            self._server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
async def machine(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Machine]:
    """A fresh database of each kind."""
    run = Path(os.environ[postgres.RUN_VARIABLE])  # what lies there is removed even if this run dies
    run.chmod(0o755)
    folder = tmp_path if request.param == "sqlite" else run / tmp_path.name
    folder.mkdir(exist_ok=True)
    made = Machine(folder, request.param)
    await made.begin()
    yield made
    made.end()


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Store]:
    """A store for a look at what is there."""
    store = open_store(url)
    yield store
    await store.close()


async def new_task(store: Store, url: str, **what: Any) -> Task:
    """A user with an account, and what is to be committed there."""
    book = await Book.open(store)
    return Task(url=url, principal=book.principal, account=book.account, fence=book.fence, **what)


def book_of(store: Store, task: Task) -> Book:
    """The book on which the task works."""
    return Book(store, task.principal, AccountId(task.account), task.fence)


def fate(rng: random.Random, round_: int) -> dict[str, Any]:
    """Where the child of a round dies: every commit point in turn, any statement, or any moment."""
    kinds: tuple[Point, ...] = (*POINTS, "statement", "moment")
    point = kinds[round_ % len(kinds)]
    count = STATEMENTS_MAX if point == "statement" else PAGES_PER_ROUND - 1
    return {"die_at": point, "die_on": rng.randint(1, count), "moment_s": rng.uniform(0, MOMENT_S_MAX)}


async def counts(store: Store) -> dict[str, int]:
    """How many rows each table has, for the one user that there is."""

    def op(conn: Connection) -> dict[str, int]:
        skipped = {"counters", "meta"}
        tables = [table for table in METADATA.sorted_tables if table.name not in skipped]
        return {t.name: int(conn.execute(sa.select(sa.func.count()).select_from(t)).scalar_one()) for t in tables}

    return await store.read(op)


async def books(book: Book) -> list[object]:
    """Everything that the ledger holds and ever held, with ids replaced by their order of birth: equal for equal histories."""
    told = [await book.told(), await book.calculated(), await book.held(), await book.seq()]

    def op(conn: Connection) -> list[object]:
        born = sorted(
            {row[0] for row in conn.execute(sa.select(refs.c.transaction_id))}
            | {row[0] for row in conn.execute(sa.select(transactions.c.id))}
        )
        rank = {number: place for place, number in enumerate(born)}
        keys = {row.id: row.key for row in conn.execute(sa.select(wallets.c.id, wallets.c.key))}
        names = sorted((row.key, rank[row.transaction_id]) for row in conn.execute(sa.select(refs)))
        known: list[object] = [names]
        for seq in range(1, int(told[3]) + 1):  # type: ignore[call-overload]
            past = feed.known_at(conn, book.principal, seq)
            codes = by_number(
                conn, {leg.token for v in past.transactions.values() for leg in v.legs} | {t for _, _, t in past.balances}
            )
            known.append(
                [
                    [
                        (
                            rank[number], version.at, version.type, version.status, version.height, version.finality,
                            [(leg.key, keys[leg.wallet], codes[leg.token].id, leg.amount, leg.role) for leg in version.legs],
                        )
                        for number, version in past.transactions.items()
                    ],
                    sorted((keys[w], p, codes[t].id, canonical(v)) for (w, p, t), v in past.balances.items()),
                    sorted((keys[w], scope, key, msgspec.json.encode(p)) for (w, scope, key), p in past.positions.items()),
                ]
            )  # fmt: skip
        return known

    return [*told, *await book.store.read(op)]


async def uninterrupted(url: str, task: Task) -> tuple[list[object], dict[str, int]]:
    """The books and row counts of a database on which the task ran in one go."""
    async with opened(url) as store:
        whole = await new_task(store, url, seed=task.seed, pages=task.pages, sources=task.sources)
        await resume(whole, store, lambda _word: None, lambda: None)
        return await books(book_of(store, whole)), await counts(store)


async def torture(machine: Machine, nursery: Nursery, plain_url: str, rounds: int, seed: int) -> None:
    """Kills `rounds` children one after another, lets the last one finish, and compares."""
    rng = random.Random(seed)
    pages = rounds * PAGES_PER_ROUND
    async with opened(machine.url) as store:
        task = await new_task(store, machine.url, seed=seed, pages=pages)
    remembered: dict[int, bytes] = {}
    done = killed = 0
    for round_ in range(rounds):
        server = machine.server if round_ % SERVER_DIES_EVERY == SERVER_DIES_EVERY - 1 else 0
        outcome = nursery.run(_with(task, url=machine.url, server=server, **fate(rng, round_)))
        killed += outcome.killed_by != 0
        if server:
            machine.recover()
        async with opened(machine.url) as store:
            book = book_of(store, task)
            stored = int(await store.read(coverage.cursor_of, book.account, STREAM) or 0)
            # A page may be stored that the child did not live to hear of, never the other way round.
            assert done + outcome.acknowledged <= stored <= done + outcome.acknowledged + 1, round_
            done = stored
            seq = await book.seq()
            assert seq == SEQ_OF_LINKING + stored, "one commit, one sequence"
            remembered[seq] = await book.books_at(seq)
    assert killed > rounds * 3 // 4, "most children must die in the middle of their work"
    outcome = nursery.run(_with(task, url=machine.url))
    assert (outcome.killed_by, done + outcome.acknowledged) == (0, pages)
    async with opened(machine.url) as store:
        book = book_of(store, task)
        for seq, as_known in remembered.items():
            assert await book.books_at(seq) == as_known, f"yesterday's books of sequence {seq} changed"
        survived = await books(book), await counts(store)
    assert survived == await uninterrupted(plain_url, task)


def _with(task: Task, **changes: Any) -> Task:
    return structs.replace(task, **changes)


async def test_kill_9_at_every_commit_point_and_at_random_loses_nothing_and_doubles_nothing(
    machine: Machine, nursery: Nursery, sqlite_url: str
) -> None:
    await torture(machine, nursery, sqlite_url, ROUNDS, seed=20261122)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
async def test_many_more_kills_lose_nothing_either(machine: Machine, nursery: Nursery, sqlite_url: str, seed: int) -> None:
    await torture(machine, nursery, sqlite_url, ROUNDS_LONG, seed)


@pytest.mark.parametrize("order", ORDERS, ids="-".join)
async def test_two_sources_with_a_kill_between_and_inside_end_in_the_same_ids(
    database_url: str, nursery: Nursery, tmp_path: Path, sqlite_template: Path, order: tuple[str, str]
) -> None:
    """API and CSV of the same records, ledger and trades of the same events: killed at every point of either page."""
    plain = tmp_path / "plain.db"
    plain.write_bytes(sqlite_template.read_bytes())
    async with opened(database_url) as store:
        task = await new_task(store, database_url, sources=order)
    for page in (1, 2):
        ids: list[int] = []
        for point in POINTS[:-1]:
            assert nursery.run(_with(task, die_at=point, die_on=1)).killed_by
            ids = await _same_or_more_ids(database_url, task, ids)
        assert nursery.run(_with(task, die_at="after COMMIT", die_on=1)).killed_by, "between the sources"
        ids = await _same_or_more_ids(database_url, task, ids)
        async with opened(database_url) as store:
            assert await book_of(store, task).seq() == SEQ_OF_LINKING + page
    assert nursery.run(_with(task)).acknowledged == 0, "everything was stored already"
    async with opened(database_url) as store:
        book = book_of(store, task)
        survived = await books(book), await counts(store)
        assert len(await book.transactions()) == 2
    assert survived == await uninterrupted(f"sqlite:///{plain}", task)


async def _same_or_more_ids(url: str, task: Task, before: list[int]) -> list[int]:
    async with opened(url) as store:
        book = book_of(store, task)
        now = [row.id for row in await book.transactions()]
    assert now[: len(before)] == before
    return list(now)
