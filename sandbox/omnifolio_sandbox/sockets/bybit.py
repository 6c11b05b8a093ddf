"""Bybit's private WebSocket v5: auth, the private topics, and pings.

Written from bybit-exchange.github.io/docs/v5, as of 2026-11.
"""

import hmac
from hashlib import sha256
from typing import Any

import msgspec

from omnifolio_sandbox.sockets.line import Line
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event

TOPICS = frozenset({"order", "execution", "wallet", "position"})
CONNECTION = "cejreassvfrsvc9v1a-2m"


class BybitTalk:
    """The socket wss://stream.bybit.com/v5/private."""

    venue = "bybit"
    paths: tuple[str, ...] = ("/v5/private",)
    heartbeat_s: float | None = None

    def __init__(self, state: State) -> None:
        self.state = state

    def opened(self, line: Line) -> None:
        """Bybit says nothing first."""

    def heard(self, line: Line, text: str) -> bool:
        """Logins and subscriptions are checked; any other operation is refused, and is an attempt to write."""
        try:
            asked = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            asked = {}
        operation, entries = asked.get("op"), list(asked.get("args") or ())
        fault = ""
        if operation == "ping":
            line.pings += 1
            line.say({"req_id": "", "op": "pong", "args": [str(self.state.server_ms())], "conn_id": CONNECTION})
            return True
        if operation == "auth":
            fault = self._fault(line, entries)
        elif operation == "subscribe":
            fault = self._subscribe(line, entries)
        else:
            fault = "error:invalid op"
        line.say({"success": not fault, "ret_msg": fault, "op": operation, "conn_id": CONNECTION})
        return operation in {"auth", "subscribe", "unsubscribe"}

    def _subscribe(self, line: Line, topics: list[Any]) -> str:
        if line.user is None:
            return "error:not auth"
        if not topics or not TOPICS.issuperset(map(str, topics)):
            return "error:topic does not exist"
        line.channels.update(map(str, topics))
        return ""

    def _fault(self, line: Line, entries: list[Any]) -> str:
        key, expires, given = (*entries, "", "", "")[:3]
        found = self.state.keys.of(self.venue, str(key))
        if found is None:
            return "Invalid apikey"
        if not str(expires).isdigit() or int(expires) <= self.state.server_ms():
            return "Params Error: expires is in the past"
        user, known = found
        expected = hmac.new(known["secret"].encode(), f"GET/realtime{expires}".encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected, str(given)):
            return "error:USVC1111"
        line.user = user
        return ""

    def happened(self, line: Line, event: Event) -> None:
        """A fill as an execution, and the wallet after it."""
        facts, now = event.facts, self.state.server_ms()
        if "execution" in line.channels:
            row = {
                "category": "spot", "symbol": f"{facts['base']}{facts['quote']}", "execId": event.ref, "execType": "Trade",
                "execPrice": facts["price"], "execQty": facts["volume"], "execTime": str(now), "side": "Buy", "isMaker": False,
                "orderId": facts["order"], "execFee": "0",
            }  # fmt: skip
            line.tell({"topic": "execution", "id": f"386825804_{event.ref}", "creationTime": now, "data": [row]})
        if "wallet" in line.channels:
            coin = [{"coin": facts["base"], "walletBalance": facts["volume"]}]
            body = {"accountType": "UNIFIED", "totalEquity": "1", "coin": coin}
            line.tell({"topic": "wallet", "id": f"5923248e5d-{event.ref}", "creationTime": now, "data": [body]})
