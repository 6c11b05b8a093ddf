"""The simulated Binance's cross margin account and futures wallet, called by ccxt's own client and compared with the truth."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from tests.sandbox.conftest import NOW, Running
from tests.sandbox.reading import told_balances

from omnifolio_sandbox.clock import MS_PER_DAY

USER = "margin-ada-2000"


def opened(sandbox: Running, permission: str = "read") -> Any:
    """ccxt's Binance with the futures' addresses of this sandbox."""
    client = sandbox.binance(USER, permission)
    client.urls["api"] = {
        name: url.replace("https://fapi.binance.com", f"{sandbox.url}/binance") for name, url in client.urls["api"].items()
    }
    return client


def spans(days: int, back: int) -> Iterator[dict[str, int]]:
    """Adjoining windows up to now."""
    start = NOW - back * MS_PER_DAY
    while start < NOW:
        yield {"startTime": start, "endTime": min(NOW, start + days * MS_PER_DAY - 1)}
        start += days * MS_PER_DAY


def legs_of(sandbox: Running, wallet: str, back: int) -> dict[str, Decimal]:
    """What the truth moved in a wallet in the last days, by asset."""
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in sandbox.truth(USER, "binance"):
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
