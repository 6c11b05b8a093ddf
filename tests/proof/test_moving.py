"""Moving from Vezgo: ids and history come over, and after reconnecting everything is as if it had been linked here at once."""

import random
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import pytest

from omnifolio.app import link as linking
from omnifolio.app.administer import owner_of
from omnifolio.app.authenticate import USER_SCOPES, session
from omnifolio.app.moving import Credentials, MovedUser, move_users
from omnifolio.app.read import Read
from omnifolio.app.rebuilding import rebuild_all
from omnifolio.app.runtime import open_runtime
from omnifolio.faces.api.server import build_app
from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import BadCredentials
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.tenancy import teams, users
from omnifolio_sandbox import credentials
from tests import vezgo
from tests.proof.simulation import Facts, Installation, Venues, installed

KEY = Credentials(vezgo.CLIENT_ID, Secret(vezgo.SECRET))
LOGIN = "customer-42"
STORIES = (("kraken", "alice", 0.5), ("binance", "alice", 0.0), ("coinbase", "bob", 0.5), ("demo", "demo", 1.0))
"""Venue, user, and how many of the transactions bear the venue's own id at Vezgo."""
KRAKEN = "5f1a2b3c4d5e6f708192a3b4"
CUTS = (1, 4, 9, 16, 30, 60)
"""After so many statements the power goes."""


class Stand(NamedTuple):
    """An installation before simulated venues, and a Vezgo beside it."""

    house: Installation
    vezgo: vezgo.Vezgo


@pytest.fixture
async def stand(database_url: str, tmp_path_factory: pytest.TempPathFactory, venues: Venues) -> AsyncIterator[Stand]:
    async with (
        vezgo.serving(lambda: venues.clock.world_ms) as (server, url),
        installed(database_url, tmp_path_factory.mktemp("keys"), venues, base_urls={"vezgo": url}) as house,
    ):
        yield Stand(house, server)


async def moved(house: Installation, *logins: str, key: Credentials = KEY, is_preview: bool = False) -> list[MovedUser]:
    """What moving these users says."""
    team = (await owner_of(house.runtime.context)).team.client_id
    found = move_users(house.runtime, key, logins or (LOGIN,), team=team, is_preview=is_preview)
    return [user async for user in found]


async def as_user(house: Installation, login: str = LOGIN) -> Principal:
    """The principal of a user that was moved."""
    context = house.runtime.context
    acting = Principal(team=house.principal.team, user=None, actor="test", scopes=frozenset({"link"}))
    found = await context.store.write(users.get_or_create, acting, login, pepper=context.edge.pepper, now=context.clock.now())
    return Principal(team=acting.team, user=found.id, actor="test", scopes=frozenset({"read", "link"}))


def secrets_of(venue: str, user: str) -> dict[str, str]:
    """The credentials of a simulated user."""
    return {{"apiKey": "key"}.get(name, name): value for name, value in credentials.of_user(user, "read")[venue].items()}


async def afresh(house: Installation, venue: str, user: str) -> Facts:
    """What linking the simulated user gives the owner."""
    number = await house.link(venue, user)
    await house.sync(number)
    return await house.facts(number)


async def reconnected(house: Installation, wire: str, venue: str, user: str) -> AccountId:
    """The account of that id after its user has connected it again and it was read."""
    number = AccountId(house.runtime.context.ids.integer("account", wire))
    await linking.relink(house.runtime.context, house.principal, number, secrets_of(venue, user))
    await house.work()
    return number


@pytest.mark.parametrize(("venue", "user", "named"), STORIES)
async def test_after_reconnecting_all_is_as_if_it_had_been_linked_here(
    stand: Stand, venues: Venues, venue: str, user: str, named: float
) -> None:
    house = stand.house
    expected = await afresh(house, venue, user)
    rng = random.Random(f"{venue}/{named}")
    lines = venues.ask_truth(user, venue)
    told, rows = vezgo.told_by_vezgo(venue, lines, rng, named=named)
    wire = stand.vezgo.add(LOGIN, told, rows)
    [done] = await moved(house)
    assert done.is_whole, done
    assert [(a.id, a.outcome, a.transactions, a.new) for a in done.accounts] == [(wire, "imported", len(rows), len(rows))]
    house.principal = await as_user(house)
    number = AccountId(house.runtime.context.ids.integer("account", wire))
    ids_before = {row.id for row in await house.transactions(number)}
    assert len(ids_before) == len(rows)
    assert await reconnected(house, wire, venue, user) == number
    assert await house.facts(number) == expected
    assert await house.sums_agree(number)
    assert (await house.account(number)).status == "ok"
    assert house.runtime.context.ids.wire("account", number) == wire
    assert len(ids_before & {row.id for row in await house.transactions(number)}) >= len(rows) * 0.9
    again = await moved(house)
    assert [a.new for a in again[0].accounts] == [0]
    assert await house.facts(number) == expected
    await rebuild_all(house.runtime.context, house.principal, number)
    assert await house.facts(number) == expected


def a_small_account(server: vezgo.Vezgo, login: str = LOGIN, *, count: int = 30, number: str = KRAKEN) -> str:
    """An account at Kraken with some deposits of a day each; its id."""
    held = {"ticker": "BTC", "provider_ticker": "XXBT", "asset_type": "crypto", "amount": "0.5", "wallet": "kraken:cash:usd"}
    rows = [
        vezgo.transaction(
            vezgo.wire_id(number, place),
            1_700_000_000_000 + place * 86_400_000,
            "deposit",
            [vezgo.part("received", f"0.{place + 1:03}", "BTC", provider_ticker="XXBT", fiat_value="35.00")],
            wallet="kraken:cash:usd",
            misc={"origin_id": f"Q{place}"},
        )
        for place in range(count)
    ]
    made = vezgo.account(
        number,
        "kraken",
        name="Main",
        wallets=[{"id": "kraken:cash:usd", "name": "Cash", "address": None}],
        balances=[{**held, "updated_at": 1_739_999_999_000}],
    )
    return server.add(login, made, rows)


async def test_an_import_that_is_cut_off_anywhere_goes_on_as_if_it_had_not_been(stand: Stand) -> None:
    house = stand.house
    wire = a_small_account(stand.vezgo)
    stand.vezgo.rows_max = 5
    deaths = 0
    for after in CUTS:

        async def work() -> None:
            await moved(house)

        deaths += await house.crash(after, work)
    assert deaths == len(CUTS)
    [done] = await moved(house)
    assert done.is_whole
    house.principal = await as_user(house)
    number = AccountId(house.runtime.context.ids.integer("account", wire))
    names = [row.name for row in await house.transactions(number)]
    assert names == [f"Q{place}" for place in range(30)]
    assert await house.held(number) == {"spot/spot/BTC": "0.5"}
    assert [account.id for account in (await moved(house))[0].accounts if account.new] == []
    found = await house.runtime.context.store.read(accounts.listed, house.principal, house.time.now())
    assert [account.id for account in found] == [number]


async def test_a_second_import_adds_only_what_is_new(stand: Stand) -> None:
    house, server = stand.house, stand.vezgo
    a_small_account(server, count=3)
    await moved(house)
    rows = server.transactions[KRAKEN]
    late = vezgo.transaction(vezgo.wire_id("late"), rows[0]["initiated_at"] + 1, "deposit", [vezgo.part("received", "9", "BTC")])
    rows.insert(1, late)
    [done] = await moved(house)
    assert [(a.outcome, a.transactions, a.new) for a in done.accounts] == [("known", 4, 1)]


async def test_what_vezgo_refuses_is_named_and_what_it_delays_is_waited_for(stand: Stand, venues: Venues) -> None:
    house, server = stand.house, stand.vezgo
    a_small_account(server, count=3)
    a_small_account(server, "customer-43", count=2, number="5f1a2b3c4d5e6f708192a3b5")
    with pytest.raises(BadCredentials):
        await moved(house, key=Credentials(vezgo.CLIENT_ID, Secret("wrong")))
    server.faults = [("/transactions", 429, {"Retry-After": "120"})]
    before = venues.clock.world_ms
    [done] = await moved(house)
    assert done.is_whole
    assert venues.clock.world_ms - before >= 120_000
    server.faults = [("/accounts/5f1a2b3c4d5e6f708192a3b5", 500, {})] * 40
    first, second = await moved(house, LOGIN, "customer-43")
    assert first.is_whole
    assert [(a.outcome, a.unread) for a in second.accounts] == [("unfinished", ("Vezgo answered 500 to GET accounts",))]
    server.faults = []
    [healed] = await moved(house, "customer-43")
    assert (healed.is_whole, [a.new for a in healed.accounts]) == (True, [2])


async def test_a_token_that_ends_on_the_way_is_got_anew(stand: Stand, venues: Venues) -> None:
    a_small_account(stand.vezgo, count=12)
    stand.vezgo.rows_max = 5
    stand.vezgo.before = lambda: venues.pass_time(400_000)
    [done] = await moved(stand.house)
    assert (done.is_whole, done.accounts[0].new) == (True, 12)
    assert len([path for _, path, _ in stand.vezgo.asked if path == "/auth/token"]) > 2


async def test_accounts_of_every_status_and_provider_come_over_or_are_named(stand: Stand) -> None:
    house, server = stand.house, stand.vezgo
    address = "0x" + "aB" * 20
    told: list[tuple[str, str, dict[str, Any]]] = [
        ("ok", "binanceglobal", {}),
        ("error", "coinbase", {"error": {"name": "LoginFailedError", "message": "no"}}),
        ("syncing", "metamask", {"wallets": [{"id": f"ethereum:{address}", "name": None, "address": address}]}),
        ("retry", "somewhere-new", {}),
        ("ok", "Not A Slug!", {}),
    ]
    for place, (status, provider, more) in enumerate(told):
        server.add(LOGIN, vezgo.account(f"{place}" * 24, provider, status=status, **more))
    server.add(LOGIN, vezgo.account("no object id", "kraken"))
    [done] = await moved(house)
    assert [(a.venue, a.outcome, a.is_known_venue) for a in done.accounts] == [
        ("binance", "imported", True),
        ("coinbase", "imported", True),
        ("ethereum", "imported", True),
        ("somewhere-new", "imported", False),
        ("", "left_out", False),
        ("", "left_out", False),
    ]
    house.principal = await as_user(house)
    brand = await house.shown(AccountId(house.runtime.context.ids.integer("account", "2" * 24)))
    assert (brand.provider.name, brand.status) == ("metamask", "error")
    unknown = await house.shown(AccountId(house.runtime.context.ids.integer("account", "3" * 24)))
    assert (unknown.provider.name, unknown.provider.proof) == ("somewhere-new", "listed")
    assert unknown.error is not None
    assert "cannot be connected here yet" in unknown.error.message
    read = Read(house.runtime.context)
    for account in await house.runtime.context.store.read(accounts.listed, house.principal, house.time.now()):
        assert (await read.coverage(house.principal, account.id)).complete_to is None
        await read.reconciliation(house.principal, account.id)


async def test_an_imported_account_says_that_it_waits_and_a_sync_changes_nothing(stand: Stand) -> None:
    house = stand.house
    wire = a_small_account(stand.vezgo, count=3)
    await moved(house)
    house.principal = await as_user(house)
    number = AccountId(house.runtime.context.ids.integer("account", wire))
    shown = await house.shown(number)
    assert (shown.id, shown.name, shown.status, shown.authorized) == (wire, "Main", "error", False)
    assert shown.error is not None
    assert (shown.error.name, shown.error.code) == ("LoginFailedError", "needs_reconnect")
    assert shown.error.message == (
        "imported from Vezgo with its history from 2023-11-14 to 2023-11-16; reconnect Kraken to go on"
    )
    before = await house.facts(number)
    await house.sync(number)
    assert await house.facts(number) == before
    again = await house.account(number)
    assert (again.status, again.error_code, again.next_sync_at) == ("error", "needs_reconnect", None)


async def test_an_id_is_one_account_s_in_the_whole_installation_and_a_removal_stays(stand: Stand) -> None:
    house, server = stand.house, stand.vezgo
    wire = a_small_account(server, count=2)
    server.users["somebody-else"] = server.users[LOGIN]
    await moved(house)
    [other] = await moved(house, "somebody-else")
    assert [(a.outcome, a.unread) for a in other.accounts] == [
        ("left_out", ("another user here has its id; nothing was written",))
    ]
    house.principal = await as_user(house)
    await linking.unlink(house.runtime.context, house.principal, AccountId(house.runtime.context.ids.integer("account", wire)))
    [again] = await moved(house)
    assert [(a.outcome, a.unread) for a in again.accounts] == [("left_out", ("it was removed here, and stays removed",))]
    ours = house.runtime.context.ids.wire("account", 12_345)
    server.add("third", vezgo.account(ours, "kraken"))
    [third] = await moved(house, "third")
    assert [a.outcome for a in third.accounts] == ["left_out"]


async def test_a_preview_saves_nothing_and_nothing_is_ever_written_at_vezgo(stand: Stand) -> None:
    house, server = stand.house, stand.vezgo
    a_small_account(server, count=7)
    assert "vezgo" not in house.runtime.egress.rules()
    [asked] = await moved(house, is_preview=True)
    assert [(a.outcome, a.transactions, a.balances) for a in asked.accounts] == [("would_import", 7, 1)]
    assert asked.user is None
    house.principal = await as_user(house)
    assert await house.runtime.context.store.read(accounts.listed, house.principal, house.time.now()) == []
    await moved(house)
    assert {(method, path.split("/")[1]) for method, path, _ in server.asked} == {("POST", "auth"), ("GET", "accounts")}


async def test_another_process_knows_the_ids_with_the_next_request(
    stand: Stand, tmp_path_factory: pytest.TempPathFactory
) -> None:
    house = stand.house
    wire = a_small_account(stand.vezgo, count=1)
    other = await open_runtime(house.settings, with_workers=False, clock=house.time, sleep=house.time.sleep)
    try:
        await moved(house)
        principal = await as_user(house)
        found = await other.context.store.read(users.me, principal)
        team = await other.context.store.read(teams.by_client_id, (await owner_of(other.context)).team.client_id)
        token = other.context.tokens.issue(team, found, USER_SCOPES, now=other.context.clock.now())
        await session(other.context, token)
        number = other.context.ids.integer("account", wire)
        assert other.context.ids.wire("account", number) == wire
    finally:
        await other.close()


async def test_the_api_answers_to_vezgo_s_ids_of_accounts_wallets_and_transactions(stand: Stand) -> None:
    house = stand.house
    wire = a_small_account(stand.vezgo, count=4)
    await moved(house)
    context = house.runtime.context
    person = await context.store.read(users.me, await as_user(house))
    team = await context.store.read(teams.by_client_id, (await owner_of(context)).team.client_id)
    token = context.tokens.issue(team, person, USER_SCOPES, now=context.clock.now())
    transport = httpx.ASGITransport(app=build_app(context))  # type: ignore[arg-type]
    async with httpx.AsyncClient(
        transport=transport, base_url="http://here/v1", headers={"Authorization": f"Bearer {token}"}
    ) as api:
        [account] = (await api.get("/accounts")).json()
        assert (account["id"], account["authorized"], account["error"]["name"]) == (wire, False, "LoginFailedError")
        path = f"/accounts/{wire}/transactions"
        asked = {"from": "2023-01-01", "sort": "asc", "wallet": "kraken:cash:usd"}
        assert [row["misc"]["origin_id"] for row in (await api.get(path, params=asked)).json()] == ["Q0", "Q1", "Q2", "Q3"]
        last = vezgo.wire_id(wire, 1)
        page = (await api.get(path, params={**asked, "last": last})).json()
        assert [row["misc"]["origin_id"] for row in page] == ["Q2", "Q3"]
        one = (await api.get(f"{path}/{last}")).json()
        assert (one["misc"]["origin_id"], one["account"], one["parts"][0]["fiat_value"]) == ("Q1", wire, "35.00")
        assert one["parts"][0]["fiat_source"] == "vezgo"
        assert (await api.get(f"{path}/{'0' * 24}")).status_code == 404
