"""Bybit's private stream: a signed login, then the topics `execution` and `wallet` of its WebSocket API v5.

The login signs `GET/realtime<expires>` by HMAC-SHA256. Orders move nothing until they are executed, so their topic is not asked
for. Bybit wants a ping every 20 seconds.
Source: bybit-exchange.github.io/docs/v5/ws/connect and /websocket/private/{execution,wallet}. Seen 2026-11-27.
"""

import hmac
from hashlib import sha256
from typing import Any

from omnifolio.model.clock import SECOND_MS
from omnifolio.model.errors import BadCredentials, OmnifolioError, VenueBusy, VenueClockSkew, VenueError
from omnifolio.transport.frames import Message
from omnifolio.venues.exchanges.streams.contract import NOTHING, Dialect, Login, Told, Want

SUBSCRIPTION: Message = {"op": "subscribe", "args": ["execution", "wallet"]}
LOGIN_MS = 10 * SECOND_MS
"""How long a login may be under way."""
_MOVED = (Want("balances"), Want("ledger"))


def opening(login: Login) -> tuple[Message, ...]:
    """The login; subscriptions follow when it is confirmed."""
    expires = login.now + LOGIN_MS
    signature = hmac.new(login.reveal("secret").encode(), f"GET/realtime{expires}".encode(), sha256).hexdigest()
    return ({"op": "auth", "args": [login.reveal("key"), expires, signature]},)


def ping(number: int) -> Message:
    """An application's ping."""
    return {"op": "ping"}


def told(message: Any) -> Told:
    """An execution moves the balances and is a row of the trades; whatever else moves the wallet is a row of the ledger."""
    if not isinstance(message, dict):
        return NOTHING
    operation, is_good = message.get("op"), message.get("success")
    if operation == "auth":
        return Told(replies=(SUBSCRIPTION,)) if is_good else Told(error=_refused(str(message.get("ret_msg", ""))))
    if operation == "subscribe":
        return Told(confirmed=1) if is_good else Told(error=VenueError("bybit: a subscription was refused"))
    rows = [row for row in message.get("data") or () if isinstance(row, dict)]
    if message.get("topic") == "execution" and rows:
        also = () if all(row.get("category") == "spot" for row in rows) else (Want("positions"),)
        mark = " ".join(str(row.get("execId")) for row in rows)
        return Told(wants=(*_MOVED, Want("trades"), *also), mark=f"execution {mark}")
    if message.get("topic") == "wallet" and rows:
        return Told(wants=_MOVED, mark=f"wallet {message.get('id')} {message.get('creationTime')}")
    return NOTHING


def _refused(text: str) -> OmnifolioError:
    low = text.lower()
    if "expire" in low or "timestamp" in low:
        return VenueClockSkew("bybit: the login's time was refused")
    if "too many" in low or "frequen" in low:
        return VenueBusy("bybit: too many logins in a short time")
    return BadCredentials("Bybit refuses this key for its private stream")


DIALECT = Dialect(opening=opening, told=told, ping=ping, confirmations=1)
