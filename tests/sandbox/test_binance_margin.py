"""The simulated Binance's margin accounts and futures wallets, called by ccxt's own client and compared with the truth."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from tests.sandbox.conftest import NOW, Running
from tests.sandbox.reading import told_balances

from omnifolio_sandbox.clock import MS_PER_DAY

USER, ISOLATED_USER = "margin-ada-2000", "isolated-ada-2000"
PAIR = "BTCUSDT"


def opened(sandbox: Running, user: str = USER) -> Any:
    """ccxt's Binance with the futures' addresses of this sandbox."""
    client = sandbox.binance(user)
    for kind in ("fapi", "dapi"):
        client.urls["api"] = {
            name: url.replace(f"https://{kind}.binance.com", f"{sandbox.url}/binance") for name, url in client.urls["api"].items()
        }
    return client


def spans(days: int, back: int) -> Iterator[dict[str, int]]:
    """Adjoining windows up to now."""
    start = NOW - back * MS_PER_DAY
    while start < NOW:
        yield {"startTime": start, "endTime": min(NOW, start + days * MS_PER_DAY - 1)}
        start += days * MS_PER_DAY


def legs_of(sandbox: Running, wallet: str, back: int, user: str = USER) -> dict[str, Decimal]:
    """What the truth moved in a wallet in the last days, by asset."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in sandbox.truth(user, "binance"):
        if line["kind"] == "transaction" and line["at"] >= NOW - back * MS_PER_DAY:
            for leg in line["legs"]:
                if leg["wallet"] == wallet:
                    found[leg["asset"]] += Decimal(leg["amount"])
    return {asset: amount for asset, amount in found.items() if amount}


def test_the_accounts_are_the_truth(sandbox: Running) -> None:
    client = opened(sandbox)
    found: dict[tuple[str, str, str], Decimal] = {}
    for row in client.sapi_get_margin_account()["userAssets"]:
        found["margin", "margin", row["asset"]] = Decimal(row["free"]) + Decimal(row["locked"])
        found["margin", "debt", row["asset"]] = -Decimal(row["borrowed"]) - Decimal(row["interest"])
    for row in client.fapiprivatev3_get_balance():
        found["usdm", "collateral", row["asset"]] = Decimal(row["balance"])
    told = {
        place: amount for place, amount in told_balances(sandbox.truth(USER, "binance")).items() if place[0] in {"margin", "usdm"}
    }
    assert {place: amount for place, amount in found.items() if amount} == told
    assert any(place[1] == "debt" for place in told)


def test_ccxts_unified_methods_understand_the_answers(sandbox: Running) -> None:
    client = opened(sandbox)
    assert client.fetch_balance({"type": "margin"})["total"]["USDT"]
    interest = [
        one
        for span in spans(30, 180)
        for one in client.fetch_borrow_interest(None, None, span["startTime"], 100, {"endTime": span["endTime"]})
    ]
    assert interest
    assert {one["marginMode"] for one in interest} == {"cross"}


def test_the_futures_income_is_what_moved_the_wallet(sandbox: Running) -> None:
    client = opened(sandbox)
    moved = sum(
        (Decimal(row["income"]) for span in spans(7, 90) for row in client.fapiprivate_get_income({**span, "limit": 1000})),
        Decimal(0),
    )
    assert {"USDT": moved} == legs_of(sandbox, "usdm", 90)


def test_older_flows_and_income_are_gone(sandbox: Running) -> None:
    client = opened(sandbox)
    old = {"startTime": NOW - 170 * MS_PER_DAY, "endTime": NOW - 91 * MS_PER_DAY}
    assert client.fapiprivate_get_income({**old, "limit": 1000}) == []
    assert client.sapi_get_margin_capital_flow(old) == []
    with pytest.raises(ccxt.BadRequest, match="-1127"):
        client.sapi_get_margin_interesthistory(old)


def test_somebody_without_margin_has_empty_accounts(sandbox: Running) -> None:
    client = sandbox.binance()
    assert client.sapi_get_margin_account()["userAssets"] == []


def test_the_isolated_pair_and_the_contracts_in_coin_are_the_truth(sandbox: Running) -> None:
    client = opened(sandbox, ISOLATED_USER)
    found: dict[tuple[str, str, str], Decimal] = {}
    (pair,) = client.sapi_get_margin_isolated_account()["assets"]
    for row in (pair["baseAsset"], pair["quoteAsset"]):
        found["isolated", "margin", row["asset"]] = Decimal(row["free"]) + Decimal(row["locked"])
        found["isolated", "debt", row["asset"]] = -Decimal(row["borrowed"]) - Decimal(row["interest"])
    for row in client.dapiprivate_get_balance():
        found["coinm", "collateral", row["asset"]] = Decimal(row["balance"])
    told = told_balances(sandbox.truth(ISOLATED_USER, "binance"))
    assert {place: amount for place, amount in found.items() if amount} == {
        place: amount for place, amount in told.items() if place[0] in {"isolated", "coinm"}
    }
    assert any(place[1] == "debt" for place in told)
    assert {row["walletName"] for row in client.sapi_get_asset_wallet_balance() if row["activate"]} >= {
        "Isolated Margin", "COIN-M Futures",
    }  # fmt: skip


def test_ccxts_unified_methods_understand_the_isolated_pair(sandbox: Running) -> None:
    client = opened(sandbox, ISOLATED_USER)
    (pair,) = client.sapi_get_margin_isolated_account()["assets"]
    balance = client.fetch_balance({"marginMode": "isolated"})["USDT"]
    assert (Decimal(str(balance["free"])), Decimal(str(balance["debt"]))) == (
        Decimal(pair["quoteAsset"]["free"]), Decimal(pair["quoteAsset"]["borrowed"]) + Decimal(pair["quoteAsset"]["interest"]),
    )  # fmt: skip
    interest = [
        one
        for span in spans(30, 180)
        for one in client.fetch_borrow_interest(None, "BTC/USDT", span["startTime"], 100, {"endTime": span["endTime"]})
    ]
    assert {one["marginMode"] for one in interest} == {"isolated"}
    # Cross margin is another account: of it this user has nothing.
    assert client.sapi_get_margin_account()["userAssets"] == []
    assert all(client.sapi_get_margin_interesthistory(span)["rows"] == [] for span in spans(30, 180))


def test_the_flow_of_the_pair_and_the_income_in_coin_move_what_the_truth_moves(sandbox: Running) -> None:
    client = opened(sandbox, ISOLATED_USER)
    moved = [row for span in spans(7, 90) for row in client.dapiprivate_get_income({**span, "limit": 1000})]
    total = sum((Decimal(row["income"]) for row in moved), Decimal(0))
    assert {"BTC": total} == legs_of(sandbox, "coinm", 90, ISOLATED_USER)
    assert {row["incomeType"] for row in moved} >= {"TRANSFER", "REALIZED_PNL", "COMMISSION", "FUNDING_FEE"}
    flow = client.sapi_get_margin_capital_flow({"symbol": PAIR, **next(spans(90, 90)), "limit": 1000})
    assert {row["type"] for row in flow} >= {"BORROW", "REPAY", "BUY_INCOME", "SELL_INCOME", "TRADING_COMMISSION"}
    assert {row["symbol"] for row in flow} == {PAIR}
    assert client.sapi_get_margin_capital_flow(next(spans(90, 90))) == []
