"""Which module reads which exchange's answers: one line each, by the name that a row gives as its `quirks`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.answers import Quirks
from omnifolio.venues.exchanges.quirks import (
    binance,
    binanceus,
    bitfinex,
    bitflyer,
    bitpanda,
    bitstamp,
    bitvavo,
    bybit,
    coinbase,
    cryptocom,
    deribit,
    gate,
    htx,
    hyperliquid,
    kraken,
    kucoin,
    okx,
    upbit,
    whitebit,
    woo,
)

QUIRKS: Mapping[str, Quirks] = {
    "binance": binance.QUIRKS,
    "binanceus": binanceus.QUIRKS,
    "bitfinex": bitfinex.QUIRKS,
    "bitflyer": bitflyer.QUIRKS,
    "bitpanda": bitpanda.QUIRKS,
    "bitstamp": bitstamp.QUIRKS,
    "bitvavo": bitvavo.QUIRKS,
    "bybit": bybit.QUIRKS,
    "coinbase": coinbase.QUIRKS,
    "cryptocom": cryptocom.QUIRKS,
    "deribit": deribit.QUIRKS,
    "gate": gate.QUIRKS,
    "htx": htx.QUIRKS,
    "hyperliquid": hyperliquid.QUIRKS,
    "kraken": kraken.QUIRKS,
    "kucoin": kucoin.QUIRKS,
    "okx": okx.QUIRKS,
    "upbit": upbit.QUIRKS,
    "whitebit": whitebit.QUIRKS,
    "woo": woo.QUIRKS,
}
