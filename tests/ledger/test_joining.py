"""What another service handed on joins what the venue tells: by the venue's names, by what moved, in parts; nothing doubles."""

import itertools

import pytest

from omnifolio.ledger import accounts, joining
from omnifolio.model.facts import HANDED_ON_RANK, Claim, Leg
from omnifolio.store.engine import Store
from tests.ledger.builders import Book, at, batch, claim, leg

BOOK = "vezgo"


def handed(ref: str, *legs: Leg, seconds: int, name: str = "") -> Claim:
    """A claim of another service."""
    return claim(ref, *legs, book=BOOK, seconds=seconds, kind="other", rank=HANDED_ON_RANK, name=name)


async def joined(book: Book, *, is_whole: bool = True) -> joining.Joined:
    def op(conn):  # type: ignore[no-untyped-def]
        now = at(10_000)
        fence = accounts.get(conn, book.principal, book.account, now).fence
        return joining.join(conn, book.principal, book.account, book=BOOK, fence=fence, now=now, is_whole=is_whole)

    return await book.store.write_sync(op)


VENUE = (
    claim("1", leg("in 5 BTC"), book="deposits", seconds=0, kind="deposit", name="hash-1"),
    claim("2", leg("out 100 USD"), leg("in 2 ETH"), seconds=60, name="trade-2"),
    claim("3", leg("in 1 ETH"), leg("out 50 USD", key="o"), seconds=120, name="fill-a"),
    claim("4", leg("in 2 ETH"), leg("out 90 USD", key="o"), seconds=120, name="fill-b"),
    claim("5", leg("in 9 DOGE"), book="deposits", seconds=200, kind="deposit", name="7"),
)
HANDED = (
    handed("a", leg("in 5 BTC"), seconds=0, name="hash-1"),
    handed("b", leg("out 100 USD"), leg("in 2 ETH"), seconds=60),
    handed("c", leg("in 3 ETH"), leg("out 140 USD"), seconds=120, name="order"),
    handed("d", leg("in 1 LTC"), seconds=300, name="7"),
)


@pytest.mark.parametrize("order", range(4))
async def test_nothing_doubles_whatever_came_first(store: Store, order: int) -> None:
    book = await Book.open(store)
    pages = list(itertools.permutations((VENUE[:2], VENUE[2:])))[order % 2]
    first = [HANDED, *pages] if order < 2 else [*pages, HANDED]
    for page in first:
        await book.commit(batch(*page))
    done = await joined(book)
    assert (done.by_name, done.by_moves, done.in_parts, done.left) == (1, 1, 1, 1)
    rows = await book.transactions()
    assert sorted(row.name for row in rows) == ["7", "7", "fill-a", "fill-b", "hash-1", "trade-2"]
    again = await joined(book)
    assert (again.by_name, again.by_moves, again.in_parts, again.left) == (0, 0, 0, 1)


async def test_while_history_is_not_whole_only_names_join(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(*HANDED))
    await book.commit(batch(*VENUE))
    done = await joined(book, is_whole=False)
    assert (done.by_name, done.by_moves, done.in_parts, done.left) == (1, 0, 0, 3)


async def test_the_older_id_stays_and_the_venue_alone_says_what_moved(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(handed("a", leg("in 5.1 BTC"), leg("fee 1 USD"), seconds=3, name="hash-1")))
    [before] = await book.transactions()
    await book.commit(batch(VENUE[0]))
    await joined(book)
    [after] = await book.transactions()
    assert after.id == before.id
    assert [(str(item.amount), item.role) for item in after.legs] == [("5", "principal")]
    assert (after.type, after.at) == ("deposit", at(0))


async def test_an_equal_number_of_another_kind_is_no_name(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(HANDED[3]))
    await book.commit(batch(VENUE[4]))
    assert (await joined(book)).left == 1
    assert len(await book.transactions()) == 2
