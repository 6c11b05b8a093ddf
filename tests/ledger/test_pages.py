"""Pages of transactions: every filter, alone and together, gives exactly the rows that it should, page after page, both ways."""

import itertools
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy.engine import Connection
from sqlalchemy.util import await_only

from omnifolio.ledger import days, read
from omnifolio.ledger.portions import CLAIMS_MAX, portions
from omnifolio.ledger.read import Filter, StoredTransaction
from omnifolio.ledger.tokens import by_number
from omnifolio.meaning.classify import TYPES
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Evidence, Interval, Kind, Rewind
from omnifolio.store.engine import Store, open_store
from omnifolio.sync.pages import commit_page
from tests.ledger.builders import Book, at, batch, claim, leg, rows_in

ROWS = 120
KINDS: Sequence[Kind] = ("trade", "deposit", "staking_reward", "airdrop")
PROOF = Evidence(stream="trades", request="GET /trades", received_at=at(0), body=b"[]")


async def a_full_account(store: Store) -> tuple[Book, list[StoredTransaction], dict[int, str], dict[int, str]]:
    """Transactions with equal instants, of several wallets, types and tokens; one token, one wallet and one type are rare."""
    book = await Book.open(store)
    rng = random.Random(5)
    claims = []
    for number in range(ROWS):
        wallet = "vault" if number % 40 == 1 else rng.choice(["spot", "earn"])
        code = "RARE" if number % 50 == 2 else rng.choice(["BTC", "ETH"])
        texts = (f"in 1 {code}", f"out 1 {rng.choice(['USD', 'BTC'])}", "fee 1 USD")
        legs = [leg(text, wallet=wallet) for text in texts]
        if number % 9 == 4:
            # Two wallets: a wallet and a token are found together that no leg has together.
            legs[1] = leg(texts[1], wallet="earn" if wallet == "spot" else "spot")
        kind: Kind = "staking" if number % 60 == 3 else rng.choice(KINDS)
        claims.append(claim(f"{number:03d}", *legs, seconds=rng.randint(0, 30), kind=kind))
    await book.commit(batch(*claims))
    rows = await book.transactions()

    def names(conn: object) -> tuple[dict[int, str], dict[int, str]]:
        tokens = {number: row.ticker for number, row in by_number(conn, {p.token for r in rows for p in r.legs}).items()}  # type: ignore[arg-type]
        return tokens, {row.id: row.key for row in read.wallets_of(conn, book.principal)}  # type: ignore[arg-type]

    return book, rows, *await store.read(names)


async def test_every_combination_of_filters_gives_its_rows_page_by_page(store: Store) -> None:
    book, rows, tickers, wallets = await a_full_account(store)
    choices = itertools.product(
        (None, "BTC", "RARE", "NONE"),
        (None, "spot", "vault", "nowhere"),
        ((), ("trade",), ("staking", "reward"), TYPES),
        (False, True),
    )
    for ticker, wallet, types, is_ascending in choices:
        expected = [
            row.id
            for row in sorted(rows, key=lambda row: (row.at, row.id), reverse=not is_ascending)
            if (ticker is None or any(tickers[part.token] == ticker for part in row.legs))
            and (wallet is None or any(wallets[part.wallet] == wallet for part in row.legs))
            and (not types or row.type in types)
            and at(3) <= row.at <= at(27)
        ]
        wanted = Filter(start=at(3), end=at(27), limit=11, is_ascending=is_ascending, ticker=ticker, wallet=wallet, types=types)
        assert await all_pages(book, wanted) == expected, wanted


async def all_pages(book: Book, wanted: Filter) -> list[int]:
    """The ids of every page, each asked for after the last row of the one before."""
    from msgspec.structs import replace

    found: list[int] = []
    while True:
        page = await book.store.read(read.page, book.principal, book.account, wanted)
        found += [row.id for row in page]
        if len(page) < wanted.limit:
            return found
        wanted = replace(wanted, last=page[-1].id)


ASKED: Mapping[str, dict[str, object]] = {
    "nothing": {},
    "types": {"types": ("trade", "reward")},
    "ticker": {"ticker": "BTC"},
    "wallet": {"wallet": "spot", "types": ("trade",)},
    "both": {"ticker": "BTC", "wallet": "spot"},
}
INDEXES = {
    "nothing": ("ix_transactions_type",),
    "types": ("ix_transactions_type",),
    "ticker": ("ix_legs_both",),
    "wallet": ("touches",),
    "both": ("ix_legs_both", "ix_crossings_both"),
}
"""The indexes along which each filter is walked."""


@pytest.mark.parametrize("is_ascending", [True, False], ids=["oldest first", "newest first"])
@pytest.mark.parametrize("name", ASKED)
async def test_a_page_is_walked_along_the_index_of_its_filters_and_never_sorted(
    store: Store, name: str, is_ascending: bool
) -> None:
    """All that is asked for is a bound of the index, the page's edge included: what the plan shows of the statements that ran."""
    book, rows, _tickers, _wallets = await a_full_account(store)
    wanted = Filter(start=at(0), end=at(30), limit=3, is_ascending=is_ascending, last=rows[60].id, **ASKED[name])  # type: ignore[arg-type]
    await store.write(lambda conn: conn.exec_driver_sql("ANALYZE").close())
    plans = await store.read(_plans, book, wanted)
    assert any(key in plans[-1] for key in ("SEARCH t USING INTEGER PRIMARY KEY", "pk_transactions")), plans[-1]
    limited = [plan for plan in plans if "Limit" in plan or "CO-ROUTINE" in plan]
    assert len(limited) == 1, "one statement finds the page"
    plan = limited[0]
    assert all(index in plan for index in INDEXES[name]), plan
    assert not any(word in plan for word in ("Sort", "TEMP B-TREE", "Seq Scan")), plan
    bounds = [line for line in plan.splitlines() if "Index Cond" in line or "SEARCH" in line]
    assert len(bounds) == len(INDEXES[name]), plan
    assert all("at" in line and "type" in line for line in bounds), plan


def _plans(conn: Connection, book: Book, wanted: Filter) -> list[str]:
    """The plan of every statement that the driver itself runs for a page."""
    raw: Any = conn.connection.driver_connection
    ran: list[tuple[str, Sequence[object]]] = []
    if conn.dialect.name == "sqlite":
        raw.set_trace_callback(lambda text: ran.append((text, ())))
        read.page(conn, book.principal, book.account, wanted)
        raw.set_trace_callback(None)
        return ["\n".join(row[3] for row in raw.execute("EXPLAIN QUERY PLAN " + text)) for text, _none in ran]
    # A test's tables are too small for the plans that large ones have: only what an index cannot do is left to other ways.
    for way in ("sort", "incremental_sort", "seqscan", "bitmapscan", "hashagg"):
        conn.exec_driver_sql(f"SET LOCAL enable_{way} = off")

    def note(record: Any) -> None:
        ran.append((record.query, record.args))

    raw.add_query_logger(note)
    read.page(conn, book.principal, book.account, wanted)
    raw.remove_query_logger(note)
    plans = [await_only(raw.fetch("EXPLAIN " + text, *values)) for text, values in ran]
    return ["\n".join(row[0] for row in plan) for plan in plans]


async def test_filters_that_never_meet_cost_no_more_than_a_page(sqlite_url: str) -> None:
    """SQLite's own steps for a page do not grow with the histories of its filters: no common one is walked to its end."""
    store = open_store(sqlite_url)
    book = await Book.open(store)
    steps = []
    for first in range(0, 900, 300):
        claims = [
            claim(f"{n:04d}", leg("in 1 BTC" if n % 2 else "in 1 ETH", wallet="spot" if n % 2 else "earn"), seconds=n)
            for n in range(first, first + 300)
        ]
        await book.commit(batch(*claims))
        steps.append(await store.read(_steps, book, Filter(start=at(0), end=at(900), limit=10, ticker="BTC", wallet="earn")))
    await store.close()
    assert max(steps) < min(steps) * 1.1, steps


def _steps(conn: Connection, book: Book, wanted: Filter) -> int:
    raw: Any = conn.connection.driver_connection
    count = 0

    def step() -> None:
        nonlocal count
        count += 1

    raw.set_progress_handler(step, 10)
    assert read.page(conn, book.principal, book.account, wanted) == []
    raw.set_progress_handler(None, 10)
    return count


async def test_movements_since_an_instant_are_found_without_reading_older_ones(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    book = await Book.open(store)

    def op(conn: Connection) -> str:
        raw: Any = conn.connection.driver_connection
        ran: list[str] = []
        raw.set_trace_callback(ran.append)
        days.moved(conn, book.principal, book.account, at(1))
        raw.set_trace_callback(None)
        return "\n".join(row[3] for row in raw.execute("EXPLAIN QUERY PLAN " + ran[-1]))

    plan = await store.read(op)
    await store.close()
    assert "SEARCH touches USING PRIMARY KEY (wallet_id=? AND type_number=? AND at>?)" in plan, plan


async def test_a_large_page_committed_in_portions_says_what_it_says_as_a_whole(store: Store) -> None:
    """The claims of one event stay together, the answers are stored once, and the cursor moves with the last portion."""
    claims = [
        claim(str(n), leg("in 1 BTC", key=str(n)), names=[f"event:{n // 2}"], seconds=n) for n in range(CLAIMS_MAX * 2 + 51)
    ]
    cover = (Interval(EpochMs(0), at(9)),)
    page = batch(*claims, cursor="next", evidence=[PROOF], covered=cover)
    parts = portions(page)
    assert len(parts) == 3
    assert [claim for part in parts for claim in part.claims] == claims
    assert not any(set(a.claims[-1].refs) & set(b.claims[0].refs) for a, b in itertools.pairwise(parts))
    cut, whole = await Book.open(store), await Book.open(store, name="u2")
    await whole.commit(page)
    done = await commit_page(store, cut.principal, cut.account, page, fence=cut.fence, now=at(0))
    assert await cut.told() == await whole.told()
    assert done.transactions == len(await cut.transactions())
    assert await rows_in(store, "evidence") == 2
    again = await commit_page(store, cut.principal, cut.account, page, fence=cut.fence, now=at(1))
    assert (again.seq, again.transactions, await rows_in(store, "evidence")) == (None, 0, 2)


async def test_a_page_cut_off_between_two_portions_is_read_again_and_nothing_is_doubled(store: Store) -> None:
    claims = [claim(str(n), leg("in 1 BTC", key=str(n)), seconds=n) for n in range(CLAIMS_MAX * 2)]
    page = batch(*claims, cursor="next", evidence=[PROOF], covered=(Interval(EpochMs(0), at(9)),))
    book, whole = await Book.open(store), await Book.open(store, name="u2")
    await whole.commit(page)
    first = portions(page)[0]
    await store.write_sync(_commit_early, book, first)
    assert len(await book.transactions()) == CLAIMS_MAX
    assert await rows_in(store, "cursors") == 1, "only the whole page's"
    await commit_page(store, book.principal, book.account, page, fence=book.fence, now=at(1))
    assert await book.told() == await whole.told()
    assert await book.calculated() == await whole.calculated()


def _commit_early(conn: object, book: Book, part: object) -> None:
    from omnifolio.ledger.commit import commit

    commit(conn, book.principal, book.account, part, fence=book.fence, now=at(0), is_last=False)  # type: ignore[arg-type]


def test_a_page_that_takes_rows_back_is_never_cut() -> None:
    claims = [claim(str(n), leg("in 1 BTC", key=str(n))) for n in range(CLAIMS_MAX * 3)]
    assert len(portions(batch(*claims, rewind=Rewind("trades", 5)))) == 1
    assert len(portions(batch(*claims, pending_complete=True))) == 1
