"""Nobody sees or changes what is not theirs: every operation of the description, with every kind of wrong caller."""

import base64
import hmac
import itertools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx
import jwt
import pytest

from omnifolio.faces.api.admission import PUBLIC
from omnifolio.faces.api.openapi import document, router
from omnifolio.faces.api.server import ROUTERS
from omnifolio.model.accounts import Principal
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.tokens import AUDIENCE
from tests.faces.api import seed
from tests.faces.api.world import HTTP, OPERATOR, Client, World, token_of

DOCUMENT = document([*ROUTERS, router(ROUTERS)])


class Operation(NamedTuple):
    """One line of the description."""

    method: str
    path: str
    spec: dict[str, Any]

    @property
    def scope(self) -> str:
        """What a token needs for it."""
        return str(self.spec["x-scope"])


ALL = [Operation(method.upper(), path, spec) for path, item in DOCUMENT["paths"].items() for method, spec in item.items()]


def cases(chosen: list[Operation]) -> list[Any]:
    """The operations as parameters of tests, named by method and path."""
    return [pytest.param(operation, id=f"{operation.method} {operation.path}") for operation in chosen]


OPERATIONS = cases(ALL)
PRIVATE = cases([operation for operation in ALL if operation.scope != PUBLIC])
OF_ACCOUNT = cases([operation for operation in ALL if "{account_id}" in operation.path])
WITH_IDS = cases([operation for operation in ALL if "{" in operation.path])
BODIES = {
    ("PUT", "/v1/decisions"): {"kind": "label", "address": "0xaa", "value": "x"},
    ("POST", "/v1/decisions/import"): {"format": "omnifolio-decisions/1", "decisions": []},
    ("POST", "/v1/accounts"): {"provider": "kraken", "credentials": {"key": "K" * 56, "secret": "s" * 88}},
    ("PUT", "/v1/accounts/{account_id}"): {"name": "Taken"},
}
GARBAGE = ("x", "0" * 24, "f" * 24, "../1", "1", "'; --", "%00", "é", "a" * 60)


class Owned(NamedTuple):
    """A user with data, and the ids of what is theirs."""

    token: str
    ids: dict[str, str]
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
def owner(world: World, address: str) -> Owned:
    """The victim."""
    client = world.team("victim")
    link = seed.portfolio(world, client.user("victim"))
    token = token_of(address, client, "victim")
    with httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}) as http:
        transaction = http.get(f"/v1/accounts/{link.id}/transactions").json()[0]["id"]
        order = http.get(f"/v1/accounts/{link.id}/orders").json()[0]["id"]
        said = {"kind": "label", "transaction": transaction, "value": "mine"}
        decision = http.put("/v1/decisions", json=said).json()["id"]
    ids = {
        "decision_id": decision,
        "account_id": link.id,
        "transaction_id": transaction,
        "order_id": order,
        "name": "kraken",
        "target": "koinly",
    }
    return Owned(token, ids, (link.id, transaction, order, decision))


def call(address: str, operation: Operation, ids: dict[str, str], token: str | None) -> httpx.Response:
    """One operation with the ids of somebody."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    body = BODIES.get((operation.method, operation.path))
    return HTTP.request(operation.method, address + operation.path.format(**ids), headers=headers, json=body)


@pytest.fixture
def intact(owner: Owned, address: str) -> Iterator[None]:
    """The victim's data are the same afterwards."""
    headers = {"authorization": f"Bearer {owner.token}"}
    before = HTTP.get(f"{address}/v1/accounts", headers=headers).json()
    yield
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).json() == before


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_states_its_scope_and_its_problems(operation: Operation) -> None:
    assert operation.scope in {PUBLIC, "read", "link"}
    assert operation.spec["security"] == ([] if operation.scope == PUBLIC else [{"user": []}])
    assert operation.spec["summary"]
    assert {"400", "429", "500"} <= operation.spec["responses"].keys()


@pytest.mark.parametrize("operation", OF_ACCOUNT)
@pytest.mark.parametrize("who", ["another user", "another team"])
@pytest.mark.usefixtures("intact")
def test_ids_of_others_are_not_found(world: World, address: str, owner: Owned, operation: Operation, who: str) -> None:
    token = token_of(address, world.team("attacker"), "victim") if who == "another team" else _sibling(world)
    refused = call(address, operation, owner.ids, token)
    assert refused.status_code == 404
    assert not any(secret in refused.text.replace(refused.json()["instance"], "") for secret in owner.secrets)


@pytest.mark.parametrize("resource", ["transactions", "orders", "history"])
def test_ids_of_others_in_the_query_give_nothing_away(
    world: World, address: str, owner: Owned, client: Client, resource: str
) -> None:
    link = seed.portfolio(world, client.user("attacker"))
    token = token_of(address, client, "attacker")
    headers = {"authorization": f"Bearer {token}"}
    for parameter, value in itertools.product(("last", "cursor", "wallet", "ticker"), owner.secrets):
        found = HTTP.get(f"{address}/v1/accounts/{link.id}/{resource}", headers=headers, params={parameter: value})
        assert found.status_code in (200, 404)
        assert not any(secret in found.text for secret in owner.secrets)


def test_an_export_of_others_is_not_found(address: str, owner: Owned, client: Client) -> None:
    headers = {"authorization": f"Bearer {token_of(address, client, 'attacker')}"}
    for account in (owner.ids["account_id"], "x", "0" * 24):
        found = HTTP.get(f"{address}/v1/exports/omnifolio", headers=headers, params={"account": account})
        assert found.status_code == 404
    nothing = HTTP.get(f"{address}/v1/exports/omnifolio", headers=headers)
    assert (nothing.status_code, nothing.text.count("\r\n")) == (200, 1)


@pytest.mark.parametrize("operation", PRIVATE)
@pytest.mark.usefixtures("intact")
def test_callers_without_a_valid_token_are_turned_away(world: World, address: str, owner: Owned, operation: Operation) -> None:
    for token in (None, "x", "garbage", "a.b.c", _expired(world)):
        refused = call(address, operation, owner.ids, token)
        assert refused.status_code == 401, token
        assert refused.headers["www-authenticate"] == "Bearer"
        assert isinstance(refused.json()["message"], str)


@pytest.mark.parametrize("operation", PRIVATE)
@pytest.mark.usefixtures("intact")
def test_a_token_without_the_scope_is_refused(
    world: World, address: str, owner: Owned, client: Client, operation: Operation
) -> None:
    other = {"read": "link", "link": "read"}[operation.scope]
    refused = call(address, operation, owner.ids, _issued(world, client, "scoped", frozenset({other})))
    assert refused.status_code == 403
    assert operation.scope in refused.json()["message"]


@pytest.mark.parametrize("operation", PRIVATE)
def test_a_deleted_user_s_token_is_worthless(
    world: World, address: str, owner: Owned, client: Client, operation: Operation
) -> None:
    token = token_of(address, client, "gone")
    assert call(address, Operation("DELETE", "/v1/users/me", {}), {}, token).status_code == 204
    assert call(address, operation, owner.ids, token).status_code == 401


@pytest.mark.parametrize("operation", WITH_IDS)
def test_garbage_ids_are_not_found(address: str, owner: Owned, operation: Operation) -> None:
    names = [part["name"] for part in operation.spec["parameters"] if part["in"] == "path"]
    for name in names:
        for garbage in GARBAGE:
            refused = call(address, operation, owner.ids | {name: garbage}, owner.token)
            assert refused.status_code in (400, 404, 405), (name, garbage, refused.text)


def test_a_closed_team_s_tokens_stop_working(world: World, address: str) -> None:
    client = world.team("closing")
    token = token_of(address, client, "u1")
    world.write(teams.deactivate, OPERATOR, client.team.id)
    assert HTTP.get(f"{address}/v1/accounts", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert HTTP.get(f"{address}/v1/teams/info", params={"client_id": client.team.client_id}).status_code == 404


def test_revoked_tokens_stop_working_although_an_answer_is_kept(world: World, address: str, client: Client) -> None:
    person = client.user("u1")
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    assert [HTTP.get(f"{address}/v1/accounts", headers=headers).status_code for _ in range(2)] == [200, 200]
    world.write(users.revoke_tokens, person.principal)
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).status_code == 401


# Forged tokens -------------------------------------------------------------------------------------------------------


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _resigned(world: World, token: str, **changes: Any) -> str:
    """The token with other claims, correctly signed with the installation's key."""
    header, payload, _ = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    body = f"{header}.{_encoded(claims)}"
    signature = hmac.digest(world.edge.token, body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _unsigned(_: World, token: str) -> str:
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def _other_key(_: World, token: str) -> str:
    return jwt.encode(
        jwt.decode(token, options={"verify_signature": False}), "another key of enough length....", algorithm="HS256"
    )


def _other_algorithm(world: World, token: str) -> str:
    return jwt.encode(jwt.decode(token, options={"verify_signature": False}), world.edge.token * 2, algorithm="HS512")


FORGERIES: dict[str, Callable[[World, str], str]] = {
    "alg none": _unsigned,
    "another key": _other_key,
    "another algorithm": _other_algorithm,
    "a changed payload": lambda w, t: ".".join((t.split(".")[0], _encoded({"sub": "x"}), t.split(".")[2])),
    "no signature": lambda w, t: t.rsplit(".", 1)[0] + ".",
    "a cut signature": lambda w, t: t[:-4],
    "four parts": lambda w, t: t + ".x",
    "not ascii": lambda w, t: t + "\u00e9",
    "expired": lambda w, t: _resigned(w, t, iat=int(time.time()) - 2000, exp=int(time.time()) - 1000),
    "no exp": lambda w, t: _resigned(w, t, exp=None),
    "exp as text": lambda w, t: _resigned(w, t, exp="9999999999"),
    "too long a life": lambda w, t: _resigned(w, t, exp=int(time.time()) + 10**6),
    "issued in the future": lambda w, t: _resigned(w, t, iat=int(time.time()) + 600, exp=int(time.time()) + 1200),
    "another audience": lambda w, t: _resigned(w, t, aud=AUDIENCE + "x"),
    "another issuer": lambda w, t: _resigned(w, t, iss="elsewhere"),
    "another team": lambda w, t: _resigned(w, t, team="00000000000000000000"),
    "another user": lambda w, t: _resigned(w, t, sub="00000000-0000-4000-8000-000000000000"),
    "an older epoch": lambda w, t: _resigned(w, t, epoch=-1),
    "no subject": lambda w, t: _resigned(w, t, sub=None),
    "no scope": lambda w, t: _resigned(w, t, scope=None),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_token_is_refused(world: World, address: str, client: Client, forgery: str) -> None:
    token = token_of(address, client, "u1")
    forged = FORGERIES[forgery](world, token)
    headers = {"authorization": f"Bearer {forged}".encode()}
    assert HTTP.get(f"{address}/v1/accounts", headers=headers).status_code == 401  # type: ignore[arg-type]
    assert HTTP.get(f"{address}/v1/accounts", headers={"authorization": f"Bearer {token}"}).status_code == 200


def _issued(world: World, client: Client, login: str, scopes: frozenset[Any], *, now: int | None = None) -> str:
    person = client.user(login)

    def op(conn: Any) -> Any:
        return users.me(conn, Principal(team=client.team.id, user=person.principal.user, actor="test"))

    return world.context.tokens.issue(client.team, world.read(op), scopes, now=now or world.clock.now())  # type: ignore[arg-type]


def _expired(world: World) -> str:
    client = world.team("late")
    return _issued(world, client, "late", frozenset({"read", "link"}), now=world.clock.now() - 3_600_000)


def _sibling(world: World) -> str:
    victims = [team for team in world.read(teams.list_all, OPERATOR) if team.name == "victim"]
    client = Client(world, victims[-1], "")
    return _issued(world, client, "sibling", frozenset({"read", "link"}))
