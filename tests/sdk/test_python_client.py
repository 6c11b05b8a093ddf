"""The Python client, blocking and asyncio, against a live server: what it reads, follows and raises."""

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from msgspec import structs

from omnifolio.ledger import accounts
from omnifolio.model.clock import DAY_MS
from omnifolio_client import (
    ConnectionFailed,
    Omnifolio,
    Replica,
    Retries,
    TimedOut,
    codes,
    models,
    operations,
)
from omnifolio_client.calls import Call
from tests.faces.api import seed
from tests.faces.api.test_isolation import _issued as issued
from tests.faces.api.world import Client, World, served
from tests.sdk.conftest import Connect

TRANSACTIONS = 15
"""What the seeded account has."""


def test_it_reads_accounts_with_exact_amounts(world: World, client: Client, connect: Connect) -> None:
    link = seed.portfolio(world, client.user("u1"))
    made = connect()
    (account,) = made.list_accounts()
    assert made.get_account(link.id) == account
    balances = {row.ticker: row for row in account.balances}
    assert balances["ETH"].amount == Decimal("5.000000000000000001")
    assert balances["DUST"].fiat_value is None
    assert balances["DUST"].fiat_reason
    assert account.provider.display_name == "Demo"
    assert account.status_details == models.StatusDetails(wallets="ok", balances="ok", transactions="ok")
    assert made.get_portfolio().fiat_value == account.fiat_value
    assert made.list_all_positions() == account.positions
    assert [row.filled_price for row in made.orders(link.id, limit=1)] == [Decimal(100)] * 2
    assert isinstance(made.export_transactions("omnifolio"), str)


@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_it_pages_through_transactions_while_new_ones_arrive(world: World, client: Client, connect: Connect, limit: int) -> None:
    link = seed.portfolio(world, client.user("u1"))
    rows = iter(connect().transactions(link.id, limit=limit, sort="asc"))
    found = [next(rows).id]
    now = world.clock.now()
    seed.page(link_again(world, link), "late/all", [seed.deposit(90, now - 30 * DAY_MS), seed.deposit(91, now)])
    found += [row.id for row in rows]
    assert len(found) == len(set(found))
    assert len(found) == TRANSACTIONS + 1, "the later one comes, the earlier one was passed"


def link_again(world: World, link: Any) -> Any:
    """The account, leased for another page."""
    fence = world.write(accounts.lease, link.person.principal, link.number, owner="again", now=world.clock.now(), length_ms=10**9)
    link.fence = fence
    return link


def test_it_filters_by_days_and_types(world: World, client: Client, connect: Connect) -> None:
    link = seed.portfolio(world, client.user("u1"))
    made = connect()
    assert {row.transaction_type for row in made.transactions(link.id, types="trade")} == {"trade"}
    tomorrow = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)
    assert list(made.transactions(link.id, from_=tomorrow)) == []
    assert made.list_history(link.id)[0].fiat_ticker == "USD"
    row = next(iter(made.transactions(link.id)))
    assert made.get_transaction(link.id, row.id) == row


def test_a_replica_follows_by_sync(world: World, client: Client, connect: Connect) -> None:
    first = seed.portfolio(world, client.user("u1"))
    made, replica = connect(), Replica()
    for answer in made.sync(limit=4):
        replica.apply(answer)
    assert len(replica.transactions) == TRANSACTIONS
    assert {row.ticker for held in replica.balances.values() for row in held.balances} == {"USD", "BTC", "ETH", "DUST"}
    second = client.user("u1").account("demo", name="Second", mark="2")
    seed.balances(second, {seed.USD: "1"}, at=world.clock.now())
    made.delete_account(first.id)
    answers = list(made.sync(replica.cursor))
    assert [row.id for row in answers[0].removed.accounts] == [first.id]
    for answer in answers:
        replica.apply(answer)
    assert list(replica.accounts) == [second.id]
    assert (replica.transactions, replica.positions) == ({}, {})
    assert [row.amount for held in replica.balances.values() for row in held.balances] == [Decimal(1)]
    assert {account for account, _ in replica.wallets} == {second.id}
    (idle,) = made.sync(replica.cursor)
    assert idle.added.accounts == idle.modified.accounts == []
    assert not idle.is_reset


def test_it_connects_changes_and_removes_an_account(connect: Connect) -> None:
    made = connect()
    account = made.add_account(provider="kraken", credentials={"key": "K" * 56, "secret": "s" * 88}, name="Mine")
    assert (account.status, account.name) == ("syncing", "Mine")
    assert made.change_account(account.id, name="Yours").name == "Yours"
    changed = made.poll_account(account.id, v=account.v)
    assert changed is not None
    assert changed.name == "Yours"
    newest = made.get_account(account.id).v
    assert made.poll_account(account.id, v=newest) is None
    with pytest.raises(codes.AlreadyConnected) as refused:
        made.add_account(provider="kraken", credentials={"key": "K" * 56, "secret": "t" * 88})
    assert refused.value.existing_account == account.id
    made.delete_account(account.id)
    with pytest.raises(codes.NotFound):
        made.delete_account(account.id)


def test_decisions_go_there_and_back(world: World, client: Client, connect: Connect) -> None:
    link = seed.portfolio(world, client.user("u1"))
    made = connect()
    row = next(iter(made.transactions(link.id)))
    decision = made.put_decision(kind="label", value="rent", transaction=row.id)
    assert made.get_transaction(link.id, row.id).label == "rent"
    document = made.export_decisions()
    made.undo_decision(decision.id)
    assert made.get_transaction(link.id, row.id).label is None
    assert made.import_decisions(document).made == 1


def test_users_are_apart_and_share_a_connection(world: World, client: Client, connect: Connect) -> None:
    seed.portfolio(world, client.user("u1"))
    made = connect()
    assert len(made.list_accounts()) == 1
    assert made.for_user("u2").list_accounts() == []


def test_an_answer_can_be_had_with_all_around_it(connect: Connect) -> None:
    answer = connect().send(operations.get_health())
    assert (answer.status, answer.value.status) == (200, "ok")
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.request_id) >= 8
    assert answer.body.startswith(b"{")


def test_what_is_public_needs_nobody(address: str, connect: Connect) -> None:
    made = connect(client_id=None, secret=None, user=None)
    assert {"kraken", "demo"} <= {row.name for row in made.list_providers()}
    assert made.get_provider("kraken").auth_type == "token"
    assert made.get_openapi()["openapi"].startswith("3.1")
    with pytest.raises(ValueError, match="needs a user"):
        made.list_accounts()


def refusals(world: World, client: Client, connect: Connect) -> Iterator[tuple[type[Exception], Any]]:
    """What the server refuses, each with the class that it has to be."""
    made = connect()
    scoped = connect(token=issued(world, client, "scoped", frozenset({"link"})))
    yield codes.InvalidField, lambda: made.sync_page(cursor="not ours")
    yield codes.InvalidField, lambda: made.list_accounts(fiat="ZZZ")
    yield codes.NotFound, lambda: made.get_account("0" * 24)
    yield codes.NotFound, lambda: made.get_provider("nowhere")
    yield codes.Unauthenticated, lambda: connect(secret="omni_live_wrong").list_accounts()
    yield codes.Unauthenticated, lambda: connect(token="garbage").list_accounts()
    yield codes.Forbidden, scoped.list_accounts
    yield codes.MethodNotAllowed, lambda: made.send(Call(method="DELETE", path="/health", kind=None))


def test_each_refusal_is_an_error_of_its_own(world: World, client: Client, connect: Connect) -> None:
    for kind, attempt in refusals(world, client, connect):
        with pytest.raises(kind) as refused:
            attempt()
        error: Any = refused.value
        assert error.server_code == error.code
        assert error.message
        assert error.message in str(error)
        assert error.blame
        assert error.retry
        assert error.action
        assert len(error.request_id) >= 8
        assert error.docs_url.endswith(error.code)


def test_it_waits_as_long_as_the_server_asks(world: World, client: Client, connect: Connect, monkeypatch: Any) -> None:
    slept: list[float] = []

    async def later(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("omnifolio_client.client._sleep", slept.append)
    monkeypatch.setattr("omnifolio_client.client._pause", later)
    slow = structs.replace(world.context, settings=structs.replace(world.settings, rate_limit_per_minute=1))
    with served(world, slow) as address:
        made = connect(address, token=issued(world, client, "eager", frozenset({"read"})), retries=Retries(attempts_max=2))
        assert made.get_portfolio().assets == []
        with pytest.raises(codes.RateLimited) as refused:
            made.get_portfolio()
        told = refused.value.retry_after_s
        assert told is not None
        assert 50 < told <= 60
        assert slept
        assert all(50 < seconds <= 60 for seconds in slept)


def test_a_server_that_is_not_there_or_does_not_answer(connect: Connect) -> None:
    with pytest.raises(ConnectionFailed):
        connect("http://127.0.0.1:9", retries=Retries(attempts_max=1)).get_health()

    def never(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    with httpx.Client(transport=httpx.MockTransport(never)) as http, pytest.raises(TimedOut):
        Omnifolio("http://127.0.0.1:9", retries=Retries(attempts_max=1), http=http).get_health()


def test_redirects_are_not_followed_with_a_token() -> None:
    def elsewhere(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "here.test"
        return httpx.Response(307, headers={"location": "https://elsewhere.test/v1/portfolio"})

    with httpx.Client(transport=httpx.MockTransport(elsewhere)) as http, pytest.raises(Exception, match="portfolio"):
        Omnifolio("https://here.test/", token="t", http=http).get_portfolio()
