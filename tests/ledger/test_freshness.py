"""The smallest read: it sees every change at once, from whichever process, and is never older than the database."""

import asyncio

import pytest
import sqlalchemy as sa

from omnifolio.ledger import aliases
from omnifolio.ledger.freshness import Freshness, freshness
from omnifolio.model.errors import StoreUnavailable
from omnifolio.store.engine import Store
from omnifolio.store.schema import price_state, users
from tests.ledger.builders import Book, batch, claim, leg


async def state_of(book: Book) -> Freshness:
    """The state of the book's user."""
    found = await freshness(book.store, "uuid-u1")
    assert found is not None
    return found


async def test_every_commit_price_and_revocation_is_seen_at_once(store: Store) -> None:
    book = await Book.open(store)
    before = await state_of(book)
    assert (before.user, before.team, before.client_id, before.is_active) == (book.principal.user, book.principal.team, "c-u1", 1)
    await book.commit(batch(claim("t1", leg("in 1 BTC"))))
    assert (await state_of(book)).seq > before.seq
    await store.write(lambda conn: conn.execute(sa.insert(price_state).values(key="quotes", version=7)) and None)
    assert (await state_of(book)).prices == before.prices + 7
    await store.write(lambda conn: conn.execute(sa.update(users).values(token_epoch=3)) and None)
    assert (await state_of(book)).token_epoch == 3
    for wire in ("a" * 24, "b" * 24):
        number = await book.beside(wire)
        await store.write(aliases.add, number.principal, number.account, wire)
    found = await store.read(aliases.after, 1)
    assert ((await state_of(book)).aliases, [(row[0], row[2]) for row in found]) == (2, [(2, "b" * 24)])


async def test_an_unknown_user_has_no_state(store: Store) -> None:
    assert await freshness(store, "nobody") is None


async def test_many_may_look_at_once(store: Store) -> None:
    book = await Book.open(store)
    found = await asyncio.gather(*(freshness(store, "uuid-u1") for _ in range(50)))
    assert set(map(repr, found)) == {repr(await state_of(book))}


async def test_a_closed_store_refuses_and_a_broken_glance_leaves_no_trap(store: Store) -> None:
    book = await Book.open(store)
    with pytest.raises(Exception, match=r"no_such_table|refused"):
        await store.glance("SELECT 1 FROM no_such_table")
    assert await state_of(book)
    await store.close()
    with pytest.raises(StoreUnavailable):
        await freshness(store, "uuid-u1")
