"""Which function signs for which scheme: one line each, by the name that a row gives as its `signing`."""

from collections.abc import Mapping

from omnifolio.venues.exchanges.signers import bit2me, bitcoinde, bitmart, bitmex, bitpanda, coinbaseprime, coinex, iconomi
from omnifolio.venues.exchanges.signers.contract import Signer

SIGNERS: Mapping[str, Signer] = {
    "bit2me": bit2me.sign,
    "bitcoinde": bitcoinde.sign,
    "bitmart": bitmart.sign,
    "bitmex": bitmex.sign,
    "bitpanda": bitpanda.sign,
    "coinbaseprime": coinbaseprime.sign,
    "coinex": coinex.sign,
    "iconomi": iconomi.sign,
}
