"""The simulated Binance, called by ccxt's own client and compared with the world's truth."""

from collections.abc import Callable
from decimal import Decimal

import ccxt
import pytest
from tests.sandbox.conftest import NOW, Running
from tests.sandbox.reading import binance_nets, told_balances, told_nets

from omnifolio_sandbox.clock import MS_PER_DAY


@pytest.mark.parametrize("user", ["demo", "bob"])
def test_all_histories_together_are_the_truth(sandbox: Running, user: str) -> None:
    """Fills by id, everything else by window: each ref once, each amount exact."""
    client = sandbox.binance(user)
    assert binance_nets(client, client.fetch_time()) == told_nets(sandbox.truth(user, "binance"))


def test_wallets_are_the_truth_when_receipts_of_earn_are_left_out(sandbox: Running) -> None:
    client = sandbox.binance()
    spot = {
        row["asset"]: Decimal(row["free"]) + Decimal(row["locked"])
        for row in client.private_get_account({"omitZeroBalances": "true"})["balances"]
    }
    funding = {row["asset"]: Decimal(row["free"]) for row in client.sapi_post_asset_get_funding_asset()}
    flexible = {
        row["asset"]: Decimal(row["totalAmount"]) for row in client.sapi_get_simple_earn_flexible_position({"size": 100})["rows"]
    }
    locked = {row["asset"]: Decimal(row["amount"]) for row in client.sapi_get_simple_earn_locked_position({"size": 100})["rows"]}
    assert {f"LD{code}": amount for code, amount in flexible.items()} == {
        code: amount for code, amount in spot.items() if code.startswith("LD")
    }
    found = {("spot", "spot", code): amount for code, amount in spot.items() if not code.startswith("LD")}
    found |= {("funding", "funding", code): amount for code, amount in funding.items()}
    found |= {("earn", "earn", code): amount for code, amount in (flexible | locked).items()}
    assert found == told_balances(sandbox.truth("demo", "binance"))


def test_ccxts_unified_methods_understand_the_answers(sandbox: Running) -> None:
    client = sandbox.binance()
    client.options["fetchOpenOrders"]["warnWithoutSymbol"] = False
    now = client.fetch_time()
    assert client.fetch_status()["status"] == "ok"
    assert client.fetch_balance()["total"]["USDT"]
    assert client.fetch_balance({"type": "funding"})["total"]
    assert client.fetch_my_trades("BTC/USDT")[-1]["fee"]["currency"] in {"BNB", "BTC", "USDT"}
    assert [one["status"] for one in client.fetch_open_orders()] == ["open"]
    assert client.fetch_orders("BTC/USDT")[-1]["status"] == "closed"
    assert client.fetch_my_dust_trades()
    assert client.fetch_ticker("BTC/USDT")["last"]
    deposits = [one for step in range(0, 900, 90) for one in client.fetch_deposits(None, now - (step + 90) * MS_PER_DAY)]
    assert {one["status"] for one in deposits} == {"ok"}


def test_my_trades_by_time_needs_windows_of_a_day(sandbox: Running) -> None:
    client = sandbox.binance()
    row = client.private_get_mytrades({"symbol": "BTCUSDT"})[0]
    at = int(row["time"])
    found = client.private_get_mytrades({"symbol": "BTCUSDT", "startTime": at, "endTime": at + MS_PER_DAY})
    assert row in found
    with pytest.raises(ccxt.BadRequest, match="-1127"):
        client.private_get_mytrades({"symbol": "BTCUSDT", "startTime": at, "endTime": at + MS_PER_DAY + 1})


@pytest.mark.parametrize(
    ("call", "days"),
    [("sapi_get_capital_deposit_hisrec", 90), ("sapi_get_capital_withdraw_history", 90),
     ("sapi_get_asset_assetdividend", 180), ("sapi_get_convert_tradeflow", 30),
     ("sapi_get_simple_earn_flexible_history_subscriptionrecord", 90)],
)  # fmt: skip
def test_a_window_that_is_too_long_is_refused(sandbox: Running, call: str, days: int) -> None:
    client = sandbox.binance()
    start = NOW - 200 * MS_PER_DAY
    getattr(client, call)({"startTime": start, "endTime": start + days * MS_PER_DAY})
    with pytest.raises(ccxt.BadRequest, match="-1127"):
        getattr(client, call)({"startTime": start, "endTime": start + days * MS_PER_DAY + 1})


def test_missing_and_wrong_parameters_are_named(sandbox: Running) -> None:
    client = sandbox.binance()
    with pytest.raises(ccxt.BadRequest, match="'symbol' was not sent"):
        client.private_get_mytrades({})
    with pytest.raises(ccxt.BadSymbol, match="-1121"):
        client.private_get_mytrades({"symbol": "NOPE"})
    with pytest.raises(ccxt.BadRequest, match="-1102"):
        client.sapi_get_asset_transfer({})


def test_a_wrong_signature_is_refused(sandbox: Running) -> None:
    client = sandbox.binance()
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError, match="-1022"):
        client.private_get_account()


def test_an_unknown_key_is_refused(sandbox: Running) -> None:
    client = sandbox.binance()
    client.apiKey = "a" * 64
    with pytest.raises(ccxt.ExchangeError, match="-2015"):
        client.private_get_account()


@pytest.mark.parametrize(("off_ms", "text"), [(-20_000, "outside of the recvWindow"), (20_000, "ahead of the server")])
def test_a_clock_that_is_off_is_refused(sandbox: Running, off_ms: int, text: str) -> None:
    client = sandbox.binance()
    client.options["timeDifference"] = -off_ms
    with pytest.raises(ccxt.InvalidNonce, match=text):
        client.private_get_account()


@pytest.mark.parametrize(
    ("permission", "flag"),
    [("trade", "enableSpotAndMarginTrading"), ("withdraw", "enableWithdrawals"), ("unknown-flag", "enableTeleport")],
)
def test_a_keys_permissions_are_told(sandbox: Running, permission: str, flag: str) -> None:
    plain = sandbox.binance().sapi_get_account_apirestrictions()
    told = sandbox.binance(permission=permission).sapi_get_account_apirestrictions()
    assert plain.get(flag, False) is False
    assert told[flag] is True
    assert told["enableReading"] is True


def test_weights_are_told_then_refused_then_banned(start: Callable[..., Running]) -> None:
    """429 with Retry-After to the end of the minute, and 418 for whoever goes on calling."""
    sandbox = start(scale=1)
    sandbox.state.clock.wire = "world"
    client = sandbox.binance()
    client.milliseconds = lambda: sandbox.state.clock.world_ms
    for _ in range(5):
        client.sapi_get_accountsnapshot({"type": "SPOT"})
    assert client.last_response_headers["x-sapi-used-ip-weight-1m"] == "12000"
    for _ in range(5):
        with pytest.raises(ccxt.DDoSProtection, match=" 429 "):
            client.sapi_get_accountsnapshot({"type": "SPOT"})
        assert 0 < int(client.last_response_headers["retry-after"]) <= 60
    assert client.private_get_account()["accountType"] == "SPOT"  # a pool of its own
    with pytest.raises(ccxt.DDoSProtection, match=" 418 "):
        client.sapi_get_accountsnapshot({"type": "SPOT"})
    assert int(client.last_response_headers["retry-after"]) == 120
    sandbox.state.clock.advance(121_000)
    assert client.sapi_get_accountsnapshot({"type": "SPOT"})["code"] == 200


def test_pools_by_account_are_separate(start: Callable[..., Running]) -> None:
    sandbox = start(scale=1)
    demo, alice = sandbox.binance("demo"), sandbox.binance("alice")
    asked = {"transactionType": 0}
    demo.sapi_get_fiat_orders(asked)
    demo.sapi_get_fiat_orders(asked)
    with pytest.raises(ccxt.DDoSProtection):
        demo.sapi_get_fiat_orders(asked)
    assert alice.sapi_get_fiat_orders(asked)["success"] is True


@pytest.mark.parametrize("permission", ["read", "trade", "withdraw"])
def test_every_attempt_to_write_is_refused_and_noted(sandbox: Running, permission: str) -> None:
    client = sandbox.binance(permission=permission)
    calls = (client.private_post_order, client.sapi_post_capital_withdraw_apply, client.private_delete_order,
             client.sapi_post_asset_transfer, client.sapi_post_asset_dust)  # fmt: skip
    for call in calls:
        with pytest.raises(ccxt.ExchangeError, match="-2015"):
            call({"symbol": "BTCUSDT"})
    assert len(sandbox.state.violations) == len(calls)
