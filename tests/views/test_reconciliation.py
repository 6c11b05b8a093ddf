"""A lost page of history is named, whatever it is and wherever it was; a history that lacks nothing is never suspected."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from decimal import Decimal

import pytest
from sqlalchemy.engine import Connection
from tests.ledger.builders import Book, batch, claim, leg, snapshot
from tests.views.pasts import Happening, Loss, Page, Past, Purse, lives

from omnifolio.ledger import days, traces
from omnifolio.ledger.traces import Movement, Seen
from omnifolio.ledger.traces import Purse as TracedPurse
from omnifolio.model.amounts import total
from omnifolio.model.clock import HOUR_MS, MINUTE_MS, EpochMs
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

LOST = 200
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
            state = "explained" if how == "declared" else "open"
            fine = {"proved"} if how == "silent" else {"proved", "explained"}
            assert line.verdict.state in ({state} if wanted else fine), (seed, purse, line)
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
        assert not any((await fast.read(walked, book)).values()), seed


def walked(conn: Connection, book: Book) -> Mapping[TracedPurse, Sequence[Break]]:
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


def case(difference: str, moved: Mapping[int, str], seen: Mapping[int, str], **more: object) -> Case:
    """A case of one token: movements and sightings by hours."""
    fields: dict[str, object] = {
        "difference": Decimal(difference),
        "sightings": [Sighting(EpochMs(hour * HOUR_MS), Decimal(amount)) for hour, amount in seen.items()],
        "movements": [Movement(EpochMs(hour * HOUR_MS), Decimal(amount)) for hour, amount in moved.items()],
        "seen_until": EpochMs(max(seen, default=0) * HOUR_MS),
        "is_doubted": False,
        "may_owe": False,
        "lacking": [],
        "tellers": ["trades/all"],
        **more,
    }
    return Case(**fields)  # type: ignore[arg-type]


def span(found: Verdict) -> list[tuple[float | None, float]]:
    """The suspect ranges in hours."""
    return [(None if s.start is None else s.start / HOUR_MS, s.end / HOUR_MS) for s in found.suspects]


def test_one_look_says_no_more_than_that_something_is_missing() -> None:
    found = differing(case("5", {10: "1", 20: "2"}, {100: "8"}))
    assert (found.state, span(found), found.diverged_at) == ("open", [(None, 100)], 100 * HOUR_MS)
    assert [suspect.streams for suspect in found.suspects] == [["trades/all"]]


def test_a_sum_below_zero_proves_that_something_is_missing_before_it() -> None:
    """A deposit of 5 is missing: 3 were spent that history did not have yet."""
    [suspect] = differing(case("5", {10: "1", 20: "-3", 30: "9"}, {100: "12"})).suspects
    assert (suspect.missing_before, suspect.missing_after) == (20 * HOUR_MS, None)


def test_a_balance_that_follows_from_today_below_zero_proves_that_something_is_missing_after_it() -> None:
    """A withdrawal of 5 is missing, after the 4 that made it possible."""
    [suspect] = differing(case("-5", {10: "2", 20: "4"}, {100: "1"})).suspects
    assert (suspect.missing_before, suspect.missing_after) == (None, 10 * HOUR_MS)


def test_who_may_owe_may_be_below_zero() -> None:
    [suspect] = differing(case("5", {10: "1", 20: "-3", 30: "9"}, {100: "12"}, may_owe=True)).suspects
    assert suspect.missing_before is None


def test_each_place_where_the_difference_changes_is_a_range_of_its_own() -> None:
    found = differing(case("3", {10: "1"}, {20: "1", 40: "2", 60: "2", 80: "4", 90: "4"}))
    assert span(found) == [(20, 40), (60, 80)]
    assert [suspect.amount for suspect in found.suspects] == [1, 2]


def test_dates_that_are_off_by_less_than_the_slack_are_no_divergence() -> None:
    slack_h = SLACK_MS // HOUR_MS
    moved = {10: "1", 20 + slack_h: "2", 40 - slack_h: "4", 50: "8"}
    assert divergences(case("0", moved, {20: "3", 40: "3", 60: "15"}).sightings, case("0", moved, {60: "15"}).movements) == []


def test_history_that_is_newer_than_the_last_look_explains() -> None:
    found = differing(case("-2", {10: "1", 30: "2"}, {20: "1"}))
    assert (found.state, [reason.code for reason in found.reasons]) == ("explained", ["later"])


@pytest.mark.parametrize(("difference", "amount"), [("-2", "2"), ("2", "-2")])
def test_what_is_pending_explains(difference: str, amount: str) -> None:
    moved = [Movement(EpochMs(HOUR_MS), Decimal(5)), Movement(EpochMs(2 * HOUR_MS), Decimal(amount), is_pending=True)]
    found = differing(case(difference, {}, {100: "5"}, movements=moved))
    assert (found.state, [reason.code for reason in found.reasons]) == ("explained", ["pending"])


def test_a_hole_that_cannot_hold_what_is_missing_explains_nothing() -> None:
    """History is out of reach up to hour 10; what is missing came after hour 15, as the balance that follows shows."""
    reach = Missing(stream="old/all", why="unreachable", start=EpochMs(0), end=EpochMs(10 * HOUR_MS), text="gone")
    explained = differing(case("-5", {1: "2", 20: "4"}, {100: "1"}, lacking=[reach]))
    assert (explained.state, span(explained), explained.suspects[0].streams) == ("explained", [(0, 10)], ["old/all"])
    refuted = differing(case("-5", {15: "2", 20: "4"}, {100: "1"}, lacking=[reach]))
    assert (refuted.state, span(refuted), refuted.suspects[0].streams) == ("open", [(None, 100)], ["trades/all"])


def test_a_look_at_half_a_wallet_is_no_look_at_the_wallet() -> None:
    """Staked amounts were not told at hour 20; both were a minute apart at hour 40."""
    wallet = WalletId(1)
    rows = [
        Seen(wallet, "spot", 1, Decimal(5), EpochMs(10 * HOUR_MS), EpochMs(10 * HOUR_MS), False, EpochMs(20 * HOUR_MS)),
        Seen(wallet, "spot", 1, Decimal(3), EpochMs(20 * HOUR_MS), EpochMs(40 * HOUR_MS), True, None),
        Seen(wallet, "staked", 1, Decimal(1), EpochMs(10 * HOUR_MS), EpochMs(10 * HOUR_MS), False, EpochMs(41 * HOUR_MS)),
        Seen(wallet, "staked", 1, Decimal(2), EpochMs(40 * HOUR_MS + MINUTE_MS), EpochMs(40 * HOUR_MS + MINUTE_MS), True, None),
    ]
    products = {name: watched([row for row in rows if row.product == name], ()) for name in ("spot", "staked")}
    found = [(sighting.at / HOUR_MS, sighting.amount) for sighting in sightings(products, rows)]
    assert found == [(10, Decimal(6)), (40, Decimal(5)), (40 + 1 / 60, Decimal(5))]


async def test_a_wallet_that_was_never_seen_has_no_balance_and_no_difference(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(claim("1", leg("in 1 BTC"), seconds=1)))
    [line] = (await judged(book, 10**13)).values()
    assert (line.reported, line.difference, line.verdict.state) == (None, None, "open")
    assert [reason.code for reason in line.verdict.reasons] == ["unseen"]


async def test_equal_without_a_complete_history_is_explained_and_not_proved(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(stream="balances", snapshots=[snapshot({"BTC": "1"}, seconds=9)]))
    await book.commit(batch(claim("1", leg("in 1 BTC"), seconds=1)))
    [line] = (await judged(book, 10**13)).values()
    assert (line.difference, line.verdict.state, [reason.code for reason in line.verdict.reasons]) == (
        Decimal(0),
        "explained",
        ["incomplete"],
    )


async def test_an_absence_that_is_not_believed_yet_explains(store: Store) -> None:
    book = await Book.open(store)
    await book.commit(batch(stream="balances", snapshots=[snapshot({"BTC": "1"}, seconds=9)]))
    await book.commit(batch(stream="balances", snapshots=[snapshot({}, seconds=99)]))
    [line] = (await judged(book, 10**13)).values()
    assert (line.reported, line.verdict.state, [reason.code for reason in line.verdict.reasons]) == (
        Decimal(1),
        "explained",
        ["doubted"],
    )
