"""Bringing prices in: against the simulated world's truth, with sources that fail, and cut off in the middle."""

from collections.abc import AsyncIterator, Iterator, Sequence
from decimal import Decimal

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tests.ledger.builders import Book

from omnifolio.catalog import assets as catalog
from omnifolio.ledger import quotes, rates, read
from omnifolio.ledger.tokens import TokenRow, by_number
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import DAY_MS, EpochMs, day_of
from omnifolio.model.facts import Balance, Batch, Claim, Cursor, Leg, Quote, Snapshot
from omnifolio.model.ids import WalletId
from omnifolio.model.prices import NOW_INTERVAL_MS, Quotes, Rates, Unpriced, Wanted, bucket_of
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.pricing.contract import Ask, Endpoint, Found, Request, answer_all
from omnifolio.pricing.contract import quote as quoted
from omnifolio.pricing.registry import Sources, build
from omnifolio.store.engine import Store
from omnifolio.store.schema import quotes as quotes_table
from omnifolio.sync.quotes import Refreshed, refresh_quotes
from omnifolio.transport.egress import Answer, Egress
from omnifolio.views.valuation import Value, Valued, value_balance, value_transaction
from omnifolio_sandbox.clock import Clock as WorldClock
from omnifolio_sandbox.server import running
from omnifolio_sandbox.state import State
from omnifolio_sandbox.truth import Line, truth
from omnifolio_sandbox.world.world import World

NOW = EpochMs(1_741_000_000_000)  # 2025-03-03 11:06:40 UTC
USER = "alice"
WALLET_VENUES = ("kraken", "binance", "coinbase")
ASSETS = catalog.load()


class Still:
    """A clock that stands."""

    def __init__(self, now: EpochMs) -> None:
        self.instant = now

    def now(self) -> EpochMs:
        return self.instant

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[str, State]]:
    """A running sandbox whose time stands at NOW, and its base URL."""
    state = State(clock=WorldClock(now_ms=NOW, wire="world"), world=World(sizes={USER: 300}))
    with running(state) as url:
        yield url, state


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async def at_once(seconds: float) -> None:
        """No test waits for a pause between two attempts."""

    opened = Egress(clock=Still(NOW), sleep=at_once)
    yield opened
    await opened.close()


async def refresh(store: Store, url: str, egress: Egress, *, wants_max: int = 100_000) -> Refreshed:
    """One run with the sandbox's feed."""
    sources = build(chosen=(), base_urls={}, sandbox_url=url, assets=ASSETS)
    sources.open_way(egress)
    return await refresh_quotes(store, sources, egress, Still(NOW), wants_max=wants_max)


def told(state: State) -> list[Line]:
    """The truth about the user, each line with its venue before the wallet's and the event's name."""
    lines = []
    for venue in WALLET_VENUES:
        for line in truth(USER, NOW, world=state.world, venues=[venue]):
            if line["kind"] == "balance":
                lines.append({**line, "wallet": f"{venue} {line['wallet']}"})
            elif line["kind"] == "transaction":
                legs = [{**leg, "wallet": f"{venue} {leg['wallet']}"} for leg in line["legs"]]
                lines.append({**line, "ref": f"{venue} {line['ref']}", "legs": legs})
    return lines


def page_of(lines: Sequence[Line]) -> Batch:
    """The truth's facts without their values, as a reader would bring them."""
    named = {item["asset_id"]: item["asset"] for line in lines for item in (line.get("legs", ()) if "legs" in line else (line,))}
    tokens = tuple(
        TokenFacts(id=TokenId(name), ticker=ticker, kind="fiat" if ticker in ("USD", "EUR") else "crypto")
        for name, ticker in named.items()
    )
    claims = tuple(
        Claim(
            book="trades",
            ref=f"{line['ref']} {place}",
            refs=(f"ref:{line['ref']} {place}",),
            name=f"{line['ref']} {place}",
            at=EpochMs(line["at"]),
            kind="trade" if line["type"] == "trade" else "other",
            legs=tuple(
                Leg(str(n), leg["wallet"], TokenId(leg["asset_id"]), Decimal(leg["amount"]), leg["role"])
                for n, leg in enumerate(line["legs"])
            ),
        )
        for place, line in enumerate(lines)
        if line["kind"] == "transaction"
    )
    held: dict[tuple[str, str], list[Balance]] = {}
    for line in lines:
        if line["kind"] == "balance":
            balance = Balance(TokenId(line["asset_id"]), Decimal(line["amount"]))
            held.setdefault((line["wallet"], line["product"]), []).append(balance)
    snapshots = tuple(
        Snapshot(wallet=wallet, product=product, at=NOW, balances=tuple(balances))  # type: ignore[arg-type]
        for (wallet, product), balances in held.items()
    )
    return Batch(cursor=Cursor("trades", "c"), observed_at=NOW, tokens=tokens, claims=claims, snapshots=snapshots)


def valued(key: str, row: TokenRow, amount: Decimal, role: str = "principal") -> Valued:
    return Valued(
        key=key,
        number=row.number,
        token=row.id,
        kind=row.kind,
        ticker=row.ticker,
        amount=amount,
        role=role,  # type: ignore[arg-type]
    )


def text(value: Value) -> str | None:
    return None if isinstance(value, Unpriced) else canonical(value.amount)


async def legs_of(book: Book, currency: str) -> dict[str, list[str | None]]:
    """The value of every stored leg in one currency, by the transaction's name."""
    stored = await book.transactions()

    def ask(conn: Connection) -> tuple[Quotes, Rates, dict[int, TokenRow]]:
        pairs = {(leg.token, one.at) for one in stored for leg in one.legs}
        found = quotes.lookup(conn, pairs, principal=book.principal, tolerance_ms=0)
        days = {day_of(one.at) for one in stored}
        return (
            found,
            rates.lookup_rates(conn, currencies=["USD", currency], days=days),
            dict(by_number(conn, [number for number, _ in pairs])),
        )

    found, fx, rows = await book.store.read(ask)
    result = {}
    for one in stored:
        legs = [valued(leg.key, rows[leg.token], leg.amount, leg.role) for leg in one.legs]
        worth = value_transaction(legs, at=one.at, quotes=found, rates=fx, currency=currency, assets=ASSETS)
        result[one.name] = [text(worth[str(n)]) for n in range(len(legs))]
    return result


async def balances_of(book: Book, currency: str) -> dict[tuple[str, str, str], str | None]:
    def ask(conn: Connection) -> tuple[Sequence[read.Held], Quotes, Rates, dict[int, TokenRow], dict[WalletId, str]]:
        held = read.balances(conn, book.principal)
        found = quotes.lookup(conn, [(row.token, NOW) for row in held], principal=None, tolerance_ms=NOW_INTERVAL_MS)
        fx = rates.lookup_rates(conn, currencies=["USD", currency], days=[day_of(NOW)])
        keys = {wallet.id: wallet.key for wallet in read.wallets_of(conn, book.principal)}
        return held, found, fx, dict(by_number(conn, [row.token for row in held])), keys

    held, found, fx, rows, keys = await book.store.read(ask)
    return {
        (keys[row.wallet], row.product, rows[row.token].id): text(
            value_balance(valued("", rows[row.token], row.amount), at=NOW, quotes=found, rates=fx, currency=currency)
        )
        for row in held
    }


async def test_every_value_equals_the_truth_of_the_simulated_world(
    store: Store, world: tuple[str, State], egress: Egress
) -> None:
    """Balances and legs of all venues, in both currencies, to the last digit; what nobody prices has no value."""
    url, state = world
    lines = told(state)
    book = await Book.open(store)
    await book.commit(page_of(lines))
    done = await refresh(store, url, egress)
    assert done.failed == ()
    assert done.suspect == 0
    assert not done.more
    for currency in ("USD", "EUR"):
        legs = await legs_of(book, currency)
        held = await balances_of(book, currency)
        differing = []
        for place, line in enumerate(lines):
            if line["kind"] == "transaction":
                ours = legs[f"{line['ref']} {place}"]
                theirs = [leg["value"] and leg["value"][currency] for leg in line["legs"]]
                if ours != theirs:
                    differing.append((line["ref"], [(leg["asset"], leg["amount"]) for leg in line["legs"]], ours, theirs))
            else:
                ours_held = held.pop((line["wallet"], line["product"], line["asset_id"]))
                theirs_held = line["value"] and line["value"][currency]
                assert ours_held == theirs_held, line
        assert differing == []
        assert held == {}
    everything = [item for line in lines for item in line.get("legs", (line,))]
    assert len(everything) > 1_000
    unvalued = {item["asset_id"] for item in everything if item["value"] is None}
    assert unvalued, "the world holds tokens that nobody prices"
    assert "venue:coinbase/ORB" not in unvalued, "two tokens share this ticker, and this one has a price"


async def test_a_second_run_asks_nothing(store: Store, world: tuple[str, State], egress: Egress) -> None:
    url, state = world
    book = await Book.open(store)
    await book.commit(page_of([line for line in told(state) if line["kind"] == "balance"]))
    first = await refresh(store, url, egress)
    before = len(state.calls)
    second = await refresh(store, url, egress)
    assert first.quoted > 0
    assert (second.asked, second.quoted, len(state.calls) - before) == (0, 0, 0)


async def test_bounded_runs_come_to_the_same_end(store: Store, world: tuple[str, State], egress: Egress) -> None:
    """Many small runs, as after being cut off again and again, store what one long run stores."""
    url, state = world
    book = await Book.open(store)
    lines = told(state)
    await book.commit(page_of(lines[:40] + lines[-40:]))
    runs = [await refresh(store, url, egress, wants_max=2_000)]
    while runs[-1].more:
        runs.append(await refresh(store, url, egress, wants_max=2_000))
        assert len(runs) < 60
    assert len(runs) > 1

    def rows(conn: Connection) -> int:
        return int(conn.execute(sa.select(sa.func.count()).select_from(quotes_table)).scalar_one())

    count = await store.read(rows)
    await refresh(store, url, egress)
    assert await store.read(rows) == count


class Desk:
    """A source on loopback-free ground: it answers from a price list, or fails."""

    def __init__(self, name: str, prices: dict[str, str], *, path: str) -> None:
        self.id = name
        self._prices, self._path = prices, path

    def endpoints(self) -> Sequence[Endpoint]:
        return (Endpoint(host=self.id, method="GET", url=self._path.partition("?")[0], is_configured=True),)

    def covers(self, want: Wanted) -> bool:
        return want.token in self._prices

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        return [Ask(requests=(Request(host=self.id, url=self._path),), wants=tuple(wants))]

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        prices: dict[Wanted, Quote | None] = {
            want: quoted(want, Decimal(self._prices[want.token]), source=self.id, observed_at=NOW, resolution=want.resolution)
            for want in ask.wants
        }
        return answer_all(ask.wants, prices, source=self.id, observed_at=NOW)


BTC, ORB, ETH = TokenId("venue:kraken/XXBT"), TokenId("venue:kraken/ORB"), TokenId("venue:kraken/XETH")


async def run_desks(store: Store, url: str, egress: Egress, *desks: Desk, now: EpochMs = NOW) -> Refreshed:
    feed = build(chosen=(), base_urls={}, sandbox_url=url, assets=ASSETS)
    sources = Sources(prices=desks, rates=feed.rates, assets=ASSETS)
    sources.open_way(egress)
    return await refresh_quotes(store, sources, egress, Still(now), wants_max=100_000)


async def holding(store: Store, *tokens: TokenId) -> Book:
    """A book that holds one of each token since NOW."""
    book = await Book.open(store)
    snapshot = Snapshot(wallet="spot", product="spot", at=NOW, balances=tuple(Balance(token, Decimal(1)) for token in tokens))
    facts = tuple(TokenFacts(id=token, ticker=token[-3:]) for token in tokens)
    await book.commit(Batch(cursor=Cursor("balances", "c"), observed_at=NOW, tokens=facts, snapshots=(snapshot,)))
    return book


async def prices_now(book: Book, now: EpochMs = NOW) -> dict[str, str]:
    """The current price, or its reason, by token."""

    def ask(conn: Connection) -> dict[str, str]:
        held = read.balances(conn, book.principal)
        found = quotes.lookup(conn, [(row.token, now) for row in held], principal=None, tolerance_ms=NOW_INTERVAL_MS)
        rows = by_number(conn, [row.token for row in held])
        answers = {rows[row.token].id: found.at(row.token, now) for row in held}
        return {name: item.reason if isinstance(item, Unpriced) else str(item.price) for name, item in answers.items()}

    return await book.store.read(ask)


async def test_one_failing_source_does_not_stop_the_others(store: Store, world: tuple[str, State], egress: Egress) -> None:
    url, _ = world
    book = await holding(store, BTC, ORB, ETH)
    broken = Desk("broken", {BTC: "1", ORB: "2"}, path="http://127.0.0.1:1/prices")
    good = Desk("good", {BTC: "60000"}, path=f"{url}/feed/prices?tickers=BTC")
    done = await run_desks(store, url, egress, broken, good)
    assert done.failed == ("broken",)
    assert await prices_now(book) == {BTC: "60000", ORB: "source_failed", ETH: "no_source"}


async def test_what_a_failing_source_owed_is_asked_again_later(store: Store, world: tuple[str, State], egress: Egress) -> None:
    url, _ = world
    book = await holding(store, ORB)
    await run_desks(store, url, egress, Desk("d", {ORB: "2"}, path="http://127.0.0.1:1/prices"))
    assert await prices_now(book) == {ORB: "source_failed"}
    later = EpochMs(NOW + NOW_INTERVAL_MS)
    await run_desks(store, url, egress, Desk("d", {ORB: "2"}, path=f"{url}/feed/prices?tickers=BTC"), now=later)
    assert await prices_now(book) == {ORB: "2"}, "the minute that failed has its price now"
    assert await prices_now(book, later) == {ORB: "2"}


async def test_a_spike_is_put_before_a_second_source_at_once(store: Store, world: tuple[str, State], egress: Egress) -> None:
    url, _ = world
    path = f"{url}/feed/prices?tickers=BTC"
    book = await holding(store, BTC, ETH)
    await run_desks(store, url, egress, Desk("one", {BTC: "60000", ETH: "3000"}, path=path))
    later = EpochMs(NOW + 2 * NOW_INTERVAL_MS)
    spiking = Desk("one", {BTC: "6000000", ETH: "300000"}, path=path)
    sober = Desk("two", {ETH: "3010"}, path=path)
    done = await run_desks(store, url, egress, spiking, sober, now=later)
    assert done.suspect == 2
    assert (await prices_now(book, later))[ETH] == "3010"
    assert (await prices_now(book, later))[BTC] == "60000", "the last believed price is carried forward, as stale"


async def test_new_sources_are_asked_for_what_the_old_ones_did_not_know(
    store: Store, world: tuple[str, State], egress: Egress
) -> None:
    url, _ = world
    path = f"{url}/feed/prices?tickers=BTC"
    book = await holding(store, BTC, ORB)
    await run_desks(store, url, egress, Desk("one", {BTC: "60000"}, path=path))
    assert (await prices_now(book))[ORB] == "no_source"
    await run_desks(store, url, egress, Desk("one", {BTC: "60000"}, path=path), Desk("two", {ORB: "7"}, path=path))
    assert await prices_now(book) == {BTC: "60000", ORB: "7"}


async def test_closes_are_brought_for_every_day_on_which_a_token_was_held(
    store: Store, world: tuple[str, State], egress: Egress
) -> None:
    url, state = world
    book = await Book.open(store)
    old = EpochMs(NOW - 10 * DAY_MS)
    claim = Claim(book="b", ref="1", refs=("b:1",), at=old, kind="deposit", legs=(Leg("1", "spot", BTC, Decimal(2)),))
    facts = (TokenFacts(id=BTC, ticker="BTC"),)
    await book.commit(Batch(cursor=Cursor("trades", "c"), observed_at=NOW, tokens=facts, claims=(claim,)))
    await refresh(store, url, egress)

    def closes(conn: Connection) -> list[int]:
        columns = sa.select(quotes_table.c.bucket).where(quotes_table.c.resolution == DAY_MS, quotes_table.c.price.is_not(None))
        return sorted(row[0] for row in conn.execute(columns))

    assert await store.read(closes) == [bucket_of(old, DAY_MS) + n * DAY_MS for n in range(10)]
    assert state.violations == []
