"""The engines: one unit of work is one transaction, on SQLite and PostgreSQL alike."""

import asyncio
import decimal
import shutil
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.util import await_only
from tests import postgres

from omnifolio.model import amounts
from omnifolio.model.errors import InvalidSettings, NotFound, SchemaTooNew, StoreUnavailable
from omnifolio.store import bulk, schema
from omnifolio.store.engine import PostgresStore, SqliteStore, Store, open_store
from omnifolio.store.migrate import REVISION, prepare

TAKE = (
    sa.update(schema.users)
    .where(schema.users.c.id == sa.bindparam("user"))
    .values(seq=schema.users.c.seq + 1)
    .returning(schema.users.c.seq)
)
COMMIT_COLUMNS = ("user_id", "seq", "at")


def add_users(conn: Connection, count: int) -> list[int]:
    team = conn.execute(schema.teams.insert().values(client_id="c", name="t", created_at=0)).inserted_primary_key
    assert team is not None
    rows = [{"team_id": team[0], "uuid": f"u{n}", "created_at": 0} for n in range(count)]
    return list(conn.execute(sa.insert(schema.users).returning(schema.users.c.id), rows).scalars())


def take(conn: Connection, user: int) -> int:
    """One commit of a user: the counter first, then a row that carries it."""
    seq: int = conn.execute(TAKE, {"user": user}).scalar_one()
    bulk.insert(conn, schema.commits, COMMIT_COLUMNS, [(user, seq, 0)])
    return seq


def sequences(conn: Connection, user: int) -> Sequence[int]:
    query = sa.select(schema.commits.c.seq).where(schema.commits.c.user_id == user).order_by(schema.commits.c.seq)
    return list(conn.execute(query).scalars())


def counter(conn: Connection, user: int) -> int:
    found: int = conn.execute(sa.select(schema.users.c.seq).where(schema.users.c.id == user)).scalar_one()
    return found


async def test_counter_and_bulk_rows_are_committed_together(store: Store) -> None:
    (user,) = await store.write(add_users, 1)

    def many(conn: Connection) -> None:
        conn.execute(TAKE, {"user": user})
        bulk.insert(conn, schema.commits, COMMIT_COLUMNS, [(user, n, 0) for n in range(3_000)])

    await store.write(many)
    assert await store.read(counter, user) == 1
    assert len(await store.read(sequences, user)) == 3_000


async def test_an_exception_takes_back_counter_and_bulk_rows(store: Store) -> None:
    (user,) = await store.write(add_users, 1)

    def failing(conn: Connection) -> None:
        take(conn, user)
        raise NotFound("on purpose")

    with pytest.raises(NotFound, match="on purpose"):
        await store.write(failing)
    assert await store.read(counter, user) == 0
    assert await store.read(sequences, user) == []


async def test_a_doubled_key_in_a_bulk_write_takes_back_everything(store: Store) -> None:
    (user,) = await store.write(add_users, 1)

    def doubled(conn: Connection) -> None:
        take(conn, user)
        bulk.insert(conn, schema.commits, COMMIT_COLUMNS, [(user, 1, 0)])

    with pytest.raises(sa.exc.IntegrityError):
        await store.write(doubled)
    assert await store.read(counter, user) == 0


async def test_a_bulk_replacement_overwrites_by_key(store: Store) -> None:
    (user,) = await store.write(add_users, 1)

    def replace(conn: Connection) -> Sequence[int]:
        take(conn, user)
        bulk.insert(conn, schema.commits, COMMIT_COLUMNS, [(user, 1, 77)], or_replace=True)
        return list(conn.execute(sa.select(schema.commits.c.at)).scalars())

    assert await store.write(replace) == [77]


async def test_a_bulk_write_without_an_open_transaction_is_a_bug(postgres_url: str) -> None:
    """asyncpg would commit it at once, and a rollback would keep the row."""
    store = open_store(postgres_url)
    try:
        with pytest.raises(AssertionError, match="open transaction"):
            await store.write(lambda conn: bulk.insert(conn, schema.commits, COMMIT_COLUMNS, [(1, 1, 1)]))
    finally:
        await store.close()


async def test_concurrent_writers_of_one_user_get_gapless_numbers(store: Store) -> None:
    """The counter's row lock puts the commits of one user in a line; other users do not wait in it."""
    one, two = await store.write(add_users, 2)
    taken = await asyncio.gather(*(store.write_sync(take, user) for _ in range(40) for user in (one, two)))
    assert sorted(taken) == sorted([*range(1, 41), *range(1, 41)])
    assert await store.read(sequences, one) == list(range(1, 41))
    assert await store.read(sequences, two) == list(range(1, 41))


async def test_two_stores_on_one_database_share_the_counter(database_url: str) -> None:
    """Two processes in small: each has its own pool and, on SQLite, its own writer."""
    first, second = open_store(database_url), open_store(database_url)
    try:
        (user,) = await first.write(add_users, 1)
        await asyncio.gather(*(s.write(take, user) for _ in range(20) for s in (first, second)))
        assert await first.read(sequences, user) == list(range(1, 41))
    finally:
        await first.close()
        await second.close()


async def test_on_postgresql_a_second_writer_of_a_user_waits_and_another_user_does_not(postgres_url: str) -> None:
    store = open_store(postgres_url)
    try:
        one, two = await store.write(add_users, 2)
        assert isinstance(store, PostgresStore)
        async with store.engine.connect() as holder:
            async with holder.begin():
                await holder.execute(TAKE, {"user": one})
                waiting = asyncio.create_task(store.write(take, one))
                assert await store.write(take, two) == 1
                assert not waiting.done()
            assert await waiting == 2
    finally:
        await store.close()


async def test_a_reader_that_follows_the_counter_sees_every_commit_in_order(store: Store) -> None:
    (user,) = await store.write(add_users, 1)
    seen: list[int] = []

    async def follow() -> None:
        while len(seen) < 60:
            fresh = [n for n in await store.read(sequences, user) if n > (seen[-1] if seen else 0)]
            seen.extend(fresh)

    async with asyncio.timeout(60):
        await asyncio.gather(follow(), *(store.write_sync(take, user) for _ in range(60)))
    assert seen == list(range(1, 61))


async def test_a_read_sees_one_snapshot_while_others_write(store: Store) -> None:
    (user,) = await store.write(add_users, 1)
    loop = asyncio.get_running_loop()

    def look_twice(conn: Connection) -> tuple[int, int]:
        before = counter(conn, user)
        if store.dialect == "sqlite":
            asyncio.run_coroutine_threadsafe(store.write(take, user), loop).result(30)
        else:
            await_only(store.write(take, user))
        return before, counter(conn, user)

    assert await store.read(look_twice) == (0, 0)
    assert await store.read(counter, user) == 1


async def test_a_read_cannot_write(store: Store) -> None:
    (user,) = await store.write(add_users, 1)
    with pytest.raises((StoreUnavailable, sa.exc.DBAPIError)):
        await store.read(take, user)
    assert await store.read(counter, user) == 0


async def test_requests_go_before_waiting_syncs(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    gate, order = threading.Event(), list[str]()

    def note(_conn: Connection, text: str) -> None:
        order.append(text)

    try:
        running = asyncio.create_task(store.write_sync(lambda _conn: gate.wait(30)))
        await asyncio.sleep(0)
        later = [asyncio.create_task(store.write_sync(note, f"sync {n}")) for n in range(3)]
        await asyncio.sleep(0)
        first = asyncio.create_task(store.write(note, "request"))
        await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(running, first, *later)
    finally:
        await store.close()
    assert order == ["request", "sync 0", "sync 1", "sync 2"]


async def test_a_cancelled_request_neither_stops_nor_breaks_the_writer(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    gate = threading.Event()
    try:
        (user,) = await store.write(add_users, 1)

        def slow(conn: Connection) -> int:
            gate.wait(30)
            return take(conn, user)

        task = asyncio.create_task(store.write(slow))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        assert await store.write(take, user) in (1, 2)
    finally:
        await store.close()


async def test_units_of_work_run_in_the_exact_context(store: Store) -> None:
    def precision(_conn: Connection) -> int:
        return decimal.getcontext().prec

    assert await store.write(precision) == amounts.PRECISION_DIGITS
    assert await store.read(precision) == amounts.PRECISION_DIGITS


async def test_a_locked_sqlite_file_is_an_unavailable_store(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnifolio.store.engine.BUSY_TIMEOUT_MS", 20)
    store = open_store(sqlite_url)
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="OperationalError"):
            await store.write(add_users, 1)
        other.execute("ROLLBACK")
        assert len(await store.write(add_users, 1)) == 1
    finally:
        other.close()
        await store.close()


async def test_a_missing_postgresql_server_is_an_unavailable_store() -> None:
    store = open_store("postgresql://postgres@127.0.0.1:1/none")
    try:
        with pytest.raises(StoreUnavailable):
            await store.write(add_users, 1)
        with pytest.raises(StoreUnavailable):
            await store.read(counter, 1)
    finally:
        await store.close()


async def test_lost_connections_cost_one_unit_of_work_not_the_store(postgres_url: str) -> None:
    """After a restart of the server the pool holds dead connections; they must not fail request after request."""
    store = open_store(postgres_url)
    try:
        users = await store.write(add_users, 5)
        await asyncio.gather(*(store.write(take, user) for user in users))

        def cut_all(conn: Connection) -> None:
            conn.execute(
                sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()")
            ).all()

        with pytest.raises(StoreUnavailable):
            await store.write(cut_all)
        assert [await store.write(take, user) for user in users] == [2] * 5
    finally:
        await store.close()


async def test_a_restarted_server_is_found_again(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"{postgres.PREFIX}{tmp_path.name}-{id(tmp_path)}"
    folder.mkdir()
    server = postgres.Server(folder)
    try:
        await asyncio.to_thread(server.start)
        url = server.url("postgres")
        store = open_store(url)
        await store.write(prepare)
        (user,) = await store.write(add_users, 1)
        await store.write(take, user)
        await asyncio.to_thread(server.kill)
        with pytest.raises(StoreUnavailable):
            await store.write(take, user)
        await asyncio.to_thread(server.start)
        await store.close()
        store = open_store(server.url("postgres"))
        assert await store.write(take, user) == 2
        await store.close()
    finally:
        await asyncio.to_thread(server.stop)
        shutil.rmtree(folder, ignore_errors=True)


async def test_a_closed_store_says_so(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    await store.close()
    await store.close()
    for unit in (store.write(add_users, 1), store.read(counter, 1)):
        with pytest.raises(StoreUnavailable, match="closed"):
            await unit


async def test_an_error_of_the_database_does_not_show_what_was_to_be_stored(store: Store) -> None:
    with pytest.raises(sa.exc.IntegrityError) as caught:
        await store.write(lambda conn: conn.execute(schema.team_secrets.insert(), {"digest": b"swordfish", "hint": "swordfish"}))
    assert "swordfish" not in str(caught.value)

    def in_bulk(conn: Connection) -> None:
        conn.execute(sa.select(1))
        bulk.insert(conn, schema.team_secrets, ("digest", "hint"), [(b"swordfish", "swordfish")])

    with pytest.raises(sa.exc.IntegrityError) as caught:
        await store.write(in_bulk)
    assert "swordfish" not in str(caught.value)
    assert caught.value.__suppress_context__


async def test_preparing_twice_changes_nothing(store: Store) -> None:
    (user,) = await store.write(add_users, 1)
    await store.write(prepare)
    assert await store.read(counter, user) == 0


async def test_a_fresh_database_is_prepared_by_two_processes_at_once(tmp_path: Path, postgres_server: postgres.Server) -> None:
    async with postgres.database(postgres_server, template="template1") as postgres_url:
        for url in (f"sqlite:///{tmp_path / 'new' / 'omnifolio.db'}", postgres_url):
            first, second = open_store(url), open_store(url)
            await asyncio.gather(first.write(prepare), second.write(prepare))
            assert await second.read(lambda conn: sorted(sa.inspect(conn).get_table_names())) == sorted(
                [*schema.METADATA.tables, "alembic_version"]
            )
            await first.close()
            await second.close()


async def test_a_database_of_a_newer_version_is_refused(store: Store) -> None:
    def newer(conn: Connection) -> None:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    await store.write(newer)
    with pytest.raises(SchemaTooNew, match=f"schema 9999; this version knows {REVISION}"):
        await store.write(prepare)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://localhost/x", "not a url", ""])
def test_a_database_that_cannot_be_used_is_named(url: str) -> None:
    with pytest.raises(InvalidSettings, match="database"):
        open_store(url)


async def test_the_password_of_a_database_is_never_in_an_error() -> None:
    store = open_store("postgresql://someone:swordfish@127.0.0.1:1/none")
    try:
        with pytest.raises(StoreUnavailable) as caught:
            await store.write(add_users, 1)
    finally:
        await store.close()
    assert "swordfish" not in f"{caught.value!r} {caught.value.__cause__!r} {store!r}"


async def test_sqlite_is_durable_checked_and_wipes_what_it_deletes(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    assert isinstance(store, SqliteStore)

    def pragmas(conn: Connection) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        return [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    try:
        assert await store.read(pragmas) == ["wal", 2, 1, 1]
    finally:
        await store.close()
