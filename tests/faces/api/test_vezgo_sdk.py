"""The official Vezgo SDK for Python, unmodified, against a live server: what it reads, and which of its errors it raises."""

import re
import time
from decimal import Decimal
from pathlib import Path

import httpx
import jwt
import pytest
import vezgo
from vezgo import exceptions

from omnifolio.tenancy import teams
from omnifolio.tenancy.tokens import LIFETIME_S
from tests.faces.api import seed
from tests.faces.api.world import HTTP, OPERATOR, Client, World, broken, busy, lagging, token_of


def sdk(address: str, client: Client, login: str = "u1", **more: str) -> vezgo.Vezgo:
    """The SDK for a user of a team."""
    options = {"client_id": client.team.client_id, "secret": client.secret, **more}
    return vezgo.Vezgo(**options, base_url=f"{address}/v1", login_name=login)


def test_it_gets_a_token_that_it_can_read_and_keeps_it(address: str, client: Client) -> None:
    user = sdk(address, client)
    token = user.get_token()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert isinstance(claims["exp"], int)
    assert 1100 < claims["exp"] - time.time() <= 1200
    assert user.get_token() == token
    assert user.get_token(minimum_lifetime=1300) != token


def test_a_wrong_secret_and_a_missing_login_name_raise_its_own_errors(address: str, client: Client) -> None:
    with pytest.raises(exceptions.VezgoAuthenticationError, match="do not belong together"):
        sdk(address, client, secret="omni_live_wrong").get_token()
    body = {"clientId": client.team.client_id, "secret": client.secret}
    refused = HTTP.post(f"{address}/v1/auth/token", json=body)
    assert refused.status_code == 400
    assert "loginName" in refused.json()["message"]


def test_a_deactivated_team_is_told_so(world: World, address: str, client: Client) -> None:
    world.write(teams.deactivate, OPERATOR, client.team.id)
    with pytest.raises(exceptions.VezgoAPIError, match="deactivated") as refused:
        sdk(address, client).get_token()
    assert refused.value.status_code == 403


@pytest.mark.parametrize(("lifetime_s", "is_kept"), [(5, False), (30, True)])
def test_it_keeps_a_token_while_ten_seconds_are_left(world: World, client: Client, lifetime_s: int, *, is_kept: bool) -> None:
    with lagging(world, LIFETIME_S - lifetime_s) as behind:
        user = sdk(behind, client)
        assert (user.get_token() == user.get_token()) is is_kept


def test_the_same_login_name_is_the_same_user_and_another_team_is_apart(world: World, address: str, client: Client) -> None:
    seed.portfolio(world, client.user("u1"))
    assert len(sdk(address, client).accounts.get_list()) == 1
    assert sdk(address, client, "u2").accounts.get_list() == []
    assert sdk(address, world.team("other"), "u1").accounts.get_list() == []


def test_providers_and_team_need_no_token(address: str, client: Client) -> None:
    user = sdk(address, client)
    names = {provider["name"] for provider in user.providers.get_list()}
    assert {"kraken", "binance", "coinbase", "demo"} <= names
    assert {p["category"] for p in user.providers.get_list(category="exchanges")} == {"exchanges"}
    assert user.providers.get_list(category="blockchains") == []
    kraken = user.providers.get_one("kraken")
    assert (kraken["resource_type"], kraken["auth_type"], kraken["credentials"]) == ("provider", "token", ["key", "secret"])
    with pytest.raises(exceptions.VezgoNotFoundError, match="no provider"):
        user.providers.get_one("nowhere")
    assert user.get_team()["redirect_uris"] == ["https://app.example/back"]


def test_it_reads_accounts_with_every_field_filled(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    (account,) = sdk(address, client).accounts.get_list()
    assert sdk(address, client).accounts.get_one(link.id)["balances"] == account["balances"]
    assert (account["id"], account["resource_type"], account["status"]) == (link.id, "account", "ok")
    assert account["status_details"] == {"wallets": "ok", "balances": "ok", "transactions": "ok"}
    balances = {balance["ticker"]: balance for balance in account["balances"]}
    assert balances["ETH"]["amount"] == "5.000000000000000001"
    assert balances["ETH"]["fiat_value"] == "10000.03"
    assert balances["DUST"]["fiat_value"] is None
    assert balances["DUST"]["fiat_reason"]
    assert balances["USD"]["asset_type"] == "cash"
    assert Decimal(account["fiat_value"]) == Decimal("1000") + 6 * 50_000 + Decimal("10000.03") + seed.GAIN
    assert (account["complete"], [part["ticker"] for part in account["missing"]]) == (False, ["DUST"])
    assert account["provider"]["display_name"] == "Demo"
    assert {balance["wallet"] for balance in account["balances"]} == {wallet["id"] for wallet in account["wallets"]}


def test_it_adds_an_account_with_its_own_names_of_credentials(address: str, client: Client) -> None:
    user = sdk(address, client)
    key, secret = "K" * 56, "s" * 88
    made = user.accounts.add(
        provider="kraken", credentials={"apiKey": key, "apiSecret": secret}, name="Mine", sync_nfts=False, daily_sync=True
    )
    assert (made["status"], made["name"], made["provider"]["name"]) == ("syncing", "Mine", "kraken")
    with pytest.raises(exceptions.VezgoAPIError) as refused:
        user.accounts.add(provider="kraken", credentials={"key": key, "secret": "t" * 88})
    assert refused.value.status_code == 409
    assert refused.value.response_data["existing_institution_id"] == made["id"]
    with pytest.raises(exceptions.VezgoValidationError, match="secret is missing"):
        user.accounts.add(provider="kraken", credentials={"apiKey": key})
    with pytest.raises(exceptions.VezgoNotFoundError):
        user.accounts.add(provider="nowhere", credentials={"apiKey": key})
    assert key not in str(user.accounts.get_list())


def test_it_syncs_and_removes_and_is_told_when_there_is_nothing_left(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    user = sdk(address, client)
    assert user.accounts.sync(link.id)["status"] == "syncing"
    assert user.accounts.remove(link.id) is None
    with pytest.raises(exceptions.VezgoNotFoundError):
        user.accounts.remove(link.id)
    assert user.accounts.get_list() == []


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 4, 100])
def test_its_paging_loop_sees_every_transaction_once(world: World, address: str, client: Client, sort: str, limit: int) -> None:
    link = seed.portfolio(world, client.user("u1"))
    user = sdk(address, client)
    found, last = [], ""
    while rows := user.transactions.get_list(link.id, last=last, limit=limit, sort=sort):
        found += rows
        last = rows[-1]["id"]
    assert len(found) == len({row["id"] for row in found}) == 15
    times = [row["initiated_at"] for row in found]
    assert times == sorted(times, reverse=sort == "desc")


def test_it_filters_transactions(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    transactions = sdk(address, client).transactions
    assert {row["transaction_type"] for row in transactions.get_list(link.id, types="trade")} == {"trade"}
    assert len(transactions.get_list(link.id, types="trade,deposit")) == 15
    assert len(transactions.get_list(link.id, ticker="ETH")) == 3
    assert len(transactions.get_list(link.id, wallet="demo:spot")) == 15
    assert transactions.get_list(link.id, wallet="demo:nowhere") == []
    (row,) = transactions.get_list(link.id, limit=1, ticker="ETH", exclude_fields="other_parties,misc,fees")
    assert {"misc", "fees"} & set(row) == set()
    assert all("other_parties" not in part for part in row["parts"])
    day = time.strftime("%Y-%m-%d", time.gmtime(row["initiated_at"] / 1000))
    assert row["id"] in {found["id"] for found in transactions.get_list(link.id, from_date=day, to_date=day)}
    one = transactions.get_one(link.id, row["id"])
    assert (one["id"], one["account"]) == (row["id"], link.id)


def test_a_trade_has_its_legs_in_parts_and_fees_with_one_value(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    row = sdk(address, client).transactions.get_list(link.id, types="trade", limit=1)[0]
    parts = {part["direction"]: part for part in row["parts"]}
    assert (parts["received"]["amount"], parts["received"]["ticker"]) == ("0.5", "BTC")
    assert (parts["sent"]["amount"], parts["sent"]["fiat_value"]) == ("100", "100.00")
    assert parts["received"]["fiat_value"] == "100.00"
    (fee,) = row["fees"]
    assert (fee["amount"], fee["fiat_value"], fee["id"]) == ("0.25", "0.25", parts["sent"]["id"])
    assert (row["status"], fee["type"]) == ("confirmed", "exchange")


def test_it_reads_history_and_orders(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    user = sdk(address, client)
    history = user.history.get_list(link.id)
    assert {row["fiat_source"] for row in history} <= {"ledger", "observed"}
    assert len({(row["wallet"], row["date"]) for row in history}) == len({row["id"] for row in history}) == len(history) > 15
    newest, oldest = user.orders.get_list(link.id)
    assert [row["order_id"] for row in (newest, oldest)] == ["o2", "o1"]
    assert user.orders.get_list(link.id, last=newest["id"]) == [oldest]
    assert user.orders.get_one(link.id, newest["id"]) == newest
    assert (newest["filled_price"], newest["average_execution_price"], newest["side"]) == (100, 200, "buy")


def test_another_users_account_is_not_found(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("owner"))
    other = sdk(address, client, "other")
    for read in (other.accounts.get_one, other.transactions.get_list, other.history.get_list, other.orders.get_list):
        with pytest.raises(exceptions.VezgoNotFoundError):
            read(link.id)
    with pytest.raises(exceptions.VezgoNotFoundError):
        other.accounts.remove(link.id)


def test_it_raises_its_validation_error_for_a_bad_date_or_limit(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    transactions = sdk(address, client).transactions
    for bad in ({"from_date": "yesterday"}, {"limit": -1}, {"limit": 5000}, {"sort": "sideways"}, {"types": "robbery"}):
        with pytest.raises(exceptions.VezgoValidationError) as refused:
            transactions.get_list(link.id, **bad)
        assert isinstance(refused.value.message, str)


def test_it_is_refused_with_a_token_that_is_garbage_or_has_expired(world: World, address: str, client: Client) -> None:
    with lagging(world, LIFETIME_S + 60) as behind:
        expired = token_of(behind, client, "u1")
    for token in ("x", "a.b.c", expired):
        answer = HTTP.get(f"{address}/v1/accounts", headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert isinstance(answer.json()["message"], str)


def test_it_raises_its_error_for_too_many_requests(world: World, client: Client) -> None:
    with busy(world) as limited:
        user = sdk(limited, client)
        with pytest.raises(exceptions.VezgoRateLimitError) as refused:
            [user.accounts.get_list() for _ in range(100)]
    assert (refused.value.status_code, refused.value.response_data["code"]) == (429, "rate_limited")


def test_it_raises_its_error_when_the_database_is_away(world: World, client: Client, tmp_path: Path) -> None:
    with broken(world, tmp_path) as away, pytest.raises(exceptions.VezgoAPIError) as refused:
        sdk(away, client).get_token()
    assert (refused.value.status_code, isinstance(refused.value.message, str)) == (503, True)


def test_a_removal_leaves_its_connection_fit_for_the_next_request(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    headers = {"authorization": f"Bearer {token_of(address, client, 'u1')}", "content-type": "application/json"}
    with httpx.Client(limits=httpx.Limits(max_connections=1), trust_env=False, headers=headers) as kept:
        one = f"{address}/v1/accounts/{link.id}"
        assert kept.get(f"{one}/poll", params={"v": 2**40}).status_code == 304
        assert kept.get(one).json()["id"] == link.id
        assert kept.delete(one).content == b""
        assert kept.get(f"{address}/v1/accounts").json() == []


def test_ids_need_no_escape_and_strange_ones_are_not_found(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    user = sdk(address, client)
    ids = [link.id, *(row["id"] for row in (*user.transactions.get_list(link.id), *user.orders.get_list(link.id)))]
    assert all(re.fullmatch(r"[0-9a-f]{24}", found) for found in ids)
    for strange in ("a/b?x=1", "%2e%2e", "x" * 60):
        with pytest.raises(exceptions.VezgoNotFoundError):
            user.accounts.get_one(strange)
