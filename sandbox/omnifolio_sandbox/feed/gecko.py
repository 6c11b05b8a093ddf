"""CoinGecko's simple price, market chart and coin list; two coins of the list share the symbol `orb`."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import ROUNDING, significant
from omnifolio_sandbox.clock import MS_PER_DAY, MS_PER_MINUTE
from omnifolio_sandbox.feed.llama import BY_GECKO
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.prices import FX_ANCHORS, PRICE_DIGITS, day_of, eur_rate, ticker_price
from omnifolio_sandbox.world.tokens import ASSETS

FIVE_MINUTES_MS = 5 * MS_PER_MINUTE
HOUR_MS = 60 * MS_PER_MINUTE
POINTS_MAX = 5000
ORBS = {"orb-protocol": "Orb", "orb-classic": "Orb Classic"}  # the first one is what Coinbase lists


def _price(coin: str, currency: str, at_ms: int) -> Decimal | None:
    ticker = "ORB" if coin == "orb-protocol" else BY_GECKO.get(coin)
    usd = None if ticker is None else ticker_price(ticker, at_ms // MS_PER_MINUTE)
    if usd is None or currency == "usd":
        return usd
    euro = ROUNDING.divide(usd, eur_rate("USD", day_of(at_ms)))
    if currency != "eur":
        euro = ROUNDING.multiply(euro, eur_rate(currency.upper(), day_of(at_ms)))
    return significant(euro, PRICE_DIGITS)


def _currency(name: str) -> str:
    if name not in {"usd", "eur", *(code.lower() for code in FX_ANCHORS)}:
        raise ValueError("invalid vs_currency")
    return name


class GeckoServer:
    """`/gecko` stands for https://api.coingecko.com."""

    name = "gecko"

    def __init__(self, state: State) -> None:
        self.state = state

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        parts = request.path.strip("/").split("/")[2:]
        if request.method != "GET" or not request.path.startswith("/api/v3/"):
            return answer({"error": "not found"}, 404)
        try:
            match parts:
                case ["ping"]:
                    return answer({"gecko_says": "(V3) To the Moon!"})
                case ["simple", "price"]:
                    return answer(self._simple(request.query))
                case ["coins", "list"]:
                    return answer(coin_list())
                case ["coins", coin, "market_chart", "range"]:
                    return self._chart(coin, request.query)
        except (ValueError, KeyError) as fault:
            return answer({"error": str(fault)}, 422)
        return answer({"error": "coin not found"}, 404)

    def _simple(self, query: dict[str, str]) -> Any:
        now = self.state.server_ms()
        found: dict[str, dict[str, Any]] = {}
        for coin in query["ids"].split(","):
            for currency in query["vs_currencies"].split(","):
                price = _price(coin, _currency(currency), now)
                if price is not None:
                    found.setdefault(coin, {})[currency] = price
            if coin in found and query.get("include_last_updated_at") == "true":
                found[coin]["last_updated_at"] = (now - now % MS_PER_MINUTE) // 1000
        return found

    def _chart(self, coin: str, query: dict[str, str]) -> Response:
        """Five-minute points up to a day, hourly up to 90 days, daily beyond."""
        start, end = int(query["from"]) * 1000, int(query["to"]) * 1000
        step = FIVE_MINUTES_MS if end - start <= MS_PER_DAY else HOUR_MS if end - start <= 90 * MS_PER_DAY else MS_PER_DAY
        currency = _currency(query["vs_currency"])
        if _price(coin, currency, start) is None:
            return answer({"error": "coin not found"}, 404)
        moments = list(range(start + -start % step, end + 1, step))[:POINTS_MAX]
        prices = [[moment, _price(coin, currency, moment)] for moment in moments]
        return answer({"prices": prices, "market_caps": [], "total_volumes": []})


def coin_list() -> list[dict[str, str]]:
    """`coins/list`."""
    known = [{"id": asset.gecko, "symbol": asset.ticker.lower(), "name": asset.name} for asset in ASSETS.values() if asset.gecko]
    return [*known, *({"id": coin, "symbol": "orb", "name": name} for coin, name in ORBS.items())]
