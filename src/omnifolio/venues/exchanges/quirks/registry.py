"""Which module reads which exchange's answers: one line each, by the name that a row gives as its `quirks`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.answers import Quirks
from omnifolio.venues.exchanges.quirks import (
    binance,
    binanceus,
    bit2me,
    bitfinex,
    bitmart,
    bitmex,
    bitpanda,
    bitstamp,
    bitvavo,
    coinbase,
    coinex,
    cryptocom,
    deribit,
    gate,
    htx,
    iconomi,
    kraken,
    kucoin,
    okx,
    upbit,
    whitebit,
)

QUIRKS: Mapping[str, Quirks] = {
    "binance": binance.QUIRKS,
    "binanceus": binanceus.QUIRKS,
    "bit2me": bit2me.QUIRKS,
    "bitfinex": bitfinex.QUIRKS,
    "bitmart": bitmart.QUIRKS,
    "bitmex": bitmex.QUIRKS,
    "bitpanda": bitpanda.QUIRKS,
    "bitstamp": bitstamp.QUIRKS,
    "bitvavo": bitvavo.QUIRKS,
    "coinbase": coinbase.QUIRKS,
    "coinex": coinex.QUIRKS,
    "cryptocom": cryptocom.QUIRKS,
    "deribit": deribit.QUIRKS,
    "gate": gate.QUIRKS,
    "htx": htx.QUIRKS,
    "iconomi": iconomi.QUIRKS,
    "kraken": kraken.QUIRKS,
    "kucoin": kucoin.QUIRKS,
    "okx": okx.QUIRKS,
    "upbit": upbit.QUIRKS,
    "whitebit": whitebit.QUIRKS,
}
