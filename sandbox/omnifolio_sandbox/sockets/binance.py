"""Binance's WebSocket API, as far as it tells an account's events: one signed subscription, then the user data stream.

Written from github.com/binance/binance-spot-api-docs, web-socket-api.md and user-data-stream.md, of 2026-07-21.
"""

import hmac
from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from omnifolio_sandbox import credentials
from omnifolio_sandbox.amounts import fixed
from omnifolio_sandbox.sockets.line import Line
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event

METHOD = "userDataStream.subscribe.signature"
RECV_WINDOW_MS = 5_000
AHEAD_MAX_MS = 1_000
PLACES = 8
READS = frozenset({"ping", "time", "session.status", "session.subscriptions", "userDataStream.unsubscribe"})


class BinanceTalk:
    """The socket below wss://ws-api.binance.com that the sandbox speaks."""

    venue = "binance"
    paths: tuple[str, ...] = ("/ws-api/v3",)
    heartbeat_s: float | None = 20.0

    def __init__(self, state: State) -> None:
        self.state = state

    def opened(self, line: Line) -> None:
        """Binance says nothing first."""

    def heard(self, line: Line, text: str) -> bool:
        """Subscriptions are checked; whatever else has a name is refused, and counted where it is no read."""
        try:
            asked = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            line.say(_error(None, -1000, "Malformed request."))
            return True
        method = str(asked.get("method", ""))
        if method != METHOD:
            line.say(_error(asked.get("id"), -1000, f"Unknown method {method[:40]!r}"))
            return method in READS
        fault = self._fault(line, asked.get("params") or {})
        if fault is not None:
            line.say(_error(asked.get("id"), *fault))
            return True
        line.channels.add("userData")
        line.say({"id": asked.get("id"), "status": 200, "result": {"subscriptionId": 0}, "rateLimits": []})
        return True

    def _fault(self, line: Line, params: dict[str, Any]) -> tuple[int, str] | None:
        """What is wrong with a signed subscription: code and text."""
        key, stamp = str(params.get("apiKey", "")), params.get("timestamp")
        holder = credentials.binance_holder(key)
        if holder is None:
            return -2015, "Invalid API-key, IP, or permissions for action."
        if not isinstance(stamp, int):
            return -1102, "Mandatory parameter 'timestamp' was not sent, was empty/null, or malformed."
        payload = "&".join(f"{name}={params[name]}" for name in sorted(params) if name != "signature")
        _, secret = credentials.binance(holder.user, holder.permission)
        expected = hmac.new(secret.encode(), payload.encode(), sha256).hexdigest()
        if not hmac.compare_digest(expected, str(params.get("signature", ""))):
            return -1022, "Signature for this request is not valid."
        now = self.state.server_ms()
        if not now - RECV_WINDOW_MS <= stamp < now + AHEAD_MAX_MS:
            return -1021, "Timestamp for this request is outside of the recvWindow."
        line.user = holder.user
        return None

    def happened(self, line: Line, event: Event) -> None:
        """A fill is an execution report and the balances after it, anything else a change of one balance."""
        if "userData" not in line.channels:
            return
        now = self.state.server_ms()
        if event.kind == "fill":
            line.tell(_told(_execution(event, now)))
        else:
            leg = event.legs[0]
            change = {"e": "balanceUpdate", "E": now, "a": leg.code, "d": fixed(leg.amount, PLACES), "T": event.at}
            line.tell(_told(change))
        held = self.state.world.account(line.user or "", self.venue).balances(self.state.clock.world_ms)
        codes = dict.fromkeys(leg.code for leg in event.legs)
        rows = [
            {"a": code, "f": fixed(held.get(("spot", "spot", code), Decimal(0)), PLACES), "l": fixed(Decimal(0), PLACES)}
            for code in codes
        ]
        line.tell(_told({"e": "outboundAccountPosition", "E": now, "u": event.at, "B": rows}))


def _told(event: dict[str, Any]) -> dict[str, Any]:
    return {"subscriptionId": 0, "event": event}


def _execution(event: Event, now: int) -> dict[str, Any]:
    facts = event.facts
    quantity, cost = fixed(facts["quantity"], PLACES), fixed(facts["cost"], PLACES)
    return {
        "e": "executionReport", "E": now, "s": facts["symbol"], "c": f"web_{facts['order']}",
        "S": "BUY" if facts["buying"] else "SELL", "o": "MARKET", "f": "GTC", "q": quantity, "p": "0.00000000",
        "P": "0.00000000", "F": "0.00000000", "g": -1, "C": "", "x": "TRADE", "X": "FILLED", "r": "NONE",
        "i": facts["order"], "l": quantity, "z": quantity, "L": fixed(facts["price"], PLACES), "n": fixed(facts["fee"], PLACES),
        "N": facts["fee_asset"], "T": event.at, "t": facts["id"], "I": facts["id"] + 7, "w": False, "m": facts["maker"],
        "M": True, "O": event.at, "Z": cost, "Y": cost, "Q": "0.00000000", "W": event.at, "V": "EXPIRE_MAKER",
    }  # fmt: skip


def _error(ident: Any, code: int, text: str) -> dict[str, Any]:
    return {"id": ident, "status": 401 if code == -2015 else 400, "error": {"code": code, "msg": text}, "rateLimits": []}
