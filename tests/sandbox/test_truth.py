"""Values in the truth: one value per trade, quotes by the minute, euros by the day, null where nothing prices."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from omnifolio_sandbox.amounts import divide, exact
from omnifolio_sandbox.truth import truth
from omnifolio_sandbox.world.prices import day_of, eur_rate, is_working_day, published_rate, ticker_price, token_price
from omnifolio_sandbox.world.tokens import ASSETS

NOW = 1_767_225_600_000


def lines(kind: str, user: str = "demo") -> list[dict[str, Any]]:
    """Truth of one kind."""
    return [line for line in truth(user, NOW) if line["kind"] == kind]


def usd(leg: dict[str, Any]) -> Decimal:
    """A leg's value in dollars."""
    return Decimal(leg["value"]["USD"])


def test_a_balance_is_worth_its_quote_of_that_minute() -> None:
    bitcoin = next(one for one in lines("balance") if one["asset_id"] == "venue:kraken/XXBT")
    price = ticker_price("BTC", NOW // 60_000)
    assert price is not None
    with exact():
        assert usd(bitcoin) == Decimal(bitcoin["amount"]) * price
    assert Decimal(bitcoin["value"]["EUR"]) == divide(usd(bitcoin), eur_rate("USD", day_of(NOW)), 12)


def test_both_sides_of_a_trade_have_the_value_of_its_best_leg() -> None:
    checked = 0
    for line in lines("transaction"):
        principals = [leg for leg in line["legs"] if leg["role"] == "principal"]
        if line["type"] == "trade" and len(principals) == 2:
            out, into = principals
            assert usd(out) == -usd(into)
            dollars = [leg for leg in principals if leg["asset"] == "USD"]
            for leg in dollars:
                assert usd(leg) == Decimal(leg["amount"])
                checked += 1
    assert checked > 50


def test_dust_is_valued_leg_by_leg() -> None:
    dust = next(one for one in lines("transaction") if len([g for g in one["legs"] if g["role"] == "principal"]) > 2)
    received = next(leg for leg in dust["legs"] if Decimal(leg["amount"]) > 0)
    assert received["asset"] == "BNB"
    price = token_price("binance", "BNB", dust["at"])
    assert price is not None
    with exact():
        assert usd(received) == Decimal(received["amount"]) * price


def test_what_nothing_prices_has_no_value() -> None:
    values = {one["asset_id"]: one["value"] for one in lines("balance")}
    assert values["venue:kraken/QNOVA"] is None
    assert values["venue:kraken/ORB"] is None
    assert values["venue:coinbase/ORB"] is not None


def test_prices_are_positive_and_have_eight_digits() -> None:
    for ticker, asset in ASSETS.items():
        for minute in range(28_000_000, 30_000_000, 99_991):
            price = ticker_price(ticker, minute)
            if asset.anchor is None:
                assert price is None
            else:
                assert price is not None
                assert 0 < price < 3 * asset.anchor
                assert len(price.as_tuple().digits) <= 8


@pytest.mark.parametrize(
    ("day", "working"),
    [("2024-03-29", False), ("2024-04-01", False), ("2024-03-28", True), ("2024-05-01", False), ("2024-12-26", False),
     ("2025-04-18", False), ("2025-04-22", True), ("2024-06-01", False)],
)  # fmt: skip
def test_rates_are_published_on_working_days_only(day: str, working: bool) -> None:
    """Good Friday, Easter Monday, May Day, Christmas and weekends have none; the last rate before them holds."""
    assert is_working_day(date.fromisoformat(day)) is working
    assert (published_rate("USD", date.fromisoformat(day)) is not None) is working
    assert eur_rate("USD", date.fromisoformat(day)) > 0


def test_only_failed_attempts_are_missing_and_all_others_are_confirmed() -> None:
    assert {line["status"] for line in lines("transaction")} == {"confirmed"}
    assert {line["type"] for line in lines("transaction")} == {
        "deposit", "withdrawal", "trade", "reward", "bonus", "staking", "unstaking", "other",
    }  # fmt: skip
