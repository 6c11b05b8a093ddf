"""Users: anonymous, one for each name of a team, and wholly gone when deleted."""

import asyncio
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tests.tenancy.stand import AUDIT_KEY, NOW, OPERATOR, PEPPER, admin_of, principal, team, user

from omnifolio.model.accounts import Principal
from omnifolio.model.errors import Forbidden, InvalidField, NotFound
from omnifolio.store import schema
from omnifolio.store.engine import Store
from omnifolio.tenancy import audit, users

OF_NO_USER = {
    "meta",
    "counters",
    "teams",
    "team_secrets",
    "audit",
    "tokens",
    "listeners",
    "quotes",
    "rates",
    "price_state",
    "rate_limits",
    "console_links",
    "console_methods",
    "console_sessions",
    "connect_events",
    "webhooks",
    # What a team is told of a user, the user's end included, and what a venue is told after it: forgotten in steps of their own.
    "outbox",
    "deliveries",
    "attempts",
    "revocations",
}
"""Tables without rows of a user. Every other table must be emptied by deleting its users; the test below finds out."""


async def test_a_name_has_one_user_in_a_team_and_another_in_the_next(store: Store) -> None:
    one, _ = await store.write(team)
    two, _ = await store.write(team, "Other")
    alice = await store.write(user, one)
    assert await store.write(user, one) == alice
    assert str(uuid.UUID(alice.uuid, version=4)) == alice.uuid
    others = [await store.write(user, one, "Alice"), await store.write(user, two)]
    assert len({found.uuid for found in (alice, *others)}) == 3


async def test_of_requests_that_create_a_user_at_once_all_get_the_same(store: Store) -> None:
    found, _ = await store.write(team)
    answers = await asyncio.gather(*(store.write(user, found) for _ in range(8)))
    assert len({answer.uuid for answer in answers}) == 1


async def test_the_name_is_not_stored_and_its_hash_is_not_the_same_in_two_teams(store: Store) -> None:
    one, _ = await store.write(team)
    two, _ = await store.write(team, "Other")
    for found in (one, two):
        await store.write(user, found, "alice@example.org")
    rows = await store.read(lambda conn: conn.execute(sa.select(schema.users)).all())
    assert len({bytes(row.login_digest) for row in rows}) == 2
    assert "alice" not in repr(rows)
    assert users.login_digest(PEPPER, one.id, "alice@example.org") != users.login_digest(b"q" * 32, one.id, "alice@example.org")


@pytest.mark.parametrize("login", ["", "é", "名", "x" * 256, "a\nb", "a\x00"])
async def test_names_that_a_header_cannot_carry_are_refused(store: Store, login: str) -> None:
    found, _ = await store.write(team)
    with pytest.raises(InvalidField, match="loginName"):
        await store.write(user, found, login)


async def test_users_are_found_in_their_own_team_only(store: Store) -> None:
    one, _ = await store.write(team)
    two, _ = await store.write(team, "Other")
    alice = await store.write(user, one)
    assert await store.read(users.find, admin_of(one), alice.uuid) == alice
    assert await store.read(users.find_anywhere, OPERATOR, alice.uuid) == alice
    assert await store.read(users.me, principal(alice)) == alice
    with pytest.raises(NotFound):
        await store.read(users.find, admin_of(two), alice.uuid)
    for unit in (
        store.read(users.find, principal(alice), alice.uuid),
        store.read(users.find_anywhere, admin_of(one), alice.uuid),
        store.read(users.me, admin_of(one)),
        store.write(users.get_or_create, Principal(team=one.id, user=None, actor="x"), "bob", pepper=PEPPER, now=NOW),
    ):
        with pytest.raises(Forbidden):
            await unit
    with pytest.raises(NotFound):
        await store.read(users.me, Principal(team=two.id, user=alice.id, actor="x"))


def fill(conn: Connection, team_id: int, user_id: int) -> None:
    """One row in every table, each under the row of the table that it refers to; the columns of no meaning get any value."""
    ids: dict[str, Any] = {"teams": team_id, "users": user_id}
    for table in schema.METADATA.sorted_tables:
        if table.name in OF_NO_USER or table.name == "users":
            continue
        row: dict[str, Any] = {}
        for column in table.columns:
            if column.foreign_keys:
                (reference,) = column.foreign_keys
                row[column.name] = ids[reference.column.table.name]
            elif column.name == "id" and column.primary_key:
                continue
            elif column.name == "user_id":
                row[column.name] = user_id
            elif column.nullable or (column.server_default is not None and not column.primary_key):
                continue
            elif isinstance(column.type, sa.LargeBinary):
                row[column.name] = f"{table.name}-{user_id}".encode()
            elif isinstance(column.type, sa.Text):
                row[column.name] = f"{column.name}-{user_id}"
            else:
                row[column.name] = user_id
        key = conn.execute(sa.insert(table).values(row)).inserted_primary_key
        if "id" in table.c:
            assert key is not None
            ids[table.name] = key[0]


def rows(conn: Connection) -> dict[str, int]:
    tables = [table for table in schema.METADATA.sorted_tables if table.name not in OF_NO_USER]
    return {table.name: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in tables}


async def test_deleting_a_user_deletes_every_row_of_theirs_and_nobody_elses(store: Store) -> None:
    """Holds for every table of the schema, also for one that is added tomorrow."""
    found, _ = await store.write(team)
    alice, bob = await store.write(user, found), await store.write(user, found, "bob")
    for person in (alice, bob):
        await store.write(fill, found.id, person.id)
    before = await store.read(rows)
    assert set(before.values()) == {2}, "one row for each of the two in every table"
    assert await store.write(users.delete, principal(alice), audit_key=AUDIT_KEY, now=NOW) == alice.uuid
    assert {name: n for name, n in (await store.read(rows)).items() if n != 1} == {}
    await store.write(users.delete, principal(bob), audit_key=AUDIT_KEY, now=NOW)
    assert set((await store.read(rows)).values()) == {0}


async def test_of_a_deleted_user_an_audit_row_without_personal_data_stays(store: Store) -> None:
    found, _ = await store.write(team)
    alice = await store.write(user, found, "alice@example.org")
    await store.write(users.delete, principal(alice), audit_key=AUDIT_KEY, now=NOW)
    (entry,) = await store.read(audit.entries, admin_of(found))
    assert (entry.action, entry.target, entry.user, entry.at) == ("user.deleted", alice.uuid, None, NOW)
    assert "alice" not in repr(entry)
    with pytest.raises(NotFound):
        await store.write(users.delete, principal(alice), audit_key=AUDIT_KEY, now=NOW)


async def test_a_deleted_user_who_returns_is_somebody_else(store: Store) -> None:
    found, _ = await store.write(team)
    alice = await store.write(user, found)
    await store.write(users.delete, principal(alice), audit_key=AUDIT_KEY, now=NOW)
    again = await store.write(user, found)
    assert again.uuid != alice.uuid
    assert again.id != alice.id, "numbers are not given out again"
