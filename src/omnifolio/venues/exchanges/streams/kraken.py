"""Kraken's private stream: the channels `executions` and `balances` of its WebSocket API v2, opened with a token.

The token comes from GetWebSocketsToken (a POST like every private call; it changes nothing, and a key may be allowed it without
being allowed to trade). It counts for 15 minutes until it is used, and then for as long as the subscription lasts.
Source: docs.kraken.com, Spot WebSocket v2: executions, balances, ping; REST: Get WebSockets Token. Seen 2026-11-27.
"""

from typing import Any

from omnifolio.model.errors import BadCredentials, MissingPermission, OmnifolioError, VenueBusy, VenueError
from omnifolio.model.facts import Evidence
from omnifolio.model.secrets import Secret
from omnifolio.transport.frames import Message
from omnifolio.venues.exchanges.answers import decode, expect_dict
from omnifolio.venues.exchanges.streams.contract import NOTHING, Dialect, Login, Session, Told, Want

_MOVED = (Want("balances"), Want("ledger"))
_ALSO = {"trade": Want("trades"), "deposit": Want("deposits"), "withdrawal": Want("withdrawals")}
"""Type of a ledger row → the history that tells more of it."""


def session(answer: Evidence) -> Session:
    """The token of GetWebSocketsToken. Raises: VenueBadResponse."""
    result = expect_dict(expect_dict(decode(answer), answer, where="the answer").get("result"), answer, where="result")
    return Session(token=Secret(str(result.get("token", ""))))


def opening(login: Login) -> tuple[Message, ...]:
    """Both subscriptions. Snapshots are not asked for: a round reads what is there when they are confirmed."""
    token = login.reveal("token")
    return (
        {
            "method": "subscribe",
            "params": {"channel": "executions", "snap_orders": False, "snap_trades": False, "token": token},
            "req_id": 1,
        },
        {"method": "subscribe", "params": {"channel": "balances", "snapshot": False, "token": token}, "req_id": 2},
    )


def ping(number: int) -> Message:
    """An application's ping."""
    return {"method": "ping", "req_id": number}


def told(message: Any) -> Told:
    """Trades move balances and write the ledger; an order that is only placed or cancelled moves nothing."""
    if not isinstance(message, dict):
        return NOTHING
    if message.get("method") == "subscribe":
        return Told(confirmed=1) if message.get("success") else Told(error=_refused(str(message.get("error", ""))))
    if message.get("type") != "update":
        return NOTHING
    rows = [row for row in message.get("data") or () if isinstance(row, dict)]
    if message.get("channel") == "executions":
        trades = [str(row.get("exec_id", "")) for row in rows if row.get("exec_type") == "trade"]
        return Told(wants=(*_MOVED, Want("trades")), mark=f"executions {' '.join(trades)}") if trades else NOTHING
    if message.get("channel") == "balances" and rows:
        kinds = dict.fromkeys(str(row.get("type", "")) for row in rows)
        also = tuple(_ALSO[kind] for kind in kinds if kind in _ALSO)
        return Told(wants=(*_MOVED, *also), mark="balances " + " ".join(str(row.get("ledger_id", "")) for row in rows))
    return NOTHING


def _refused(text: str) -> OmnifolioError:
    if "Permission denied" in text or "Invalid permissions" in text:
        return MissingPermission("this key may not open Kraken's private stream (WebSocket interface)")
    if "session" in text.lower() or "token" in text.lower() or "Invalid key" in text:
        return BadCredentials("Kraken refuses the token of its private stream")
    if "rate limit" in text.lower():
        return VenueBusy("kraken: too many subscriptions in a short time")
    return VenueError("kraken: a subscription was refused")


DIALECT = Dialect(session=session, opening=opening, told=told, ping=ping, confirmations=2)
