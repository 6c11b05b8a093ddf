"""What answers say: exact numbers, kept answers that never lie, paging while rows arrive, and the changes in order."""

import random
import re
import threading
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from omnifolio.faces.api import wire
from omnifolio.ledger import accounts, overlays
from omnifolio.model.clock import DAY_MS, MINUTE_MS
from omnifolio.model.errors import BadCredentials
from tests.faces.api import seed
from tests.faces.api.world import HTTP, Client, World, token_of

EXPONENT = re.compile(r"\d[eE][-+]?\d")
HUGE = 2**256 - 1


class Reader:
    """A user's eyes."""

    def __init__(self, address: str, client: Client, login: str = "u1") -> None:
        self._address = address
        self._headers = {"authorization": "Bearer " + token_of(address, client, login)}

    def raw(self, path: str, **params: Any) -> str:
        """The text of an answer."""
        answer = HTTP.get(f"{self._address}/v1/{path}", headers=self._headers, params=params)
        assert answer.status_code == 200, answer.text
        return answer.text

    def __call__(self, path: str, **params: Any) -> Any:
        """An answer."""
        return msgspec.json.decode(self.raw(path, **params))


RESOURCES = ("", "/transactions", "/orders", "/history", "/coverage", "/reconciliation")
SHAPES: dict[str, Any] = {
    "accounts": list[wire.AccountOut],
    "accounts/{id}": wire.AccountOut,
    "accounts/{id}/transactions": list[wire.TransactionOut],
    "accounts/{id}/orders": list[wire.OrderOut],
    "accounts/{id}/history": list[wire.HistoryOut],
    "accounts/{id}/coverage": wire.AccountCoverageOut,
    "accounts/{id}/reconciliation": wire.ReconciliationOut,
    "known": wire.KnownOut,
    "portfolio": wire.PortfolioOut,
    "changes": wire.ChangesOut,
    "providers": list[wire.ProviderOut],
}


def strictly(value: Any, kind: Any) -> None:
    """Fails for a field that the description does not have, and for a value that is not of its type."""
    found = msgspec.convert(value, kind)
    assert msgspec.to_builtins(found) == value


@pytest.mark.parametrize("path", SHAPES)
def test_answers_are_exactly_what_the_description_says(world: World, address: str, client: Client, path: str) -> None:
    link = seed.portfolio(world, client.user("u1"))
    strictly(Reader(address, client)(path.format(id=link.id)), SHAPES[path])


def test_no_number_has_an_exponent_and_no_digit_is_lost(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    now = world.clock.now()
    exact = Decimal(HUGE).scaleb(-18)
    seed.page(link, "deposits/huge", [seed.deposit(9, now - 1000, token=seed.DUST, amount=exact)])
    seed.balances(link, {seed.DUST: f"{exact:f}", seed.ETH: f"{seed.SMALLEST:f}", seed.BTC: "0.00000001"}, at=now, wallet="cold")
    read = Reader(address, client)
    texts = [read.raw(f"accounts/{link.id}{resource}") for resource in RESOURCES]
    texts += [read.raw("accounts"), read.raw("portfolio"), read.raw("changes")]
    for text in texts:
        values = re.sub(r'"(?:id|existing_\w+|cursor|account|leads_to)":"[^"]*"', "", text)
        assert not EXPONENT.search(re.sub(r'"0x[0-9a-f]+"', "", values)), EXPONENT.search(values)
    assert f'"{exact:f}"' in texts[0]
    assert '"0.000000000000000001"' in texts[0]
    assert '"0.00000001"' in texts[0]
    assert f'"{exact:f}"' in texts[1]


def test_values_are_shown_in_the_asked_currency(world: World, address: str, client: Client) -> None:
    seed.portfolio(world, client.user("u1"))
    world.rate("USD", "1.25")
    world.rate("CHF", "0.95")
    read = Reader(address, client)
    btc = {
        fiat: next(b for b in read("accounts", fiat=fiat)[0]["balances"] if b["ticker"] == "BTC")
        for fiat in ("USD", "eur", "CHF")
    }
    assert {fiat: (b["fiat_value"], b["fiat_ticker"]) for fiat, b in btc.items()} == {
        "USD": ("300000.00", "USD"),
        "eur": ("240000.00", "EUR"),
        "CHF": ("228000.00", "CHF"),
    }
    assert read("portfolio", fiat="EUR")["fiat_ticker"] == "EUR"


def test_a_kept_answer_is_given_until_something_changes(world: World, address: str, client: Client) -> None:
    person = client.user("u1")
    link = seed.portfolio(world, person)
    read = Reader(address, client)
    first = read.raw("accounts")
    assert read.raw("accounts") == first
    other = seed.portfolio(world, person, mark="2")
    ids = [account["id"] for account in read("accounts")]
    assert ids == [link.id, other.id]
    world.price({seed.BTC: "60000"}, at=world.clock.now() + MINUTE_MS)
    assert [account["id"] for account in read("accounts")] == ids
    world.write(accounts.change, person.principal, link.number, world.clock.now(), name="Renamed")
    assert [account["name"] for account in read("accounts")] == ["Renamed", "Main"]
    world.write(accounts.delete, person.principal, other.number, world.clock.now())
    assert [account["id"] for account in read("accounts")] == [link.id]


def test_what_is_kept_after_a_change_is_what_a_fresh_server_would_say(world: World, address: str, client: Client) -> None:
    person = client.user("u1")
    links = [seed.portfolio(world, person, mark=str(n)) for n in range(3)]
    read = Reader(address, client)
    for n, link in enumerate(links):
        read.raw("accounts")
        seed.balances(link, {seed.BTC: f"{n + 1}"}, at=world.clock.now())
        together = read("accounts")
        assert together == [read(f"accounts/{each.id}") for each in links]


def test_a_price_that_the_user_sets_is_theirs_at_once_and_nobody_elses(world: World, address: str, client: Client) -> None:
    person, other = client.user("u1"), client.user("u2")
    for each in (person, other):
        seed.portfolio(world, each)
    mine, theirs = Reader(address, client), Reader(address, client, "u2")

    def dust(read: Reader) -> str | None:
        values: list[str | None] = [b["fiat_value"] for b in read("accounts")[0]["balances"] if b["ticker"] == "DUST"]
        return values[0]

    assert (dust(mine), dust(theirs)) == (None, None)
    world.write(
        overlays.put,
        person.principal,
        kind="price",
        target=seed.DUST,
        value='{"price":"3","currency":"USD"}',
        now=world.clock.now(),
    )
    assert (dust(mine), dust(theirs)) == ("21.00", None)


@pytest.mark.parametrize("sort", ["asc", "desc"])
@pytest.mark.parametrize("number", range(3))
def test_paging_skips_and_repeats_nothing_while_rows_arrive(
    world: World, address: str, client: Client, sort: str, number: int
) -> None:
    dice = random.Random(f"{sort}/{number}")
    link = client.user("u1").account()
    now = world.clock.now()
    times = [now - dice.randrange(20) * 1000 for _ in range(30)]  # many share an instant
    seed.page(link, "trades/all", [seed.trade(n, at) for n, at in enumerate(times)])
    read = Reader(address, client)
    path = f"accounts/{link.id}/transactions"
    before = {row["id"] for row in read(path, limit=1000)}
    found: list[str] = []
    last, extra = "", 100
    while rows := read(path, last=last, limit=dice.randint(1, 7), sort=sort):
        found += [row["id"] for row in rows]
        last = rows[-1]["id"]
        seed.page(link, "trades/all", [seed.trade(extra, now - dice.randrange(20) * 1000)])
        extra += 1
        assert extra < 200
    assert len(found) == len(set(found))
    assert before <= set(found)


def test_changes_tell_everything_in_order_and_removals_too(world: World, address: str, client: Client) -> None:
    person = client.user("u1")
    link = seed.portfolio(world, person)
    read = Reader(address, client)
    cursor, told = "", []
    for _ in range(100):
        page = read("changes", cursor=cursor, limit=3)
        told += page["changes"]
        cursor = page["cursor"]
        if not page["has_more"]:
            break
    assert [change["seq"] for change in told] == sorted(change["seq"] for change in told)
    transactions = {change["id"]: change["transaction"] for change in told if change["kind"] == "transaction"}
    assert transactions == {row["id"]: row for row in read(f"accounts/{link.id}/transactions", limit=1000)}
    assert read("changes", cursor=cursor)["changes"] == []
    world.write(accounts.delete, person.principal, link.number, world.clock.now())
    (gone,) = read("changes", cursor=cursor)["changes"]
    assert (gone["kind"], gone["id"], gone["is_removed"]) == ("account", link.id, True)


def test_an_error_of_an_account_says_what_happened_and_what_to_do(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    link.finish(status="error", error_code=BadCredentials.code, error_text="the key was deleted at the venue")
    (account,) = Reader(address, client)("accounts")
    assert account["error"]["name"] == "LoginFailedError"
    assert account["error"]["message"] == "the key was deleted at the venue"
    assert account["error"]["action"] == BadCredentials.action
    assert (account["authorized"], account["status"]) == (False, "error")


def test_a_doubted_balance_is_shown_as_suspect(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    now = world.clock.now()
    seed.balances(link, {seed.BTC: "6", seed.ETH: "5"}, at=now - DAY_MS)
    seed.balances(link, {}, at=now)
    (account,) = Reader(address, client)("accounts")
    assert {balance["ticker"]: balance["is_suspect"] for balance in account["balances"]} == {"BTC": True, "ETH": True}
    assert Reader(address, client)("portfolio")["is_partial"] is True


def test_a_sync_that_runs_is_not_started_again(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account()
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    refused = HTTP.post(f"{address}/v1/accounts/{link.id}/sync", headers=headers, json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "sync_in_progress")
    assert refused.json()["existing_institution_id"] == refused.json()["existing_connection_id"] == link.id
    link.finish()
    started = HTTP.post(f"{address}/v1/accounts/{link.id}/sync", headers=headers, json={})
    assert (started.status_code, started.json()["status"]) == (202, "syncing")


def test_a_poll_waits_for_a_change_and_ends_with_304(world: World, address: str, client: Client) -> None:
    person = client.user("u1")
    link = seed.portfolio(world, person)
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    path = f"{address}/v1/accounts/{link.id}/poll"
    now = HTTP.get(path, headers=headers)
    assert now.status_code == 200
    unchanged = HTTP.get(path, headers=headers, params={"v": now.json()["v"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    writer = threading.Timer(
        0.05, world.write, (accounts.change, person.principal, link.number, world.clock.now()), {"name": "Renamed"}
    )
    writer.start()
    changed = HTTP.get(path, headers=headers, params={"v": now.json()["v"]})
    writer.join()
    assert changed.status_code in (200, 304)  # the change may come before or after the last look
    assert HTTP.get(path, headers=headers, params={"v": now.json()["v"]}).json()["name"] == "Renamed"


def test_new_credentials_keep_the_account_and_its_history(world: World, address: str, client: Client) -> None:
    person = client.user("u1")
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    made = HTTP.post(
        f"{address}/v1/accounts",
        headers=headers,
        json={"provider": "kraken", "credentials": {"key": "K" * 56, "secret": "s" * 88}},
    ).json()
    path = f"{address}/v1/accounts/{made['id']}"
    changed = HTTP.put(path, headers=headers, json={"credentials": {"apiKey": "L" * 56, "apiSecret": "t" * 88}})
    assert (changed.status_code, changed.json()["id"], changed.json()["key_hint"]) == (202, made["id"], "LLLL")
    assert HTTP.put(path, headers=headers, json={}).status_code == 400
    assert HTTP.put(path, headers=headers, json={"security_answer": "blue"}).status_code == 400
    assert HTTP.put(path, headers=headers, json={"name": "Other"}).json()["name"] == "Other"
    assert world.read(accounts.get, person.principal, world.context.ids.integer("account", made["id"]), 1).venue == "kraken"


PRIVATE = {
    "a seed phrase": ("secret", " ".join(["abandon"] * 11 + ["about"])),
    "a key in hexadecimal": ("secret", "0x" + "ab" * 32),
    "a key in wallet import format": ("secret", "5HueCGU8rMjxEXxiPuD5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"),
    "a field for one": ("private_key", "anything"),
    "an extended private key": (
        "secret",
        "xprv" + "9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
    ),
}


@pytest.mark.parametrize("name", PRIVATE)
def test_private_keys_are_refused_and_not_stored(address: str, client: Client, name: str) -> None:
    field, value = PRIVATE[name]
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    body = {"provider": "kraken", "credentials": {"key": "K" * 56, "secret": "s" * 88, field: value}}
    refused = HTTP.post(f"{address}/v1/accounts", headers=headers, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "private_key_refused")
    assert value not in refused.text
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).json() == []


def test_a_user_who_deletes_themself_leaves_nothing(world: World, address: str, client: Client) -> None:
    person = client.user("u1")
    link = seed.portfolio(world, person)
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    gone = HTTP.delete(f"{address}/v1/users/me", headers=headers)
    assert (gone.status_code, gone.content) == (204, b"")
    assert Reader(address, client)("accounts") == []
    assert link.id not in Reader(address, client).raw("changes")
