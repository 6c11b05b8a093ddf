"""Rebuild: the ledger derived again from its evidence has the same ids, and what people decided still hangs on them."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from omnifolio.ledger import overlays, read
from omnifolio.ledger.rebuild import Decode, Rebuilt, rebuild
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Batch, Cursor, Evidence, Rewind
from omnifolio.store.engine import Store
from tests.ledger.builders import Book, at, batch, claim, leg, rows_in

Row = tuple[str, str, str, int]
"""(ref, event, legs separated by commas, height or 0)"""


def page(*rows: Row, stream: str = "trades", rewind: Rewind | None = None) -> Batch:
    """A page as a venue would answer it: its evidence holds the rows, its facts are decoded from them."""
    evidence = Evidence(stream=stream, request="GET /rows", received_at=at(0), body=msgspec.json.encode(rows))
    return msgspec.structs.replace(decode(stream, [evidence]), evidence=(evidence,), rewind=rewind)


def decode(stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The decoder of today: it does not see the rows' fees."""
    return decoded(stream, evidence, sees_fees=False)


def better(stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The decoder of tomorrow: it sees fees, and knows that rows marked `!` are no events."""
    return decoded(stream, evidence, sees_fees=True)


def decoded(stream: str, evidence: Sequence[Evidence], *, sees_fees: bool) -> Batch:
    found = []
    for item in evidence:
        for ref, event, text, height in msgspec.json.decode(item.body, type=list[Row]):
            if sees_fees and ref.endswith("!"):
                continue
            parts = [part for part in text.split(",") if sees_fees or not part.startswith("fee")]
            legs = [leg(part, key=f"{ref}:{part.split()[0]}") for part in parts]
            extra: dict[str, Any] = {"height": height, "finality": "provisional"} if height else {}
            found.append(claim(ref, *legs, names=[event] if event else [], evidence=0, **extra))
    return Batch(cursor=Cursor(stream), observed_at=at(0), claims=tuple(found))


async def redo(book: Book, how: Decode) -> Rebuilt:
    return await book.store.write_sync(rebuild, book.principal, book.account, how, now=at(99))


async def test_the_same_decoder_changes_nothing(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(page(("1", "e:1", "in 1 BTC", 0), ("2", "e:1", "out 9 USD", 0)))
    await book.commit(page(("3", "", "in 2 ETH", 5), ("4", "", "in 3 ETH", 6), stream="logs"))
    await book.commit(page(("4", "", "in 3 ETH", 7), stream="logs", rewind=Rewind("logs", 4)))
    before = await book.transactions(), await book.calculated(), await rows_in(store, "past")
    done = await redo(book, decode)
    assert (done.changed, done.taken_back) == (0, 0)
    assert (await book.transactions(), await book.calculated(), await rows_in(store, "past")) == before


async def test_a_better_decoder_corrects_the_past_and_corrections_by_people_stay(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(page(("1", "e:1", "in 1 BTC,fee 0.1 USD", 0), ("x!", "", "in 5 JUNK", 0)))
    await book.commit(page(("2", "e:1", "out 9 USD", 0)))
    trade = next(row for row in await book.transactions() if len(row.legs) == 2)
    await store.write(overlays.put, book.principal, kind="label", target=str(trade.id), value="gift", now=at(50))
    seq = await book.seq()
    remembered = await book.books_at(seq)
    done = await redo(book, better)
    assert done.taken_back == 1
    (only,) = await book.transactions()
    assert only.id == trade.id
    assert await book.calculated() == {"spot/BTC": "1", "spot/USD": "-9.1"}
    (decision,) = await store.read(overlays.listed, book.principal)
    assert (decision.target, decision.value) == (str(trade.id), "gift")
    assert await book.books_at(seq) == remembered
    assert (await redo(book, better)).changed == 0


async def test_a_correction_moves_with_its_transaction_when_two_become_one(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(claim("A", leg("out 1 BTC"))))
    await book.commit(batch(claim("B", leg("in 2 ETH"))))
    older, younger = [row.id for row in await book.transactions()]
    await store.write(overlays.put, book.principal, kind="note", target=str(younger), value="swap", now=at(1))
    await book.commit(batch(claim("C", names=["trades:A", "trades:B"])))
    (decision,) = await store.read(overlays.listed, book.principal)
    assert decision.target == str(older)


async def test_a_decision_about_somebody_elses_transaction_is_refused(store: Store) -> None:
    ours, theirs = await Book.open(store), await Book.open(store, name="u2")
    await ours.commit(batch(claim("A", leg("in 1 BTC"))))
    (row,) = await ours.transactions()
    with pytest.raises(NotFound):
        await store.write(overlays.put, theirs.principal, kind="label", target=str(row.id), value="mine", now=at(1))
    with pytest.raises(NotFound):
        await store.read(read.transaction, theirs.principal, ours.account, row.id)


async def test_a_decision_can_be_changed_and_taken_back(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(claim("A", leg("in 1 BTC"))))
    (row,) = await book.transactions()
    for value in ("first", "second"):
        await store.write(overlays.put, book.principal, kind="label", target=str(row.id), value=value, now=at(1))
    assert [made.value for made in await store.read(overlays.listed, book.principal)] == ["second"]
    await store.write(overlays.drop, book.principal, kind="label", target=str(row.id), now=at(2))
    assert await store.read(overlays.listed, book.principal) == []
    assert await rows_in(store, "past") == 2
    with pytest.raises(NotFound):
        await store.write(overlays.drop, book.principal, kind="label", target=str(row.id), now=at(3))
