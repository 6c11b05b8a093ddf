"""The simulated Bybit, called by ccxt's own client and compared with the world's truth."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from tests.sandbox.conftest import NOW, Running
from tests.sandbox.reading import Net, told_balances, told_nets

from omnifolio_sandbox.clock import MS_PER_DAY

WEEK_MS, MONTH_MS = 7 * MS_PER_DAY, 30 * MS_PER_DAY
SINCE_MS = NOW - 729 * MS_PER_DAY


def standing(sandbox: Running, user: str = "demo", permission: str = "read") -> Any:
    """ccxt's Bybit at a venue whose time stands with the world's: what is forgotten depends on it."""
    sandbox.state.clock.wire = "world"
    client = sandbox.bybit(user, permission)
    client.milliseconds = lambda: sandbox.state.clock.world_ms
    return client


def windows(length_ms: int, *, start: int = SINCE_MS, end: int = NOW) -> Iterator[tuple[int, int]]:
    """Adjoining windows, both ends included."""
    for begin in range(start, end, length_ms):
        yield begin, min(begin + length_ms - 1, end)


def rows(call: Callable[..., Any], asked: dict[str, Any], *, field: str = "list") -> list[dict[str, Any]]:
    """All pages of one question."""
    found, cursor = [], ""
    while True:
        result = call({**asked, **({"cursor": cursor} if cursor else {})})["result"]
        found += result[field]
        cursor = result["nextPageCursor"]
        if not cursor:
            return found


def nets(client: Any) -> dict[str, Net]:
    """Net movement by ref, told by each history on its own terms."""
    found: dict[str, Net] = defaultdict(lambda: defaultdict(Decimal))
    for start, end in windows(WEEK_MS):
        _week(client, found, start, end)
    for start, end in windows(MONTH_MS, start=1_688_000_000_000):
        asked = {"startTime": start, "endTime": end}
        for row in rows(client.private_get_v5_asset_deposit_query_record, asked, field="rows"):
            found[row["txID"]]["funding", row["coin"]] += Decimal(row["amount"])
        for row in rows(client.private_get_v5_asset_deposit_query_internal_record, asked, field="rows"):
            found[row["id"]]["funding", row["coin"]] += Decimal(row["amount"])
        for row in rows(client.private_get_v5_asset_withdraw_query_record, {**asked, "withdrawType": 2}, field="rows"):
            if row["status"] == "success":
                found[row["withdrawId"]]["funding", row["coin"]] -= Decimal(row["amount"]) + Decimal(row["withdrawFee"])
    for row in client.private_get_v5_asset_exchange_query_convert_history({"limit": 100})["result"]["list"]:
        found[row["exchangeTxId"]]["funding", row["fromCoin"]] -= Decimal(row["fromAmount"])
        found[row["exchangeTxId"]]["funding", row["toCoin"]] += Decimal(row["toAmount"])
    for row in client.private_get_v5_asset_covert_small_balance_history({"size": 100})["result"]["records"]:
        found[row["exchangeTxId"]]["funding", row["toCoin"]] += Decimal(row["toAmount"])
        for part in row["subRecords"]:
            found[row["exchangeTxId"]]["funding", part["fromCoin"]] -= Decimal(part["fromAmount"])
    return {ref: {key: amount for key, amount in net.items() if amount} for ref, net in found.items()}


def _week(client: Any, found: dict[str, Net], start: int, end: int) -> None:
    asked = {"startTime": start, "endTime": end, "limit": 50}
    log = rows(client.private_get_v5_account_transaction_log, {**asked, "accountType": "UNIFIED"})
    for row in log:
        ref = (
            f"{row['orderId']}/{row['tradeId']}"
            if row["orderId"]
            else f"{row['id']}/{row['type']}/{row['currency']}/{row['transactionTime']}/"
        )
        if row["type"].startswith("TRANSFER"):
            continue
        found[ref]["unified", row["currency"]] += Decimal(row["change"])
        if row["type"] in {"BORROW", "REPAY"}:
            found[ref]["unified", row["currency"]] -= Decimal(row["change"])
    for row in rows(client.private_get_v5_asset_transfer_query_inter_transfer_list, asked):
        sign = 1 if row["toAccountType"] == "UNIFIED" else -1
        found[row["transferId"]]["unified", row["coin"]] += sign * Decimal(row["amount"])
        found[row["transferId"]]["funding", row["coin"]] -= sign * Decimal(row["amount"])
    for row in rows(client.private_get_v5_earn_order, {**asked, "category": "FlexibleSaving"}):
        sign = 1 if row["orderType"] == "Stake" else -1
        found[row["orderId"]]["earn", row["coin"]] += sign * Decimal(row["orderValue"])
        found[row["orderId"]]["funding", row["coin"]] -= sign * Decimal(row["orderValue"])
    seconds = {"createTimeFrom": start // 1000, "createTimeTo": end // 1000, "limit": 100}
    for row in rows(client.private_get_v5_asset_fundinghistory, seconds):
        if "Interest" in row["descriptionEn"]:
            ref = "/".join(row[name] for name in ("createTime", "currency", "ioDirection", "txnAmt", "afterAmt"))
            found[ref]["funding", row["currency"]] += Decimal(row["txnAmt"])


@pytest.mark.parametrize("user", ["demo", "bob"])
def test_all_histories_together_are_the_truth(sandbox: Running, user: str) -> None:
    told = [line for line in sandbox.truth(user, "bybit") if line["kind"] != "transaction" or _is_certain(line)]
    wanted = {ref: net for ref, net in told_nets(told).items() if net}
    assert {ref: net for ref, net in nets(standing(sandbox, user)).items() if net} == wanted


def _is_certain(line: dict[str, Any]) -> bool:
    """Whether a line lies not on the day at which the venue forgets."""
    return not NOW - 731 * MS_PER_DAY <= line["at"] < SINCE_MS


def test_wallets_are_the_truth_and_debts_are_told_beside_them(sandbox: Running) -> None:
    client = sandbox.bybit()
    found: dict[tuple[str, str, str], Decimal] = {}
    (unified,) = client.private_get_v5_account_wallet_balance({"accountType": "UNIFIED"})["result"]["list"]
    for coin in unified["coin"]:
        found["unified", "spot", coin["coin"]] = Decimal(coin["walletBalance"])
        found["unified", "debt", coin["coin"]] = -Decimal(coin["spotBorrow"])
    for row in client.private_get_v5_asset_transfer_query_account_coins_balance({"accountType": "FUND"})["result"]["balance"]:
        found["funding", "funding", row["coin"]] = Decimal(row["walletBalance"])
    for row in client.private_get_v5_earn_position({"category": "FlexibleSaving"})["result"]["list"]:
        found["earn", "earn", row["coin"]] = Decimal(row["amount"])
    assert {key: amount for key, amount in found.items() if amount} == told_balances(sandbox.truth("demo", "bybit"))
    assert any(key[1] == "debt" and amount < 0 for key, amount in found.items())


def test_ccxts_unified_methods_understand_the_answers(sandbox: Running) -> None:
    client = sandbox.bybit()
    client.load_markets()
    assert "BTC/USDT" in client.markets
    assert client.fetch_balance({"type": "spot"})["total"]["USDT"]
    assert client.fetch_balance({"type": "funding"})["total"]
    trades = [one for start, _ in windows(WEEK_MS) for one in client.fetch_my_trades(None, start, 100, {"type": "spot"})]
    assert {one["side"] for one in trades} == {"buy", "sell"}
    assert all(one["fee"]["currency"] for one in trades)
    deposits = [one for start, _ in windows(MONTH_MS) for one in client.fetch_deposits(None, start, 50)]
    assert {one["status"] for one in deposits} == {"ok"}
    assert client.fetch_ledger(None, None, 50, {"accountType": "UNIFIED"}) is not None


def test_what_is_older_than_two_years_is_in_the_balances_alone(start: Callable[..., Running]) -> None:
    """Deposits and withdrawals are told for ever, the logs for two years."""
    late = NOW + 400 * MS_PER_DAY
    sandbox = start(now=late)
    client = standing(sandbox)
    events = sandbox.state.world.account("demo", "bybit").events(late)
    logged = next(event for event in events if event.facts.get("log"))
    came = next(event for event in events if event.kind == "deposit")
    assert client.private_get_v5_account_transaction_log({"startTime": logged.at, "endTime": logged.at})["result"]["list"] == []
    (row,) = client.private_get_v5_asset_deposit_query_record({"startTime": came.at, "endTime": came.at})["result"]["rows"]
    assert row["txID"] == came.ref
    told = {line["ref"] for line in sandbox.truth("demo", "bybit") if line["kind"] == "transaction"}
    assert came.ref in told
    assert logged.ref not in told


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("private_get_v5_account_transaction_log", {"startTime": NOW - 8 * MS_PER_DAY, "endTime": NOW}),
        ("private_get_v5_execution_list", {"category": "spot", "startTime": NOW - 8 * MS_PER_DAY, "endTime": NOW}),
        ("private_get_v5_execution_list", {}),
        ("private_get_v5_earn_order", {"category": "FlexibleSaving", "startTime": NOW, "endTime": NOW - 1}),
        ("private_get_v5_asset_deposit_query_record", {"startTime": NOW - 31 * MS_PER_DAY, "endTime": NOW}),
        ("private_get_v5_account_transaction_log", {"limit": 51}),
        ("private_get_v5_account_transaction_log", {"cursor": "mine"}),
        ("private_get_v5_account_wallet_balance", {}),
    ],
)
def test_a_question_that_is_too_long_or_incomplete_is_refused(sandbox: Running, method: str, asked: dict[str, Any]) -> None:
    with pytest.raises(ccxt.BadRequest, match="10001"):
        getattr(sandbox.bybit(), method)(asked)


def test_pages_of_the_log_join_without_loss(sandbox: Running) -> None:
    """The fills of one order fill more than a page, all of one millisecond."""
    client = standing(sandbox)
    rows_at: dict[int, int] = defaultdict(int)
    for event in sandbox.state.world.account("demo", "bybit").events(NOW):
        rows_at[event.at] += len(event.facts.get("log", ()))
    at = max(rows_at, key=lambda one: rows_at[one])
    sandbox.state.clock.move_to(at + 1)
    found = rows(client.private_get_v5_account_transaction_log, {"startTime": at, "endTime": at, "limit": 50})
    assert len(found) == rows_at[at] > 50


def test_a_changed_request_is_refused(sandbox: Running) -> None:
    client = sandbox.bybit()
    client.secret = "x" * 36
    with pytest.raises(ccxt.AuthenticationError, match="10004"):
        client.private_get_v5_user_query_api()
    client.apiKey = "By00Z0000"
    with pytest.raises(ccxt.AuthenticationError, match="10003"):
        client.private_get_v5_user_query_api()


@pytest.mark.parametrize("off_ms", [-6_000, 2_000])
def test_a_clock_that_is_off_is_refused(sandbox: Running, off_ms: int) -> None:
    client = sandbox.bybit()
    now = client.milliseconds
    client.milliseconds = lambda: now() + off_ms
    with pytest.raises(ccxt.InvalidNonce, match="10002"):
        client.private_get_v5_user_query_api()


@pytest.mark.parametrize(
    ("permission", "read_only", "named"),
    [("read", "1", ""), ("trade", "0", "SpotTrade"), ("withdraw", "0", "Withdraw"), ("unknown-flag", "0", "Teleport")],
)
def test_a_keys_permissions_are_told(sandbox: Running, permission: str, read_only: str, named: str) -> None:
    told = sandbox.bybit(permission=permission).private_get_v5_user_query_api()["result"]
    granted = {name for group in told["permissions"].values() for name in group}
    assert str(told["readOnly"]) == read_only
    assert granted >= ({named} if named else set())


def test_a_key_without_history_reads_nothing_but_itself(sandbox: Running) -> None:
    client = sandbox.bybit(permission="no-history")
    assert client.private_get_v5_user_query_api()["retCode"] in (0, "0")
    with pytest.raises(ccxt.PermissionDenied, match="10005"):
        client.private_get_v5_account_wallet_balance({"accountType": "UNIFIED"})


def test_too_many_calls_of_one_second_are_refused(start: Callable[..., Running]) -> None:
    sandbox = start(scale=1)
    sandbox.state.clock.wire = "world"
    client = sandbox.bybit()
    client.milliseconds = lambda: sandbox.state.clock.world_ms
    for _ in range(20):
        client.private_get_v5_user_query_api()
    assert client.last_response_headers["X-Bapi-Limit-Status"] == "0"
    with pytest.raises(ccxt.RateLimitExceeded, match="10006"):
        client.private_get_v5_user_query_api()
    client.private_get_v5_account_wallet_balance({"accountType": "UNIFIED"})  # each path has a limit of its own
    sandbox.state.clock.advance(1_000)
    client.private_get_v5_user_query_api()


def test_every_attempt_to_write_is_refused_and_noted(sandbox: Running) -> None:
    client = sandbox.bybit(permission="withdraw")
    for call in (client.private_post_v5_order_create, client.private_post_v5_asset_withdraw_create):
        with pytest.raises(ccxt.PermissionDenied):
            call({"coin": "BTC"})
    assert len(sandbox.state.violations) == 2
