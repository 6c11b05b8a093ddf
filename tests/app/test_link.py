"""What identifies a link: the same thing in another spelling is the same, and nothing else is."""

import pytest

from omnifolio.app.link import check
from omnifolio.app.offers import Offers, all_offers
from omnifolio.model.settings import Settings

OFFERS = Offers(all_offers(Settings()))
MIXED = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
KEY = b"k" * 32


def fingerprint(provider: str, **entered: str) -> bytes:
    return check(OFFERS.of(provider), entered, fingerprint_key=KEY).fingerprint


@pytest.mark.parametrize("provider", ["ethereum", "hyperliquid"])
def test_an_address_in_another_spelling_is_the_same_wallet(provider: str) -> None:
    assert fingerprint(provider, wallet=MIXED) == fingerprint(provider, wallet=MIXED.lower())
    assert fingerprint(provider, wallet=MIXED) != fingerprint(provider, wallet=MIXED[:-1] + "6")


def test_a_key_in_another_spelling_is_another_key() -> None:
    key = "aB" * 32
    assert fingerprint("binance", key=key, secret="s") != fingerprint("binance", key=key.lower(), secret="s")
