"""What holds for every request and answer: headers, limits, CORS, HEAD, both slash forms, and no 500 for bad input."""

import json
from typing import Any

import httpx
import pytest
from msgspec import structs

from tests.faces.api import seed
from tests.faces.api.world import HTTP, Client, World, served, token_of

ORIGIN = "https://app.example"
PUBLIC_PATHS = ("/v1/providers", "/v1/providers/kraken", "/v1/openapi.json", "/health")


def bearer(address: str, client: Client, login: str = "u1") -> dict[str, str]:
    """The header of a user."""
    return {"authorization": "Bearer " + token_of(address, client, login)}


@pytest.mark.parametrize("path", [*PUBLIC_PATHS, "/nowhere", "/v1/accounts"])
def test_every_answer_has_an_id_and_the_security_headers(address: str, path: str) -> None:
    answer = HTTP.get(address + path, headers={"x-request-id": "my-own-id-1"})
    assert answer.headers["x-request-id"] == "my-own-id-1"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    given = HTTP.get(address + path, headers={"x-request-id": "no <good> id"}).headers["x-request-id"]
    assert len(given) == 24


def test_a_problem_is_readable_by_rfc_9457_and_by_vezgo_s_clients(address: str) -> None:
    answer = HTTP.get(address + "/v1/accounts")
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"]) == (401, 401, "unauthenticated")
    assert body["message"] == body["error"] == body["detail"]
    assert body["type"] == body["docs_url"]
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["action"]


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_both_slash_forms_and_head_answer_directly(address: str, path: str) -> None:
    with_slash, plain = HTTP.get(address + path + "/"), HTTP.get(address + path)
    assert (with_slash.status_code, plain.status_code) == (200, 200)
    head = HTTP.head(address + path)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", str(len(plain.content)))


def test_both_slash_forms_of_private_resources_answer_directly(world: World, address: str, client: Client) -> None:
    link = seed.portfolio(world, client.user("u1"))
    headers = bearer(address, client) | {"content-type": "application/json"}
    for path in ("accounts", f"accounts/{link.id}", f"accounts/{link.id}/transactions", "portfolio"):
        plain = HTTP.get(f"{address}/v1/{path}", headers=headers)
        assert plain.status_code == 200
        assert HTTP.get(f"{address}/v1/{path}/", headers=headers).status_code == 200
    assert HTTP.head(f"{address}/v1/accounts", headers=headers).headers["etag"]
    assert HTTP.post(f"{address}/v1/accounts/{link.id}/sync", headers=headers, content=b"").status_code == 202
    gone = HTTP.delete(f"{address}/v1/accounts/{link.id}", headers=headers)
    assert (gone.status_code, gone.content) == (204, b"")


def test_pages_of_registered_origins_may_ask_and_others_may_not(address: str, client: Client) -> None:
    ask = {"access-control-request-method": "GET", "access-control-request-headers": "authorization,content-type"}
    allowed = HTTP.options(f"{address}/v1/accounts", headers=ask | {"origin": ORIGIN})
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, ORIGIN)
    assert {"authorization", "content-type"} <= set(allowed.headers["access-control-allow-headers"].split(", "))
    refused = HTTP.get(f"{address}/v1/accounts", headers={"origin": ORIGIN})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, ORIGIN)
    for origin in ("https://app.example.evil", "https://evilapp.example", "http://app.example", "null", "https://app.example:81"):
        answer = HTTP.options(f"{address}/v1/accounts", headers=ask | {"origin": origin})
        assert "access-control-allow-origin" not in answer.headers, origin
        assert answer.headers["vary"] == "Origin"
    assert (
        HTTP.get(f"{address}/v1/providers", headers={"origin": "https://any.example"}).headers["access-control-allow-origin"]
        == "*"
    )


BAD_BODIES: dict[str, Any] = {
    "no body": b"",
    "no json": b"{",
    "a list": b"[]",
    "a number": b"1",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    "wrong types": b'{"provider": 1, "credentials": []}',
    "extra fields": b'{"provider":"kraken","credentials":{},"team_id":1,"is_admin":true}',
    "a null character": b'{"provider":"a\\u0000b","credentials":{}}',
    "a long name": json.dumps(
        {"provider": "kraken", "credentials": {"key": "K" * 56, "secret": "s" * 88}, "name": "n" * 300}
    ).encode(),
    "a lone surrogate": b'{"provider":"\\ud800","credentials":{}}',
    "no utf-8": b'{"provider":"\xff","credentials":{}}',
    "a huge number": b'{"provider":1e400,"credentials":{}}',
    "too many fields": json.dumps({"provider": "kraken", "credentials": {str(n): "x" for n in range(50)}}).encode(),
    "an unclosed text": b'{"' + b'\\"' * 200_000,
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_a_bad_body_is_the_caller_s_mistake(address: str, client: Client, name: str) -> None:
    headers = bearer(address, client) | {"content-type": "application/json"}
    answer = HTTP.post(f"{address}/v1/accounts", headers=headers, content=BAD_BODIES[name])
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]


def test_bodies_have_limits_of_size_and_form(address: str, client: Client) -> None:
    headers = bearer(address, client)
    big = b'{"provider":"' + b"x" * 2**20 + b'"}'
    json_type = headers | {"content-type": "application/json"}
    assert HTTP.post(f"{address}/v1/accounts", headers=json_type, content=big).status_code == 413
    assert HTTP.post(f"{address}/v1/accounts", headers=json_type, content=iter([big])).status_code == 413
    compressed = json_type | {"content-encoding": "gzip"}
    assert HTTP.post(f"{address}/v1/accounts", headers=compressed, content=b"x").status_code == 415
    assert HTTP.post(f"{address}/v1/accounts", headers=headers, data={"provider": "kraken"}).status_code in (400, 415)
    assert HTTP.get(f"{address}/v1/providers?x={'y' * 9000}").status_code == 413
    wrong = HTTP.patch(f"{address}/v1/accounts", headers=headers)
    assert wrong.status_code == 405
    assert {"GET", "POST"} <= set(wrong.headers["allow"].replace(" ", "").split(","))


@pytest.mark.parametrize(
    "query",
    [
        "from=undefined&to=null&last=&limit=undefined&sort=null&ticker=undefined&types=null&wallet=undefined&fiat=null",
        "unknown=1&v=2",
        "exclude_fields=,,&types=,",
    ],
)
def test_what_javascript_sends_for_nothing_counts_as_nothing(world: World, address: str, client: Client, query: str) -> None:
    link = seed.portfolio(world, client.user("u1"))
    found = HTTP.get(f"{address}/v1/accounts/{link.id}/transactions?{query}", headers=bearer(address, client))
    assert found.status_code == 200, found.text
    assert len(found.json()) == 15


@pytest.mark.parametrize(
    "query",
    [
        "limit=abc", "limit=1.5", "limit=99999999999999999999", "limit=1001", "from=2024-13-01", "from=1", "to=2024-02-30T00:00Z",
        "from=2024-02-02&to=2024-02-01", "sort=up", "types=theft", "fiat=DOLLAR", "fiat=ZZZ", "ticker=%00", "last=%00",
        "wallet=" + "w" * 300, "exclude_fields=" + ",".join(f"f{n}" for n in range(60)),
    ],
)  # fmt: skip
def test_a_bad_query_is_named(world: World, address: str, client: Client, query: str) -> None:
    link = client.user("u1").account()
    answer = HTTP.get(f"{address}/v1/accounts/{link.id}/transactions?{query}", headers=bearer(address, client))
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"].split(":")[0] in {
        "limit", "from", "from_", "to", "sort", "types", "fiat", "wallet", "exclude_fields", "the address holds a null character",
    }  # fmt: skip


def test_a_team_that_asks_too_often_has_to_wait_and_others_do_not(world: World) -> None:
    limited = structs.replace(world.settings, rate_limit_per_minute=40)
    context = structs.replace(world.context, settings=limited)
    client, other = world.team("busy"), world.team("calm")
    with served(world, context) as address:
        mine, theirs = bearer(address, client), bearer(address, other)
        answers: list[httpx.Response] = []
        while not answers or answers[-1].status_code == 200:
            answers.append(HTTP.get(f"{address}/v1/accounts", headers=mine))
        assert len(answers) > 40
        assert answers[-1].status_code == 429
        assert answers[-1].json()["code"] == "rate_limited"
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert answers[0].headers["ratelimit-policy"] == '"default";q=40;w=60'
        assert answers[0].headers["ratelimit"].startswith('"default";r=39;t=')
        assert HTTP.get(f"{address}/v1/accounts", headers=theirs).status_code == 200
