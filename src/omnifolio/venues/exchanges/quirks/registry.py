"""Which module reads which exchange's answers: one line each, by the name that a row gives as its `quirks`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.answers import Quirks
from omnifolio.venues.exchanges.quirks import (
    binance,
    binanceus,
    bitfinex,
    bitpanda,
    bitstamp,
    bitvavo,
    coinbase,
    cryptocom,
    deribit,
    gate,
    gemini,
    htx,
    independentreserve,
    kraken,
    kucoin,
    okx,
    poloniex,
    upbit,
    whitebit,
)

QUIRKS: Mapping[str, Quirks] = {
    "bitpanda": bitpanda.QUIRKS,
    "binance": binance.QUIRKS,
    "binanceus": binanceus.QUIRKS,
    "bitfinex": bitfinex.QUIRKS,
    "bitstamp": bitstamp.QUIRKS,
    "bitvavo": bitvavo.QUIRKS,
    "coinbase": coinbase.QUIRKS,
    "cryptocom": cryptocom.QUIRKS,
    "deribit": deribit.QUIRKS,
    "independentreserve": independentreserve.QUIRKS,
    "gate": gate.QUIRKS,
    "gemini": gemini.QUIRKS,
    "htx": htx.QUIRKS,
    "kraken": kraken.QUIRKS,
    "kucoin": kucoin.QUIRKS,
    "okx": okx.QUIRKS,
    "poloniex": poloniex.QUIRKS,
    "upbit": upbit.QUIRKS,
    "whitebit": whitebit.QUIRKS,
}
