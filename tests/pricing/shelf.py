"""The sources under test, and small builders of what they are asked and answer."""

import json
from collections.abc import Sequence
from typing import Any

from omnifolio.catalog import assets as catalog
from omnifolio.model.clock import DAY_MS, MINUTE_MS, EpochMs
from omnifolio.model.prices import Wanted, bucket_of
from omnifolio.model.tokens import TokenId
from omnifolio.pricing.contract import Found, PriceSource
from omnifolio.pricing.sources.binance import BinanceMarket
from omnifolio.pricing.sources.coinbase import CoinbaseMarket
from omnifolio.pricing.sources.coingecko import CoinGecko
from omnifolio.pricing.sources.defillama import DefiLlama
from omnifolio.pricing.sources.kraken import KrakenMarket
from omnifolio.pricing.sources.sandbox import SandboxFeed
from omnifolio.transport.egress import Answer

ASSETS = catalog.load()
NOW = EpochMs(1_741_000_000_000)  # 2025-03-03 11:06:40 UTC
PAST = EpochMs(1_714_564_830_000)  # 2024-05-01 12:00:30 UTC
USDC = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"


def want(token: str, at: int = PAST, *, resolution: int = MINUTE_MS, ticker: str = "X") -> Wanted:
    return Wanted(token=TokenId(token), ticker=ticker, at=EpochMs(at), resolution=resolution)


def close(token: str, day_of: int = PAST) -> Wanted:
    """The close of the day that holds the instant."""
    return want(token, bucket_of(EpochMs(day_of), DAY_MS) + DAY_MS - 1, resolution=DAY_MS)


def answer(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status=status, headers=headers or {}, body=raw, received_at=NOW)


def parsed(source: PriceSource, wants: Sequence[Wanted], *bodies: Any, now: EpochMs = NOW) -> Found:
    """What the source makes of these bodies for its one question about `wants`."""
    (ask,) = source.plan(wants, now=now)
    assert len(ask.requests) == len(bodies)
    return source.parse(ask, [item if isinstance(item, Answer) else answer(item) for item in bodies])


def prices(found: Found) -> list[tuple[str, int, str]]:
    """(token, length of the bucket, price) of every quote."""
    return [(item.token, item.resolution, str(item.price)) for item in found.quotes]


LLAMA = DefiLlama(assets=ASSETS)
GECKO = CoinGecko(assets=ASSETS, base_url="https://pro-api.coingecko.com/api/v3")
COINBASE, KRAKEN, BINANCE = CoinbaseMarket(), KrakenMarket(), BinanceMarket()
FEED = SandboxFeed(assets=ASSETS, base_url="http://127.0.0.1:1")


def kline(start: int, price: str) -> list[object]:
    return [start, price, price, price, price, "1", start + 59_999, "1", 5, "1", "1", "0"]
