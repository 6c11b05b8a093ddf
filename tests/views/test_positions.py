"""What open positions are worth, and that every total has it exactly once."""

from decimal import Decimal

from tests.ledger.builders import Book, at, batch, position, snapshot, stands, token

from omnifolio.catalog import assets
from omnifolio.ledger import quotes
from omnifolio.ledger.read import wallets_of
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.facts import Component, Position, Quote
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import Store
from omnifolio.views.accounts import AccountView, all_accounts
from omnifolio.views.market import Market
from omnifolio.views.portfolio import portfolio
from omnifolio.views.positions import open_positions

NOW = at(60)


async def price(store: Store, code: str, dollars: str) -> None:
    bucket = EpochMs(NOW - NOW % MINUTE_MS)
    found = Quote(
        token=token(code),
        currency="USD",
        bucket=bucket,
        resolution=MINUTE_MS,
        price=Decimal(dollars),
        source="t",
        observed_at=NOW,
    )
    await store.write(quotes.put, [found])


async def seen(book: Book) -> list[AccountView]:
    return await book.store.read(all_accounts, book.principal, Market(), now=NOW, currency="USD")


async def a_book(store: Store) -> Book:
    """A thousand dollars' worth of collateral, a position that has gained 25, an option that owes 40, one that adds nothing."""
    book = await Book.open(store)
    await book.commit(batch(snapshots=[snapshot({"USDT": "1000"}, wallet="futures", product="collateral")], stream="balances"))
    owed = Position(
        key="C",
        kind="option",
        name="C",
        size=Decimal(-1),
        size_token=token("BTC"),
        components=(Component("value", token("USDT"), Decimal(-40)), Component("reward", token("NEW"), Decimal(2))),
    )
    counted = Position(key="D", kind="margin", name="D", size=Decimal(9), size_token=token("BTC"), unrealised=Decimal(77))
    found = stands(position("A", "100", "25", code="USDT"), owed, counted)
    await book.commit(batch(stream="positions/usdm", positions=(found,)))
    await price(store, "USDT", "1")
    return book


async def test_a_total_has_what_is_gained_and_not_what_is_controlled(store: Store) -> None:
    book = await a_book(store)
    await price(store, "NEW", "10")
    (view,) = await seen(book)
    assert [str(item.total.amount) for item in view.positions] == ["25", "-20", "0"]
    assert view.total.amount == Decimal(1005), "1000 and 25, less 40, and 2 for 10 each; a hundred coins are not owned"
    (wallet,) = await store.read(wallets_of, book.principal)
    assert view.wallet_totals[wallet.id].amount == view.total.amount
    found = portfolio([view], assets.load(), now=NOW, currency="USD")
    assert found.total.amount == view.total.amount
    assert found.positions.amount == Decimal(5)
    assert sum(line.value.amount for line in found.assets) + found.positions.amount == found.total.amount


async def test_a_component_without_a_price_is_missing_and_not_zero(store: Store) -> None:
    book = await a_book(store)
    (view,) = await seen(book)
    assert (view.total.complete, [part.name for part in view.total.missing]) == (False, ["NEW"])
    assert [item.total.complete for item in view.positions] == [True, False, True]


async def test_prices_are_asked_for_what_positions_are_worth_in(store: Store) -> None:
    from omnifolio.ledger.wanted import held_now

    book = await a_book(store)
    wanted = await store.read(held_now, now=EpochMs(NOW + 10**9))
    assert {want.ticker for want in wanted} == {"USDT", "NEW"}
    await book.commit(batch(stream="positions/usdm", positions=(stands(seconds=5),)))
    wanted = await store.read(held_now, now=EpochMs(NOW + 10**9))
    assert {want.ticker for want in wanted} == {"USDT"}


async def test_positions_are_found_by_account_and_wallet(store: Store) -> None:
    book = await a_book(store)
    beside = await book.beside("u1b")
    await beside.commit(batch(stream="positions/x", positions=(stands(position("Z", "1"), wallet="other"),)))

    async def keys(account: AccountId | None = None, wallet: str | None = None) -> list[str]:
        found = await store.read(open_positions, book.principal, Market(), account, now=NOW, currency="USD", wallet=wallet)
        return [item.held.position.key for item in found.positions]

    assert await keys() == ["A", "C", "D", "Z"]
    assert await keys(account=beside.account) == ["Z"]
    assert await keys(wallet="futures") == ["A", "C", "D"]
