"""The sandbox's own feed: USD prices by minute and euro reference rates by day, as decimal strings.

`GET /feed/prices?tickers=BTC,ETH&at=<ms>`, `POST /feed/prices {"items": [{"ticker", "at"}]}`,
`GET /feed/fx?from=YYYY-MM-DD&to=YYYY-MM-DD`. A ticker may also be a token id (`venue:coinbase/ORB`). What has no price,
and a ticker that two tokens share, is absent from the answer.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from omnifolio_sandbox.amounts import text
from omnifolio_sandbox.clock import MS_PER_MINUTE
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.prices import FX_ANCHORS, published_rate, ticker_price, token_price
from omnifolio_sandbox.world.tokens import AMBIGUOUS_TICKERS, ASSETS, TICKERS, ticker_of

ITEMS_MAX = 1000
FX_DAYS_MAX = 3700


class Item(msgspec.Struct, forbid_unknown_fields=True):
    """One asked price: a ticker or token id, and epoch milliseconds."""

    ticker: str
    at: int


class Items(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a batch."""

    items: list[Item]


def price(name: str, at_ms: int) -> Decimal | None:
    """USD price of a ticker or token id in the minute of `at_ms`."""
    if name.startswith("venue:"):
        venue, _, code = name.removeprefix("venue:").partition("/")
        known = venue in TICKERS and ticker_of(venue, code) in ASSETS
        return token_price(venue, code, at_ms) if known and ticker_of(venue, code) != "EUR" else None
    return None if name in AMBIGUOUS_TICKERS else ticker_price(name, at_ms // MS_PER_MINUTE)


class FeedServer:
    """Paths below `/feed`; errors are HTTP 400 with a sentence."""

    name = "feed"

    def __init__(self, state: State) -> None:
        self.state = state

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        try:
            match request.method, request.path:
                case "GET", "/prices":
                    return answer(self.prices(request))
                case "POST", "/prices":
                    return answer(self.batch(request))
                case "GET", "/fx":
                    return answer(self.rates(request))
        except (ValueError, KeyError, msgspec.MsgspecError) as fault:
            return answer({"error": f"{type(fault).__name__}: {fault}"}, 400)
        return answer({"error": f"no feed at {request.method} /feed{request.path}"}, 404)

    def prices(self, request: Request) -> Any:
        """Prices of several tickers at one minute (now, if no time is given)."""
        at_ms = int(request.query.get("at") or self.state.server_ms())
        found = {}
        for name in request.query["tickers"].split(",")[:ITEMS_MAX]:
            quote = price(name, at_ms)
            if quote is not None:
                found[name] = text(quote)
        return {"at": at_ms - at_ms % MS_PER_MINUTE, "currency": "USD", "prices": found}

    def batch(self, request: Request) -> Any:
        """Prices of up to 1,000 (ticker, time) pairs, in the order of the question."""
        asked = msgspec.json.decode(request.body, type=Items).items
        if len(asked) > ITEMS_MAX:
            raise ValueError(f"{len(asked)} items: up to {ITEMS_MAX} may be asked at once")
        quotes = [(item, price(item.ticker, item.at)) for item in asked]
        return {
            "currency": "USD",
            "prices": [
                {"ticker": item.ticker, "at": item.at, "price": text(quote)} for item, quote in quotes if quote is not None
            ],
        }

    def rates(self, request: Request) -> Any:
        """Reference rates of the working days of a range, both ends included."""
        first, last = date.fromisoformat(request.query["from"]), date.fromisoformat(request.query["to"])
        if (last - first).days > FX_DAYS_MAX:
            raise ValueError(f"from {first} to {last} is longer than {FX_DAYS_MAX} days")
        return {"base": "EUR", "rates": {day.isoformat(): rates for day, rates in working_days(first, last)}}


def working_days(first: date, last: date) -> list[tuple[date, dict[str, str]]]:
    """Published rates by working day, oldest first."""
    found = []
    for step in range(max(0, (last - first).days + 1)):
        day = first + timedelta(days=step)
        rates = {currency: published_rate(currency, day) for currency in FX_ANCHORS}
        if rates["USD"] is not None:
            found.append((day, {name: format(rate, "f") for name, rate in rates.items() if rate is not None}))
    return found
