"""The bridge against servers on the loopback that check every signature by code of their own."""

import json
import logging
import re
from typing import Any

import msgspec
import pytest
from tests.stage import ScriptedWire, StageTime, answer
from tests.venues.verifying import KEY, KRAKEN_SECRET, PEM, SECRETS, Venue

from omnifolio.catalog import exchanges
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import (
    AccountLocked,
    BadCredentials,
    EgressRefused,
    MissingPermission,
    PrivateKeyRefused,
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
from omnifolio.transport.recording import Recorder, dump, load
from omnifolio.transport.retries import ATTEMPTS_MAX
from omnifolio.venues.contract import Access
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.ccxt_bridge import Bridge, refuse_private_keys, rules_of

CALLS: list[tuple[str, str, dict[str, str | int], str]] = [
    ("kraken", "privatePostLedgers", {"ofs": 50, "type": "all"}, "POST /0/private/Ledgers"),
    ("kraken", "privatePostEarnAllocations", {"hide_zero_allocations": "true"}, "POST /0/private/Earn/Allocations"),
    ("binance", "privateGetMyTrades", {"symbol": "BTCUSDT", "fromId": 0}, "GET /api/v3/myTrades"),
    ("binance", "sapiPostAssetGetFundingAsset", {}, "POST /sapi/v1/asset/get-funding-asset"),
    ("binance", "sapiGetSimpleEarnFlexiblePosition", {"size": 100}, "GET /sapi/v1/simple-earn/flexible/position"),
    (
        "coinbase",
        "v2PrivateGetAccountsAccountIdTransactions",
        {"account_id": "a-1", "limit": 100},
        "GET /v2/accounts/a-1/transactions",
    ),
    ("coinbase", "v3PrivateGetBrokerageKeyPermissions", {}, "GET /api/v3/brokerage/key_permissions"),
]


@pytest.mark.parametrize("prefix", ["", "/under/a/path"])
@pytest.mark.parametrize(("name", "endpoint", "params", "request_line"), CALLS)
async def test_the_venue_accepts_the_signature(
    name: str, endpoint: str, params: dict[str, str | int], request_line: str, prefix: str
) -> None:
    venue = Venue(name)
    (evidence,) = await venue.asked((endpoint, params), prefix=prefix)
    assert evidence.request == request_line
    assert evidence.params == {key: str(value) for key, value in params.items()}
    assert json.loads(evidence.body)["result"] == {"ok": "1"}
    assert [path.replace(prefix, "", 1) for path in venue.paths] == [request_line]
    assert all(agent.startswith("omnifolio/") for agent in venue.agents)


async def test_a_kraken_key_never_repeats_a_nonce_in_any_slice() -> None:
    """Slices come and go, calls run side by side: the process remembers the key's last number."""
    venue = Venue("kraken")
    async with venue.running() as url:
        egress = Egress(clock=venue.clock, sleep=venue.clock.sleep)
        for _ in range(3):
            bridge = Bridge(venue.access(url, egress), exchanges.load("kraken"))
            await _side_by_side(bridge)
            await bridge.close()
        await egress.close()
    assert len(venue.nonces) == 12
    assert venue.nonces == sorted(set(venue.nonces))


async def _side_by_side(bridge: Bridge) -> None:
    import asyncio

    await asyncio.gather(*(bridge.call("privatePostBalanceEx") for _ in range(4)))


@pytest.mark.parametrize("ahead_ms", [-300_000, 300_000])
async def test_a_clock_that_differs_is_corrected_once_and_for_the_next_calls(ahead_ms: int) -> None:
    venue = Venue("binance", ahead_ms=ahead_ms)
    first, second = await venue.asked(("privateGetAccount", {}), ("privateGetAccount", {}))
    assert (first.status, second.status) == (200, 200)
    assert venue.paths == ["GET /api/v3/account", "GET /api/v3/time", "GET /api/v3/account", "GET /api/v3/account"]


async def test_a_clock_that_stays_refused_is_an_error() -> None:
    venue = Venue("binance", script=[(400, {"code": -1021, "msg": "Timestamp for this request was 1000ms ahead"})])
    (error,) = await venue.asked(("privateGetAccount", {}))
    assert type(error) is VenueClockSkew
    assert venue.paths.count("GET /api/v3/account") == 2


ERRORS: list[tuple[str, int, object, type[VenueError]]] = [
    ("kraken", 200, {"error": ["EAPI:Invalid key"]}, BadCredentials),
    ("kraken", 200, {"error": ["EAPI:Invalid signature"]}, BadCredentials),
    ("kraken", 200, {"error": ["EGeneral:Permission denied"]}, MissingPermission),
    ("kraken", 200, {"error": ["ETrade:User Locked"]}, AccountLocked),
    ("kraken", 200, {"error": ["EAPI:Rate limit exceeded"]}, VenueBusy),
    ("kraken", 200, {"error": ["EGeneral:Temporary lockout"]}, VenueBanned),
    ("kraken", 200, {"error": ["EService:Unavailable"]}, VenueUnavailable),
    ("kraken", 200, {"error": ["EGeneral:Invalid arguments"]}, VenueBadResponse),
    ("kraken", 520, b"<html>Web server is returning an unknown error</html>", VenueUnavailable),
    ("binance", 401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, BadCredentials),
    ("binance", 400, {"code": -2014, "msg": "API-key format invalid."}, BadCredentials),
    ("binance", 400, {"code": -1022, "msg": "Signature for this request is not valid."}, BadCredentials),
    ("binance", 429, {"code": -1003, "msg": "Too many requests"}, VenueBusy),
    ("binance", 418, {"code": -1003, "msg": "IP banned until 1700000000000"}, VenueBanned),
    ("binance", 400, {"code": -1121, "msg": "Invalid symbol."}, VenueBadResponse),
    ("binance", 503, {"code": -1001, "msg": "Internal error"}, VenueUnavailable),
    ("binance", 403, b"<html>WAF</html>", VenueUnavailable),
    ("binance", 404, b"<html>", VenueBadResponse),
    ("binance", 302, b"", VenueBadResponse),
    ("coinbase", 401, {"errors": [{"id": "invalid_token", "message": "The access token is invalid"}]}, BadCredentials),
    ("coinbase", 401, b"Unauthorized", BadCredentials),
    ("coinbase", 403, {"errors": [{"id": "invalid_scope", "message": "missing scope"}]}, MissingPermission),
    ("coinbase", 403, {"error": "PERMISSION_DENIED", "error_details": "x", "message": "x"}, MissingPermission),
    ("coinbase", 429, {"errors": [{"id": "rate_limit_exceeded", "message": "slow"}]}, VenueBusy),
    ("coinbase", 500, {"errors": [{"id": "internal_server_error", "message": "x"}]}, VenueUnavailable),
    ("binance", 200, b"<html>maintenance</html>", VenueBadResponse),
    ("binance", 200, b'{"balances": [', VenueBadResponse),
    ("binance", 200, b"", VenueBadResponse),
    ("kraken", 200, b'{"error": 7}', VenueBadResponse),
    ("kraken", 200, b"[" * 100_000, VenueBadResponse),
]
READ = {"kraken": "privatePostBalanceEx", "binance": "privateGetAccount", "coinbase": "v2PrivateGetAccounts"}


async def scripted(name: str, *script: Answer | None, calls: int = 1) -> tuple[list[Any], ScriptedWire, StageTime]:
    """What a call gives where the wire follows a script."""
    time = StageTime()
    wire = ScriptedWire(time, script)
    egress = Egress(clock=time, sleep=time.sleep, chance=lambda: 0.0, wire=wire)
    secrets = {field: Secret(text) for field, text in SECRETS[name].items()}
    bridge = Bridge(Access(venue=name, egress=egress, clock=time, key_label="k", secrets=secrets), exchanges.load(name))
    found: list[Any] = []
    for _ in range(calls):
        found += await time.play(bridge.call(READ[name]))
    await bridge.close()
    return found, wire, time


@pytest.mark.parametrize(("name", "status", "said", "error"), ERRORS)
async def test_each_refusal_says_who_must_act(name: str, status: int, said: object, error: type[VenueError]) -> None:
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    (found,), _, _ = await scripted(name, answer(status, body, retry_after="1"))
    assert type(found) is error


async def test_a_message_holds_the_venues_code_and_nothing_else_from_outside() -> None:
    said = {"code": -2015, "msg": f"Invalid API-key {KEY}, request ip: 203.0.113.7"}
    (found,), _, _ = await scripted("binance", answer(401, json.dumps(said).encode()))
    assert "(-2015)" in found.message
    assert found.extra["venue_code"] == "-2015"
    assert not [part for part in (KEY, "203.0.113.7", "signature", "api.binance.com") if part in repr(found) + str(found.extra)]


async def test_a_failing_read_is_signed_anew_and_tried_again() -> None:
    good = answer(body=b'{"error":[],"result":{}}')
    (found,), wire, _ = await scripted("kraken", answer(502), None, answer(body=b'{"error":["EService:Busy"]}'), good)
    assert found.status == 200
    bodies = [request.body for _, request in wire.sent]
    assert len(set(bodies)) == len(bodies) == ATTEMPTS_MAX


async def test_what_only_the_user_can_mend_is_asked_once() -> None:
    (found,), wire, _ = await scripted("kraken", answer(body=b'{"error":["EAPI:Invalid key"]}'))
    assert type(found) is BadCredentials
    assert len(wire.sent) == 1


@pytest.mark.parametrize(("name", "endpoint", "limit"), [("bitfinex", "privatePostAuthRLedgersHist", 2500), ("kraken", "", "")])
async def test_a_venue_that_wants_numbers_gets_numbers(name: str, endpoint: str, limit: object) -> None:
    """Bitfinex documents its parameters as JSON integers; a form knows text alone."""
    time = StageTime()
    wire = ScriptedWire(time, [answer(body=b'{"error":[],"result":{}}' if name == "kraken" else b"[]")])
    secrets = {"key": Secret(KEY), "secret": Secret(KRAKEN_SECRET)}
    access = Access(venue=name, egress=Egress(clock=time, wire=wire), clock=time, key_label="k", secrets=secrets)
    bridge = Bridge(access, exchanges.load(name))
    (found,) = await time.play(bridge.call(endpoint or READ[name], {"limit": "2500"}))
    await bridge.close()
    body = wire.sent[0][1].body or b""
    assert isinstance(found, Evidence)
    assert found.params == {"limit": "2500"}
    assert (json.loads(body)["limit"] == limit) if limit else (b"limit=2500" in body)


async def test_retry_after_is_waited_for_and_a_ban_ends_the_slice() -> None:
    found, wire, _ = await scripted("binance", answer(429, b'{"code":-1003}', retry_after="20"), answer(body=b"{}"))
    assert found[0].status == 200
    assert wire.sent[1][0] >= 20
    found, wire, _ = await scripted("binance", answer(418, b'{"code":-1003}', retry_after="7200"), calls=3)
    assert [type(item) for item in found] == [VenueBanned] * 3
    assert found[2].retry_after_s == pytest.approx(7200)
    assert len(wire.sent) == 1


async def test_the_budget_of_the_row_is_kept() -> None:
    """Kraken's counter: 15, one less every three seconds; a balance counts one."""
    found, wire, time = await scripted("kraken", answer(body=b'{"error":[],"result":{}}'), calls=17)
    assert len(found) == 17
    assert time.elapsed_s == pytest.approx(6.0)
    assert wire.sent[14][0] == 0


@pytest.mark.parametrize("endpoint", ["privatePostAddOrder", "privatePostWithdraw", "privatePostNothing", "sign", "secret"])
async def test_what_is_not_on_the_row_is_refused_and_counted(endpoint: str) -> None:
    time = StageTime()
    wire = ScriptedWire(time, [answer()])
    egress = Egress(clock=time, wire=wire)
    secrets = {field: Secret(text) for field, text in SECRETS["kraken"].items()}
    bridge = Bridge(Access(venue="kraken", egress=egress, clock=time, key_label="k", secrets=secrets), exchanges.load("kraken"))
    with pytest.raises(EgressRefused):
        await bridge.call(endpoint)
    for method in ("create_order", "withdraw", "sign", "fetch2", "fetch_nothing"):
        with pytest.raises(EgressRefused):
            await bridge.unified(method)
    assert (wire.sent, egress.refused["kraken"]) == ([], 6)
    await bridge.close()


async def test_unified_reads_pass_the_same_gate() -> None:
    time = StageTime()
    body = b'{"error":[],"result":{"XXBT":{"balance":"1.5","hold_trade":"0.5"}}}'
    wire = ScriptedWire(time, [answer(503), answer(body=body)])
    egress = Egress(clock=time, sleep=time.sleep, chance=lambda: 0.0, wire=wire)
    secrets = {field: Secret(text) for field, text in SECRETS["kraken"].items()}
    bridge = Bridge(Access(venue="kraken", egress=egress, clock=time, key_label="k", secrets=secrets), exchanges.load("kraken"))
    bridge.inject_markets([{"id": "XXBTZUSD", "symbol": "BTC/USD", "base": "BTC", "quote": "USD", "spot": True, "type": "spot"}])
    (balance,) = await time.play(bridge.unified("fetch_balance"))
    assert isinstance(balance, dict)
    assert balance["BTC"]["free"] == "1"
    assert [request.url.path for _, request in wire.sent] == ["/0/private/BalanceEx"] * 2
    (refused,) = await time.play(bridge.unified("fetch_deposit_address", "BTC"))
    assert isinstance(refused, EgressRefused)
    assert len(wire.sent) == 2
    await bridge.close()


async def test_secrets_come_late_leave_early_and_are_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in SECRETS:
        venue = Venue(name)
        async with venue.running() as url:
            egress = Egress(clock=venue.clock, sleep=venue.clock.sleep)
            bridge = Bridge(venue.access(url, egress), exchanges.load(name))
            assert bridge._object is None
            await bridge.call(READ[name])
            exchange: Any = bridge._object
            assert exchange.secret == SECRETS[name]["secret"]
            await bridge.close()
            await egress.close()
        left = repr(vars(exchange))
        assert not [text for text in SECRETS[name].values() if text in left or text in caplog.text]
        assert "signature" not in left.lower()


async def test_a_recorded_account_replays_without_secrets_or_network() -> None:
    venue = Venue("kraken", script=[(200, {"error": [], "result": {"n": str(n)}}) for n in range(3)])
    recorder = Recorder("kraken")
    async with venue.running() as url:
        egress = Egress(clock=venue.clock, sleep=venue.clock.sleep, recorder=recorder)
        bridge = Bridge(venue.access(url, egress), exchanges.load("kraken"))
        live = [await bridge.call("privatePostLedgers", {"ofs": number}) for number in range(3)]
        await bridge.close()
        await egress.close()
    document = dump(recorder.cassette(recorded_at=EpochMs(1)))
    assert not [text for text in (KEY, KRAKEN_SECRET, "nonce", "API-Sign", "127.0.0.1") if text.encode() in document]
    time = StageTime()
    for name in SECRETS:
        Bridge(
            Access(venue=name, egress=Egress.playing(load(document), clock=time), clock=time, key_label=""), exchanges.load(name)
        )
    replay = Egress.playing(load(document), clock=time)
    bridge = Bridge(Access(venue="kraken", egress=replay, clock=time, key_label=""), exchanges.load("kraken"))
    again = [await bridge.call("privatePostLedgers", {"ofs": number}) for number in range(3)]
    assert again == live
    with pytest.raises(VenueUnavailable):
        await bridge.call("privatePostLedgers", {"ofs": 3})
    await bridge.close()


@pytest.mark.parametrize("name", ["binance", "coinbase"])
async def test_every_exchange_can_be_replayed_without_its_secrets(name: str) -> None:
    path = {"binance": "/api/v3/account", "coinbase": "/v2/accounts"}[name]
    document = json.dumps({"venue": name, "requests": [{"path": path, "response": {"data": [], "balances": []}}]}).encode()
    time = StageTime()
    egress = Egress.playing(load(document), clock=time)
    bridge = Bridge(Access(venue=name, egress=egress, clock=time, key_label=""), exchanges.load(name))
    assert (await bridge.call(READ[name])).request == f"GET {path}"
    await bridge.close()


@pytest.mark.parametrize(
    ("ccxt_id", "values"),
    [
        ("hyperliquid", {"privateKey": "0x" + "1" * 64}),
        ("hyperliquid", {"private_key": "anything"}),
        ("kraken", {"secret": "0x" + "aB" * 32}),
        ("kraken", {"walletPrivateKey": "abc"}),
        ("kraken", {"seed": "abc"}),
        ("kraken", {"recovery phrase": "abc"}),
        ("binance", {"secret": "legal winner thank year wave sausage worth useful legal winner thank yellow"}),
        ("coinbase", {"privateKey": "0x" + "1" * 64}),
    ],
)
def test_chain_private_keys_are_refused_by_name_and_by_form(ccxt_id: str, values: dict[str, str]) -> None:
    with pytest.raises(PrivateKeyRefused) as refused:
        refuse_private_keys(ccxt_id, values)
    assert not [value for value in values.values() if value in refused.value.message]


@pytest.mark.parametrize(
    ("ccxt_id", "values"),
    [
        ("kraken", {"key": KEY, "secret": KRAKEN_SECRET}),
        ("binance", {"secret": "0" * 64}),
        ("okx", {"passphrase": "correct horse battery staple"}),
        ("coinbase", {"secret": PEM, "privateKey": PEM}),
        ("revolutx", {"privateKey": PEM}),
    ],
)
def test_api_keys_pass(ccxt_id: str, values: dict[str, str]) -> None:
    refuse_private_keys(ccxt_id, values)


def test_an_override_leaves_no_host_but_its_own() -> None:
    for name in exchanges.ids():
        row = exchanges.load(name)
        assert all(rule.url.startswith("https://") for rule in rules_of(row))
        assert all(rule.url.startswith("http://127.0.0.1:1/x/") for rule in rules_of(row, "http://127.0.0.1:1/x/"))
        assert {group for _, group, _ in row.allowed} <= set(row.groups)


def test_a_path_of_another_version_hangs_under_a_base_of_its_own() -> None:
    kraken = exchanges.load("kraken")
    row = msgspec.structs.replace(kraken, bases={"POST private Ledgers": "https://api.kraken.com/2/private"})
    urls = {rule.url for rule in rules_of(row)}
    assert "https://api.kraken.com/2/private/Ledgers" in urls
    assert "https://api.kraken.com/0/private/Balance" in urls
    assert "https://api.kraken.com/0/private/Ledgers" not in urls
    assert (row.hosts, "https://api.kraken.com/2/private" in row.roots) == (kraken.hosts, True)


@pytest.mark.parametrize("name", [name for name in exchanges.ids() if exchanges.load(name).bases])
def test_ccxt_signs_the_very_url_that_the_row_lets_pass(name: str) -> None:
    """A version that ccxt moves to another path must not make the row's own reads refused."""
    row = exchanges.load(name)
    exchange = lazy_ccxt.load(row.ccxt_id)({"apiKey": KEY, "secret": KEY, "password": KEY, "uid": KEY})
    for endpoint in row.allowed:
        method, group, path = endpoint
        asked = dict.fromkeys(re.findall(r"{(\w+)}", path), "1")
        signed = exchange.sign(path, group.split("/"), method, asked)["url"]
        assert signed.partition("?")[0] == row.url_of(endpoint).format(**asked)
    assert set(row.bases) <= {" ".join(endpoint) for endpoint in row.allowed}
