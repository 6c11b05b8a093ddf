"""Exchanges that ccxt does not have: their signatures are accepted, their refusals understood, and nothing else leaves."""

import json
from typing import Any

import pytest
from tests.stage import ScriptedWire, StageTime, answer
from tests.venues.verifying_own import KEY, MEMO, SECRET, SECRETS, OwnVenue

from omnifolio.catalog import exchanges
from omnifolio.model.errors import (
    BadCredentials,
    EgressRefused,
    MissingPermission,
    VenueBadResponse,
    VenueBanned,
    VenueBusy,
    VenueError,
    VenueUnavailable,
)
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Answer, Egress
from omnifolio.transport.recording import load
from omnifolio.transport.retries import ATTEMPTS_MAX
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges.ccxt_bridge import Bridge

OWN = [name for name in exchanges.ids() if exchanges.load(name).signing]

CALLS: list[tuple[str, str, dict[str, str | int], str]] = [
    ("bitpanda", "GET private wallets", {}, "GET /v1/wallets"),
    ("bitpanda", "GET private trades", {"page_size": 100, "cursor": "a b"}, "GET /v1/trades?page_size=100&cursor=a+b"),
]
READ = {name: line for name, line, params, _ in reversed(CALLS) if not params}


@pytest.mark.parametrize("prefix", ["", "/under/a/path"])
@pytest.mark.parametrize(("name", "endpoint", "params", "request_line"), CALLS)
async def test_the_venue_accepts_the_signature(
    name: str, endpoint: str, params: dict[str, str | int], request_line: str, prefix: str
) -> None:
    venue = OwnVenue(name, prefix=prefix)
    (evidence,) = await venue.asked((endpoint, params))
    assert evidence.status == 200
    assert evidence.request == request_line.partition("?")[0]
    assert evidence.params == {key: str(value) for key, value in params.items()}
    assert venue.lines == [request_line]


@pytest.mark.parametrize("name", OWN)
async def test_the_venue_refuses_another_key(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check of the signature is able to fail."""
    assert {name for name, *_ in CALLS} == set(OWN)
    monkeypatch.setitem(SECRETS, name, {field: text + "x" for field, text in SECRETS[name].items()})
    (error,) = await OwnVenue(name).asked((READ[name], {}))
    assert type(error) is BadCredentials


ERRORS: list[tuple[str, int, object, type[VenueError]]] = [
    ("bitpanda", 401, {"errors": [{"code": "unauthorized"}]}, BadCredentials),
    ("bitpanda", 403, {"errors": [{"code": "forbidden"}]}, MissingPermission),
    ("bitpanda", 403, b"error code: 1010", VenueUnavailable),
    ("bitpanda", 404, {"errors": [{"code": "not_found"}]}, VenueBadResponse),
    ("bitpanda", 418, {}, VenueBanned),
    ("bitpanda", 429, {"errors": [{"code": "too_many_requests"}]}, VenueBusy),
    ("bitpanda", 500, {"errors": []}, VenueUnavailable),
    ("bitpanda", 302, b"", VenueBadResponse),
    ("bitpanda", 200, b"<html>", VenueBadResponse),
]


async def scripted(name: str, *script: Answer | None) -> tuple[Any, ScriptedWire]:
    """What a call gives where the wire follows a script."""
    time = StageTime()
    wire = ScriptedWire(time, script)
    egress = Egress(clock=time, sleep=time.sleep, chance=lambda: 0.0, wire=wire)
    secrets = {field: Secret(text) for field, text in SECRETS[name].items()}
    bridge = Bridge(Access(venue=name, egress=egress, clock=time, key_label="k", secrets=secrets), exchanges.load(name))
    (found,) = await time.play(bridge.call(READ[name]))
    await bridge.close()
    return found, wire


@pytest.mark.parametrize(("name", "status", "said", "error"), ERRORS)
async def test_each_refusal_says_who_must_act(name: str, status: int, said: object, error: type[VenueError]) -> None:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    found, _ = await scripted(name, answer(status, body, retry_after="1"))
    assert type(found) is error
    assert not [text for text in (KEY, SECRET, MEMO) if text in repr(found) + str(found.extra)]


@pytest.mark.parametrize("name", OWN)
async def test_a_failing_read_is_signed_anew_and_tried_again(name: str) -> None:
    good = answer(body=json.dumps({**exchanges.load(name).good, "data": []}).encode())
    found, wire = await scripted(name, answer(502), None, answer(503), good)
    assert found.status == 200
    assert len(wire.sent) == ATTEMPTS_MAX


@pytest.mark.parametrize("name", OWN)
async def test_what_is_not_listed_is_refused_and_counted(name: str) -> None:
    time = StageTime()
    wire = ScriptedWire(time, [answer()])
    egress = Egress(clock=time, wire=wire)
    secrets = {field: Secret(text) for field, text in SECRETS[name].items()}
    bridge = Bridge(Access(venue=name, egress=egress, clock=time, key_label="k", secrets=secrets), exchanges.load(name))
    for endpoint in ("POST private order", "GET private", "privateGetWallets", "sign", "secret", "request"):
        with pytest.raises(EgressRefused):
            await bridge.call(endpoint)
    for method in ("create_order", "withdraw", "fetch", "fetch2", "fetch_balance"):
        with pytest.raises(EgressRefused):
            await bridge.unified(method)
    assert (wire.sent, egress.refused[name]) == ([], 11)
    await bridge.close()


@pytest.mark.parametrize("name", OWN)
async def test_secrets_leave_with_the_bridge(name: str) -> None:
    time = StageTime()
    egress = Egress(clock=time, sleep=time.sleep, wire=ScriptedWire(time, [answer()]))
    secrets = {field: Secret(text) for field, text in SECRETS[name].items()}
    bridge = Bridge(Access(venue=name, egress=egress, clock=time, key_label="k", secrets=secrets), exchanges.load(name))
    assert bridge._object is None
    await time.play(bridge.call(READ[name]))
    exchange: Any = bridge._object
    assert exchange.apiKey == KEY
    await bridge.close()
    assert not [text for text in SECRETS[name].values() if text in repr(vars(exchange))]


@pytest.mark.parametrize("name", OWN)
async def test_every_exchange_can_be_replayed_without_its_secrets(name: str) -> None:
    method, group, rest = READ[name].split(" ", 2)
    path = exchanges.load(name).groups[group].partition("://")[2].partition("/")[2]
    path = f"/{path}/{rest}" if path else f"/{rest}"
    document = {"venue": name, "requests": [{"method": method, "path": path, "response": dict(exchanges.load(name).good)}]}
    time = StageTime()
    egress = Egress.playing(load(json.dumps(document).encode()), clock=time)
    bridge = Bridge(Access(venue=name, egress=egress, clock=time, key_label=""), exchanges.load(name))
    assert (await bridge.call(READ[name])).request == f"{method} {path}"
    await bridge.close()
