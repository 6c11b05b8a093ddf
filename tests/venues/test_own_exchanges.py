"""Exchanges that ccxt does not have: their signatures are accepted, their refusals understood, and nothing else leaves."""

import json
from typing import Any

import pytest
from tests.stage import ScriptedWire, StageTime, answer
from tests.venues.verifying_own import KEY, MEMO, SECRET, SECRETS, OwnVenue

from omnifolio.catalog import exchanges
from omnifolio.model.errors import (
    AccountLocked,
    BadCredentials,
    EgressRefused,
    MissingPermission,
    VenueBadResponse,
    VenueBanned,
    VenueBusy,
    VenueClockSkew,
    VenueError,
    VenueUnavailable,
)
from omnifolio.model.facts import Evidence
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Answer, Egress
from omnifolio.transport.recording import load
from omnifolio.transport.retries import ATTEMPTS_MAX
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges.ccxt_bridge import Bridge

OWN = [name for name in exchanges.ids() if exchanges.load(name).signing]

CALLS: list[tuple[str, str, dict[str, str | int], str]] = [
    ("bit2me", "GET private v1/wallet/pocket", {}, "GET /v1/wallet/pocket"),
    ("bit2me", "GET private v2/wallet/transaction", {"offset": 40, "limit": 20}, "GET /v2/wallet/transaction?offset=40&limit=20"),
    ("iconomi", "GET private v1/user/balance", {}, "GET /v1/user/balance"),
    ("iconomi", "GET private v1/user/activity", {"pageNumber": 0}, "GET /v1/user/activity?pageNumber=0"),
    ("bitmart", "GET private spot/v1/wallet", {}, "GET /spot/v1/wallet"),
    ("bitmart", "POST private spot/v4/query/trades", {"startTime": 1, "limit": 200}, "POST /spot/v4/query/trades"),
    ("bitmart", "GET futures contract/private/assets-detail", {}, "GET /contract/private/assets-detail"),
    ("bitmex", "GET private wallet/assets", {}, "GET /api/v1/wallet/assets"),
    (
        "bitmex",
        "GET private user/walletHistory",
        {"currency": "all", "filter": '{"a": 1}'},
        "GET /api/v1/user/walletHistory?currency=all&filter=%7B%22a%22%3A+1%7D",
    ),
    ("bitcoinde", "GET private account", {}, "GET /v4/account"),
    (
        "bitcoinde",
        "GET private {currency}/account/ledger",
        {"currency": "btc", "datetime_start": "2026-01-01T00:00:00Z"},
        "GET /v4/btc/account/ledger?datetime_start=2026-01-01T00%3A00%3A00Z",
    ),
    ("coinbaseprime", "GET private portfolios", {}, "GET /v1/portfolios"),
    (
        "coinbaseprime",
        "GET private portfolios/{portfolio_id}/fills",
        {"portfolio_id": "p-1", "limit": 100},
        "GET /v1/portfolios/p-1/fills?limit=100",
    ),
    ("bitpanda", "GET private wallets", {}, "GET /v1/wallets"),
    ("bitpanda", "GET private trades", {"page_size": 100, "cursor": "a b"}, "GET /v1/trades?page_size=100&cursor=a+b"),
    ("coinex", "GET private assets/spot/balance", {}, "GET /v2/assets/spot/balance"),
    ("coinex", "GET private assets/withdraw", {"page": 2, "limit": 10}, "GET /v2/assets/withdraw?page=2&limit=10"),
]
READ = {name: line for name, line, params, _ in reversed(CALLS) if not params}
"""The first call of each that asks for nothing in particular."""


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


ERRORS: list[tuple[str, int, object, type[VenueError] | None]] = [
    ("bit2me", 401, {"statusCode": 401, "message": "Unauthorized"}, BadCredentials),
    ("bit2me", 403, {"statusCode": 403, "message": "Forbidden"}, MissingPermission),
    ("bit2me", 429, {"statusCode": 429}, VenueBusy),
    ("bit2me", 500, {"statusCode": 500}, VenueUnavailable),
    ("iconomi", 401, b"Unauthorized", BadCredentials),
    ("iconomi", 429, b"", VenueBusy),
    ("iconomi", 503, b"", VenueUnavailable),
    ("iconomi", 400, {"error": "bad"}, VenueBadResponse),
    ("bitmex", 401, {"error": {"message": "Signature not valid.", "name": "HTTPError"}}, BadCredentials),
    ("bitmex", 401, {"error": {"message": "This request has expired", "name": "HTTPError"}}, VenueClockSkew),
    ("bitmex", 403, {"error": {"message": "Access Denied", "name": "HTTPError"}}, MissingPermission),
    ("bitmex", 400, {"error": {"message": "This key is disabled.", "name": "HTTPError"}}, BadCredentials),
    ("bitmex", 400, {"error": {"message": "count is too large", "name": "HTTPError"}}, VenueBadResponse),
    ("bitmex", 429, {"error": {"message": "Rate limit exceeded", "name": "RateLimitError"}}, VenueBusy),
    ("bitmex", 503, {"error": {"message": "The system is currently overloaded.", "name": "HTTPError"}}, VenueUnavailable),
    ("bitpanda", 401, {"errors": [{"code": "unauthorized"}]}, BadCredentials),
    ("bitpanda", 403, {"errors": [{"code": "forbidden"}]}, MissingPermission),
    ("bitpanda", 403, b"error code: 1010", VenueUnavailable),
    ("bitpanda", 404, {"errors": [{"code": "not_found"}]}, VenueBadResponse),
    ("bitpanda", 418, {}, VenueBanned),
    ("bitpanda", 429, {"errors": [{"code": "too_many_requests"}]}, VenueBusy),
    ("bitpanda", 500, {"errors": []}, VenueUnavailable),
    ("bitpanda", 302, b"", VenueBadResponse),
    ("bitpanda", 200, b"<html>", VenueBadResponse),
    ("bitcoinde", 403, {"errors": [{"message": "Invalid API key", "code": 1}], "credits": 0}, BadCredentials),
    ("bitcoinde", 429, {"errors": [{"message": "Insufficient credits", "code": 2}], "credits": 0}, VenueBusy),
    ("bitcoinde", 503, b"<html>", VenueUnavailable),
    ("coinbaseprime", 401, {"message": "invalid api key"}, BadCredentials),
    ("coinbaseprime", 403, {"message": "forbidden"}, MissingPermission),
    ("coinbaseprime", 429, {"message": "too many requests"}, VenueBusy),
    ("bitmart", 401, {"code": 30005, "message": "Header X-BM-SIGN is wrong", "data": {}}, BadCredentials),
    ("bitmart", 401, {"code": 30019, "message": "Permission denied", "data": {}}, MissingPermission),
    ("bitmart", 400, {"code": 30007, "message": "Header X-BM-TIMESTAMP range", "data": {}}, VenueClockSkew),
    ("bitmart", 200, {"code": 30013, "message": "Request too many requests", "data": {}}, VenueBusy),
    ("bitmart", 503, {"code": 30014, "message": "Service unavailable", "data": {}}, VenueUnavailable),
    ("bitmart", 200, {"code": 50001, "message": "Symbol not exist", "data": {}}, VenueBadResponse),
    ("coinex", 200, {"code": 4005, "data": {}, "message": "access_id not exists"}, BadCredentials),
    ("coinex", 200, {"code": 4006, "data": {}, "message": "signature error"}, BadCredentials),
    ("coinex", 200, {"code": 4007, "data": {}, "message": "ip prohibited"}, MissingPermission),
    ("coinex", 200, {"code": 4010, "data": {}, "message": "expired"}, VenueClockSkew),
    ("coinex", 200, {"code": 4011, "data": {}, "message": "prohibited"}, AccountLocked),
    ("coinex", 200, {"code": 3008, "data": {}, "message": "service too busy"}, VenueBusy),
    ("coinex", 200, {"code": 4213, "data": {}, "message": "too frequent"}, VenueBusy),
    ("coinex", 200, {"code": 4001, "data": {}, "message": "4005 of 4006"}, VenueUnavailable),
    ("coinex", 200, {"code": 4004, "data": {}, "message": "parameter error"}, VenueBadResponse),
    ("coinex", 200, {"data": [], "message": "4005"}, None),
    ("coinex", 502, b"<html>", VenueUnavailable),
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
async def test_each_refusal_says_who_must_act(name: str, status: int, said: object, error: type[VenueError] | None) -> None:
    """None: it is a good answer, whatever words are in it."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    found, _ = await scripted(name, answer(status, body, retry_after="1"))
    assert type(found) is (error or Evidence)
    assert not [text for text in (KEY, SECRET, MEMO) if text in repr(found) + str(getattr(found, "extra", ""))]


@pytest.mark.parametrize("name", OWN)
async def test_a_failing_read_is_signed_anew_and_tried_again(name: str) -> None:
    good = answer(body=json.dumps({**exchanges.load(name).good, "data": []}).encode())
    found, wire = await scripted(name, answer(502), None, answer(503), good)
    assert found.status == 200
    assert len(wire.sent) == ATTEMPTS_MAX


async def test_a_clock_that_differs_is_corrected_by_the_date_of_the_refusal() -> None:
    """BitMEX has no call that tells the time."""
    theirs = "Tue, 14 Nov 2023 23:13:20 GMT"  # an hour ahead of the stage's clock
    late = answer(401, b'{"error":{"message":"This request has expired"}}', date=theirs)
    found, wire = await scripted("bitmex", late, answer(body=b"[]"))
    assert found.status == 200
    first, second = (int(request.headers["api-expires"]) for _, request in wire.sent)
    assert second - first == 3600


@pytest.mark.parametrize("ahead_ms", [-300_000, 300_000])
async def test_a_clock_that_differs_is_corrected_by_the_venues_time(ahead_ms: int) -> None:
    venue = OwnVenue("coinex", ahead_ms=ahead_ms)
    first, second = await venue.asked((READ["coinex"], {}), (READ["coinex"], {}))
    assert (first.status, second.status) == (200, 200)
    line = "GET /v2/assets/spot/balance"
    assert venue.lines == [line, "GET /v2/time", line, line]


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
