"""Which module speaks which exchange's private stream: one line each, by the name of what reads its answers."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.streams import binance, bybit, kraken, kucoin, okx
from omnifolio.venues.exchanges.streams.contract import Dialect

DIALECTS: Mapping[str, Dialect] = {
    "binance": binance.DIALECT,
    "bybit": bybit.DIALECT,
    "kraken": kraken.DIALECT,
    "kucoin": kucoin.DIALECT,
    "okx": okx.DIALECT,
}
