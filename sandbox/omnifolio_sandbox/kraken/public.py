"""Kraken's public market endpoints: time, status, assets, pairs and tickers."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime
from typing import Any

from omnifolio_sandbox.amounts import fixed, ratio
from omnifolio_sandbox.clock import MS_PER_MINUTE
from omnifolio_sandbox.kraken.book import altname, pair_name
from omnifolio_sandbox.world.kraken import DECIMALS, EARN, PAIRS
from omnifolio_sandbox.world.prices import token_price
from omnifolio_sandbox.world.tokens import code_of

TAKER_PERCENT = Decimal("0.26")
MAKER_PERCENT = Decimal("0.16")


def server_time(at_ms: int) -> dict[str, Any]:
    """`Time`."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    return {"unixtime": at_ms // 1000, "rfc1123": format_datetime(moment)}


def system_status(at_ms: int) -> dict[str, Any]:
    """`SystemStatus`."""
    return {
        "status": "online",
        "timestamp": datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def assets() -> dict[str, Any]:
    """`Assets`: every code, the suffixed ones of Earn included."""
    found: dict[str, Any] = {}
    for code, places in DECIMALS.items():
        found[code] = _asset(altname(code), places)
    for ticker, (_, suffix) in EARN.items():
        code = code_of("kraken", ticker)
        found[f"{altname(code)}.{suffix}"] = _asset(f"{altname(code)}.{suffix}", DECIMALS[code])
    return found


def _asset(name: str, places: int) -> dict[str, Any]:
    return {
        "aclass": "currency",
        "altname": name,
        "decimals": places,
        "display_decimals": min(places, 5),
        "status": "enabled",
    }


def _pairs() -> Iterator[tuple[str, str, str, int]]:
    for base, quote, places in PAIRS:
        base_code, quote_code = code_of("kraken", base), code_of("kraken", quote)
        yield pair_name(base_code, quote_code), base_code, quote_code, places


def asset_pairs(wanted: set[str]) -> dict[str, Any] | None:
    """`AssetPairs`, all or the wanted ones by id or altname; None if one of them is unknown."""
    found = {}
    for name, base, quote, places in _pairs():
        short = altname(base) + altname(quote)
        if wanted and not wanted & {name, short}:
            continue
        wanted -= {name, short}
        found[name] = {
            "altname": short,
            "wsname": f"{altname(base)}/{altname(quote)}",
            "aclass_base": "currency",
            "base": base,
            "aclass_quote": "currency",
            "quote": quote,
            "lot": "unit",
            "cost_decimals": DECIMALS[quote],
            "pair_decimals": places,
            "lot_decimals": 8,
            "lot_multiplier": 1,
            "leverage_buy": [],
            "leverage_sell": [],
            "fees": [[0, TAKER_PERCENT]],
            "fees_maker": [[0, MAKER_PERCENT]],
            "fee_volume_currency": "ZUSD",
            "margin_call": 80,
            "margin_stop": 40,
            "ordermin": "0.0001",
            "costmin": "0.5",
            "tick_size": fixed(Decimal(1).scaleb(-places), places),
            "status": "online",
        }
    return None if wanted else found


def tickers(wanted: set[str], at_ms: int) -> dict[str, Any] | None:
    """`Ticker`, all or the wanted ones by id or altname; None if one of them is unknown."""
    found = {}
    minute = at_ms - at_ms % MS_PER_MINUTE
    for name, base, quote, places in _pairs():
        short = altname(base) + altname(quote)
        if wanted and not wanted & {name, short}:
            continue
        wanted -= {name, short}
        base_usd, quote_usd = token_price("kraken", base, minute), token_price("kraken", quote, minute)
        assert base_usd is not None
        assert quote_usd is not None
        price = fixed(ratio(base_usd, quote_usd, places), places)
        found[name] = {
            "a": [price, "1", "1.000"],
            "b": [price, "1", "1.000"],
            "c": [price, "0.01000000"],
            "v": ["120.00000000", "250.00000000"],
            "p": [price, price],
            "t": [1200, 2600],
            "l": [price, price],
            "h": [price, price],
            "o": price,
        }
    return None if wanted else found
