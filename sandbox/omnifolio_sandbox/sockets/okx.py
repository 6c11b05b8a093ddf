"""OKX's private WebSocket v5: login, the channels `account` and `orders`, and the words ping and pong.

Written from okx.com/docs-v5, as of 2026-11.
"""

import base64
import hmac
from hashlib import sha256
from typing import Any

import msgspec

from omnifolio_sandbox.sockets.line import Line
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event

CHANNELS = frozenset({"account", "orders"})
STALE_S = 30


class OkxTalk:
    """The socket wss://ws.okx.com:8443/ws/v5/private."""

    venue = "okx"
    paths: tuple[str, ...] = ("/ws/v5/private",)
    heartbeat_s: float | None = None

    def __init__(self, state: State) -> None:
        self.state = state

    def opened(self, line: Line) -> None:
        """OKX says nothing first."""

    def heard(self, line: Line, text: str) -> bool:
        """Logins and subscriptions are checked; any other operation is refused, and is an attempt to write."""
        if text == "ping":
            line.pings += 1
            line.say("pong")
            return True
        try:
            asked = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            line.say(_error("60012", "Illegal request"))
            return True
        operation, entries = asked.get("op"), [item for item in asked.get("args") or () if isinstance(item, dict)]
        if operation == "login":
            fault = self._fault(line, entries[0] if entries else {})
            line.say(_error(*fault) if fault else {"event": "login", "code": "0", "msg": "", "connId": "a4d3ae55"})
        elif operation == "subscribe":
            for entry in entries:
                self._subscribe(line, entry)
        else:
            line.say(_error("60012", "Illegal request"))
            return operation == "unsubscribe"
        return True

    def _subscribe(self, line: Line, entry: dict[str, Any]) -> None:
        channel = str(entry.get("channel", ""))
        if line.user is None:
            line.say(_error("60011", "Please log in"))
        elif channel not in CHANNELS or (channel == "orders" and "instType" not in entry):
            line.say(_error("60018", f"Wrong URL or channel:{channel[:40]} doesn't exist."))
        else:
            line.channels.add(channel)
            line.say({"event": "subscribe", "arg": entry, "connId": "a4d3ae55"})
            if channel == "account":
                line.say({"arg": entry, "eventType": "snapshot", "curPage": 1, "lastPage": True, "data": [{"uTime": "1"}]})

    def _fault(self, line: Line, entry: dict[str, Any]) -> tuple[str, str] | None:
        found = self.state.keys.of(self.venue, str(entry.get("apiKey", "")))
        stamp = str(entry.get("timestamp", ""))
        if found is None:
            return "60005", "Invalid apiKey"
        user, known = found
        if entry.get("passphrase") != known["passphrase"]:
            return "60024", "Wrong passphrase"
        if not stamp.isdigit() or abs(self.state.server_ms() // 1000 - int(stamp)) > STALE_S:
            return "60006", "Timestamp request expired"
        signed = hmac.new(known["secret"].encode(), f"{stamp}GET/users/self/verify".encode(), sha256).digest()
        if not hmac.compare_digest(base64.b64encode(signed).decode(), str(entry.get("sign", ""))):
            return "60007", "Invalid sign"
        line.user = user
        return None

    def happened(self, line: Line, event: Event) -> None:
        """A fill as a change of its order, and the account after it."""
        facts, now = event.facts, str(self.state.server_ms())
        if "orders" in line.channels:
            row = {
                "instType": "SPOT", "instId": f"{facts['base']}-{facts['quote']}", "ordId": facts["order"], "side": "buy",
                "state": "filled", "tradeId": event.ref, "fillSz": facts["volume"], "fillPx": facts["price"], "fillTime": now,
                "fee": "0", "feeCcy": facts["base"], "uTime": now,
            }  # fmt: skip
            line.tell({"arg": {"channel": "orders", "instType": "ANY", "uid": "77982378738415879"}, "data": [row]})
        if "account" in line.channels:
            details = [{"ccy": facts["base"], "cashBal": facts["volume"], "uTime": now}]
            line.tell(
                {
                    "arg": {"channel": "account", "uid": "77982378738415879"},
                    "eventType": "event_update",
                    "data": [{"uTime": now, "totalEq": "1", "details": details}],
                }
            )


def _error(code: str, text: str) -> dict[str, Any]:
    return {"event": "error", "code": code, "msg": text, "connId": "a4d3ae55"}
