"""Binance's public endpoints: time, system status, exchange information and tickers."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import fixed, ratio
from omnifolio_sandbox.binance.book import symbols
from omnifolio_sandbox.binance.errors import BinanceError, Params
from omnifolio_sandbox.clock import MS_PER_DAY, MS_PER_MINUTE
from omnifolio_sandbox.state import BINANCE_API_WEIGHT_PER_MINUTE
from omnifolio_sandbox.world.prices import token_price


def _chosen(params: Params) -> list[str]:
    known = symbols()
    asked = params.get("symbol") or ""
    several = params.get("symbols", "").strip("[]").replace('"', "")
    wanted = [asked] if asked else [one for one in several.split(",") if one]
    for symbol in wanted:
        if symbol not in known:
            raise BinanceError(-1121, "Invalid symbol.")
    return wanted or list(known)


def exchange_info(params: Params, now_ms: int) -> Any:
    """`exchangeInfo`."""
    known = symbols()
    return {
        "timezone": "UTC",
        "serverTime": now_ms,
        "rateLimits": [
            {
                "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
                "limit": BINANCE_API_WEIGHT_PER_MINUTE,
            }
        ],
        "exchangeFilters": [],
        "symbols": [_symbol(symbol, *known[symbol]) for symbol in _chosen(params)],
    }  # fmt: skip


def _symbol(symbol: str, base: str, quote: str, price_places: int, lot_places: int) -> dict[str, Any]:
    tick, step = fixed(Decimal(1).scaleb(-price_places), 8), fixed(Decimal(1).scaleb(-lot_places), 8)
    return {
        "symbol": symbol, "status": "TRADING", "baseAsset": base, "baseAssetPrecision": 8, "quoteAsset": quote,
        "quotePrecision": 8, "quoteAssetPrecision": 8, "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"], "icebergAllowed": True, "ocoAllowed": True,
        "quoteOrderQtyMarketAllowed": True, "allowTrailingStop": True, "cancelReplaceAllowed": True,
        "isSpotTradingAllowed": True, "isMarginTradingAllowed": False,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000.00000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "9000000.00000000", "stepSize": step},
            {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True,
             "maxNotional": "9000000.00000000", "applyMaxToMarket": False, "avgPriceMins": 5},
        ],
        "permissions": [], "permissionSets": [["SPOT"]], "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": ["EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"],
    }  # fmt: skip


def price_of(symbol: str, at_ms: int) -> str:
    """A market's price in the minute that holds `at_ms`, 8 decimals."""
    base, quote, places, _ = symbols()[symbol]
    base_usd, quote_usd = token_price("binance", base, at_ms), token_price("binance", quote, at_ms)
    assert base_usd is not None
    assert quote_usd is not None
    return fixed(ratio(base_usd, quote_usd, places), 8)


def ticker_price(params: Params, now_ms: int) -> Any:
    """`ticker/price`: one object for one symbol, else a list."""
    rows = [{"symbol": symbol, "price": price_of(symbol, now_ms)} for symbol in _chosen(params)]
    return rows[0] if params.get("symbol") else rows


def ticker_day(params: Params, now_ms: int) -> Any:
    """`ticker/24hr`: one object for one symbol, else a list."""
    rows = []
    for symbol in _chosen(params):
        now, before = price_of(symbol, now_ms), price_of(symbol, now_ms - MS_PER_DAY)
        rows.append(
            {
                "symbol": symbol, "priceChange": fixed(Decimal(now) - Decimal(before), 8),
                "priceChangePercent": "0.000",
                "weightedAvgPrice": now, "prevClosePrice": before, "lastPrice": now, "lastQty": "1.00000000",
                "bidPrice": now, "bidQty": "1.00000000", "askPrice": now, "askQty": "1.00000000", "openPrice": before,
                "highPrice": max(now, before, key=Decimal), "lowPrice": min(now, before, key=Decimal),
                "volume": "1000.00000000", "quoteVolume": "1000.00000000", "openTime": now_ms - MS_PER_DAY,
                "closeTime": now_ms - now_ms % MS_PER_MINUTE, "firstId": 1, "lastId": 1000, "count": 1000,
            }
        )  # fmt: skip
    return rows[0] if params.get("symbol") else rows
