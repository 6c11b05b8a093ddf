"""Statements that the driver runs itself belong to the same unit of work as those of SQLAlchemy."""

import asyncio

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.util import await_only
from tests.store.test_engine import add_users, counter, take

from omnifolio.store import schema
from omnifolio.store.engine import Store
from omnifolio.store.reading import Reading

COUNTER = Reading(sa.select(schema.users.c.seq).where(schema.users.c.id == sa.bindparam("user")))


async def test_the_first_statement_of_a_read_fixes_its_snapshot(store: Store) -> None:
    (user,) = await store.write(add_users, 1)
    loop = asyncio.get_running_loop()

    def look(conn: Connection) -> tuple[int, int, int]:
        [(before,)] = COUNTER.rows(conn, user=user)
        if store.dialect == "sqlite":
            asyncio.run_coroutine_threadsafe(store.write(take, user), loop).result(30)
        else:
            await_only(store.write(take, user))
        [(after,)] = COUNTER.rows(conn, user=user)
        return before, after, counter(conn, user)

    assert await store.read(look) == (0, 0, 0)
    assert await store.read(counter, user) == 1


async def test_what_a_unit_of_work_reads_first_does_not_end_it(store: Store) -> None:
    (user,) = await store.write(add_users, 1)

    def op(conn: Connection) -> tuple[int, int]:
        [(before,)] = COUNTER.rows(conn, user=user)
        take(conn, user)
        [(after,)] = COUNTER.rows(conn, user=user)
        return before, after

    assert await store.write(op) == (0, 1)
    assert await store.read(counter, user) == 1
