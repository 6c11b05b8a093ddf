"""Runs units of work on SQLite or PostgreSQL: one function over an open connection, one transaction, one hop.

A unit of work is a plain function `op(conn, *args)`. On SQLite it runs in a thread: one writer thread with two lanes (requests
before sync), and a small pool of readers. On PostgreSQL it runs under asyncpg by `run_sync`. Either way the transaction is
committed when `op` returns and rolled back when it raises.
"""

import asyncio
import itertools
import queue
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

from omnifolio.model import amounts
from omnifolio.model.errors import InvalidSettings, StoreUnavailable

P = ParamSpec("P")
T = TypeVar("T")
Op = Callable[Concatenate[Connection, P], T]
Lane = Literal["request", "sync"]

READERS = 4
"""Threads that read SQLite at the same time."""
BUSY_TIMEOUT_MS = 5_000
WAL_ATTEMPTS_MAX = 100
WAL_PAUSE_S = 0.05
CHECKPOINT_PAGES = 4_000
"""Pages of the log (16 MB) before they are copied into the database. A page of a chain's facts is some 400 of them, and the same
ones of the indexes again and again: at SQLite's own 1,000 they are copied with every third commit."""
POOL_CONNECTIONS = 10
GLANCE_CONNECTIONS = 4
"""Connections of PostgreSQL kept for glances, beside the pool."""
GLANCE_TIMEOUT_MS = 2_000
RETRIES_MAX = 5
"""How often PostgreSQL may refuse a unit of work for a deadlock or serialisation before the error is given on."""
_RETRYABLE = ("40001", "40P01")
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58", "XX")
"""SQLSTATE classes: connection, resources, operator, system, internal."""
_LANES: dict[Lane, int] = {"request": 0, "sync": 1}


class Store:
    """Both stores behind one face. Open with `open_store`, close with `close`."""

    dialect: Literal["sqlite", "postgresql"]

    async def write(self, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `op` in a writing transaction, ahead of every waiting sync. Raises: StoreUnavailable, and whatever `op` raises."""
        return await self._write("request", op, *args, **kwargs)

    async def write_sync(self, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `write`, but behind every waiting request: for pages of facts."""
        return await self._write("sync", op, *args, **kwargs)

    async def read(self, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Runs `op` on one consistent snapshot of the database; it must not write."""
        raise NotImplementedError

    async def glance(self, sql: str, *values: object) -> Sequence[Any] | None:
        """The first row of one small SELECT by primary key, without a transaction of its own and without changing threads.

        For the check before a kept answer; `sql` has the driver's placeholders. Raises: StoreUnavailable.
        """
        raise NotImplementedError

    async def _write(self, lane: Lane, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        raise NotImplementedError

    async def close(self) -> None:
        """Waits for running units of work and lets the database go."""
        raise NotImplementedError


def open_store(url: str) -> Store:
    """The store of a database URL: `sqlite:///PATH` or `postgresql://user:password@host:port/name`. Raises: InvalidSettings."""
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:
        raise InvalidSettings("database: expected sqlite:///PATH or postgresql://user:password@host/name") from None
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        if not parsed.database or parsed.database == ":memory:":
            raise InvalidSettings("database: SQLite needs a file, for instance sqlite:///omnifolio.db")
        return SqliteStore(Path(parsed.database))
    if backend == "postgresql":
        return PostgresStore(parsed.set(drivername="postgresql+asyncpg"))
    raise InvalidSettings(f"database: {backend} is not supported; use sqlite:///PATH or postgresql://…")


class SqliteStore(Store):
    """One file, one writer thread, a few readers."""

    dialect = "sqlite"

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._is_closed = False
        self.engine = sa.create_engine(f"sqlite:///{path}", pool_size=1, max_overflow=0, hide_parameters=True)
        event.listen(self.engine, "connect", _configure_sqlite)
        event.listen(self.engine, "begin", lambda conn: conn.connection.driver_connection.execute("BEGIN IMMEDIATE"))
        self._reading = sa.create_engine(f"sqlite:///{path}", pool_size=READERS, max_overflow=0, hide_parameters=True)
        event.listen(self._reading, "connect", _configure_sqlite_reader)
        event.listen(self._reading, "begin", lambda conn: conn.connection.driver_connection.execute("BEGIN"))
        self._readers = ThreadPoolExecutor(READERS, "store-read", initializer=amounts.install)
        self._jobs: queue.PriorityQueue[tuple[int, int, Callable[[], None] | None]] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._glances: sqlite3.Connection | None = None
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._writer.start()

    def _write_loop(self) -> None:
        amounts.install()
        while True:
            _lane, _number, job = self._jobs.get()
            if job is None:
                return
            job()

    async def _write(self, lane: Lane, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        done: Future[T] = Future()

        def job() -> None:
            try:
                with self.engine.begin() as conn:
                    result = op(conn, *args, **kwargs)
            except BaseException as error:
                done.set_exception(_translated(error))
            else:
                done.set_result(result)

        self._jobs.put((_LANES[lane], next(self._numbers), job))
        # Shielded: a request that is cancelled must not leave the writer's result without a taker half way.
        return await asyncio.shield(asyncio.wrap_future(done))

    async def read(self, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        def job() -> T:
            try:
                with self._reading.begin() as conn:
                    return op(conn, *args, **kwargs)
            except Exception as error:
                raise _translated(error) from error

        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._readers, job)

    async def glance(self, sql: str, *values: object) -> Sequence[Any] | None:
        # In the loop's own thread: under WAL a reader waits for nobody, and a hop would cost ten times the read.
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        try:
            if self._glances is None:
                self._glances = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
                self._glances.execute("PRAGMA query_only=ON")
                self._glances.execute(f"PRAGMA busy_timeout={GLANCE_TIMEOUT_MS}")
            row: Sequence[Any] | None = self._glances.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise _translated(error) from error
        return row

    def backup(self, target: Path) -> None:
        """Copies the database to a new file while it is in use: one consistent state of it."""
        source, copy = sqlite3.connect(self.path), sqlite3.connect(target)
        try:
            source.backup(copy)
        finally:
            copy.close()
            source.close()

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._glances is not None:
            self._glances.close()
        self._jobs.put((len(_LANES), next(self._numbers), None))
        await asyncio.to_thread(self._writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        self._reading.dispose()
        self.engine.dispose()


class PostgresStore(Store):
    """A pool of asyncpg connections."""

    dialect = "postgresql"

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.engine = create_async_engine(
            url,
            pool_size=POOL_CONNECTIONS,
            max_overflow=0,
            pool_pre_ping=False,
            pool_timeout=30,
            pool_reset_on_return="rollback",
            hide_parameters=True,
        )
        self._reading = self.engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._glancing = asyncio.Semaphore(GLANCE_CONNECTIONS)
        self._idle: list[Any] = []
        self._is_closed = False

    async def _write(self, lane: Lane, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        for attempt in range(RETRIES_MAX + 1):
            try:
                async with self.engine.begin() as conn:
                    return await conn.run_sync(op, *args, **kwargs)
            except Exception as error:
                if attempt < RETRIES_MAX and _sqlstate(error) in _RETRYABLE:
                    continue
                raise _translated(error) from error
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def read(self, op: Op[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            async with self._reading.connect() as conn:
                return await conn.run_sync(op, *args, **kwargs)
        except Exception as error:
            raise _translated(error) from error

    async def glance(self, sql: str, *values: object) -> Sequence[Any] | None:
        # The driver's own connections: SQLAlchemy's greenlet, transaction and reset cost four times this read.
        if self._is_closed:
            raise StoreUnavailable("the store is closed")
        async with self._glancing:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    break
            else:
                connection = await self._connect()
            try:
                row: Sequence[Any] | None = await connection.fetchrow(sql, *values, timeout=GLANCE_TIMEOUT_MS / 1000)
            except BaseException as error:
                connection.terminate()  # also when the request was cancelled: nobody may get its half-read answer
                raise (StoreUnavailable() if isinstance(error, OSError) else _translated(error)) from error
            self._idle.append(connection)
            return row

    async def _connect(self) -> Any:
        import asyncpg

        _positional, options = self.engine.dialect.create_connect_args(self.url)
        options.pop("prepared_statement_cache_size", None)
        try:
            return await asyncpg.connect(**options)
        except (OSError, asyncpg.PostgresError) as error:
            raise StoreUnavailable(f"the database refused the operation ({type(error).__name__})") from error

    async def close(self) -> None:
        self._is_closed = True
        while self._idle:
            await self._idle.pop().close()
        await self.engine.dispose()


def _configure_sqlite(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None  # the driver must not begin transactions for us
    for pragma in (
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
    ):
        dbapi.execute("PRAGMA " + pragma)
    # SQLite does not wait by itself when two processes turn a fresh file to WAL at once: it would deadlock, so one is refused.
    for attempt in range(WAL_ATTEMPTS_MAX):
        try:
            dbapi.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if attempt == WAL_ATTEMPTS_MAX - 1:
                raise
            time.sleep(WAL_PAUSE_S)


def _configure_sqlite_reader(dbapi: Any, record: object) -> None:
    _configure_sqlite(dbapi, record)
    dbapi.execute("PRAGMA query_only=ON")


def _sqlstate(error: BaseException) -> str:
    """The SQLSTATE of a PostgreSQL error, the driver's own or wrapped; "" for others."""
    state = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlstate", None)
    return state if isinstance(state, str) else ""


def _translated(error: BaseException) -> BaseException:
    """Database trouble as StoreUnavailable; everything else as it is."""
    origin = error.orig if isinstance(error, DBAPIError) else error
    if (
        isinstance(error, OperationalError | InterfaceError | PoolTimeout | ConnectionError | socket.gaierror)
        or isinstance(origin, sqlite3.OperationalError)
        or type(origin) is sqlite3.DatabaseError  # a damaged file; its subclasses are mistakes in a statement
        or (isinstance(error, DBAPIError) and error.connection_invalidated)
        or _sqlstate(error).startswith(_UNAVAILABLE_CLASSES)
        or type(origin).__name__ == "InterfaceError"  # asyncpg's own: the connection is closed
    ):
        return StoreUnavailable(f"the database refused the operation ({type(origin).__name__})")
    return error
