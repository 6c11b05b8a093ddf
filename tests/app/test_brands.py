"""Wallet brands: what is pasted is connected to the chain whose address it is, and a brand is never a venue of its own."""

from collections import Counter

import pytest

from omnifolio.app.brands import BRAND, words
from omnifolio.app.link import check_any
from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.catalog.wallets import wallet_brands
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.model.settings import Settings
from omnifolio.venues.registry import FAMILIES

OWN = {"zcash": "http://127.0.0.1:9067", "dash": "http://127.0.0.1:9068"}
"""Servers of the operator's own, for chains that have no public one."""
OFFERS = Offers(all_offers(Settings(base_urls=OWN)))
KEY = b"k" * 32
EVM = "0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"
SOLANA = "vines1vzrYbzLMRdu58ou5XTby4qAqVRLmqo36NKPTg"
BITCOIN = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"
SUI = "0x" + "ab" * 32
ZPUB = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
BRANDS_MIN = 60


def test_there_are_sixty_brands_and_each_is_offered_with_where_to_find_its_addresses() -> None:
    wallets = [offer for offer in OFFERS.all if offer.category == "wallets" and offer.onward is not None]
    assert {offer.name for offer in wallets} == set(wallet_brands())
    without = {offer.name for offer in all_offers(Settings()) if offer.category == "wallets"}
    assert set(wallet_brands()) - without == {"zashi", "dashcore"}, "nobody can be asked about their chains"
    assert len(wallets) >= BRANDS_MIN
    for offer in wallets:
        assert offer.instructions.endswith(" Never paste a private key or seed phrase anywhere.")
        assert offer.fields[0].name == "wallet"


@pytest.mark.parametrize("brand", wallet_brands())
def test_a_row_names_chains_that_there_are(brand: str) -> None:
    row = wallet_brands()[brand]
    assert set(row.chains) <= words()
    assert len(set(row.chains)) == len(row.chains)
    assert row.where.endswith(".")
    assert "." in row.source


def test_no_two_providers_have_one_name() -> None:
    names = Counter(name for offer in OFFERS.all for name in (offer.name, *offer.alternate_names))
    assert [name for name, times in names.items() if times > 1] == []


def test_a_brand_is_no_venue() -> None:
    read = {name for family in FAMILIES.values() for name in family.ids()}
    assert read.isdisjoint(wallet_brands())


@pytest.mark.parametrize(
    ("brand", "entered", "chain"),
    [
        ("metamask", {"wallet": EVM}, "ethereum"),
        ("metamask", {"address": EVM, "network": "base"}, "base"),
        ("metamask", {"wallet": SOLANA}, "solana"),
        ("metamask", {"wallet": BITCOIN}, "bitcoin"),
        ("phantom", {"wallet": EVM, "network": "polygon"}, "polygon"),
        ("phantom", {"wallet": SOLANA}, "solana"),
        ("ledger-live", {"xpub": ZPUB, "source": "mempool.space"}, "bitcoin"),
        ("electrum", {"wallet": BITCOIN}, "bitcoin"),
        ("rabby", {"wallet": EVM, "history": "balances"}, "ethereum"),
        ("slush", {"wallet": SUI}, "sui"),
        ("ledger", {"wallet": SUI, "network": "sui"}, "sui"),
        ("keplr", {"wallet": "osmo1syj2za9lxkhgpd9zm5lzfss9f6qcuycae0x7pf"}, "osmosis"),
        ("trezor", {"wallet": "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59"}, "xrpl"),
        ("tronlink", {"wallet": "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"}, "tron"),
        ("lobstr", {"wallet": "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"}, "stellar"),
        ("eternl", {"wallet": "stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw"}, "cardano"),
        ("tonkeeper", {"wallet": "0:" + "ab" * 32}, "ton"),
        ("nova", {"wallet": "15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5"}, "polkadot-asset-hub"),
    ],
)
def test_what_is_pasted_is_connected_to_its_chain(brand: str, entered: dict[str, str], chain: str) -> None:
    offer, credentials = check_any(OFFERS.of(brand), entered, fingerprint_key=KEY)
    assert offer.name == chain
    assert credentials.fields[BRAND] == OFFERS.of(brand).name
    plain = {name: value for name, value in entered.items() if name != "network"}
    direct, same = check_any(OFFERS.of(chain), plain, fingerprint_key=KEY)
    assert direct.name == chain
    assert same.fingerprint == credentials.fingerprint
    assert {**same.fields, BRAND: OFFERS.of(brand).name} == credentials.fields


@pytest.mark.parametrize(
    ("brand", "entered", "said"),
    [
        ("solflare", {"wallet": EVM}, "address of no network that Solflare is read on: solana$"),
        ("rabby", {"wallet": SOLANA}, "address of no network that Rabby is read on: .* and [0-9]+ more$"),
        ("phantom", {"wallet": EVM, "network": "litecoin"}, "network: Phantom is read on solana, ethereum, base"),
        ("rabby", {}, "wallet is missing; Rabby needs it"),
        ("rabby", {"key": "x"}, "rabby has no field 'key'; expected wallet, network, history"),
        ("electrum", {"wallet": ZPUB}, "choose who is told all addresses"),
    ],
)
def test_what_cannot_be_connected_says_why(brand: str, entered: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidField, match=said):
        check_any(OFFERS.of(brand), entered, fingerprint_key=KEY)


@pytest.mark.parametrize("brand", ["metamask", "ledger", "electrum"])
@pytest.mark.parametrize("secret", ["0x" + "ab" * 32, "abandon " * 11 + "about"])
def test_a_private_key_is_refused(brand: str, secret: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        check_any(OFFERS.of(brand), {"wallet": secret}, fingerprint_key=KEY)
