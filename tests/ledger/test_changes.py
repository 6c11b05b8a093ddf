"""The change log and the past: every change is seen once, and yesterday's books stay what they were."""

import asyncio
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omnifolio.ledger import feed
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch, Rewind
from omnifolio.store.engine import Store
from tests.ledger.builders import Book, batch, claim, leg
from tests.ledger.histories import Mirror, follow, live, random_page

ROUNDS = 50


async def test_a_reader_that_follows_the_sequence_ends_with_the_rows_of_two_writers(store: Store) -> None:
    """Two writers per user, pages in any order, a reader in between; `test_interleavings` holds the transactions open on top."""
    book = await Book.open(store)
    rng = random.Random(20261122)
    mirror: Mirror = {}
    cursor = ""
    for _ in range(ROUNDS):
        pages = [random_page(rng) for _ in range(4)]
        rng.shuffle(pages)
        left, right = pages[:2], pages[2:]

        async def write(part: list[Batch]) -> None:
            for page in part:
                await book.commit(page)

        async def read_on(position: str) -> str:
            return await follow(book, position, mirror)

        _, _, cursor = await asyncio.gather(write(left), write(right), read_on(cursor))
    await follow(book, cursor, mirror)
    fresh: Mirror = {}
    await follow(book, "", fresh)
    assert live(mirror) == live(fresh)
    rows = {row.id for row in await book.transactions()}
    assert {number for kind, number, _ in live(mirror) if kind == "transaction"} == rows


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(min_value=0, max_value=2**32))
async def test_the_past_stays_byte_for_byte_what_it_was(sqlite_url: str, seed: int) -> None:
    from omnifolio.store.engine import open_store

    opened = open_store(sqlite_url)
    try:
        book = await Book.open(opened, name=f"u{seed}-{random.random()}")
        await check_the_past(book, seed)
    finally:
        await opened.close()


async def check_the_past(book: Book, seed: int) -> None:
    """Books remembered after each commit equal the books as known at its sequence; sums equal the legs that are live."""
    rng = random.Random(seed)
    remembered: dict[int, bytes] = {}
    for _ in range(12):
        await book.commit(random_page(rng))
        seq = await book.seq()
        remembered[seq] = await book.books_at(seq)
    for seq, books in remembered.items():
        assert await book.books_at(seq) == books
    totals: dict[str, int] = {}
    for row in await book.transactions():
        for part in row.legs:
            totals[str(part.token)] = totals.get(str(part.token), 0) + int(part.amount)
    assert sorted(str(v) for v in totals.values() if v) == sorted((await book.calculated()).values())


async def test_the_past_holds_on_both_databases(store: Store) -> None:
    await check_the_past(await Book.open(store), 7)


async def test_a_cursor_older_than_the_horizon_gets_everything_again_and_says_so(store: Store) -> None:
    book = await Book.open(store)
    mirror: Mirror = {}
    await book.commit(batch(claim("a", leg("in 1 ETH"), height=5, finality="provisional"), stream="logs"))
    cursor = await follow(book, "", mirror)
    await book.commit(batch(stream="logs", rewind=Rewind("logs", 4)))
    await book.commit(batch(*[claim(str(n), leg("in 1 ETH")) for n in range(9)]))
    await store.write(feed.prune, book.principal, up_to=await book.seq())
    first = await store.read(feed.changes, book.principal, cursor=cursor, limit=3)
    assert first.is_reset
    await follow(book, cursor, mirror)
    assert len([1 for kind, _, _ in live(mirror) if kind == "transaction"]) == 9
    await book.commit(batch(claim("a", leg("in 1 ETH"), height=6, finality="provisional"), stream="logs"))
    assert len(await book.transactions()) == 10


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "~", "9" * 40])
async def test_a_foreign_cursor_is_refused(store: Store, cursor: str) -> None:
    book = await Book.open(store)
    with pytest.raises(InvalidField):
        await store.read(feed.changes, book.principal, cursor=cursor, limit=3)
