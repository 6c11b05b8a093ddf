"""The proof that nothing but reads leaves: every endpoint and write method of the pinned ccxt, every way in, sync and async."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from tests.readonly import sweep
from tests.readonly.sweep import KINDS, Bench, Wired
from tests.readonly.synthetic import READS, SYMBOLS, arguments, dress, endpoints, offline
from tests.style.tree import ROOT

from omnifolio.catalog import exchanges, reads
from omnifolio.model.errors import EgressRefused
from omnifolio.venues.exchanges import gate as gates
from omnifolio.venues.exchanges import lazy_ccxt
from omnifolio.venues.exchanges.gate import ClosedSession, Gate, Signed, Ticket, body_action, gated

# A few asynchronous methods of ccxt forget an await where a call inside fails.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

IDS = lazy_ccxt.exchange_ids()
PARTS = [IDS[start::4] for start in range(4)]
"""The exchanges in four parts, so that several workers share the sweep."""
FEW = ("binance", "deribit", "hyperliquid", "kraken")
STRUCK = {
    "aster GET fapiPrivate v3/builder",
    "bullish GET private v1/users/hmac/login",
    "coinbaseinternational POST public auth",
    "hyperliquid POST private exchange",
}
"""What reads of ccxt do call and shall not: see the policy file."""


def test_the_policy_is_of_the_installed_ccxt() -> None:
    """A new ccxt wants its reads traced and reviewed again."""
    exchange = lazy_ccxt.load("kraken")
    assert reads.traced().ccxt == __import__("ccxt.async_support.base.exchange", fromlist=["__version__"]).__version__
    assert exchange.__name__ == "kraken"
    rows = {name for name in exchanges.ids() if exchanges.load(name).ccxt_id}
    assert set(reads.traced().reads) | rows == set(IDS)
    assert reads.allowed("nobody") == frozenset()


def test_every_allowed_endpoint_exists() -> None:
    """A row or policy line that ccxt does not have would allow nothing and mislead its reader."""
    for exchange_id in IDS:
        exchange = lazy_ccxt.load(exchange_id)({})
        known = {gates.endpoint_of(*item) for item in endpoints(exchange)}
        assert reads.allowed(exchange_id) <= known, exchange_id


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(4))
async def test_every_endpoint_off_the_list_is_refused_before_signing(part: int, kind: lazy_ccxt.Namespace) -> None:
    count = Counter[str]()
    assert await sweep.every_endpoint(PARTS[part], kind, count) == []
    print(kind, part, dict(count))
    assert count["refused"] > 2_000
    assert count["allowed, reached the wire"] > 200


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(4))
async def test_no_door_opens_for_an_endpoint_off_the_list(part: int, kind: lazy_ccxt.Namespace) -> None:
    count = Counter[str]()
    assert await sweep.every_door(PARTS[part], kind, count) == []
    print(kind, part, dict(count))
    assert count["attempts"] > 20_000


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(4))
async def test_no_write_method_signs_anything_off_the_list(part: int, kind: lazy_ccxt.Namespace) -> None:
    count = Counter[str]()
    assert await sweep.every_write_method(PARTS[part], kind, count) == []
    print(kind, part, dict(count))
    assert count["calls with a refusal"] > 1_000


def of_ccxts_own_reads() -> list[str]:
    """The exchanges whose reads are ccxt's own, and hyperliquid, as ccxt's reads call what its row leaves out."""
    rows = {name for name in exchanges.ids() if exchanges.load(name).quirks != "unified"}
    return [exchange_id for exchange_id in IDS if exchange_id not in rows or exchange_id == "hyperliquid"]


TRACE_S = 600
TRACE = """
import asyncio, json, sys
from tests.readonly import sweep
print(json.dumps(asyncio.run(sweep.every_read_method(json.load(sys.stdin)))))
"""


def test_reads_call_all_that_was_reviewed_and_nothing_else() -> None:
    """A trace that has become hollow, at one exchange or in one method, leaves reviewed calls unmade.

    It is taken in a process of its own: ccxt's classes keep what earlier tests of this one did to them.
    """
    ids = of_ccxts_own_reads()
    ran = subprocess.run(
        [sys.executable, "-c", TRACE],
        input=json.dumps(ids),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=TRACE_S,
        check=True,
    )
    unknown, unreached = json.loads(ran.stdout.splitlines()[-1])
    assert set(unknown) <= STRUCK
    assert "hyperliquid POST private exchange" in unknown
    assert unreached == []
    assert [exchange_id for exchange_id in ids if not reads.allowed(exchange_id)] == []


@pytest.mark.parametrize("lost", ["fetch_balance", "fetch_my_trades", "fetch_cross_borrow_rate"])
async def test_a_trace_that_has_become_hollow_is_found(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "READS", tuple(name for name in READS if name != lost))
    _, unreached = await sweep.every_read_method(["krakenfutures", "digifinex"])
    assert unreached


# The named cases.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["buy", "sell", "withdraw", "submit_transfer_to_user", "create_api_key"])
async def test_deribit_cannot_trade_or_withdraw_by_get(path: str, kind: lazy_ccxt.Namespace) -> None:
    bench = Bench("deribit", kind)
    assert ("GET", ["private"], path) in list(endpoints(bench.exchange))
    assert await bench.attempt(bench.exchange.request, path, ["private"], "GET", {}) == "refused"
    assert await bench.attempt(getattr(bench.exchange, f"private_get_{path}"), {}) == "refused"
    assert (bench.signed, bench.sent) == ([], [])


@pytest.mark.parametrize("kind", KINDS)
async def test_hyperliquid_approves_no_builder_fee_while_it_loads_currencies(kind: lazy_ccxt.Namespace) -> None:
    """ccxt swallows the refusal and goes on: the listener is what tells. Without a private key it does not even try."""
    seen = {}
    for private_key in ("0x" + "11" * 32, None):
        bench = Bench("hyperliquid", kind)
        bench.exchange.privateKey = private_key
        await bench.attempt(bench.exchange.fetch_currencies)
        seen[private_key is not None] = bench.refused.count(("fetch2", "POST private exchange"))
        assert not [signed for signed in bench.sent if "/exchange" in signed.url]
    assert seen[True] > 0
    assert seen[False] == 0


async def test_binance_reads_and_writes_of_one_path_are_told_apart() -> None:
    bench = Bench("binance", lazy_ccxt.ASYNC)
    assert await bench.attempt(bench.exchange.request, "asset/transfer", ["sapi"], "GET", {}) == "wired"
    assert await bench.attempt(bench.exchange.request, "asset/transfer", ["sapi"], "POST", {}) == "refused"
    assert await bench.attempt(bench.exchange.request, "asset/get-funding-asset", ["sapi"], "POST", {}) == "wired"


@pytest.mark.parametrize(("exchange_id", "path"), [("zaif", "get_info"), ("indodax", "getInfo")])
async def test_an_action_in_the_body_must_be_the_allowed_one(exchange_id: str, path: str) -> None:
    """Venues that send every call to one path name the action in the body, where parameters could overwrite it."""
    bench = Bench(exchange_id, lazy_ccxt.ASYNC)
    api = next(api for _, api, name in endpoints(bench.exchange) if name == path)
    assert await bench.attempt(bench.exchange.request, path, api, "POST", {}) == "wired"
    assert await bench.attempt(bench.exchange.request, path, api, "POST", {"method": "withdraw"}) == "refused"
    assert len(bench.sent) == 1


@pytest.mark.parametrize("value", ["../payment-methods", "a/b", "a%2Fb", "..", ".", "a?b", "a#b", "a\\b", "a b", ""])
async def test_a_parameter_cannot_change_the_path(value: str) -> None:
    bench = Bench("coinbase", lazy_ccxt.ASYNC)
    ask = bench.exchange.v2_private_get_accounts_account_id_transactions
    assert await bench.attempt(ask, {"account_id": value}) == "refused"
    assert await bench.attempt(ask, {"account_id": "2bbf394c-193b-5b2a-9155-3b4732659ede"}) == "wired"
    htx = Bench("htx", lazy_ccxt.ASYNC)
    assert (
        await htx.attempt(htx.exchange.spot_private_get_v1_account_accounts_account_id_balance, {"account-id": value})
        == "refused"
    )


async def test_a_signed_request_is_sent_once_and_unchanged() -> None:
    bench = Bench("kraken", lazy_ccxt.ASYNC)
    exchange = bench.exchange
    with bench.gate.ticket(("POST", "private", "BalanceEx")):
        signed = exchange.sign("BalanceEx", ["private"], "POST", {})
        parts = [signed[name] for name in ("url", "method", "headers", "body")]
        for place, other in enumerate(["https://api.kraken.com/0/private/AddOrder", "GET", {"X": "1"}, "nonce=1&pair=XBTUSD"]):
            changed = [*parts[:place], other, *parts[place + 1 :]]
            assert await bench.attempt(exchange.fetch, *changed) == "refused"
        assert await bench.attempt(exchange.fetch, *parts) == "wired"
        assert await bench.attempt(exchange.fetch, *parts) == "refused"


@pytest.mark.parametrize("setting", ["httpProxy", "httpsProxy", "socksProxy", "proxyUrl", "https_proxy", "aiohttp_proxy"])
async def test_a_proxy_setting_is_refused(setting: str) -> None:
    bench = Bench("kraken", lazy_ccxt.ASYNC)
    setattr(bench.exchange, setting, "http://127.0.0.1:3128")
    assert await bench.attempt(bench.exchange.public_get_time) == "refused"
    assert bench.sent == []


@pytest.mark.parametrize("base", ["https://evil.example", "http://api.kraken.com", "https://api.kraken.com:8443"])
async def test_a_foreign_origin_is_refused(base: str) -> None:
    bench = Bench("kraken", lazy_ccxt.ASYNC)
    bench.exchange.urls["api"]["public"] = base
    assert await bench.attempt(bench.exchange.public_get_time) == "refused"
    assert bench.refused[-1][0] == "fetch"


async def test_a_task_that_outlives_its_read_holds_nothing() -> None:
    late: list[asyncio.Task[Any]] = []
    ended = asyncio.Event()

    class Leaking(Bench):
        async def carry_later(self, signed: Signed) -> Any:
            async def afterwards() -> str:
                await ended.wait()
                assert sweep.ticket_of_this_task() is not None
                return await self.attempt(self.exchange.sign, "Time", ["public"], "GET", {})

            late.append(asyncio.create_task(afterwards()))
            return {}

    bench = Leaking("kraken", lazy_ccxt.ASYNC)
    await bench.exchange.public_get_time()
    ended.set()
    assert await late[0] == "refused"


async def test_a_ticket_opens_no_other_exchange() -> None:
    first, second = Bench("kraken", lazy_ccxt.ASYNC), Bench("kraken", lazy_ccxt.ASYNC)
    with first.gate.ticket(("GET", "public", "Time")):
        assert await second.attempt(second.exchange.sign, "Time", ["public"], "GET", {}) == "refused"


@pytest.mark.parametrize("kind", KINDS)
async def test_sockets_and_own_sessions_are_refused(kind: lazy_ccxt.Namespace) -> None:
    bench = Bench("kraken", kind)
    for door in (
        lambda: bench.exchange.client("wss://ws.kraken.com"),
        lambda: bench.exchange.get_socks_proxy_session("socks5://127.0.0.1:1"),
        lambda: bench.exchange.session.request("POST", "https://api.kraken.com/0/private/AddOrder"),
        lambda: bench.exchange.session.send("anything"),
    ):
        assert await bench.attempt(door) == "refused"
    assert bench.exchange.open() is None
    assert isinstance(bench.exchange.session, ClosedSession)


def test_a_gate_in_fetch2_alone_would_not_be_enough() -> None:
    """Why every door has a lock: plain ccxt signs an order for whoever asks, and sends whatever it is given."""
    base: Any = offline(lazy_ccxt.load("binance", lazy_ccxt.SYNC))

    class Naive(base):  # type: ignore[misc]  # ccxt is untyped
        def fetch2(self, *args: Any, **kwargs: Any) -> Any:
            raise EgressRefused

    exchange = dress(Naive({"enableRateLimit": False}))
    with pytest.raises(EgressRefused):
        exchange.private_post_order({})
    assert "signature=" in exchange.sign("order", ["private"], "POST", {"symbol": "BTCUSDT"})["body"]


def test_the_action_of_a_body_is_read_from_forms_and_json() -> None:
    assert body_action("nonce=1&method=getInfo") == "getInfo"
    assert body_action("method=getInfo&method=withdraw") == "withdraw"
    assert body_action('{"id":1,"method":"private/get-trades"}') == "private/get-trades"
    assert [body_action(body) for body in (None, "", "a=1", "{", '{"method":1}', b"method=x")] == [None] * 6


# The checks are able to fail: each planted fault is found.


def _blind_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is not looked at."""
    monkeypatch.setattr(Gate, "refuse", _only_not(Gate.refuse, "fetch2"))


def _blind_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """Signing asks for no ticket."""
    monkeypatch.setattr(Gate, "check_sign", lambda self, endpoint: Ticket(self, endpoint, {}))


def _blind_send(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is handed in is sent."""
    monkeypatch.setattr(Gate, "check_send", lambda self, signed: None)


def _any_ticket_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket for one endpoint signs another."""
    monkeypatch.setattr(Gate, "check_sign", lambda self, endpoint: self.held() or self.refuse("sign", "no ticket"))


def _any_ticket_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A live ticket sends what it did not sign."""
    monkeypatch.setattr(Gate, "check_send", lambda self, signed: None if self.held() else self.refuse("fetch", "no ticket"))


def _open_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """ccxt's own session works."""
    monkeypatch.setattr(ClosedSession, "__getattr__", lambda self, name: lambda *args, **kwargs: None)


def _one_write_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody put a write on a list."""
    real = reads.allowed
    monkeypatch.setattr(reads, "allowed", lambda name: real(name) | {("GET", "private", "buy"), ("POST", "private", "AddOrder")})


TOO_TIGHT = {("POST", "private", "Ledgers"), ("GET", "private", "myTrades")}


def _refuses_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate is so tight that reads do not pass."""
    real = Gate.ticket

    def ticket(self: Gate, endpoint: Any, params: object = None) -> Any:
        return self.refuse("fetch2", "too tight") if endpoint in TOO_TIGHT else real(self, endpoint, params)

    monkeypatch.setattr(Gate, "ticket", ticket)


def _only_not(refuse: Any, door: str) -> Any:
    def other(self: Gate, at: str, what: str) -> Any:
        return None if at == door else refuse(self, at, what)

    return other


FAULTS_OF_THE_GATE = (_blind_list, _blind_sign, _blind_send, _any_ticket_signs, _any_ticket_sends, _open_session)
FAULTS = (*FAULTS_OF_THE_GATE, _one_write_listed, _refuses_reads)


async def findings(kind: lazy_ccxt.Namespace) -> list[str]:
    """What the sweep and the writes of Deribit and Kraken say about four exchanges."""
    found = await sweep.every_endpoint(FEW, kind, Counter())
    found += await sweep.every_door(FEW, kind, Counter())
    found += [f"writes: {line}" for line in await sweep.every_write_method(("deribit", "kraken"), kind, Counter())]
    for exchange_id, method in (("deribit", "private_get_buy"), ("kraken", "private_post_addorder")):
        bench = Bench(exchange_id, kind)
        if await bench.attempt(getattr(bench.exchange, method), {}) != "refused":
            found.append(f"{exchange_id}.{method} passed")
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_a_planted_fault_is_found(fault: Any, kind: lazy_ccxt.Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    fault(monkeypatch)
    assert await findings(kind) != []


@pytest.mark.parametrize("kind", KINDS)
async def test_without_a_fault_nothing_is_found(kind: lazy_ccxt.Namespace) -> None:
    assert await findings(kind) == []


async def test_a_ticket_that_never_closes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "held", lambda self: gates._ticket.get())
    with pytest.raises(AssertionError):
        await test_a_task_that_outlives_its_read_holds_nothing()


async def test_unchecked_origins_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gate, "refuse", _only_not(Gate.refuse, "fetch"))
    with pytest.raises(AssertionError):
        await test_a_foreign_origin_is_refused("https://evil.example")


def test_the_gated_class_is_made_once() -> None:
    exchange: Any = lazy_ccxt.load("kraken")
    assert gated(exchange) is gated(exchange)
    assert issubclass(Wired, Exception)
    assert arguments(exchange({}).fetch_my_trades, SYMBOLS[0])["symbol"] == SYMBOLS[0]
