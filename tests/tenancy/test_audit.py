"""The audit chain: whatever is done to its rows without its key is found."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tests.tenancy.stand import AUDIT_KEY, NOW, OPERATOR, admin_of, principal, team, user

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import Forbidden
from omnifolio.model.ids import TeamId
from omnifolio.store import schema
from omnifolio.store.engine import Store
from omnifolio.tenancy import audit
from omnifolio.tenancy.audit import Head

ROWS = 30
MUTATIONS = 1_000
TABLE = schema.audit


class Undone(Exception):
    """Takes a mutation back, so that the next one finds the whole chain."""


def fill(conn: Connection, who: Principal, count: int = ROWS) -> Head:
    for number in range(count):
        audit.append(conn, who, f"action.{number % 3}", str(number), key=AUDIT_KEY, now=EpochMs(NOW + number))
    return audit.head(conn, who)


def ids(conn: Connection, team_id: int) -> list[int]:
    return list(conn.execute(sa.select(TABLE.c.id).where(TABLE.c.team_id == team_id).order_by(TABLE.c.id)).scalars())


def edit(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    column = dice.choice(["user_uuid", "actor", "action", "target", "at", "digest"])
    value: Any = {"at": 1, "digest": dice.randbytes(32)}.get(column, "changed")
    conn.execute(sa.update(TABLE).where(TABLE.c.id == dice.choice(rows)).values({column: value}))


def move_to_another_field(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    """`action.1` + `7` becomes `action.` + `17`: the same letters in the same order."""
    row = conn.execute(sa.select(TABLE).where(TABLE.c.id == dice.choice(rows))).one()
    values = {"action": row.action[:-1], "target": row.action[-1] + row.target}
    conn.execute(sa.update(TABLE).where(TABLE.c.id == row.id).values(values))


def delete(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    conn.execute(sa.delete(TABLE).where(TABLE.c.id == dice.choice(rows)))


def cut_tail(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    conn.execute(sa.delete(TABLE).where(TABLE.c.id >= dice.choice(rows)))


def cut_front(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    conn.execute(sa.delete(TABLE).where(TABLE.c.id <= dice.choice(rows)))


def swap(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    one, two = dice.sample(rows, 2)
    for source, target in ((one, -1), (two, one), (-1, two)):
        conn.execute(sa.update(TABLE).where(TABLE.c.id == source).values(id=target))


def chain_again(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    """Removes the end and writes it anew, without knowing the key."""
    start = dice.choice(rows)
    gone = conn.execute(sa.delete(TABLE).where(TABLE.c.id >= start).returning(TABLE.c.team_id)).all()
    who = Principal(team=gone[0].team_id, user=None, actor="forger")
    for _ in gone:
        audit.append(conn, who, "forged", key=dice.randbytes(32), now=NOW)


def insert(conn: Connection, dice: random.Random, rows: list[int]) -> None:
    row = conn.execute(sa.select(TABLE).where(TABLE.c.id == dice.choice(rows))).one()
    conn.execute(sa.insert(TABLE).values({**row._mapping, "id": rows[-1] + 1}))


Mutation = Callable[[Connection, random.Random, list[int]], None]
KINDS: list[Mutation] = [edit, move_to_another_field, delete, cut_tail, cut_front, swap, chain_again, insert]


async def test_a_thousand_mutations_are_found(store: Store) -> None:
    found, _ = await store.write(team)
    who, dice = admin_of(found), random.Random(20)
    anchor = await store.write(fill, who)
    missed: list[str] = []

    def mutate_and_undo(conn: Connection) -> None:
        kind = dice.choice(KINDS)
        kind(conn, dice, ids(conn, found.id))
        if audit.verify(conn, who, key=AUDIT_KEY, anchor=anchor) is None:
            missed.append(kind.__name__)
        raise Undone

    for _ in range(MUTATIONS):
        with pytest.raises(Undone):
            await store.write(mutate_and_undo)
    assert missed == []
    assert await store.read(audit.verify, who, key=AUDIT_KEY, anchor=anchor) is None


async def test_the_first_bad_row_is_named(store: Store) -> None:
    found, _ = await store.write(team)
    who = admin_of(found)
    anchor = await store.write(fill, who)
    rows = await store.read(ids, found.id)
    for where, expected in (
        (TABLE.c.id == rows[7], rows[8]),
        (TABLE.c.id == rows[0], rows[1]),
        (TABLE.c.id >= rows[20], rows[-1]),
    ):

        def named(conn: Connection, gone: Any = where) -> None:
            conn.execute(sa.delete(TABLE).where(gone))
            raise Undone(audit.verify(conn, who, key=AUDIT_KEY, anchor=anchor))

        with pytest.raises(Undone) as caught:
            await store.write(named)
        assert caught.value.args == (expected,)
    assert await store.read(audit.verify, who, key=b"b" * 32) == rows[0]


async def test_a_cut_tail_is_seen_against_an_anchored_head_only(store: Store) -> None:
    """The reason for anchoring: without one, a chain that ends earlier looks like one that has not gone on."""
    found, _ = await store.write(team)
    who = admin_of(found)
    empty = await store.read(audit.head, who)
    anchor = await store.write(fill, who)
    rows = await store.read(ids, found.id)
    await store.write(lambda conn: conn.execute(sa.delete(TABLE).where(TABLE.c.id > rows[10])))
    assert await store.read(audit.verify, who, key=AUDIT_KEY) is None
    assert await store.read(audit.verify, who, key=AUDIT_KEY, anchor=empty) is None
    assert await store.read(audit.verify, who, key=AUDIT_KEY, anchor=anchor) == anchor.id


async def test_a_chain_that_goes_on_after_its_anchor_is_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnifolio.tenancy.audit.PAGE_ROWS", 7)
    found, _ = await store.write(team)
    who = admin_of(found)
    anchor = await store.write(fill, who)
    await store.write(fill, who)
    assert await store.read(audit.verify, who, key=AUDIT_KEY, anchor=anchor) is None


async def test_each_team_has_its_own_chain_and_sees_no_other(store: Store) -> None:
    one, _ = await store.write(team)
    two, _ = await store.write(team, "Other")
    for who in (admin_of(one), admin_of(two), OPERATOR, admin_of(one)):
        await store.write(fill, who, 3)
    assert [len(await store.read(audit.entries, who)) for who in (admin_of(one), admin_of(two), OPERATOR)] == [6, 3, 3]
    await store.write(lambda conn: conn.execute(sa.update(TABLE).where(TABLE.c.team_id == two.id).values(target="x")))
    assert await store.read(audit.verify, admin_of(one), key=AUDIT_KEY) is None
    assert await store.read(audit.verify, OPERATOR, key=AUDIT_KEY) is None
    assert await store.read(audit.verify, admin_of(two), key=AUDIT_KEY) is not None


async def test_a_row_given_to_another_team_is_found(store: Store) -> None:
    one, _ = await store.write(team)
    two, _ = await store.write(team, "Other")
    await store.write(fill, admin_of(one), 1)
    await store.write(lambda conn: conn.execute(sa.update(TABLE).values(team_id=two.id)))
    assert await store.read(audit.verify, admin_of(two), key=AUDIT_KEY) is not None


async def test_writers_at_the_same_time_make_one_chain(store: Store) -> None:
    found, _ = await store.write(team)
    who = admin_of(found)
    await asyncio.gather(
        *(store.write(audit.append, who, "action", str(n), key=AUDIT_KEY, now=NOW) for n in range(25)),
    )
    assert await store.read(audit.verify, who, key=AUDIT_KEY, anchor=await store.read(audit.head, who)) is None
    assert len(await store.read(audit.entries, who)) == 25


async def test_a_row_says_which_user_it_concerns_by_uuid(store: Store) -> None:
    found, _ = await store.write(team)
    alice = await store.write(user, found)
    await store.write(audit.append, principal(alice), "account.linked", "42", key=AUDIT_KEY, now=NOW)
    (entry,) = await store.read(audit.entries, admin_of(found))
    assert (entry.user, entry.actor, entry.action, entry.target) == (alice.uuid, "test", "account.linked", "42")
    with pytest.raises(Forbidden):
        await store.read(audit.entries, principal(alice))
    with pytest.raises(Forbidden):
        await store.read(audit.verify, principal(alice), key=AUDIT_KEY)


async def test_an_action_that_is_taken_back_leaves_no_row(store: Store) -> None:
    def failing(conn: Connection) -> None:
        audit.append(conn, OPERATOR, "action", key=AUDIT_KEY, now=NOW)
        raise Undone

    with pytest.raises(Undone):
        await store.write(failing)
    assert await store.read(audit.entries, OPERATOR) == []
    assert await store.read(audit.head, Principal(team=TeamId(0), user=None, actor="x")) == Head(id=0, digest=bytes(32))
