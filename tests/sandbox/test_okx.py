"""The simulated OKX, called by ccxt's own client and compared with the world's truth."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from tests.sandbox.conftest import NOW, Running
from tests.sandbox.reading import Net, told_balances, told_nets

from omnifolio_sandbox.world.okx import KEPT_MS, LENDING_KEPT_MS, SUB


def standing(sandbox: Running, user: str = "demo", permission: str = "read") -> Any:
    """ccxt's OKX at a venue whose time stands with the world's: what is forgotten depends on it."""
    sandbox.state.clock.wire = "world"
    client = sandbox.okx(user, permission)
    client.milliseconds = lambda: sandbox.state.clock.world_ms
    return client


def rows(call: Callable[..., Any], field: str, **asked: Any) -> list[dict[str, Any]]:
    """All pages, newest first; what shares the last row's instant comes again and is kept once."""
    found: dict[str, dict[str, Any]] = {}
    after = ""
    while True:
        page = call({**asked, "limit": 100, **({"after": after} if after else {})})["data"]
        found |= {repr(sorted(row.items())): row for row in page}
        if len(page) < 100:
            return list(found.values())
        after = str(int(page[-1][field]) + (field == "ts"))


def nets(client: Any) -> dict[str, Net]:
    """Net movement by ref, told by each history on its own terms."""
    found: dict[str, Net] = defaultdict(lambda: defaultdict(Decimal))
    transfers = {}
    for row in rows(client.private_get_account_bills_archive, "billId"):
        ref = f"{row['ordId']}/{row['tradeId']}" if row["ordId"] else row["billId"]
        found[ref]["trading", row["ccy"]] += Decimal(row["balChg"])
        if row["type"] == "1":
            transfers[row["ts"], row["ccy"], Decimal(row["balChg"])] = ref
    for row in rows(client.private_get_asset_bills_history, "billId", pagingType="2"):
        change = Decimal(row["balChg"])
        if row["type"] in {"1", "2"}:
            continue
        ref = transfers.get((row["ts"], row["ccy"], -change), row["billId"]) if row["type"] in {"130", "131"} else row["billId"]
        found[ref]["funding", row["ccy"]] += change
        if row["type"] in {"75", "76"}:
            found[ref]["earn", row["ccy"]] -= change
    for row in rows(client.private_get_asset_deposit_history, "ts"):
        found[row["depId"]]["funding", row["ccy"]] += Decimal(row["amt"])
    for row in rows(client.private_get_asset_withdrawal_history, "ts"):
        if row["state"] == "2":
            found[row["wdId"]]["funding", row["ccy"]] -= Decimal(row["amt"]) + Decimal(row["fee"])
    for row in rows(client.private_get_finance_savings_lending_history, "ts"):
        found[f"{row['ccy']}/{row['ts']}/{row['rate']}/{row['amt']}"]["earn", row["ccy"]] += Decimal(row["earnings"])
    return {ref: {key: amount for key, amount in net.items() if amount} for ref, net in found.items()}


@pytest.mark.parametrize("user", ["demo", "whale-3000"])
def test_all_histories_together_are_the_truth(sandbox: Running, user: str) -> None:
    wanted = {ref: net for ref, net in told_nets(sandbox.truth(user, "okx")).items() if net}
    assert {ref: net for ref, net in nets(standing(sandbox, user)).items() if net} == wanted


def test_wallets_are_the_truth_with_those_of_the_sub_account(sandbox: Running) -> None:
    client = sandbox.okx()
    found: dict[tuple[str, str, str], Decimal] = {}
    subs = [row["subAcct"] for row in client.private_get_users_subaccount_list()["data"]]
    assert subs == [SUB]
    trading = [("trading", client.private_get_account_balance())]
    trading += [(f"sub/{sub}/trading", client.private_get_account_subaccount_balances({"subAcct": sub})) for sub in subs]
    for wallet, answer in trading:
        found |= {(wallet, "spot", row["ccy"]): Decimal(row["cashBal"]) for row in answer["data"][0]["details"]}
    funding = [("funding", client.private_get_asset_balances())]
    funding += [(f"sub/{sub}/funding", client.private_get_asset_subaccount_balances({"subAcct": sub})) for sub in subs]
    for wallet, answer in funding:
        found |= {(wallet, "funding", row["ccy"]): Decimal(row["bal"]) for row in answer["data"]}
    found |= {("earn", "earn", row["ccy"]): Decimal(row["amt"]) for row in client.private_get_finance_savings_balance()["data"]}
    assert found == told_balances(sandbox.truth("demo", "okx"))
    assert any(wallet.startswith("sub/") for wallet, _, _ in found)


def test_ccxts_unified_methods_understand_the_answers(sandbox: Running) -> None:
    client = standing(sandbox, "whale-3000")
    client.load_markets()
    assert client.fetch_balance()["total"]["USDT"]
    assert client.fetch_balance({"type": "funding"})["total"]
    trades = client.fetch_my_trades(None, None, 100, {"instType": "SPOT"})
    assert {one["side"] for one in trades} == {"buy", "sell"}
    assert all(one["fee"]["currency"] for one in trades)
    assert {one["status"] for one in client.fetch_deposits()} == {"ok"}
    assert {one["status"] for one in client.fetch_withdrawals()} >= {"ok", "failed"}
    assert client.fetch_ledger(None, None, 50, {"method": "privateGetAccountBillsArchive"})


def test_old_bills_of_the_trading_account_are_gone_and_transfers_have_one_side(sandbox: Running) -> None:
    client = standing(sandbox)
    told = rows(client.private_get_account_bills_archive, "billId")
    assert min(int(row["ts"]) for row in told) >= NOW - KEPT_MS
    assert len(client.private_get_account_bills()["data"]) < len(told)
    hours = rows(client.private_get_finance_savings_lending_history, "ts")
    assert all(int(row["ts"]) >= NOW - LENDING_KEPT_MS for row in hours)
    lines = [line for line in sandbox.truth("demo", "okx") if line["kind"] == "transaction"]
    old = {line["subtype"] for line in lines if line["at"] < NOW - KEPT_MS}
    assert old >= {"transfer_in", "transfer_out", "onchain_deposit"}
    assert all(len(line["legs"]) == 1 for line in lines if line["subtype"] in {"transfer_in", "transfer_out"})


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        ("private_get_account_bills_archive", {"limit": 101}),
        ("private_get_account_bills_archive", {"after": "mine"}),
        ("private_get_asset_bills_history", {"pagingType": "3"}),
        ("private_get_trade_fills_history", {"instType": "FISH"}),
    ],
)
def test_a_question_of_another_form_is_refused(sandbox: Running, method: str, asked: dict[str, Any]) -> None:
    with pytest.raises(ccxt.ExchangeError, match="51000"):
        getattr(sandbox.okx(), method)(asked)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [("secret", "x" * 32, "50113"), ("password", "other", "50105"), ("apiKey", "00" * 20, "50111")],
)
def test_wrong_credentials_are_refused(sandbox: Running, field: str, value: str, code: str) -> None:
    client = sandbox.okx()
    setattr(client, field, value)
    with pytest.raises(ccxt.AuthenticationError, match=code):
        client.private_get_account_config()


@pytest.mark.parametrize("off_ms", [-31_000, 31_000])
def test_a_clock_that_is_off_is_refused(sandbox: Running, off_ms: int) -> None:
    client = sandbox.okx()
    now = client.milliseconds
    client.milliseconds = lambda: now() + off_ms
    with pytest.raises(ccxt.InvalidNonce, match="50102"):
        client.private_get_account_config()


@pytest.mark.parametrize(
    ("permission", "told"), [("read", ""), ("trade", ",trade"), ("withdraw", ",withdraw"), ("unknown-flag", ",teleport")]
)
def test_a_keys_permissions_are_told(sandbox: Running, permission: str, told: str) -> None:
    (config,) = sandbox.okx(permission=permission).private_get_account_config()["data"]
    assert config["perm"] == f"read_only{told}"


def test_a_key_without_history_reads_nothing_but_itself(sandbox: Running) -> None:
    client = sandbox.okx(permission="no-history")
    assert client.private_get_account_config()["data"]
    with pytest.raises(ccxt.ExchangeError, match="50120"):
        client.private_get_account_balance()


def test_too_many_calls_are_refused(start: Callable[..., Running]) -> None:
    sandbox = start(scale=1)
    client = standing(sandbox)
    for _ in range(5):
        client.private_get_account_bills_archive()
    with pytest.raises(ccxt.RateLimitExceeded, match="50011"):
        client.private_get_account_bills_archive()
    client.private_get_account_balance()  # each path has a limit of its own
    sandbox.state.clock.advance(2_000)
    client.private_get_account_bills_archive()


def test_an_unknown_sub_account_is_refused(sandbox: Running) -> None:
    with pytest.raises(ccxt.ExchangeError, match="59410"):
        sandbox.okx().private_get_asset_subaccount_balances({"subAcct": "nobody"})


def test_every_attempt_to_write_is_refused_and_noted(sandbox: Running) -> None:
    client = sandbox.okx(permission="withdraw")
    for call in (client.private_post_trade_order, client.private_post_asset_withdrawal):
        with pytest.raises(ccxt.ExchangeError):
            call({"ccy": "BTC"})
    assert len(sandbox.state.violations) == 2
