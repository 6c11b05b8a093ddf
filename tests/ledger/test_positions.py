"""Open positions: intervals that nothing overwrites, an empty answer that is believed, a change log that tells each change."""

import pytest

from omnifolio.ledger import accounts, feed, positions
from omnifolio.ledger.rebuild import rebuild
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import InvalidAmount, NotFound, VenueBadResponse
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.store.engine import Store
from tests.ledger.builders import Book, at, batch, position, rows_in, snapshot, stands

PROOF = Evidence(stream="positions/usdm", request="GET /positions", received_at=at(0), body=b"[]")


async def told(book: Book, seconds: int, *found: object, **more: object) -> object:
    page = batch(
        stream="positions/usdm",
        positions=(stands(*found, seconds=seconds, **more),),  # type: ignore[arg-type]
        evidence=[PROOF],
        done=True,
    )
    return await book.commit(page, now=seconds)


async def test_an_unchanged_look_moves_one_instant_and_nothing_else(store: Store) -> None:
    book = await Book.open(store)
    await told(book, 1, position("BTCUSDT", "0.5", "12.50"))
    seq, rows = await book.seq(), await rows_in(store, "evidence")
    again = await told(book, 9, position("BTCUSDT", "0.50", "12.5"))
    assert again.seq is None, "the same amounts, whatever they are written like"  # type: ignore[attr-defined]
    assert (await rows_in(store, "positions"), await rows_in(store, "evidence")) == (1, rows)
    held = await store.read(positions.held, book.principal)
    assert [(item.last_seen, item.scope) for item in held] == [(at(9), "usdm")]
    found = await store.read(feed.changes, book.principal, cursor=str(seq), limit=10)
    assert found.changes == []


async def test_a_changed_mark_is_a_new_version_and_the_old_one_stays_known(store: Store) -> None:
    book = await Book.open(store)
    await told(book, 1, position("A", "1", "5"), position("B", "-2", "1"))
    before = await book.seq()
    books = await book.books_at(before)
    done = await told(book, 2, position("A", "1", "7"), position("B", "-2", "1"))
    assert (done.positions, done.is_moved) == (1, False), "a price moves, nothing happened"  # type: ignore[attr-defined]
    assert await book.stood() == {"futures/usdm/A": "1 7", "futures/usdm/B": "-2 1"}
    assert await book.books_at(before) == books
    known = await store.read(positions.known_at, book.principal, before)
    assert [str(item.position.components[0].amount) for item in known] == ["5", "1"]


async def test_a_position_that_opens_shrinks_or_closes_asks_for_history(store: Store) -> None:
    book = await Book.open(store)
    for seconds, found in enumerate([[position("A", "2")], [position("A", "1")], []], start=1):
        done = await told(book, seconds, *found)
        assert done.is_moved  # type: ignore[attr-defined]
        account = await store.read(accounts.get, book.principal, book.account, at(seconds))
        assert account.scanned_at is None


async def test_an_empty_answer_is_believed_at_once(store: Store) -> None:
    """To close all positions is ordinary, often the venue's own act: there is no second look as for balances."""
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"USD": "1000"}, wallet="futures", product="collateral")], stream="balances"))
    await told(book, 1, position("A", "1", "5"), position("B", "1", "5"))
    done = await told(book, 2)
    assert (done.positions, done.is_suspect) == (2, False)  # type: ignore[attr-defined]
    assert await book.stood() == {}
    assert await book.held() == {"futures/collateral/USD": "1000"}
    assert await rows_in(store, "position_tokens") == 0


async def test_a_page_without_a_snapshot_closes_nothing(store: Store) -> None:
    book = await Book.open(store)
    await told(book, 1, position("A", "1", "5"))
    await book.commit(batch(stream="positions/usdm", done=True))
    await told(book, 2, scope="coinm")
    assert await book.stood() == {"futures/usdm/A": "1 5"}


async def test_the_change_log_tells_wallet_and_scope(store: Store) -> None:
    book = await Book.open(store)
    await told(book, 1, position("A", "1", "5"))
    await told(book, 1, position("A", "1", "5"), scope="coinm")
    cursor = str(await book.seq())
    await told(book, 2, position("A", "1", "6"))
    found = await store.read(feed.changes, book.principal, cursor=cursor, limit=10)
    assert [(change.kind, change.detail) for change in found.changes if change.kind != "account"] == [("positions", "usdm")]


async def test_an_account_that_is_removed_takes_its_positions_along(store: Store) -> None:
    book = await Book.open(store)
    await told(book, 1, position("A", "1", "5"))
    await store.write(accounts.delete, book.principal, book.account, at(2))
    tables = ("positions", "position_snapshots", "position_tokens")
    assert [await rows_in(store, table) for table in tables] == [0, 0, 0]
    assert await book.stood() == {}
    found = await store.read(feed.changes, book.principal, cursor="", limit=10)
    assert [(change.kind, change.is_removed) for change in found.changes] == [("account", True)]


async def test_positions_of_others_are_not_there(store: Store) -> None:
    mine, other = await Book.open(store), await Book.open(store, name="u2")
    await told(mine, 1, position("A", "1", "5"))
    assert await other.stood() == {}
    assert await store.read(positions.held, other.principal, mine.account) == []
    assert await store.read(positions.known_at, other.principal, 99) == []
    stranger = Principal(team=other.principal.team, user=other.principal.user, actor="test")
    with pytest.raises(NotFound):
        await store.read(accounts.get, stranger, mine.account, at(1))


async def test_what_cannot_be_true_changes_nothing(store: Store) -> None:
    book = await Book.open(store)
    await told(book, 1, position("A", "1", "5"))
    with pytest.raises(VenueBadResponse):
        await told(book, 2, position("A", "1", "5"), position("A", "2", "5"))
    with pytest.raises(InvalidAmount):
        await told(book, 2, position("A", "NaN", "5"))
    with pytest.raises(InvalidAmount):
        await told(book, 2, position("A", "1", "1E+99"))
    assert await book.stood() == {"futures/usdm/A": "1 5"}


async def test_a_better_decoder_tells_them_anew_from_what_was_kept(store: Store) -> None:
    book = await Book.open(store)
    await told(book, 1, position("A", "1", "5"), position("B", "1", "0"))
    await told(book, 4, position("A", "1", "5"))
    before = await book.seq()

    def same(stream: str, _evidence: object) -> Batch:
        return Batch(cursor=Cursor(stream), observed_at=at(1), positions=(stands(position("A", "1", "5"), seconds=1),))

    def better(stream: str, _evidence: object) -> Batch:
        return Batch(cursor=Cursor(stream), observed_at=at(1), positions=(stands(position("A", "3", "5"), seconds=1),))

    assert (await store.write_sync(rebuild, book.principal, book.account, same, now=at(8))).changed == 0
    assert (await store.write_sync(rebuild, book.principal, book.account, better, now=at(9))).changed == 1
    held = await store.read(positions.held, book.principal)
    assert [(str(item.position.size), item.last_seen) for item in held] == [("3", at(4))], "no look moves back"
    known = await store.read(positions.known_at, book.principal, before)
    assert [str(item.position.size) for item in known] == ["1"]
