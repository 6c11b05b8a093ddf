"""Where a pasted address lives: the form of an address tells it for all chains but those of Ethereum's kind."""

import pytest

from omnifolio.app.finding import told_by_form
from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.model.settings import Settings

OFFERS = Offers(all_offers(Settings()))
SUI = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("address", "chains"),
    [
        ("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", ["bitcoin"]),
        ("vines1vzrYbzLMRdu58ou5XTby4qAqVRLmqo36NKPTg", ["solana"]),
        ("osmo1syj2za9lxkhgpd9zm5lzfss9f6qcuycae0x7pf", ["osmosis"]),
        ("r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59", ["xrpl"]),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", ["tron"]),
        ("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ", ["stellar"]),
        ("stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw", ["cardano"]),
        ("0:" + "ab" * 32, ["ton"]),
        ("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5", ["polkadot", "polkadot-asset-hub"]),
        ("0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045", []),
        ("vitalik.eth", []),
    ],
)
def test_an_address_says_by_its_form_where_it_lives(address: str, chains: list[str]) -> None:
    assert sorted(offer.name for offer in told_by_form(OFFERS, address, chains=())) == chains


@pytest.mark.parametrize("secret", [SUI, "ab" * 32, "abandon " * 11 + "about"])
def test_what_has_the_form_of_a_private_key_is_refused(secret: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        told_by_form(OFFERS, secret, chains=())


def test_what_is_no_address_says_so() -> None:
    with pytest.raises(InvalidField, match="this is no address of any chain that is read here; copy all of it"):
        told_by_form(OFFERS, "nonsense", chains=())
    with pytest.raises(InvalidField, match="this is no address of tron"):
        told_by_form(OFFERS, "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59", chains=("tron",))


def test_a_named_chain_knows_its_own_form() -> None:
    assert [offer.name for offer in told_by_form(OFFERS, SUI, chains=("sui",))] == ["sui"]
    with pytest.raises(PrivateKeyRefused):
        told_by_form(OFFERS, SUI, chains=("polkadot",))
