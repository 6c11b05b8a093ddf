"""Kraken's WebSocket API v2, as far as it tells an account's events: `executions` and `balances`, opened with a token.

Written from docs.kraken.com, Spot WebSocket v2 and Get WebSockets Token, as of 2026-11.
"""

from typing import Any

import msgspec

from omnifolio_sandbox.kraken.book import KrakenBook, altname
from omnifolio_sandbox.sockets.line import Line
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.dice import number
from omnifolio_sandbox.world.tokens import ticker_of

CHANNELS = frozenset({"executions", "balances"})
TOKEN_MS = 900_000
READS = frozenset({"unsubscribe"})


class KrakenTalk:
    """The socket wss://ws-auth.kraken.com/v2."""

    venue = "kraken"
    paths: tuple[str, ...] = ("/v2",)
    heartbeat_s: float | None = None

    def __init__(self, state: State) -> None:
        self.state = state

    def opened(self, line: Line) -> None:
        """The status of the trading engine comes first."""
        status = {"api_version": "v2", "connection_id": number("line", id(line)), "system": "online", "version": "2.0.10"}
        line.say({"channel": "status", "type": "update", "data": [status]})

    def heard(self, line: Line, text: str) -> bool:
        """Pings are answered and subscriptions checked; whatever else has a name is refused, and is an attempt to write."""
        try:
            asked = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.MsgspecError:
            line.say({"error": "Malformed request", "success": False})
            return True
        method, ident = str(asked.get("method", "")), asked.get("req_id")
        if method == "ping":
            line.pings += 1
            line.say({"method": "pong", "req_id": ident})
            return True
        if method != "subscribe":
            line.say({"method": method, "req_id": ident, "success": False, "error": "EGeneral:Permission denied"})
            return method in READS
        params = asked.get("params") or {}
        channel = str(params.get("channel", ""))
        fault = self._fault(line, channel, str(params.get("token", "")))
        if fault is not None:
            line.say({"method": "subscribe", "req_id": ident, "success": False, "error": fault})
            return True
        line.channels.add(channel)
        line.say({"method": "subscribe", "req_id": ident, "result": {"channel": channel}, "success": True})
        line.say({"channel": "heartbeat"})
        return True

    def _fault(self, line: Line, channel: str, token: str) -> str | None:
        if channel not in CHANNELS:
            return f"Channel {channel[:40]!r} not supported"
        found = self.state.tokens.get(token)
        # A token that has opened a subscription counts for as long as that one lasts.
        if found is None or (not line.channels and self.state.server_ms() - found[1] > TOKEN_MS):
            return "ESession:Invalid session"
        line.user = found[0]
        return None

    def happened(self, line: Line, event: Event) -> None:
        """A fill is an execution; whatever writes the ledger is told as a change of balances, row by row."""
        if event.kind == "fill" and "executions" in line.channels:
            line.number += 1
            line.tell({"channel": "executions", "type": "update", "data": [_execution(event)], "sequence": line.number})
        if "balances" not in line.channels:
            return
        account = self.state.world.account(line.user or "", self.venue)
        book = KrakenBook(account, max(self.state.clock.world_ms, event.visible_at))
        rows = [_ledger_row(row.id, row.body) for row in book.ledgers if row.body["refid"] == event.ref]
        line.number += 1
        line.tell({"channel": "balances", "type": "update", "data": rows, "sequence": line.number})


def _execution(event: Event) -> dict[str, Any]:
    facts = event.facts
    base, quote = ticker_of("kraken", facts["base"]), ticker_of("kraken", facts["quote"])
    return {
        "order_id": facts["order"], "exec_id": event.ref, "exec_type": "trade", "trade_id": facts["trade_id"],
        "symbol": f"{base}/{quote}", "side": "buy" if facts["buying"] else "sell", "last_qty": facts["volume"],
        "last_price": facts["price"], "liquidity_ind": "m" if facts["maker"] else "t", "cost": facts["cost"],
        "order_userref": 0, "order_status": "filled", "order_type": "market", "fee_usd_equiv": facts["fee"],
        "fees": [{"asset": quote, "qty": facts["fee"]}],
    }  # fmt: skip


def _ledger_row(ident: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "ledger_id": ident, "ref_id": body["refid"], "timestamp": str(body["time"]), "type": body["type"],
        "subtype": body["subtype"], "asset": altname(body["asset"]), "asset_class": "currency", "category": body["type"],
        "wallet_type": "spot", "wallet_id": "main", "amount": body["amount"], "fee": body["fee"], "balance": body["balance"],
    }  # fmt: skip
