"""KuCoin's private stream: a token by REST, a socket with the token in its URL, then two private topics.

The token comes from `POST /api/v1/bullet-private`, which changes nothing; the answer names the socket and how often to ping.
Source: kucoin.com/docs-new, WebSocket: private token, subscribe, ping, Account Balance, Get Order (V1). Seen 2026-11-27.
"""

from typing import Any
from urllib.parse import quote

from omnifolio.model.errors import OmnifolioError, VenueBusy, VenueError
from omnifolio.model.facts import Evidence
from omnifolio.model.secrets import Secret
from omnifolio.transport.frames import Message
from omnifolio.venues.exchanges.answers import decode, expect_dict, expect_list
from omnifolio.venues.exchanges.streams.contract import NOTHING, Dialect, Login, Session, Told, Want

TOPICS = ("/account/balance", "/spotMarket/tradeOrders")
_MOVED = (Want("balances"), Want("ledger", "all"), Want("ledger", "hf"))
PING_SHARE = 2
"""We ping in half of the time that KuCoin asks for: a ping under way is no reason to hang up."""


def session(answer: Evidence) -> Session:
    """The token, its socket and the pings. Raises: VenueBadResponse."""
    data = expect_dict(expect_dict(decode(answer), answer, where="the answer").get("data"), answer, where="data")
    servers = expect_list(data.get("instanceServers"), answer, where="instanceServers")
    server = expect_dict(servers[0] if servers else None, answer, where="instanceServers")
    return Session(
        token=Secret(str(data.get("token", ""))),
        url=str(server.get("endpoint", "")),
        ping_ms=int(server.get("pingInterval", 0)) // PING_SHARE,
    )


def address(url: str, login: Login) -> str:
    """The socket's URL with the token in it."""
    return f"{url}?token={quote(login.reveal('token'), safe='')}&connectId=omnifolio"


def opening(login: Login) -> tuple[Message, ...]:
    """Nothing: KuCoin welcomes first."""
    return ()


def ping(number: int) -> Message:
    """An application's ping."""
    return {"id": str(number), "type": "ping"}


def told(message: Any) -> Told:
    """A matched order and a changed balance; what changed it is named in the balance's `relationEvent`."""
    if not isinstance(message, dict):
        return NOTHING
    kind = message.get("type")
    if kind == "welcome":
        return Told(replies=tuple(_subscription(number, topic) for number, topic in enumerate(TOPICS, start=1)))
    if kind == "ack":
        return Told(confirmed=1)
    if kind == "error":
        return Told(error=_refused(message))
    data = message.get("data")
    if kind != "message" or not isinstance(data, dict):
        return NOTHING
    if message.get("topic") == "/account/balance":
        cause = str(data.get("relationEvent", ""))
        also = [Want(name) for word, name in _CAUSES if word in cause]
        return Told(
            wants=(*_MOVED, *also), mark=f"balance {data.get('relationEventId')} {data.get('time')} {data.get('currency')}"
        )
    if message.get("topic") == "/spotMarket/tradeOrders" and data.get("type") == "match":
        return Told(wants=(*_MOVED, Want("trades")), mark=f"match {data.get('tradeId')} {data.get('orderId')}")
    return NOTHING


_CAUSES = (("deposit", "deposits"), ("withdraw", "withdrawals"), ("trade", "trades"))


def _subscription(number: int, topic: str) -> Message:
    return {"id": str(number), "type": "subscribe", "topic": topic, "privateChannel": True, "response": True}


def _refused(message: dict[str, Any]) -> OmnifolioError:
    if str(message.get("code")) == "509":
        return VenueBusy("kucoin: too many messages on the private stream")
    # A token that is wrong or has expired: the next connection asks for a new one, and is told if the key is refused.
    return VenueError("kucoin: the private stream was refused")


DIALECT = Dialect(session=session, address=address, opening=opening, told=told, ping=ping, confirmations=len(TOPICS))
