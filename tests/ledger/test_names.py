"""Names lead to their transactions for ever: short and long ones, through every merge, and past dropped tombstones."""

import pytest
import sqlalchemy as sa

from omnifolio.ledger import feed, names
from omnifolio.ledger.claims import said_by
from omnifolio.ledger.match import known_names, names_of
from omnifolio.store.engine import Store
from omnifolio.store.schema import refs
from tests.ledger.builders import Book, batch, claim, leg

LONG = "tx:eip155:1:0x" + "ab" * 32


def test_a_short_name_is_its_own_key_and_a_long_one_a_digest() -> None:
    short, long_ = names.keys(["kraken:trade/TX-1", LONG])
    assert short == "kraken:trade/TX-1"
    assert len(long_) == 20
    assert names.keys([LONG]) == [long_]


def test_nothing_that_a_venue_writes_is_taken_for_a_digest_or_for_a_claims_own_name() -> None:
    digest = names.keys([LONG])[0]
    own = names.own_key("x:1", "trades", "api")
    assert names.keys([digest, own]) != [digest, own]
    long_ref = "r" * 80
    assert names.own_key(long_ref, "trades", "api") not in names.keys([f"=api=trades={long_ref}"])


def test_claims_of_one_ref_in_two_books_or_from_two_origins_have_keys_of_their_own() -> None:
    told = [("1", "trades", "api"), ("1", "ledger", "api"), ("1", "trades", "file"), ("s=1", "trade", "api")]
    assert len({names.own_key(*parts) for parts in told}) == len(told)


@pytest.mark.parametrize("place", [None, 0, 5, 127, 128, 70_000])
def test_what_a_claim_says_does_not_depend_on_where_its_proof_lies(place: int | None) -> None:
    assert said_by(claim("A", leg("in 1 BTC"), evidence=place)) == said_by(claim("A", leg("in 1 BTC"), evidence=None))


async def test_names_follow_a_transaction_through_two_merges(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(claim("A", leg("in 1 BTC")), stream="a"))
    await book.commit(batch(claim("B", leg("b 2 ETH")), stream="b"))
    await book.commit(batch(claim("C", leg("c 3 USD")), stream="c"))
    first = min(row.id for row in await book.transactions())
    await book.commit(batch(claim("BC", leg("bc 1 USD"), names=["trades:B", "trades:C"]), stream="d"))
    await book.commit(batch(claim("AC", leg("ac 1 USD"), names=["trades:A", "trades:C"]), stream="e"))
    (only,) = await book.transactions()
    assert only.id == first
    told = ["trades:A", "trades:B", "trades:C", "trades:BC", "trades:AC"]
    assert await store.read(known_names, book.account, told) == dict.fromkeys(told, first)
    await book.commit(batch(claim("C", leg("c 5 USD")), stream="c"))
    assert [row.id for row in await book.transactions()] == [first]
    assert await store.read(names_of, book.account, [first]) == {first: "trades:A"}


async def test_a_merge_changes_no_name_and_a_page_of_known_ones_adds_none(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(claim("A", leg("in 1 BTC")), stream="a"))
    await book.commit(batch(claim("B", leg("b 2 ETH"), names=[LONG]), stream="b"))
    before = await store.read(lambda conn: set(conn.execute(sa.select(refs)).all()))
    await book.commit(batch(claim("A", leg("in 1 BTC"), names=[LONG]), stream="a"))
    assert len(await book.transactions()) == 1
    assert await store.read(lambda conn: set(conn.execute(sa.select(refs)).all())) == before


async def test_names_of_a_dropped_tombstone_lead_to_what_they_turn_out_to_be(store: Store) -> None:
    book = await Book.open(store)
    pending = [claim(ref, leg("in 1 ETH"), status="pending", finality="pending") for ref in "ab"]
    await book.commit(batch(*pending))
    older, younger = (row.id for row in await book.transactions())
    await book.commit(batch(pending[0], pending_complete=True))
    dropped = await store.write(feed.prune, book.principal, up_to=await book.seq())
    assert dropped == 1
    await book.commit(batch(claim("c", leg("out 1 BTC"), names=["trades:a", "trades:b"]), stream="later"))
    assert [row.id for row in await book.transactions()] == [older]
    found = await store.read(known_names, book.account, ["trades:a", "trades:b"])
    assert found == {"trades:a": older, "trades:b": older}
    assert younger not in found.values()
