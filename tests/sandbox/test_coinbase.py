"""The simulated Coinbase, called by ccxt's own client and compared with the world's truth."""

import secrets
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ccxt
import jwt
import pytest
import requests
from tests.sandbox.conftest import Running
from tests.sandbox.reading import (
    PLAIN,
    at_second,
    coinbase_accounts,
    coinbase_rows,
    coinbase_sums,
    told_balances,
    told_nets,
)

from omnifolio_sandbox import credentials


@pytest.mark.parametrize("user", ["demo", "carol"])
def test_rows_of_each_account_add_up_to_its_balance_and_to_the_truth(sandbox: Running, user: str) -> None:
    client = sandbox.coinbase(user)
    told = {(product, asset): amount for (_, product, asset), amount in told_balances(sandbox.truth(user, "coinbase")).items()}
    assert coinbase_sums(client) == told
    shown = {}
    for account in coinbase_accounts(client):
        code = account["currency"]["code"]
        shown["staked" if code == "ETH2" else "spot", PLAIN.get(code, code)] = Decimal(account["balance"]["amount"])
    assert {key: amount for key, amount in shown.items() if amount} == told


def test_every_event_of_the_truth_has_its_rows(sandbox: Running) -> None:
    """Ref is the trade's id for conversions, else the row's in the account of the asset that it is about."""
    lines = sandbox.truth("demo", "coinbase")
    rows = [row for row in coinbase_rows(sandbox.coinbase()) if row["status"] == "completed"]
    assert len({row["id"] for row in rows}) == len(rows)
    named = {row["trade"]["id"] if row["type"] == "trade" else row["id"] for row in rows}
    assert named >= told_nets(lines).keys()
    times = {row["id"]: at_second(row["created_at"]) for row in rows}
    for line in lines:
        if line["kind"] == "transaction" and line["ref"] in times:
            assert times[line["ref"]] == line["at"]


def test_fills_say_the_whole_trade_in_one_row(sandbox: Running) -> None:
    """The base row's size, price and commission give the quote row's amount exactly; v3 tells the same fills."""
    client = sandbox.coinbase()
    rows = [row for row in coinbase_rows(client) if row["type"] == "advanced_trade_fill"]
    pairs: dict[Any, list[Any]] = {}
    for row in rows:
        part = row["advanced_trade_fill"]
        pairs.setdefault((part["order_id"], part["fill_price"]), []).append(row)
    for both in pairs.values():
        part = both[0]["advanced_trade_fill"]
        base_code, quote_code = part["product_id"].split("-")
        amounts = {row["amount"]["currency"]: Decimal(row["amount"]["amount"]) for row in both}
        cost = abs(amounts[base_code]) * Decimal(part["fill_price"])
        sign = 1 if part["order_side"] == "buy" else -1
        assert amounts[quote_code] == -sign * cost - Decimal(part["commission"])
    fills: list[Any] = []
    cursor = ""
    while True:
        asked = {"limit": 30, **({"cursor": cursor} if cursor else {})}
        page = client.v3_private_get_brokerage_orders_historical_fills(asked)
        fills += page["fills"]
        cursor = page["cursor"]
        if not cursor:
            break
    assert sorted((one["order_id"], one["price"]) for one in fills) == sorted(pairs)


def test_ccxts_unified_methods_understand_the_answers(sandbox: Running) -> None:
    client = sandbox.coinbase()
    assert client.fetch_time()
    total = client.fetch_balance()["total"]
    assert total["CELO"]
    client.options["fetchBalance"] = "v2PrivateGetAccounts"
    assert client.fetch_balance()["total"] == total
    assert client.fetch_my_trades("BTC/USD")[0]["fee"]["currency"] == "USD"
    assert {row["currency"] for row in client.fetch_ledger("ETH")} == {"ETH"}


def test_the_kinds_of_rows_that_the_venue_documents_occur(sandbox: Running) -> None:
    kinds = {row["type"] for row in coinbase_rows(sandbox.coinbase())}
    assert kinds >= {
        "advanced_trade_fill", "buy", "sell", "trade", "send", "receive", "staking_reward", "inflation_reward",
        "interest", "staking_transfer", "unstaking_transfer", "fiat_deposit", "fiat_withdrawal",
    }  # fmt: skip


def test_amounts_of_eighteen_decimals_and_of_one_wei_occur(sandbox: Running) -> None:
    amounts = {row["amount"]["amount"] for row in coinbase_rows(sandbox.coinbase())}
    assert "0.000000000000000001" in amounts
    assert "1.234567890123456789" in amounts


def token(user: str, **changes: Any) -> str:
    """A token like a careful client makes it, with some claims changed."""
    name, pem = credentials.coinbase(user, "read")
    now = changes.pop("now")
    claims = {"iss": "cdp", "sub": name, "nbf": now, "exp": now + 120, "uri": "GET api.coinbase.com/v2/user"} | changes
    headers = {"kid": name, "nonce": changes.pop("nonce", secrets.token_hex(16))}
    return jwt.encode({key: value for key, value in claims.items() if key != "nonce"}, pem, "ES256", headers)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),
        ({"uri": "GET api.coinbase.com/v2/accounts"}, 401),
        ({"uri": "POST api.coinbase.com/v2/user"}, 401),
        ({"sub": "organizations/other/apiKeys/other"}, 401),
        ({"iss": "somebody"}, 401),
        ({"nonce": ""}, 401),
        ({"exp": 1_000_000_000}, 401),
        ({"nbf": 4_000_000_000, "exp": 4_000_000_100}, 401),
    ],
)
def test_a_token_is_bound_to_key_request_and_time(sandbox: Running, changes: dict[str, Any], status: int) -> None:
    now = sandbox.state.server_ms() // 1000
    headers = {"Authorization": f"Bearer {token('demo', now=now, **changes)}"}
    assert requests.get(f"{sandbox.url}/coinbase/v2/user", headers=headers, timeout=10).status_code == status


def test_a_token_of_another_key_is_refused(sandbox: Running) -> None:
    client = sandbox.coinbase()
    client.secret = credentials.coinbase("alice", "read")[1]
    with pytest.raises(ccxt.AuthenticationError):
        client.v2_private_get_user()
    with pytest.raises(ccxt.AuthenticationError):
        client.v3_private_get_brokerage_key_permissions()


@pytest.mark.parametrize(
    ("permission", "flag"), [("trade", "can_trade"), ("withdraw", "can_transfer"), ("unknown-flag", "can_teleport")]
)
def test_a_keys_permissions_are_told(sandbox: Running, permission: str, flag: str) -> None:
    plain = sandbox.coinbase().v3_private_get_brokerage_key_permissions()
    told = sandbox.coinbase(permission=permission).v3_private_get_brokerage_key_permissions()
    assert plain.get(flag, False) is False
    assert told[flag] is True
    assert told["can_view"] is True


def test_a_key_that_may_not_view_is_refused(sandbox: Running) -> None:
    with pytest.raises(ccxt.ExchangeError, match="Missing required scopes"):
        sandbox.coinbase(permission="no-history").v2_private_get_accounts()


def test_pages_follow_next_uri_in_both_orders(sandbox: Running) -> None:
    client = sandbox.coinbase()
    account = next(one for one in coinbase_accounts(client) if one["currency"]["code"] == "BTC")
    found: dict[str, list[str]] = {}
    for order in ("asc", "desc"):
        asked: dict[str, Any] = {"account_id": account["id"], "limit": 7, "order": order}
        while True:
            page = client.v2_private_get_accounts_account_id_transactions(asked)
            found.setdefault(order, []).extend(row["id"] for row in page["data"])
            if page["pagination"]["next_uri"] is None:
                break
            assert page["pagination"]["next_uri"].startswith(f"/v2/accounts/{account['id']}/transactions?")
            asked["starting_after"] = page["pagination"]["next_starting_after"]
    assert found["asc"] == found["desc"][::-1]


def test_too_many_calls_are_refused(start: Callable[..., Running]) -> None:
    sandbox = start(scale=1)
    sandbox.state.clock.wire = "world"
    window = sandbox.state.limits.coinbase
    window.spend("ip", window.limit, sandbox.state.clock.wire_ms())
    answer = requests.get(f"{sandbox.url}/coinbase/v2/time", timeout=10)
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["id"] == "rate_limit_exceeded"
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_every_attempt_to_write_is_refused_and_noted(sandbox: Running) -> None:
    client = sandbox.coinbase(permission="trade")
    for call in (client.v3_private_post_brokerage_orders, client.v2_private_post_accounts_account_id_transactions):
        with pytest.raises(ccxt.ExchangeError, match="Missing required scopes"):
            call({"account_id": "x"})
    assert len(sandbox.state.violations) == 2
