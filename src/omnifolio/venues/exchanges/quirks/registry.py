"""Which module reads which exchange's answers: one line each, by the name that a row gives as its `quirks`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.answers import Quirks
from omnifolio.venues.exchanges.quirks import binance, bitpanda, bitvavo, coinbase, kraken

QUIRKS: Mapping[str, Quirks] = {
    "bitpanda": bitpanda.QUIRKS,
    "binance": binance.QUIRKS,
    "bitvavo": bitvavo.QUIRKS,
    "coinbase": coinbase.QUIRKS,
    "kraken": kraken.QUIRKS,
}
