"""What each venue's private stream says, by documented messages; how each is logged in to; and what no message can be.

A case is `golden/live/<venue>/messages.json` with its source and the day it was seen, and `expected.json` with what each message
means. `make golden` rewrites the expectations; read the diff as you read code.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from omnifolio.catalog import exchanges
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import OmnifolioError
from omnifolio.model.facts import Evidence
from omnifolio.model.secrets import Secret
from omnifolio.transport.frames import fits, written
from omnifolio.venues.exchanges.listening import live_of, socket_rules
from omnifolio.venues.exchanges.reader import venue_of
from omnifolio.venues.exchanges.streams.contract import Dialect, Login, Session
from omnifolio.venues.exchanges.streams.registry import DIALECTS

FOLDER = Path(__file__).parents[2] / "golden" / "live"
NOW = EpochMs(1_747_385_641_636)
SECRETS = {
    "key": Secret("mjcKCrJzTU6TChLsnPmgnQJJMR616J4yWvdZWDUeXkk6vL6dLyS7rcVOQlADlVjA"),
    "secret": Secret("ZmFrZSBzZWNyZXQgb2YgYSB0ZXN0IHRoYXQgb3BlbnMgbm90aGluZw=="),
    "passphrase": Secret("correct horse"),
}
LIVE = exchanges.live_ids()


class Recorded(Struct, kw_only=True, forbid_unknown_fields=True):
    """Documented messages of one venue."""

    source: str
    seen: str
    messages: list[Any]


def dialect_of(venue: str) -> Dialect:
    row = exchanges.load(venue)
    return DIALECTS[row.quirks or row.id]


def told(venue: str, message: Any) -> dict[str, Any]:
    """What a message means, without what is empty."""
    found = DIALECTS[venue].told(message)
    error = found.error
    return {
        name: value
        for name, value in {
            "wants": [f"{want.kind}/{want.scope}" for want in found.wants],
            "mark": found.mark,
            "confirmed": found.confirmed,
            "replies": list(found.replies),
            "error": error.code if isinstance(error, OmnifolioError) else "",
        }.items()
        if value
    }


def opening(venue: str) -> list[Any]:
    """Everything that is sent to begin with, replies to what the venue says included."""
    dialect = dialect_of(venue)
    login = Login(secrets=SECRETS, now=NOW, session=Session(token=Secret("t0ken/of+a=session")))
    replies = [reply for message in samples(venue) for reply in dialect.told(message).replies]
    pings = [] if dialect.ping is None else [dialect.ping(100)]
    return [*dialect.opening(login), *replies, *pings]


def samples(venue: str) -> list[Any]:
    row = exchanges.load(venue)
    return msgspec.json.decode((FOLDER / (row.quirks or row.id) / "messages.json").read_bytes(), type=Recorded).messages


@pytest.mark.parametrize("venue", sorted(DIALECTS))
def test_a_documented_message_means_what_was_reviewed(venue: str, request: pytest.FixtureRequest) -> None:
    recorded = msgspec.json.decode((FOLDER / venue / "messages.json").read_bytes(), type=Recorded)
    text = json.dumps([told(venue, message) for message in recorded.messages], indent=1) + "\n"
    expected = FOLDER / venue / "expected.json"
    if request.config.getoption("--update-golden"):
        expected.write_text(text)
    assert text == expected.read_text()
    assert recorded.source
    assert recorded.seen


@pytest.mark.parametrize("venue", LIVE)
def test_every_stream_that_an_event_names_is_one_of_the_row(venue: str) -> None:
    known = {(stream.kind, stream.scope) for stream in venue_of(venue).row.reading.streams}
    for message in samples(venue):
        for want in dialect_of(venue).told(message).wants:
            is_per_scope = any(s.is_per_scope for s in venue_of(venue).row.reading.streams if s.kind == want.kind)
            scopes = {scope for kind, scope in known if kind == want.kind}
            if want.kind == "positions" and venue not in DIALECTS:
                continue  # a house of the same exchange where derivatives are not read
            assert scopes, (venue, want)
            assert is_per_scope or want.scope == "" or want.scope in scopes, (venue, want)


@pytest.mark.parametrize("venue", LIVE)
def test_all_that_is_sent_is_declared_and_all_that_is_declared_is_sent(venue: str) -> None:
    frames = socket_rules(exchanges.load(venue))[0].frames
    sent = opening(venue)
    for message in sent:
        assert written(message, frames)
    for frame in frames:
        assert any(fits(frame.shape, message) for message in sent), frame


@pytest.mark.parametrize("venue", LIVE)
def test_a_row_says_when_a_dead_stream_is_noticed(venue: str) -> None:
    live = live_of(exchanges.load(venue))
    assert live.idle_ms >= 2 * live.ping_ms
    assert (live.session != "") == (dialect_of(venue).session is not None)
    assert all(url.startswith("wss://") for url in live.urls)


def test_binance_is_subscribed_to_by_the_signature_of_its_sorted_parameters() -> None:
    """The documented example of an HMAC signature over the WebSocket API's parameters, with its own key and secret."""
    (message,) = DIALECTS["binance"].opening(Login(secrets=SECRETS, now=NOW))
    assert isinstance(message, dict)
    params = message["params"]
    assert {name: params[name] for name in ("apiKey", "timestamp")} == {"apiKey": SECRETS["key"].reveal(), "timestamp": NOW}
    assert len(params["signature"]) == 64


def test_the_answer_of_a_session_names_the_token_the_socket_and_the_pings() -> None:
    data = {
        "instanceServers": [{"pingInterval": 18_000, "endpoint": "wss://ws-api-spot.kucoin.com/", "protocol": "websocket"}],
        "token": "2neAiuYvAU61ZDXANAGAsiL4==",
    }
    kucoin, kraken = DIALECTS["kucoin"].session, DIALECTS["kraken"].session
    assert kucoin is not None
    assert kraken is not None
    found = kucoin(evidence({"code": "200000", "data": data}))
    assert (found.token.reveal(), found.url, found.ping_ms) == (data["token"], "wss://ws-api-spot.kucoin.com/", 9_000)
    assert DIALECTS["kucoin"].address is not None
    url = DIALECTS["kucoin"].address(found.url, Login(secrets={}, now=NOW, session=found))
    assert url == "wss://ws-api-spot.kucoin.com/?token=2neAiuYvAU61ZDXANAGAsiL4%3D%3D&connectId=omnifolio"
    token = "xeAQ/RCChBYNVh53sTv1yZ5H4wIbwDF20PiHtTF+4UI"
    assert kraken(evidence({"error": [], "result": {"token": token, "expires": 900}})).token.reveal() == token


def evidence(answer: Any) -> Evidence:
    return Evidence(stream="", request="POST x", received_at=NOW, body=json.dumps(answer).encode())


WRITES: dict[str, list[Any]] = {
    "binance": [
        {"id": "subscribe", "method": method, "params": {"apiKey": "k", "timestamp": NOW, "signature": "s", **more}}
        for method, more in (
            ("order.place", {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET", "quantity": "1"}),
            ("v3/order.place", {}),
            ("order.cancel", {"symbol": "BTCUSDT", "orderId": 1}),
            ("order.cancelReplace", {}),
            ("order.amend.keepPriority", {}),
            ("openOrders.cancelAll", {"symbol": "BTCUSDT"}),
            ("orderList.place.oco", {}),
            ("sor.order.place", {}),
            ("session.logon", {}),
            ("userDataStream.subscribe.signature", {"symbol": "BTCUSDT", "side": "SELL"}),
        )
    ],
    "kraken": [
        {"method": method, "params": {"token": "t", **more}, "req_id": 1}
        for method, more in (
            ("add_order", {"order_type": "market", "side": "sell", "symbol": "BTC/USD", "order_qty": 1}),
            ("amend_order", {"order_id": "O"}),
            ("edit_order", {"order_id": "O"}),
            ("batch_add", {"orders": []}),
            ("batch_cancel", {"orders": []}),
            ("cancel_order", {"order_id": ["O"]}),
            ("cancel_all", {}),
            ("cancel_all_orders_after", {"timeout": 1}),
            ("subscribe", {"channel": "executions", "snap_orders": False, "snap_trades": False, "order_qty": 1}),
        )
    ],
    "okx": [
        {"id": "1", "op": operation, "args": [{"instId": "BTC-USDT", "tdMode": "cash", "side": "sell", "sz": "1"}]}
        for operation in ("order", "batch-orders", "cancel-order", "batch-cancel-orders", "amend-order", "mass-cancel")
    ]
    + [{"op": "order", "args": [{"apiKey": "k", "passphrase": "p", "timestamp": "1", "sign": "s"}]}],
    "bybit": [
        {"reqId": "1", "header": {"X-BAPI-TIMESTAMP": "1"}, "op": operation, "args": [{"symbol": "BTCUSDT", "side": "Sell"}]}
        for operation in ("order.create", "order.amend", "order.cancel", "order.create-batch", "order.cancel-batch")
    ]
    + [{"op": "order.create", "args": ["key", NOW, "signature"]}, {"op": "order.create"}],
    "kucoin": [
        {"id": "1", "op": "spot.order", "args": {"symbol": "BTC-USDT", "side": "sell", "type": "market", "size": "1"}},
        {"id": "1", "type": "spot.order"},
        {"id": "1", "op": "spot.cancel", "args": {"orderId": "1"}},
        {"id": "1", "type": "openTunnel", "newTunnelId": "bt1", "response": True},
        {
            "id": "1",
            "type": "subscribe",
            "topic": "/account/balance",
            "privateChannel": True,
            "response": True,
            "op": "spot.order",
        },
    ],
}
"""Messages by which each venue's sockets take orders or change something, and logins and subscriptions with more in them."""


class Text(str):
    """A text that is none of the built-in kind."""

    __slots__ = ()


def disguises(message: dict[str, Any], frame: Any) -> list[Any]:
    """A message in every way of writing it, and inside one that may be sent."""
    text = json.dumps(message)
    found: list[Any] = [message, text, text.encode(), bytearray(text.encode()), memoryview(text.encode()), Text(text), [message]]
    found += [json.dumps([message]), tuple(message.items()), " ping", "ping\n" + text, f'{{"op":"ping"}}{text}']
    found += [Text("ping"), b"ping", None, 7]
    if isinstance(frame, dict):
        found += [{**frame, **message}, {**message, **frame}, {**frame, "params": message}, {**frame, "args": [message]}]
        found += [{**frame, name: message} for name in frame] + [{**frame, name: [message]} for name in frame]
        found += [{**frame, Text(name): value} for name, value in message.items()]
        found += [{Text(name): value for name, value in frame.items()}]
    return found


HARMLESS = {
    "binance": {("method", "userDataStream.subscribe.signature")},
    "kraken": {("method", "subscribe"), ("method", "ping")},
    "okx": {("op", "login"), ("op", "subscribe")},
    "bybit": {("op", "auth"), ("op", "subscribe"), ("op", "ping")},
    "kucoin": {("type", "subscribe"), ("type", "ping")},
}
"""The word that says what a message is, where it may say that. Written down here by hand, not taken from the rows."""


def is_harmless(venue: str, text: str) -> bool:
    """Whether a text that would leave is a login, a subscription or a ping and has nothing in it beside what ours have."""
    if text == "ping":
        return venue == "okx"
    message = json.loads(text)
    says = {(name, message[name]) for name in ("method", "op", "type") if name in message}
    return len(says) == 1 and says <= HARMLESS[venue] and any(same_names(message, own) for own in opening(venue))


def same_names(one: Any, other: Any) -> bool:
    """Whether two messages have the same names and lengths throughout, whatever their plain values."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same_names(one[n], other[n]) for n in one)
    if isinstance(one, list):
        return isinstance(other, list) and len(one) == len(other) and all(map(same_names, one, other))
    return not isinstance(other, dict | list)


@pytest.mark.parametrize("venue", LIVE)
def test_no_order_can_be_written_in_any_way(venue: str) -> None:
    """In every form, on its own and mixed with what may be sent; where a mixture passes, the harmless part has won entirely."""
    row = exchanges.load(venue)
    frames, name = socket_rules(row)[0].frames, row.quirks or row.id
    refused = 0
    for message in WRITES[name]:
        for form in (message, json.dumps(message), json.dumps(message).encode(), [message], Text(json.dumps(message))):
            with pytest.raises(OmnifolioError, match="no list"):
                written(form, frames)
        for sent in opening(venue):
            for disguised in disguises(message, sent):
                try:
                    text = written(disguised, frames)
                except OmnifolioError:
                    refused += 1
                    continue
                assert is_harmless(name, text), disguised
    assert refused > len(WRITES[name]) * len(opening(venue)) * 10


def test_the_check_of_harmlessness_can_fail() -> None:
    for venue, messages in WRITES.items():
        assert not any(is_harmless(venue, json.dumps(message)) for message in messages)


@pytest.mark.parametrize("venue", LIVE)
def test_values_of_a_declared_message_hold_nothing_but_plain_values(venue: str) -> None:
    """A place for a text takes no object, no list, no line break and no text that is longer than any token."""
    frames = socket_rules(exchanges.load(venue))[0].frames
    for message in opening(venue):
        if isinstance(message, str):
            continue
        for path in places(message):
            for value in ({"op": "order"}, ["order"], "a\nb", "x" * 5_000, None, 1.5, True if path[-1] != "ok" else 1):
                changed = json.loads(json.dumps(message))
                part = changed
                for step in path[:-1]:
                    part = part[step]
                if part[path[-1]] == value and type(part[path[-1]]) is type(value):
                    continue
                part[path[-1]] = value
                with pytest.raises(OmnifolioError):
                    written(changed, frames)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every plain value."""
    if isinstance(value, dict):
        return [found for name, item in value.items() for found in places(item, (*path, name))]
    if isinstance(value, list):
        return [found for number, item in enumerate(value) for found in places(item, (*path, number))]
    return [path]
