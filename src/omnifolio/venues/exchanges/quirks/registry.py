"""Which module reads which exchange's answers: one line each, by the name that a row gives as its `quirks`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.answers import Quirks
from omnifolio.venues.exchanges.quirks import binance, bitfinex, bitstamp, bitvavo, coinbase, deribit, kraken, okx
from omnifolio.venues.exchanges.quirks import binance, bitvavo, coinbase, kraken, kucoin, okx
from omnifolio.venues.exchanges.quirks import (
    binance,
    bitfinex,
    bitstamp,
    bitvavo,
    coinbase,
    deribit,
    kraken,
    okx,
    upbit,
    whitebit,
)
from omnifolio.venues.exchanges.quirks import binance, bitfinex, bitpanda, bitstamp, bitvavo, coinbase, deribit, kraken, okx

QUIRKS: Mapping[str, Quirks] = {
    "bitpanda": bitpanda.QUIRKS,
    "binance": binance.QUIRKS,
    "bitfinex": bitfinex.QUIRKS,
    "bitstamp": bitstamp.QUIRKS,
    "bitvavo": bitvavo.QUIRKS,
    "coinbase": coinbase.QUIRKS,
    "deribit": deribit.QUIRKS,
    "kraken": kraken.QUIRKS,
    "kucoin": kucoin.QUIRKS,
    "okx": okx.QUIRKS,
    "upbit": upbit.QUIRKS,
    "whitebit": whitebit.QUIRKS,
}
