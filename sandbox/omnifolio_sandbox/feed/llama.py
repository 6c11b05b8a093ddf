"""DefiLlama's coin prices: current, historical, batch; coins as `coingecko:<id>` or `ethereum:<address>`."""

from decimal import Decimal
from typing import Any

import msgspec

from omnifolio_sandbox.clock import MS_PER_MINUTE
from omnifolio_sandbox.http import Request, Response, answer
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.prices import ticker_price
from omnifolio_sandbox.world.tokens import ASSETS

CONFIDENCE = Decimal("0.99")
COINS_MAX = 500
CONTRACTS = {
    "0x0000000000000000000000000000000000000000": "ETH",
    "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48": "USDC",
    "0xdac17f958d2ee523a2206206994597c13d831ec7": "USDT",
    "0x6b175474e89094c44da98b954eedeac495271d0f": "DAI",
    "0x514910771af9ca656af840dff83e8264ecf986ca": "LINK",
    "0x1f9840a85d5af5bf1d1762f925bdaddc4201f984": "UNI",
    "0x95ad61b0a150d79219dcf64e1e6cc01f0b64c4ce": "SHIB",
}
BY_GECKO = {asset.gecko: asset.ticker for asset in ASSETS.values() if asset.gecko}


def _ticker(coin: str) -> str | None:
    chain, _, name = coin.partition(":")
    if chain == "coingecko":
        return BY_GECKO.get(name)
    return CONTRACTS.get(name.lower()) if chain == "ethereum" else None


def _quote(coin: str, at_s: int) -> dict[str, Any] | None:
    ticker = _ticker(coin)
    minute = at_s * 1000 // MS_PER_MINUTE
    price = None if ticker is None else ticker_price(ticker, minute)
    if price is None:
        return None
    return {"symbol": ticker, "price": price, "timestamp": minute * 60, "confidence": CONFIDENCE}


class LlamaServer:
    """`/llama` stands for https://coins.llama.fi."""

    name = "llama"

    def __init__(self, state: State) -> None:
        self.state = state

    def handle(self, request: Request) -> Response:
        """Answer one call; what is not known is absent."""
        parts = request.path.strip("/").split("/")
        try:
            match [request.method, *parts]:
                case ["GET", "prices", "current", coins]:
                    return answer(self._at(coins, self.state.server_ms() // 1000))
                case ["GET", "prices", "historical", moment, coins]:
                    return answer(self._at(coins, int(moment)))
                case ["GET", "batchHistorical"]:
                    return answer(self._batch(request.query["coins"].encode()))
                case ["POST", "batchHistorical"]:
                    body = msgspec.json.decode(request.body, type=dict[str, Any])
                    return answer(self._batch(msgspec.json.encode(body["coins"])))
        except (ValueError, KeyError, msgspec.MsgspecError) as fault:
            return answer({"message": f"{type(fault).__name__}: {fault}"}, 400)
        return answer({"message": "Not Found"}, 404)

    def _at(self, coins: str, at_s: int) -> Any:
        found = {}
        for coin in coins.replace("%3A", ":").replace("%2C", ",").split(",")[:COINS_MAX]:
            quote = _quote(coin, at_s)
            if quote is not None:
                found[coin] = quote
        return {"coins": found}

    def _batch(self, coins: bytes) -> Any:
        found: dict[str, Any] = {}
        for coin, moments in msgspec.json.decode(coins, type=dict[str, list[int]]).items():
            quotes = [quote for moment in moments[:COINS_MAX] if (quote := _quote(coin, moment)) is not None]
            if quotes:
                prices = [{key: value for key, value in quote.items() if key != "symbol"} for quote in quotes]
                found[coin] = {"symbol": quotes[0]["symbol"], "prices": prices}
        return {"coins": found}
