"""What people decide hangs on through merging, corrections, reorganisations and rebuild, and can be undone."""

from typing import Any

import msgspec
import pytest
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, carrying, decisions, feed, overlays, read
from omnifolio.ledger.carrying import Document, Loaded
from omnifolio.ledger.decisions import of_address, of_pair, of_transaction
from omnifolio.ledger.overlays import Overlay, OverlayKind
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Rewind
from omnifolio.model.ids import TransactionId
from omnifolio.store.engine import Store
from tests.ledger.builders import Book, at, batch, claim, leg
from tests.ledger.test_rebuild import better, page, redo

IN = claim("1", leg("in 1 BTC"), kind="deposit", names=["event:a"])
OUT = claim("2", leg("out 5 USD"), kind="withdrawal", names=["event:b"])
BOTH = claim("3", book="notes", kind="other", names=["event:a", "event:b"], rank=9)


async def say(
    book: Book, kind: OverlayKind, value: str, *about: int, address: str = "", token: str = "", now: int = 0
) -> Overlay:
    def op(conn: Connection) -> Overlay:
        ids = [TransactionId(number) for number in about]
        if address:
            target = of_address(address)
        elif token:
            target = token
        elif len(ids) == 1:
            target = of_transaction(conn, book.principal, ids[0])
        else:
            target = of_pair(conn, book.principal, *ids)
        return decisions.decide(conn, book.principal, kind=kind, target=target, value=value, now=at(now))

    return await book.store.write(op)


async def take_back(book: Book, said: Overlay) -> None:
    await book.store.write(decisions.undo, book.principal, kind=said.kind, target=said.target, now=at(9))


async def standing(book: Book) -> dict[tuple[str, str], str]:
    return {(item.kind, item.target): item.value for item in await book.store.read(overlays.listed, book.principal)}


async def changed(book: Book, cursor: str) -> set[tuple[str, int]]:
    found = await book.store.read(feed.changes, book.principal, cursor=cursor, limit=100)
    return {(change.kind, change.id) for change in found.changes}


async def test_a_word_on_a_transaction_is_a_change_of_it_and_of_no_fact(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(IN, OUT))
    one, _ = await book.transactions()
    before, seq = await book.books_at(await book.seq()), await book.seq()
    said = await say(book, "label", "rent", one.id)
    assert (said.author, said.at, said.seq) == ("test", at(0), seq + 1)
    assert await changed(book, str(seq)) == {("transaction", one.id), ("account", book.account)}
    assert await book.books_at(await book.seq()) == before
    await take_back(book, said)
    assert await standing(book) == {}
    assert await changed(book, str(seq + 1)) == {("transaction", one.id), ("account", book.account)}


async def test_of_two_words_on_what_becomes_one_transaction_the_later_holds(store: Store) -> None:
    book = await Book.open(store)
    other = await book.beside("other")
    await other.commit(batch(IN))
    (far,) = await other.transactions()
    await book.commit(batch(IN, OUT))
    one, two = sorted(row.id for row in await book.transactions())
    await say(book, "label", "first", two)
    await say(book, "label", "second", one)
    await say(book, "note", "mine", two)
    await say(book, "link", "no", two, far.id)
    await book.commit(batch(BOTH))
    assert await standing(book) == {
        ("label", str(one)): "second",
        ("note", str(one)): "mine",
        ("link", overlays.pair_of(one, far.id)): "no",
    }
    await say(book, "spam", "yes", two)
    assert ("spam", str(one)) in await standing(book)


async def test_a_link_between_what_becomes_one_transaction_means_nothing_any_more(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(IN, OUT))
    await say(book, "link", "yes", *(row.id for row in await book.transactions()))
    await book.commit(batch(BOTH))
    assert await standing(book) == {}


async def test_a_corrected_type_holds_through_corrections_of_the_venue_and_is_filtered_by(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(IN))
    (one,) = await book.transactions()
    said = await say(book, "type", "reward/staking_reward", one.id)

    async def typed() -> tuple[str, str | None]:
        (row,) = await book.transactions()
        return row.type, row.subtype

    assert await typed() == ("reward", "staking_reward")
    await book.commit(batch(claim("1", leg("in 2 BTC"), kind="deposit", names=["event:a"])))
    assert await typed() == ("reward", "staking_reward")
    wanted: dict[str, Any] = {"start": EpochMs(0), "end": EpochMs(10**15), "limit": 9}
    for kind, count in (("reward", 1), ("deposit", 0)):
        assert len(await store.read(read.page, book.principal, book.account, read.Filter(**wanted, types=(kind,)))) == count
    await take_back(book, said)
    assert await typed() == ("deposit", "onchain_deposit")


async def test_words_return_with_the_hash_after_a_reorganisation(store: Store) -> None:
    book = await Book.open(store)
    mined = claim("h1", leg("in 1 BTC"), kind="deposit", height=5, finality="provisional", block_hash="b5")
    await book.commit(batch(mined, stream="chain"))
    (one,) = await book.transactions()
    await say(book, "label", "pay", one.id)
    await say(book, "type", "bonus", one.id)
    await book.commit(batch(stream="chain", rewind=Rewind("chain", 4)))
    assert await book.transactions() == []
    again = claim("h1", leg("in 1 BTC"), kind="deposit", height=6, finality="provisional", block_hash="b6")
    await book.commit(batch(again, stream="chain"))
    (back,) = await book.transactions()
    assert (back.id, back.type) == (one.id, "bonus")
    assert await standing(book) == {("label", str(one.id)): "pay", ("type", str(one.id)): "bonus"}


async def test_words_hang_on_through_a_rebuild_with_a_better_decoder(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(page(("1", "e:1", "in 1 BTC,fee 0.1 BTC", 0)))
    (one,) = await book.transactions()
    await say(book, "type", "staking", one.id)
    assert (await redo(book, better)).changed == 1
    (after,) = await book.transactions()
    assert (after.id, after.type, len(after.legs)) == (one.id, "staking", 2)


async def test_a_document_of_decisions_is_taken_over_by_the_names_of_things(store: Store) -> None:
    """The other user stands for another installation: other ids, the same events."""
    here, there = await Book.open(store), await Book.open(store, name="u2")
    for book, claims in ((here, (IN, OUT)), (there, (OUT, IN))):
        await book.commit(batch(*claims))
    one, two = await here.transactions()
    await say(here, "label", "rent", one.id)
    await say(here, "link", "yes", one.id, two.id)
    await say(here, "label", "Mum", address="0xABCDEF0000000000000000000000000000000001")
    await say(here, "spam", "yes", token="eip155:1/erc20:0x" + "1" * 40)
    document = await store.read(carrying.unload, here.principal, at(1))
    carried = msgspec.json.decode(msgspec.json.encode(document), type=Document)
    assert carried == document
    await there.beside("empty")

    async def take_over(book: Book) -> Loaded:
        return await store.write(carrying.load, book.principal, carried, at(2))

    assert (await take_over(there)).made == 4
    assert [item.value for item in await store.read(overlays.listed, there.principal)] == ["rent", "yes", "Mum", "yes"]
    again = await store.read(carrying.unload, there.principal, at(1))
    assert [(d.kind, d.value, d.transaction and set(d.transaction.names)) for d in again.decisions] == [
        (d.kind, d.value, d.transaction and set(d.transaction.names)) for d in document.decisions
    ]
    assert (await take_over(there)).same == 4
    mine = min(row.id for row in await there.transactions() if row.legs[0].amount > 0)
    await say(there, "label", "mine", mine, now=50)
    done = await take_over(there)
    assert (done.same, done.outweighed) == (3, 1)
    nobody = await Book.open(store, name="u3")
    assert (await take_over(nobody)).made == 2
    assert len((await take_over(nobody)).unfound) == 2


async def test_what_was_said_of_an_account_goes_with_it(store: Store) -> None:
    book = await Book.open(store)
    other = await book.beside("other")
    await book.commit(batch(IN))
    await other.commit(batch(OUT))
    (one,), (two,) = await book.transactions(), await other.transactions()
    await say(book, "label", "mine", one.id)
    await say(book, "label", "theirs", two.id)
    await say(book, "link", "no", one.id, two.id)
    await store.write(accounts.delete, book.principal, other.account, at(1))
    assert await standing(book) == {("label", str(one.id)): "mine"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("type", "gift"), ("type", "deposit/buy"), ("spam", "maybe"), ("label", " "), ("price", "1"), ("link", "yes")],
)
async def test_what_cannot_be_said_of_a_transaction_is_refused(store: Store, kind: OverlayKind, value: str) -> None:
    book = await Book.open(store)
    await book.commit(batch(IN))
    (one,) = await book.transactions()
    with pytest.raises(InvalidField):
        await say(book, kind, value, one.id)


async def test_nobody_decides_on_what_is_not_theirs(store: Store) -> None:
    book, stranger = await Book.open(store), await Book.open(store, name="u2")
    await book.commit(batch(IN))
    (one,) = await book.transactions()
    with pytest.raises(NotFound):
        await say(stranger, "label", "x", one.id)
    said = await say(book, "label", "x", one.id)
    with pytest.raises(NotFound):
        await stranger.store.read(overlays.get, stranger.principal, said.id)
