"""A lost page of history is named, whatever it is and wherever it was; a history that lacks nothing is never suspected."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from decimal import Decimal

import pytest
from sqlalchemy.engine import Connection

from omnifolio.ledger import days, read, traces
from omnifolio.ledger.tokens import by_number
from omnifolio.ledger.traces import Movement, Seen
from omnifolio.model.amounts import total
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.ids import WalletId
from omnifolio.store.engine import Store, open_store
from omnifolio.views.coverage import Missing
from omnifolio.views.reconciled import Line, Reconciliation, reconciliation
from omnifolio.views.reconciliation import (
    SLACK_MS,
    Break,
    Case,
    Sighting,
    Verdict,
    differing,
    divergences,
    sightings,
    watched,
)
from tests.ledger.builders import Book, batch, claim, leg, snapshot
from tests.views.pasts import Happening, Loss, Page, Past, Purse, lives

LOST = 240
INTACT = 1_000
PARTS = 10
"""Seeds are told in so many parts, so that several processes share them."""


@pytest.fixture
async def fast(sqlite_url: str) -> AsyncIterator[Store]:
    """An open SQLite store: what is proved here many hundred times over is no matter of the database."""
    opened = open_store(sqlite_url)
    yield opened
    await opened.close()


async def judged(book: Book, now: int) -> dict[Purse, Line]:
    """The lines of a book by wallet and token."""
    found: Reconciliation = await book.store.read(reconciliation, book.principal, book.account, EpochMs(now))
    return {(line.wallet.key, line.token.ticker): line for line in found.lines}


def windows(past: Past, page: Page, purse: Purse) -> dict[tuple[int | None, int], list[Happening]]:
    """The page's rows that move a token, by the looks before and after them, where they leave a difference."""
    looks = past.remembered(purse[0])
    found: dict[tuple[int | None, int], list[Happening]] = {}
    for before, after in zip([None, *looks], looks, strict=False):
        rows = [row for row in page.rows if (before or 0) < row.booked <= after and row.moves(purse)]
        if total(row.moves(purse) for row in rows):
            found[before, after] = rows
    return found


def losable(past: Past, pages: Sequence[Page]) -> Page:
    """A page to lose: not a stream's first, and nothing in it moves what no other page of the stream does."""

    def moved(rows: Iterable[Happening]) -> set[tuple[str, str]]:
        return {(wallet, code) for row in rows for wallet, _, code, _ in row.moved}

    def others(page: Page) -> Iterable[Happening]:
        return (row for other in pages if other.stream == page.stream and other is not page for row in other.rows)

    return past.rng.choice([p for p in pages if p.rows and p.covered.start and moved(p.rows) <= moved(others(p))])


@pytest.mark.parametrize("how", ["silent", "declared"])
@pytest.mark.parametrize("part", range(PARTS))
async def test_a_lost_page_is_named_with_its_stream_and_the_looks_around_it(fast: Store, part: int, how: Loss) -> None:
    named = 0
    for seed in range(part, LOST, PARTS):
        past = Past(seed)
        past.look(past.rng.choice([1, 2, 5, 12]))
        pages = past.pages()
        page = losable(past, pages)
        book = await Book.open(fast, name=f"lost-{seed}")
        await fast.write(lives, past, book, pages, lost=page, how=how)
        for purse, line in (await judged(book, past.end + MINUTE_MS)).items():
            wanted = windows(past, page, purse)
            assert line.difference == total(row.moves(purse) for row in page.rows)
            assert line.verdict.state == (
                ("open" if how == "silent" else "explained") if wanted else "proved" if how == "silent" else "explained"
            ), (seed, purse, line)
            assert len(line.verdict.suspects) == len(wanted), (seed, purse, line)
            for suspect, ((before, after), rows) in zip(line.verdict.suspects, wanted.items(), strict=True):
                assert suspect.amount == total(row.moves(purse) for row in rows)
                assert suspect.missing_before is None or suspect.missing_before >= rows[0].dated, (seed, purse, suspect)
                assert suspect.missing_after is None or suspect.missing_after < rows[-1].dated, (seed, purse, suspect)
                if how == "silent":
                    assert (suspect.start, suspect.end) == (before, after)
                    assert page.stream in suspect.streams
                else:
                    assert suspect.start == max(before or 0, page.covered.start)
                    assert suspect.end == min(after, page.covered.end)
                    assert suspect.start <= rows[0].dated <= rows[-1].dated <= suspect.end
                    assert suspect.streams == [page.stream]
                named += 1
    assert named >= LOST // PARTS


@pytest.mark.parametrize("part", range(PARTS))
async def test_nothing_is_suspected_where_nothing_is_missing(fast: Store, part: int) -> None:
    """Whatever the venue's dates are, whether tokens go wholly, and although rows are newer than the last look."""
    for seed in range(part, INTACT, PARTS):
        past = Past(seed, events=12, skew_ms=SLACK_MS // 2 if seed % 3 == 0 else 0, may_empty=seed % 2 == 0)
        past.look(past.rng.choice([1, 2, 4]))
        is_late = seed % 5 == 0
        if is_late:
            past.looks[-1] = max(past.looks[-2] + 1 if len(past.looks) > 1 else 0, past.events[-2].booked)
        book = await Book.open(fast, name=f"intact-{seed}")
        await fast.write(lives, past, book, past.pages())
        for purse, line in (await judged(book, past.end + MINUTE_MS)).items():
            assert line.verdict.suspects == (), (seed, purse, line)
            assert line.verdict.state == "proved" or (is_late and line.verdict.state == "explained"), (seed, purse, line)
        for purse, breaks in (await fast.read(walked, book)).items():
            assert breaks == [], (seed, purse)


def walked(conn: Connection, book: Book) -> Mapping[tuple[int, int], Sequence[Break]]:
    """Every token's history walked, whether anything differs or not."""
    seen = traces.seen(conn, book.principal, book.account)
    looks = days.looks(conn, book.principal, book.account)
    tokens = {row.token for row in seen}
    moved = traces.movements(conn, book.principal, book.account, tokens)
    found = {}
    for purse in {(row.wallet, row.token) for row in seen}:
        products = {
            look.product: watched(
                [row for row in seen if (row.wallet, row.product) == (look.wallet, look.product)],
                (look.first_seen, look.last_seen),
            )
            for look in looks
            if look.wallet == purse[0]
        }
        rows = [row for row in seen if (row.wallet, row.token) == purse]
        found[purse] = divergences(sightings(products, rows), moved.get(purse, ()))
    return found
