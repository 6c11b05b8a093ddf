"""Who may come into the console, and that nobody else's page can ask anything there."""

from typing import Any

import httpx
import pytest

from omnifolio.app import signing_in
from omnifolio.faces.console.admission import COOKIE, HEADER
from omnifolio.model.secrets import Secret
from omnifolio.tenancy.console import IDLE_MAX_MS, LINK_LIFE_MS, SESSION_LIFE_MS
from omnifolio.tenancy.principals import operator
from tests.faces.api.world import HTTP, World

OWN = {HEADER: "1", "sec-fetch-site": "same-origin"}
PASSWORD = "four unlike quiet words"
INSIDE = [
    ("GET", "token"),
    ("GET", "security"),
    ("POST", "security/password"),
    ("POST", "security/passkey/question"),
    ("POST", "security/passkey"),
    ("DELETE", "security/methods/1"),
    ("POST", "security/sign-out"),
    ("GET", "teams"),
    ("POST", "teams"),
    ("PATCH", "teams/abc"),
    ("DELETE", "teams/abc"),
    ("POST", "teams/abc/secrets"),
    ("DELETE", "teams/abc/secrets/1"),
    ("GET", "requests"),
    ("POST", "link"),
    ("GET", "teams/abc/webhooks"),
    ("POST", "teams/abc/webhooks"),
    ("PATCH", "teams/abc/webhooks/1"),
    ("DELETE", "teams/abc/webhooks/1"),
    ("POST", "teams/abc/webhooks/1/test"),
    ("POST", "teams/abc/webhooks/1/secret"),
    ("POST", "teams/abc/webhooks/1/replay"),
    ("GET", "teams/abc/webhooks/1/deliveries"),
    ("GET", "teams/abc/visits"),
]


def link(world: World) -> str:
    """The secret of a fresh link."""
    made: Secret = world.run(signing_in.sign_in_link(world.context))
    return made.reveal()


def ask(address: str, method: str, path: str, cookie: str = "", **more: object) -> httpx.Response:
    """A request as the console's page makes it."""
    headers = OWN | ({"cookie": f"{COOKIE}={cookie}"} if cookie else {}) | dict(more.pop("headers", {}))  # type: ignore[call-overload]
    return HTTP.request(method, f"{address}/console/api/{path}", headers=headers, **more)  # type: ignore[arg-type]


def signed_in(world: World, address: str) -> str:
    """The cookie of a browser that used a link."""
    answer = ask(address, "POST", "enter", json={"token": link(world)})
    assert answer.status_code == 204, answer.text
    return answer.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]


def test_a_link_signs_in_once(world: World, address: str) -> None:
    secret = link(world)
    first = ask(address, "POST", "enter", json={"token": secret})
    assert first.status_code == 204
    flags = {part.strip().lower() for part in first.headers["set-cookie"].split(";")[1:]}
    assert {"secure", "httponly", "samesite=strict", "path=/"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)
    again = ask(address, "POST", "enter", json={"token": secret})
    assert (again.status_code, again.json()["code"]) == (401, "not_signed_in")
    assert "set-cookie" not in again.headers


def test_a_link_grows_old_and_a_made_up_one_never_works(world: World, address: str) -> None:
    late = world.clock.now() - LINK_LIFE_MS - 1

    def op(conn: object) -> Secret:
        from omnifolio.tenancy import console

        return console.make_link(conn, operator("test"), key=world.edge.console, now=late)  # type: ignore[arg-type]

    old = world.write(op).reveal()
    for token in (old, "made-up", "", "é"):
        assert ask(address, "POST", "enter", json={"token": token}).status_code == 401


@pytest.mark.parametrize(("method", "path"), INSIDE)
def test_nothing_inside_answers_without_a_cookie(world: World, address: str, method: str, path: str) -> None:
    for cookie in ("", "made-up"):
        answer = ask(address, method, path, cookie, json={})
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    "headers",
    [
        {HEADER: "1", "sec-fetch-site": "cross-site"},
        {HEADER: "1", "sec-fetch-site": "same-site"},
        {HEADER: "1", "sec-fetch-site": "none"},
        {HEADER: "1", "origin": "https://evil.example"},
        {HEADER: "1", "origin": "null"},
        {"sec-fetch-site": "same-origin"},
    ],
)
def test_another_page_cannot_ask_with_the_owner_s_cookie(world: World, address: str, headers: dict[str, str]) -> None:
    cookie = {"cookie": f"{COOKIE}={signed_in(world, address)}"}
    for method, path in (*INSIDE, ("POST", "enter"), ("GET", "door"), ("POST", "sign-out")):
        answer = HTTP.request(method, f"{address}/console/api/{path}", headers=headers | cookie, json={})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_the_cookie_opens_nothing_but_the_console(world: World, address: str) -> None:
    cookie = {"cookie": f"{COOKIE}={signed_in(world, address)}"}
    assert HTTP.get(f"{address}/v1/accounts", headers=OWN | cookie).status_code == 401


def test_the_owner_s_token_reads_the_owner_s_accounts(world: World, address: str) -> None:
    found = ask(address, "GET", "token", signed_in(world, address)).json()
    assert found["expires_at"] > world.clock.now()
    answer = HTTP.get(f"{address}/v1/accounts", headers={"authorization": f"Bearer {found['token']}"})
    assert answer.status_code == 200


def test_signing_out_ends_this_browser_and_everywhere_ends_all(world: World, address: str) -> None:
    first, second = signed_in(world, address), signed_in(world, address)
    assert ask(address, "POST", "sign-out", first).status_code == 204
    assert ask(address, "GET", "security", first).status_code == 401
    assert ask(address, "GET", "security", second).status_code == 200
    assert ask(address, "POST", "security/sign-out", second).status_code == 204
    assert ask(address, "GET", "security", second).status_code == 401


def test_a_session_ends_by_itself(world: World, address: str) -> None:
    from omnifolio.tenancy import console

    key = world.edge.console
    cookie = Secret(signed_in(world, address))
    now = world.clock.now()
    for later in (IDLE_MAX_MS, SESSION_LIFE_MS):
        with pytest.raises(Exception, match="signed out"):
            world.read(lambda conn, at: console.session(conn, cookie, key=key, now=at), now + later)


def test_a_password_is_chosen_well_and_then_signs_in(world: World, address: str) -> None:
    cookie = signed_in(world, address)
    for bad in ("short", "aaaaaaaaaaaaaaaa", "mypassword12", "x" * 300):
        refused = ask(address, "POST", "security/password", cookie, json={"password": bad})
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_field")
        assert bad not in refused.text
    assert ask(address, "POST", "security/password", cookie, json={"password": PASSWORD}).status_code == 204
    assert ask(address, "GET", "door").json() == {"signed_in": False, "has_password": True, "has_passkey": False}
    world.context.limits.__init__()  # type: ignore[misc]
    wrong = ask(address, "POST", "password", json={"password": PASSWORD + "!"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "not_signed_in")
    right = ask(address, "POST", "password", json={"password": PASSWORD})
    assert right.status_code == 204
    tries = [ask(address, "POST", "password", json={"password": f"wrong guess number {n}"}) for n in range(5)]
    assert {answer.status_code for answer in tries} == {401, 429}
    assert int(tries[-1].headers["retry-after"]) > 0
    assert PASSWORD.encode() not in b"".join(method.data for method in world.run(signing_in.methods(world.context)))


def test_keys_are_made_rotated_and_revoked(world: World, address: str) -> None:
    cookie = signed_in(world, address)
    bad = ask(address, "POST", "teams", cookie, json={"name": "Shop", "origins": ["https://*.example"]})
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_field")
    made = ask(address, "POST", "teams", cookie, json={"name": "Shop", "origins": ["https://shop.example"]}).json()

    def works(secret: str) -> int:
        body = {"clientId": made["client_id"], "secret": secret}
        return HTTP.post(f"{address}/v1/auth/token", json=body, headers={"loginName": "u"}).status_code

    assert works(made["secret"]) == 200
    where = f"teams/{made['client_id']}"
    newer = ask(address, "POST", f"{where}/secrets", cookie, json={"overlap_days": 7}).json()["secret"]
    assert (works(made["secret"]), works(newer)) == (200, 200)

    def shown() -> Any:
        return next(team for team in ask(address, "GET", "teams", cookie).json() if team["client_id"] == made["client_id"])

    secrets = shown()["secrets"]
    assert [one["hint"] for one in secrets] == [made["secret"][-4:], newer[-4:]]
    assert ask(address, "DELETE", f"{where}/secrets/{secrets[0]['id']}", cookie).status_code == 204
    assert (works(made["secret"]), works(newer)) == (401, 200)
    change = {"name": "Better shop", "redirect_uris": ["https://shop.example/back"], "origins": []}
    assert ask(address, "PATCH", where, cookie, json=change).status_code == 204
    team = shown()
    assert (team["name"], team["origins"], team["redirect_uris"]) == ("Better shop", [], ["https://shop.example/back"])
    assert ask(address, "DELETE", where, cookie).status_code == 204
    assert works(newer) == 403


def test_the_request_log_tells_what_was_asked_and_nothing_that_it_carried(world: World, address: str) -> None:
    cookie = signed_in(world, address)
    token = ask(address, "GET", "token", cookie).json()["token"]
    HTTP.get(f"{address}/v1/accounts/0123456789abcdef01234567?fiat=EUR", headers={"authorization": f"Bearer {token}"})
    answer = ask(address, "GET", "requests", cookie)
    newest = answer.json()["requests"][0]
    assert (newest["method"], newest["status"]) == ("GET", 404)
    assert newest["route"].startswith("/v1/accounts/{account_id")
    assert newest["team"] is not None
    assert "0123456789abcdef01234567" not in answer.text
    assert token not in answer.text
