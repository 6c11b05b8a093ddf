"""ccxt's unified methods as calls of a stream: the arguments that a question becomes, and the same method over recorded answers.

A question's `symbol` is a scope `<base>-<quote>~<id at the venue>`, from which the only market that ccxt needs is made; `since`
and `limit` are numbers; everything else is a parameter of the venue's own. Markets are never downloaded to read a history.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from omnifolio.catalog import exchanges
from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.exchanges import lazy_ccxt, offline
from omnifolio.venues.exchanges.answers import UNREADABLE
from omnifolio.venues.exchanges.ccxt_exchange import exact_json

PREFIX = "fetch_"
OF_NOTHING = ("fetch_balance", "fetch_markets")
"""Methods that take parameters alone; all others take symbol or code, since and limit before them."""
PLACES = ("symbol", "since", "limit")


def is_unified(call: str) -> bool:
    """Whether a stream's call is one of ccxt's own methods rather than an endpoint."""
    return call.startswith(PREFIX)


def scope_of(base: str, quote: str, market_id: str) -> str:
    """The scope of a market."""
    return f"{base}-{quote}~{market_id}"


def pair_of(scope: str) -> tuple[str, str]:
    """Base and quote of a scope."""
    base, _, quote = scope.partition("~")[0].partition("-")
    return base, quote


def markets_of(question: Mapping[str, str]) -> list[dict[str, Any]]:
    """The market that a question is about, as ccxt wants it; none where it names none."""
    scope = question.get("symbol")
    if not scope:
        return []
    base, quote = pair_of(scope)
    name = scope.partition("~")[2]
    kind = {"type": "spot", "spot": True, "margin": False, "swap": False, "future": False, "option": False, "contract": False}
    names = {"id": name, "lowercaseId": name.lower(), "symbol": f"{base}/{quote}", "base": base, "quote": quote}
    return [{**kind, **names, "baseId": base, "quoteId": quote, "active": True, "precision": {}, "limits": {}, "info": {}}]


def arguments(method: str, question: Mapping[str, str]) -> tuple[Any, ...]:
    """What a unified method is called with."""
    params = {name: value for name, value in question.items() if name not in PLACES}
    if method in OF_NOTHING:
        return (params,)
    symbol = "/".join(pair_of(question["symbol"])) if "symbol" in question else None
    since, limit = (int(question[name]) if name in question else None for name in ("since", "limit"))
    return symbol, since, limit, params


def replayed(venue: str, method: str, evidence: Sequence[Evidence]) -> Any:
    """What ccxt's method makes of the answers that it received. Raises: VenueBadResponse."""
    row = exchanges.load(venue)
    question = evidence[0].params if evidence else {}
    now_ms = evidence[0].received_at if evidence else 0
    exchange = offline.exchange(row.ccxt_id, row.options, now_ms=now_ms, answers=iter(()))
    exchange.answers = _good(exchange, row, evidence)
    exchange.set_markets(markets_of(question))
    try:
        return offline.result(getattr(exchange, method), *arguments(method, question))
    except (lazy_ccxt.errors().BaseError, *UNREADABLE) as error:
        raise VenueBadResponse(f"{venue}: {method}: the answer cannot be read ({type(error).__name__})") from error


def _good(exchange: Any, row: ExchangeRow, evidence: Sequence[Evidence]) -> Iterator[Any]:
    """The answers one after another, each looked at as ccxt looks at a live one. Raises: ccxt's errors; VenueBadResponse."""
    for item in evidence:
        text = item.body.decode("utf-8", errors="replace")
        read = exact_json(text, where=row.id)
        method, _, path = item.request.partition(" ")
        exchange.handle_errors(item.status, "", path, method, {}, text, read, {}, None)
        if item.status >= 400:
            raise VenueBadResponse(f"{row.id} answered {item.status}", status=item.status)
        yield read
