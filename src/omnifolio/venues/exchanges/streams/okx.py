"""OKX's private stream: a signed login, then the channels `account` and `orders` of its WebSocket API v5.

The login signs `<seconds>GET/users/self/verify` by HMAC-SHA256. The account channel is asked to tell events alone, not every few
seconds. OKX answers the word `ping` with the word `pong`, and hangs up after 30 seconds without either.
Source: okx.com/docs-v5, WebSocket: login, subscribe, account channel, order channel, error codes 60000 ff. Seen 2026-11-27.
"""

import base64
import hmac
from hashlib import sha256
from typing import Any

from omnifolio.model.clock import SECOND_MS
from omnifolio.model.errors import BadCredentials, OmnifolioError, VenueBusy, VenueClockSkew, VenueError
from omnifolio.transport.frames import Message
from omnifolio.venues.exchanges.streams.contract import NOTHING, Dialect, Login, Told, Want, ended

EVENTS_ONLY = '{"updateInterval":"0"}'
SUBSCRIPTION: Message = {
    "op": "subscribe",
    "args": [{"channel": "account", "extraParams": EVENTS_ONLY}, {"channel": "orders", "instType": "ANY"}],
}
_MOVED = (Want("balances"), Want("bills", "trading"))
_WRONG_KEY = frozenset({"60005", "60007", "60009", "60022", "60024", "60032"})
_WRONG_TIME = frozenset({"60006"})
_BUSY = frozenset({"60014", "60031"})
_CLOSING = "64008"
_HELD = frozenset({"SPOT", "MARGIN"})
"""What is held after a fill; anything else is a position."""


def opening(login: Login) -> tuple[Message, ...]:
    """The login; subscriptions follow when it is confirmed."""
    stamp = str(login.now // SECOND_MS)
    signed = hmac.new(login.reveal("secret").encode(), f"{stamp}GET/users/self/verify".encode(), sha256).digest()
    entry = {
        "apiKey": login.reveal("key"),
        "passphrase": login.reveal("passphrase"),
        "timestamp": stamp,
        "sign": base64.b64encode(signed).decode(),
    }
    return ({"op": "login", "args": [entry]},)


def ping(number: int) -> Message:
    """The word."""
    return "ping"


def told(message: Any) -> Told:
    """A fill is in the orders and moves the account; an order that is only placed or cancelled moves nothing."""
    if not isinstance(message, dict):
        return NOTHING
    event = message.get("event")
    if event == "login":
        return Told(replies=(SUBSCRIPTION,)) if message.get("code") == "0" else Told(error=_refused(message))
    if event == "subscribe":
        return Told(confirmed=1)
    if event == "error":
        return Told(error=_refused(message))
    if event == "notice" and message.get("code") == _CLOSING:
        return ended("okx", "service upgrade")
    channel = (message.get("arg") or {}).get("channel")
    rows = [row for row in message.get("data") or () if isinstance(row, dict)]
    if channel == "orders":
        filled = [row for row in rows if row.get("tradeId")]
        if not filled:
            return NOTHING
        also = (Want("positions"),) if any(row.get("instType") not in _HELD for row in filled) else ()
        mark = " ".join(f"{row.get('instId')} {row.get('tradeId')}" for row in filled)
        return Told(wants=(*_MOVED, Want("trades"), *also), mark=f"orders {mark}")
    if channel == "account" and message.get("eventType") != "snapshot" and rows:
        return Told(wants=_MOVED, mark=f"account {' '.join(str(row.get('uTime')) for row in rows)}")
    return NOTHING


def _refused(message: dict[str, Any]) -> OmnifolioError:
    code = str(message.get("code", ""))
    if code in _WRONG_KEY:
        return BadCredentials("OKX refuses this key for its private stream")
    if code in _WRONG_TIME:
        return VenueClockSkew("okx: the login's time was refused")
    if code in _BUSY:
        return VenueBusy("okx: too many requests on the private stream")
    return VenueError("okx: the private stream was refused")


DIALECT = Dialect(opening=opening, told=told, ping=ping, confirmations=2)
