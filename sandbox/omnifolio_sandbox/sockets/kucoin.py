"""KuCoin's private WebSocket: the token by REST, the welcome, two private topics, and pings.

Written from kucoin.com/docs-new, as of 2026-11.
"""

import base64
import hmac
from hashlib import sha256
from typing import Any

import msgspec

from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.sockets.line import Line
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.dice import digest

TOPICS = frozenset({"/account/balance", "/spotMarket/tradeOrders"})
TOKEN_PATH = "/api/v1/bullet-private"  # noqa: S105 - a path
TOKEN_MS = 86_400_000
STALE_MS = 5_000
PING_INTERVAL_MS = 18_000


class KucoinServer:
    """The one call below https://api.kucoin.com that opens a stream."""

    name = "kucoin"

    def __init__(self, state: State) -> None:
        self.state = state

    def handle(self, request: Request) -> Response:
        """A token for a well-signed call."""
        if (request.method, request.path) != ("POST", TOKEN_PATH):
            return answer({"code": "404", "msg": "Not Found"}, 404)
        headers = request.headers
        found = self.state.keys.of(self.name, headers.get("kc-api-key", ""))
        if found is None:
            return answer({"code": "400003", "msg": "KC-API-KEY not exists"}, 401)
        user, known = found
        stamp = headers.get("kc-api-timestamp", "")
        if not stamp.isdigit() or abs(self.state.server_ms() - int(stamp)) > STALE_MS:
            return answer({"code": "400002", "msg": "KC-API-TIMESTAMP Invalid"}, 400)
        if headers.get("kc-api-passphrase") != _signed(known["secret"], known["passphrase"]):
            return answer({"code": "400004", "msg": "Invalid KC-API-PASSPHRASE"}, 401)
        payload = f"{stamp}POST{request.path}{request.body.decode()}"
        if not hmac.compare_digest(_signed(known["secret"], payload), headers.get("kc-api-sign", "")):
            return answer({"code": "400005", "msg": "Invalid KC-API-SIGN"}, 401)
        token = digest("kucoin token", user, stamp, len(self.state.tokens)).hex()
        self.state.tokens[token] = (user, self.state.server_ms())
        server = {
            "endpoint": "wss://ws-api-spot.kucoin.com/", "encrypt": True, "protocol": "websocket",
            "pingInterval": PING_INTERVAL_MS, "pingTimeout": 10_000,
        }  # fmt: skip
        return answer({"code": "200000", "data": {"token": token, "instanceServers": [server]}})


class KucoinTalk:
    """The socket wss://ws-api-spot.kucoin.com/."""

    venue = "kucoin"
    paths: tuple[str, ...] = ("/",)
    heartbeat_s: float | None = None

    def __init__(self, state: State) -> None:
        self.state = state

    def opened(self, line: Line) -> None:
        """A welcome for a token that counts; the socket closes after the error otherwise."""
        found = self.state.tokens.get(line.query.get("token", ""))
        if found is None or self.state.server_ms() - found[1] > TOKEN_MS:
            line.say({"id": "0", "type": "error", "code": 401, "data": "token is invalid"})
            line.hang_up(1008)
            return
        line.user = found[0]
        line.say({"id": line.query.get("connectId", ""), "type": "welcome"})

    def heard(self, line: Line, text: str) -> bool:
        """Pings and subscriptions; any other type is refused, and is an attempt to write."""
        try:
            asked = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            asked = {}
        kind, ident = asked.get("type"), asked.get("id")
        if kind == "ping":
            line.pings += 1
            line.say({"id": ident, "type": "pong", "timestamp": self.state.server_ms() * 1000})
            return True
        if kind != "subscribe":
            line.say({"id": ident, "type": "error", "code": 415, "data": "type is not supported"})
            return kind == "unsubscribe"
        if asked.get("topic") not in TOPICS or not asked.get("privateChannel") or line.user is None:
            line.say({"id": ident, "type": "error", "code": 404, "data": "topic is not found"})
        else:
            line.channels.add(str(asked["topic"]))
            line.say({"id": ident, "type": "ack"})
        return True

    def happened(self, line: Line, event: Event) -> None:
        """A match of an order, and the balance after it."""
        facts, now = event.facts, self.state.server_ms()
        if "/spotMarket/tradeOrders" in line.channels:
            match = {
                "symbol": f"{facts['base']}-{facts['quote']}", "orderType": "market", "side": "buy", "orderId": facts["order"],
                "type": "match", "status": "match", "tradeId": event.ref, "matchPrice": facts["price"],
                "matchSize": facts["volume"], "ts": now * 1_000_000,
            }  # fmt: skip
            line.tell(_message("/spotMarket/tradeOrders", "orderChange", match))
        if "/account/balance" in line.channels:
            balance = {
                "accountId": "548674591753", "currency": facts["base"], "total": facts["volume"], "available": facts["volume"],
                "availableChange": facts["volume"], "hold": "0", "holdChange": "0", "relationEvent": "trade.setted",
                "relationEventId": event.ref, "relationContext": {"tradeId": event.ref}, "time": str(now),
            }  # fmt: skip
            line.tell(_message("/account/balance", "account.balance", balance))


def _message(topic: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"type": "message", "topic": topic, "subject": subject, "channelType": "private", "data": data}


def _signed(secret: str, payload: str) -> str:
    return base64.b64encode(hmac.new(secret.encode(), payload.encode(), sha256).digest()).decode()
