"""Products that an account must have opened: found once a day, asked for only then, and never the reason to doubt the key."""

import json
from typing import Any

import pytest
from tests.venues.exchanges import world

from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import BadCredentials, MissingPermission, ProductNotOpen
from omnifolio.model.facts import Evidence
from omnifolio.model.secrets import Secret
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import open_products
from omnifolio.venues.exchanges.ccxt_bridge import Bridge
from omnifolio.venues.exchanges.quirks.binance_products import KIND
from omnifolio.venues.exchanges.reader import PRODUCTS, ExchangeReader, venue_of

NOW = EpochMs(1_795_305_600_000)
WALLETS = [("Spot", True), ("Isolated Margin", True), ("USDⓈ-M Futures", True), ("COIN-M Futures", False), ("Trading Bots", True)]


def answer(path: str, body: object) -> Evidence:
    return Evidence(stream=PRODUCTS, request=f"GET {path}", received_at=NOW, body=json.dumps(body).encode())


def wallets() -> Evidence:
    return answer(
        "/sapi/v1/asset/wallet/balance", [{"walletName": name, "activate": active, "balance": "0"} for name, active in WALLETS]
    )


def test_the_finder_notes_what_is_open_and_names_the_pairs_of_isolated_margin() -> None:
    assert PRODUCTS.startswith(KIND)
    venue, known = venue_of("binance"), Known(cursors={"isolated-flow/BTCUSDT": "{}"})
    pairs = answer("/sapi/v1/margin/isolated/account", {"assets": [{"symbol": "BTCUSDT"}]})
    found = venue.quirks.scopes(venue.context(PRODUCTS), known, "", [wallets(), pairs])
    assert open_products(found.token) == {"isolated", "usdm"}
    assert found.streams == ("isolated-interest/BTCUSDT", "isolated-transfers/BTCUSDT")
    assert not venue.quirks.is_due(venue.context(PRODUCTS), known, found.token, EpochMs(NOW + DAY_MS - 1))
    assert venue.quirks.is_due(venue.context(PRODUCTS), known, found.token, EpochMs(NOW + DAY_MS))
    assert venue.quirks.asked("sapiGetMarginIsolatedAccount", [wallets()]) == [{}]
    assert venue.quirks.asked("sapiGetMarginIsolatedAccount", [answer("/sapi/v1/asset/wallet/balance", [])]) == []


@pytest.mark.parametrize(("token", "expected"), [("", []), ("not json", []), ("[]", []), ('{"at":1,"open":["usdm"]}', ["usdm"])])
def test_streams_of_a_product_are_asked_where_it_is_open(token: str, expected: list[str]) -> None:
    account = world.Account(ExchangeReader(), "binance", "http://127.0.0.1:9", {})
    account.cursors[PRODUCTS] = token
    names = set(account.streams())
    assert "balances/all" in names
    always = {"balances/all", "balances/sub"}
    assert sorted(name.partition("/")[2] for name in names if name.startswith("balances/") and name not in always) == expected
    assert ("usdm-income/all" in names) == bool(expected)


async def test_a_product_that_refuses_the_key_is_a_gap_and_the_account_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: Bridge, call: str, params: Any) -> Evidence:
        raise BadCredentials("refused")

    monkeypatch.setattr(Bridge, "call", refuse)
    account = world.Account(
        ExchangeReader(), "binance", "http://127.0.0.1:9", {"key": Secret("K" * 64), "secret": Secret("S" * 64)}
    )
    await account.read("balances/usdm")
    assert [(batch.done, [gap.code for gap in batch.gaps]) for batch in account.batches] == [(True, ["missing_permission"])]
    with pytest.raises(BadCredentials):
        await account.read("balances/all")


async def test_a_key_that_may_not_read_positions_reads_all_else_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse(self: Bridge, call: str, params: Any) -> Evidence:
        raise MissingPermission

    monkeypatch.setattr(Bridge, "call", refuse)
    account = world.Account(
        ExchangeReader(), "bybit", "http://127.0.0.1:9", {"key": Secret("K" * 20), "secret": Secret("S" * 36)}
    )
    await account.read("positions/option")
    (batch,) = account.batches
    assert (batch.done, [(gap.code, gap.is_failure) for gap in batch.gaps]) == (True, [("missing_permission", False)])
    assert batch.positions == ()


async def test_an_account_without_the_product_has_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """OKX refuses the question for positions to accounts of spot mode."""

    async def refuse(self: Bridge, call: str, params: Any) -> Evidence:
        raise ProductNotOpen

    monkeypatch.setattr(Bridge, "call", refuse)
    secrets = {"key": Secret("k" * 36), "secret": Secret("S" * 32), "passphrase": Secret("p")}
    account = world.Account(ExchangeReader(), "okx", "http://127.0.0.1:9", secrets)
    await account.read("positions/all")
    (batch,) = account.batches
    assert (batch.done, batch.gaps, batch.positions) == (True, (), ())
