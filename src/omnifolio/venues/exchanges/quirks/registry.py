"""Which module reads which exchange's answers: one line each, by the name that a row gives as its `quirks`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.answers import Quirks
from omnifolio.venues.exchanges.quirks import (
    binance,
    binanceus,
    bitfinex,
    bitstamp,
    bitvavo,
    coinbase,
    cryptocom,
    deribit,
    independentreserve,
    kraken,
    okx,
    poloniex,
)

QUIRKS: Mapping[str, Quirks] = {
    "binance": binance.QUIRKS,
    "binanceus": binanceus.QUIRKS,
    "bitfinex": bitfinex.QUIRKS,
    "bitstamp": bitstamp.QUIRKS,
    "bitvavo": bitvavo.QUIRKS,
    "coinbase": coinbase.QUIRKS,
    "cryptocom": cryptocom.QUIRKS,
    "deribit": deribit.QUIRKS,
    "independentreserve": independentreserve.QUIRKS,
    "kraken": kraken.QUIRKS,
    "okx": okx.QUIRKS,
    "poloniex": poloniex.QUIRKS,
}
