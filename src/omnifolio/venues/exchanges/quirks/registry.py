"""Which module reads which exchange's answers: one line each, by the name that a row gives as its `quirks`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.answers import Quirks
from omnifolio.venues.exchanges.quirks import binance, bitget, coinbase, gate, htx, kraken, mexc

QUIRKS: Mapping[str, Quirks] = {
    "binance": binance.QUIRKS,
    "bitget": bitget.QUIRKS,
    "coinbase": coinbase.QUIRKS,
    "gate": gate.QUIRKS,
    "htx": htx.QUIRKS,
    "kraken": kraken.QUIRKS,
    "mexc": mexc.QUIRKS,
}
