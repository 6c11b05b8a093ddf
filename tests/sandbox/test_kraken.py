"""The simulated Kraken, called by ccxt's own client and compared with the world's truth."""

import base64
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import pytest
from tests.sandbox.conftest import NOW, Running
from tests.sandbox.reading import kraken_ledger, kraken_nets, kraken_place, told_balances, told_nets

from omnifolio_sandbox import credentials
from omnifolio_sandbox.clock import MS_PER_DAY


def test_all_ledger_pages_together_are_the_truth(sandbox: Running) -> None:
    """Every transaction and amount, over page borders that cut through rows of one millisecond."""
    assert kraken_nets(sandbox.kraken()) == told_nets(sandbox.truth("demo", "kraken"))


def test_balances_are_the_truth_and_the_sum_of_the_ledger(sandbox: Running) -> None:
    client = sandbox.kraken("alice")
    shown = client.private_post_balanceex()["result"]
    found = {kraken_place(code): Decimal(row["balance"]) for code, row in shown.items()}
    assert found == told_balances(sandbox.truth("alice", "kraken"))
    last: dict[str, str] = {}
    for row in kraken_ledger(client):
        last.setdefault(row["asset"], row["balance"])
    assert {code: Decimal(row["balance"]) for code, row in shown.items()} == {
        code: Decimal(amount) for code, amount in last.items() if Decimal(amount)
    }


def test_trades_and_ledger_tell_the_same_events(sandbox: Running) -> None:
    """A trade's id is its rows' refid, and cost, fee, volume and time are equal on both sides."""
    client = sandbox.kraken()
    rows: dict[str, list[Any]] = {}
    for row in kraken_ledger(client):
        rows.setdefault(row["refid"], []).append(row)
    trades: dict[str, Any] = {}
    while page := client.private_post_tradeshistory({"ofs": len(trades), "ledgers": "true"})["result"]["trades"]:
        trades |= page
    assert trades.keys() == {refid for refid, both in rows.items() if both[0]["type"] == "trade"}
    for txid, trade in trades.items():
        sign = 1 if trade["type"] == "buy" else -1
        assert {row["id"] for row in rows[txid]} == set(trade["ledgers"])
        assert {row["time"] for row in rows[txid]} == {trade["time"]}
        assert {(Decimal(row["amount"]), Decimal(row["fee"])) for row in rows[txid]} == {
            (sign * Decimal(trade["vol"]), Decimal(0)),
            (-sign * Decimal(trade["cost"]), Decimal(trade["fee"])),
        }


def test_ccxts_unified_methods_understand_the_answers(sandbox: Running) -> None:
    client = sandbox.kraken()
    assert client.fetch_status()["status"] == "ok"
    assert client.fetch_balance()["total"]["BTC"]
    trade = client.fetch_my_trades("ETH/USD")[0]
    assert Decimal(trade["cost"]) > 0
    assert trade["fee"]["currency"] == "USD"
    assert {row["status"] for row in client.fetch_withdrawals()} == {"ok", "failed"}
    assert {row["currency"] for row in client.fetch_deposits()} >= {"EUR", "USD", "BTC"}
    assert len(client.fetch_ledger()) == 50
    assert client.fetch_open_orders()[0]["status"] == "open"
    assert client.fetch_closed_orders()[0]["status"] == "closed"
    assert client.fetch_ticker("BTC/USD")["last"]


def test_many_rows_share_one_millisecond(sandbox: Running) -> None:
    """More rows than a page holds: a cursor of times alone would lose some."""
    times: dict[str, int] = {}
    for row in kraken_ledger(sandbox.kraken()):
        times[str(row["time"])] = times.get(str(row["time"]), 0) + 1
    assert max(times.values()) > 50


def test_start_is_exclusive_and_end_inclusive(sandbox: Running) -> None:
    client = sandbox.kraken()
    rows = list(kraken_ledger(client))
    middle = rows[len(rows) // 2]["time"]
    before = client.private_post_ledgers({"end": middle})["result"]["count"]
    after = client.private_post_ledgers({"start": middle})["result"]["count"]
    assert int(before) + int(after) == len(rows)
    assert client.private_post_ledgers({"type": "deposit", "asset": "XBT"})["result"]["ledger"]


def test_withdrawals_page_by_cursor(sandbox: Running) -> None:
    client = sandbox.kraken()
    whole = client.private_post_withdrawstatus()["result"]
    found: list[Any] = []
    cursor: str | None = "true"
    while cursor:
        page = client.private_post_withdrawstatus({"cursor": cursor, "limit": 2})["result"]
        found += page["withdrawals"]
        cursor = page["next_cursor"]
    assert found == whole
    assert [row["status"] for row in whole].count("Failure") == 1


def test_earn_allocations_repeat_the_suffixed_balances(sandbox: Running) -> None:
    """Whoever adds both counts the same funds twice."""
    client = sandbox.kraken()
    items = client.private_post_earn_allocations()["result"]["items"]
    shown = client.private_post_balanceex()["result"]
    suffixed = {code: Decimal(row["balance"]) for code, row in shown.items() if "." in code}
    assert sorted(Decimal(item["amount_allocated"]["total"]["native"]) for item in items) == sorted(suffixed.values())


def test_a_wrong_signature_is_refused(sandbox: Running) -> None:
    client = sandbox.kraken()
    client.secret = base64.b64encode(b"wrong" * 12).decode()
    with pytest.raises(ccxt.ExchangeError, match="EAPI:Invalid signature"):
        client.private_post_balance()


def test_an_unknown_key_is_refused(sandbox: Running) -> None:
    client = sandbox.kraken()
    client.apiKey = credentials.kraken("demo", "read")[0][:-4] + "AAAA"
    with pytest.raises(ccxt.AuthenticationError, match="EAPI:Invalid key"):
        client.private_post_balance()


def test_a_nonce_cannot_be_used_twice(sandbox: Running) -> None:
    client = sandbox.kraken()
    client.private_post_balance()
    client.incrementing_nonce = lambda: 1
    with pytest.raises(ccxt.InvalidNonce):
        client.private_post_balance()


@pytest.mark.parametrize(
    ("permission", "flags"),
    [("read", set()), ("trade", {"modify-trades", "close-trades"}), ("withdraw", {"withdraw-funds"}),
     ("unknown-flag", {"teleport-funds"})],
)  # fmt: skip
def test_a_keys_permissions_are_told(sandbox: Running, permission: str, flags: set[str]) -> None:
    told = sandbox.kraken(permission=permission).private_post_getapikeyinfo()["result"]
    reads = {"query-funds", "query-open-trades", "query-closed-trades", "query-ledger", "export-data", "create-ws-token"}
    assert set(told["permissions"]) == reads | flags


def test_a_key_without_a_permission_is_refused_there_only(sandbox: Running) -> None:
    client = sandbox.kraken(permission="no-history")
    assert client.private_post_balance()["result"]
    with pytest.raises(ccxt.PermissionDenied):
        client.private_post_ledgers()


def test_calls_above_the_counter_are_refused_until_it_has_decayed(start: Callable[..., Running]) -> None:
    sandbox = start(scale=1)
    sandbox.state.clock.wire = "world"
    client = sandbox.kraken()
    for _ in range(10):
        client.private_post_ledgers()
    with pytest.raises(ccxt.DDoSProtection, match="EAPI:Rate limit exceeded"):
        client.private_post_ledgers()
    sandbox.state.clock.advance(4_000)
    assert client.private_post_ledgers()["error"] == []


@pytest.mark.parametrize("permission", ["read", "trade", "withdraw"])
def test_every_attempt_to_write_is_refused_and_noted(sandbox: Running, permission: str) -> None:
    client = sandbox.kraken(permission=permission)
    for call in (client.private_post_addorder, client.private_post_withdraw, client.private_post_wallettransfer):
        with pytest.raises(ccxt.PermissionDenied):
            call({"asset": "XBT"})
    assert [one["path"].rpartition("/")[2] for one in sandbox.state.violations] == [
        "AddOrder", "Withdraw", "WalletTransfer",
    ]  # fmt: skip


def test_a_back_dated_row_appears_below_rows_already_served(sandbox: Running) -> None:
    """Nothing but its absence yesterday tells a reader that an older row is new."""
    client = sandbox.kraken()
    before = [row["id"] for row in kraken_ledger(client)]
    request = {"user": "demo", "venue": "kraken", "ticker": "BTC", "amount": "0.5", "at": NOW - 300 * MS_PER_DAY}
    client.fetch(f"{sandbox.url}/_sandbox/events", "POST", {}, client.json(request))
    after = [row["id"] for row in kraken_ledger(client)]
    new = [place for place, row_id in enumerate(after) if row_id not in before]
    assert len(new) == 1
    assert new[0] > 50
    assert kraken_nets(client) == told_nets(sandbox.truth("demo", "kraken"))
