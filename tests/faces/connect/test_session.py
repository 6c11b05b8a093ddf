"""What an open page may ask for, and nothing beside it: its routes, its user, its venues, its accounts, its time."""

from typing import Any

import pytest

from omnifolio.connect import funnel, tokens
from omnifolio.connect.tokens import LIFETIMES_MS
from omnifolio.faces.api.admission import CONNECT, PUBLIC, SCOPE
from omnifolio.faces.api.server import PAGES, ROUTERS
from omnifolio.model.clock import EpochMs
from omnifolio.tenancy import users
from tests.faces.api import seed
from tests.faces.api.world import HTTP, Client, World, token_of
from tests.faces.connect.opened import facts_of, posted, session_of

KEY = {"key": "K" * 56, "secret": "s" * 88}
OWN_ROUTES: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/connect/find", {"text": "kraken"}),
    ("POST", "/connect/steps", {"provider": "kraken"}),
    ("POST", "/connect/preview", None),
    ("POST", "/connect/import?account=" + "0" * 24, None),
    ("GET", "/connect/checks/" + "0" * 24, None),
    ("POST", "/connect/done", {}),
    ("POST", "/connect/event", {"step": "chosen"}),
)


def test_only_the_routes_of_accounts_take_an_open_page() -> None:
    allowed = {
        (method, path)
        for router in (*ROUTERS, *PAGES)
        for route in router.routes
        for handler in getattr(route, "route_handlers", [])
        if handler.opt.get(CONNECT)
        for method, path in [(next(iter(handler.http_methods - {"OPTIONS"})), route.path_format)]
    }
    assert {path for _, path in allowed if path.startswith("/v1")} == {
        "/v1/accounts",
        "/v1/accounts/{account_id}",
        "/v1/accounts/{account_id}/sync",
        "/v1/accounts/{account_id}/poll",
    }
    assert all(handler.opt[SCOPE] != PUBLIC for router in PAGES for handler in _closed(router))


def _closed(router: Any) -> list[Any]:
    return [handler for route in router.routes for handler in getattr(route, "route_handlers", []) if handler.opt.get(CONNECT)]


def test_an_open_page_is_refused_everywhere_else(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    headers = session_of(address, client, token_of(address, client, "u1"))
    for path in (
        "/v1/portfolio",
        "/v1/changes",
        "/v1/exports/omnifolio",
        f"/v1/accounts/{link.id}/transactions",
        f"/v1/accounts/{link.id}/history",
        f"/v1/accounts/{link.id}/orders",
    ):
        assert HTTP.get(address + path, headers=headers).status_code == 403, path
    assert HTTP.delete(f"{address}/v1/users/me", headers=headers).status_code == 403
    assert HTTP.post(f"{address}/v1/link-tokens", headers=headers, json={}).status_code == 403
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).json()[0]["id"] == link.id


@pytest.mark.parametrize(("method", "path", "body"), OWN_ROUTES)
def test_the_page_s_own_routes_take_nobody_else(
    address: str, client: Client, method: str, path: str, body: dict[str, Any] | None
) -> None:
    token = token_of(address, client, "u1")
    for headers, status in (
        ({}, 401),
        ({"authorization": "Bearer omni_page_x"}, 401),
        ({"authorization": f"Bearer {token}"}, 403),
    ):
        refused = HTTP.request(method, address + path, headers=headers, json=body)
        assert refused.status_code == status, refused.text


def test_accounts_of_others_are_not_there_for_an_open_page(world: World, address: str, client: Client) -> None:
    other = client.user("victim").account("kraken")
    other.finish()
    headers = session_of(address, client, token_of(address, client, "u1"))
    for method, path, body in (
        ("GET", f"/v1/accounts/{other.id}", None),
        ("PUT", f"/v1/accounts/{other.id}", {"credentials": KEY}),
        ("DELETE", f"/v1/accounts/{other.id}", None),
        ("POST", f"/v1/accounts/{other.id}/sync", {}),
        ("GET", f"/v1/accounts/{other.id}/poll", None),
        ("GET", f"/connect/checks/{other.id}", None),
        ("POST", "/connect/done", {"account": other.id}),
    ):
        found = HTTP.request(method, address + path, headers=headers, json=body)
        assert found.status_code in (403, 404), (method, path)
        assert other.id not in found.text.replace(found.json().get("instance", ""), "")
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).json() == []


def test_a_page_changes_and_removes_what_it_made_and_nothing_else(world: World, address: str, client: Client) -> None:
    older = client.user("u1").account("bitstamp", mark="old")
    older.finish()
    headers = session_of(address, client, token_of(address, client, "u1"))
    made = HTTP.post(f"{address}/v1/accounts", headers=headers, json={"provider": "kraken", "credentials": KEY}).json()["id"]
    assert HTTP.put(f"{address}/v1/accounts/{made}", headers=headers, json={"credentials": KEY}).status_code == 202
    for method, body in (("PUT", {"name": "Taken"}), ("DELETE", None)):
        assert HTTP.request(method, f"{address}/v1/accounts/{older.id}", headers=headers, json=body).status_code == 403
    assert HTTP.delete(f"{address}/v1/accounts/{made}", headers=headers).status_code == 204
    assert [found["id"] for found in HTTP.get(f"{address}/v1/accounts", headers=headers).json()] == [older.id]


def test_a_page_connects_only_the_venues_that_it_was_opened_for(address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    body = {"provider": "kraken", "credentials": KEY}
    for query in ({"providers": "bitstamp"}, {"disabled_providers": "kraken"}, {"provider_categories": "wallets"}):
        headers = session_of(address, client, token, **query)
        refused = HTTP.post(f"{address}/v1/accounts", headers=headers, json=body)
        assert (refused.status_code, "Kraken" in refused.json()["message"]) == (403, True)
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).json() == []


def test_a_page_that_reconnects_connects_no_other_account(world: World, address: str, client: Client) -> None:
    link = client.user("u1").account("kraken")
    link.finish()
    headers = session_of(address, client, token_of(address, client, "u1"), path=f"/reconnect/{link.id}")
    body = {"provider": "kraken", "credentials": {**KEY, "key": "L" * 56}}
    assert HTTP.post(f"{address}/v1/accounts", headers=headers, json=body).status_code == 403
    changed = HTTP.put(f"{address}/v1/accounts/{link.id}", headers=headers, json={"credentials": KEY})
    assert (changed.status_code, changed.json()["id"]) == (202, link.id)
    assert HTTP.delete(f"{address}/v1/accounts/{link.id}", headers=headers).status_code == 403


def test_a_page_ends_when_it_is_done_when_its_time_is_over_and_when_tokens_are_revoked(
    world: World, address: str, client: Client
) -> None:
    token = token_of(address, client, "u1")

    def status(headers: dict[str, str]) -> int:
        return HTTP.get(f"{address}/v1/accounts", headers=headers).status_code

    done, revoked = session_of(address, client, token), session_of(address, client, token)
    assert (status(done), status(revoked)) == (200, 200)
    assert HTTP.post(f"{address}/connect/done", headers=done, json={}).json() == {"redirect_to": None}
    assert (status(done), status(revoked)) == (401, 200)
    text = revoked["authorization"].removeprefix("Bearer ")
    later = EpochMs(world.clock.now() + LIFETIMES_MS["page"])
    assert world.read(tokens.find, "page", text, pepper=world.edge.pepper, now=world.clock.now()) is not None
    assert world.read(tokens.find, "page", text, pepper=world.edge.pepper, now=later) is None
    assert world.read(tokens.find, "link", text, pepper=world.edge.pepper, now=world.clock.now()) is None
    world.write(users.revoke_tokens, client.user("u1").principal)
    assert status(revoked) == 401


def test_tokens_are_stored_as_keyed_hashes_alone(world: World, address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    session = facts_of(posted(address, client, token))["session"]
    link = HTTP.post(f"{address}/v1/link-tokens", headers={"authorization": f"Bearer {token}"}, json={}).json()["link_token"]

    def stored(conn: Any) -> str:
        return str(conn.exec_driver_sql("SELECT * FROM connect_tokens").all())

    rows = world.read(stored)
    assert not any(part in rows for part in (session, link, session[10:], link[10:]))


def test_the_end_returns_to_the_registered_address_with_the_account(address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    headers = session_of(address, client, token, origin="", state="a==", redirect_uri="https://app.example/back")
    made = HTTP.post(f"{address}/v1/accounts", headers=headers, json={"provider": "kraken", "credentials": KEY}).json()["id"]
    done = HTTP.post(f"{address}/connect/done", headers=headers, json={"account": made})
    assert done.json() == {"redirect_to": f"https://app.example/back?account={made}&code={made}&state=a%3D%3D"}


def test_the_funnel_counts_visits_and_knows_nobody(world: World, address: str, client: Client) -> None:
    token = token_of(address, client, "secret-name")
    headers = session_of(address, client, token)
    for body in (
        {"step": "chosen", "provider": "kraken"},
        {"step": "chosen", "provider": "kraken"},
        {"step": "entered", "provider": "x"},
    ):
        assert HTTP.post(f"{address}/connect/event", headers=headers, json=body).status_code == 204
    assert HTTP.post(f"{address}/connect/event", headers=headers, json={"step": "x"}).status_code == 400
    assert (
        HTTP.post(f"{address}/connect/event", headers=headers, json={"step": "closed", "outcome": "my mail@x"}).status_code == 400
    )
    session_of(address, client, token)
    found = world.read(funnel.counted, client.team.id, since=EpochMs(0))
    assert [(row.step, row.venue, row.visits) for row in found] == [
        ("chosen", "kraken", 1),
        ("entered", None, 1),
        ("opened", None, 2),
    ]
    assert world.read(funnel.counted, world.team("other").team.id, since=EpochMs(0)) == []
