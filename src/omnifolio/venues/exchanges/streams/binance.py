"""Binance's private stream: the account's user data, subscribed by one signed message over its WebSocket API.

The signature is HMAC-SHA256 over the parameters but the signature itself, in the order of their names. No key to listen with has
to be made beforehand, so nothing is written: `POST /api/v3/userDataStream` was switched off in February 2026.
Source: github.com/binance/binance-spot-api-docs, web-socket-api.md (userDataStream.subscribe.signature) and user-data-stream.md,
of 2026-07-21. Seen 2026-11-27.
"""

import hmac
from hashlib import sha256
from typing import Any

from omnifolio.model.errors import (
    AccountLocked,
    BadCredentials,
    OmnifolioError,
    VenueBusy,
    VenueClockSkew,
    VenueError,
)
from omnifolio.transport.frames import Message
from omnifolio.venues.exchanges.streams.contract import NOTHING, Dialect, Login, Told, Want, ended

METHOD = "userDataStream.subscribe.signature"
_BALANCES = Want("balances", "all")
_SYMBOLS = Want("symbols", "held")
_MOVEMENTS = (_BALANCES, Want("deposits"), Want("withdrawals"), Want("transfers"), Want("dividends"))
"""A balance that moves without a trade: deposits, withdrawals, moves between wallets, distributions."""
_WRONG_KEY = frozenset({-1022, -2008, -2014, -2015})
_BUSY = frozenset({-1003, -1015, -1034})


def opening(login: Login) -> tuple[Message, ...]:
    """The subscription, signed at this moment."""
    signed = {"apiKey": login.reveal("key"), "timestamp": login.now}
    payload = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
    signature = hmac.new(login.reveal("secret").encode(), payload.encode(), sha256).hexdigest()
    return ({"id": "subscribe", "method": METHOD, "params": {**signed, "signature": signature}},)


def told(message: Any) -> Told:
    """A fill moves the balances and is a row of its symbol's trades; its symbol may be one that was never traded before."""
    if not isinstance(message, dict):
        return NOTHING
    if "status" in message:
        return Told(confirmed=1) if message["status"] == 200 else Told(error=_refused(message))
    event = message.get("event")
    if not isinstance(event, dict):
        return NOTHING
    kind, at = event.get("e"), event.get("E")
    if kind == "executionReport":
        if event.get("x") != "TRADE":
            return NOTHING
        symbol = str(event.get("s", ""))
        return Told(
            wants=(_BALANCES, _SYMBOLS, Want("trades", symbol)), mark=f"{kind} {symbol} {event.get('t')} {event.get('I')}"
        )
    if kind == "balanceUpdate":
        return Told(wants=_MOVEMENTS, mark=f"{kind} {event.get('a')} {event.get('d')} {event.get('T')}")
    if kind in ("outboundAccountPosition", "externalLockUpdate"):
        return Told(wants=(_BALANCES,), mark=f"{kind} {at} {event.get('u')} {event.get('a')}")
    if kind in ("eventStreamTerminated", "serverShutdown"):
        return ended("binance", str(kind))
    return NOTHING


def _refused(message: dict[str, Any]) -> OmnifolioError:
    error = message.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    if code in _WRONG_KEY:
        return BadCredentials("Binance refuses this key for its private stream")
    if code == -1021:
        return VenueClockSkew("binance: the subscription's time was refused")
    if code in _BUSY or message.get("status") in (418, 429):
        return VenueBusy("binance: too many subscriptions in a short time")
    if code == -2010:
        return AccountLocked("Binance has suspended this account")
    return VenueError("binance: the subscription was refused")


DIALECT = Dialect(opening=opening, told=told, confirmations=1)
