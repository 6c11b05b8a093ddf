"""What identifies a link: the same thing in another spelling is the same, and nothing else is."""

import pytest

from omnifolio.app.asking import asking
from omnifolio.app.link import check
from omnifolio.app.offer import Offers
from omnifolio.app.offers import all_offers
from omnifolio.model.errors import InvalidField, NotFound, PrivateKeyRefused
from omnifolio.model.settings import Settings
from omnifolio.venues.base58 import encode, encode_check
from omnifolio.venues.stellar.address import SEED
from omnifolio.venues.stellar.address import encode as strkey
from omnifolio.venues.utxo.descriptors import checksum

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


ZPUB = "zpub6rFR7y4Q2AijBEqTUquhVz398htDFrtymD9xYYfG1m4wAcvPhXNfE3EfH1r1ADqtfSdVCToUG868RvUUkgDKf31mGDtKsAYz2oz2AGutZYs"
SEGWIT = "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"


def test_a_coin_is_linked_by_address_key_or_descriptor_in_any_spelling() -> None:
    assert fingerprint("bitcoin", address=SEGWIT) == fingerprint("bitcoin", wallet=SEGWIT.upper())
    assert fingerprint("bitcoin", xpub=ZPUB, source="electrum.emzy.de") == fingerprint(
        "bitcoin", wallet=ZPUB, source="mempool.space"
    )
    descriptor = f"wpkh({ZPUB}/<0;1>/*)"
    marked = f"{descriptor}#{checksum(descriptor)}"
    chosen = {"source": "blockstream.info"}
    assert fingerprint("bitcoin", descriptor=descriptor, **chosen) == fingerprint("bitcoin", descriptor=marked, **chosen)
    assert check(OFFERS.of("bitcoin"), {"address": SEGWIT.upper()}, fingerprint_key=KEY).fields == {"wallet": SEGWIT}


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"xpub": ZPUB}, "choose who is told all addresses of this wallet: mempool.space, blockstream.info"),
        ({"xpub": ZPUB, "source": "own"}, "source does not look like a Bitcoin server to ask"),
        ({"address": SEGWIT, "source": "example.org"}, "source does not look like a Bitcoin server to ask"),
        ({"address": SEGWIT[:-1] + "5"}, "its checksum does not fit"),
        ({"source": "mempool.space"}, "wallet is missing"),
    ],
)
def test_a_coin_that_cannot_be_linked_says_why(entered: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidField, match=said):
        check(OFFERS.of("bitcoin"), entered, fingerprint_key=KEY)


@pytest.mark.parametrize("field", ["wallet", "address", "xpub", "descriptor"])
def test_no_private_key_is_taken_for_a_wallet(field: str) -> None:
    secret = encode_check(bytes([0xB0]) + bytes(range(32)) + b"\x01")
    for text in (secret, f"wpkh({secret})", " ".join(["abandon"] * 11 + ["about"])):
        with pytest.raises(PrivateKeyRefused):
            check(OFFERS.of("litecoin"), {field: text}, fingerprint_key=KEY)


def test_a_server_of_the_operator_needs_no_choice() -> None:
    own = {"dogecoin": "tcp://127.0.0.1:50001", "bitcoin": "tcp://127.0.0.1:50002"}
    offers = Offers(all_offers(Settings(base_urls=own)))
    assert check(offers.of("bitcoin"), {"xpub": ZPUB}, fingerprint_key=KEY).fields == {"wallet": ZPUB}
    assert "this installation's own server is asked" in offers.of("dogecoin").instructions
    with pytest.raises(NotFound):
        OFFERS.of("dogecoin")


def test_solana_is_linked_by_an_address_and_refuses_its_keys() -> None:
    address = encode(bytes(range(1, 33)))
    assert check(OFFERS.of("solana"), {"address": f" {address} "}, fingerprint_key=KEY).fields == {"wallet": address}
    pair = bytes(range(1, 65))
    for text in (encode(pair), str(list(pair)), " ".join(["abandon"] * 11 + ["about"])):
        with pytest.raises(PrivateKeyRefused):
            check(OFFERS.of("solana"), {"wallet": text}, fingerprint_key=KEY)
    with pytest.raises(InvalidField, match="31 bytes"):
        check(OFFERS.of("solana"), {"wallet": encode(bytes(range(1, 32)))}, fingerprint_key=KEY)


def test_the_xrp_ledger_is_linked_by_either_spelling_of_an_address() -> None:
    classic, other = "r9cZA1mLK5R5Am25ArfXFmqgNwjZgnfk59", "X7AcgcsBL6XDcUb289X4mJ8djcdyKaB5hJDWMArnXr61cqZ"
    linked = [
        check(OFFERS.of(name), {"wallet": text}, fingerprint_key=KEY) for name in ("xrpl", "ripple") for text in (classic, other)
    ]
    assert {link.fingerprint for link in linked} == {linked[0].fingerprint}
    assert linked[0].fields == {"wallet": classic}
    with pytest.raises(PrivateKeyRefused):
        check(OFFERS.of("xrpl"), {"wallet": "sn259rEFXrQrWyx3Q7XneWcwV6dfL"}, fingerprint_key=KEY)


def test_cardano_is_linked_by_a_stake_address_or_any_other() -> None:
    account = "stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw"
    assert check(OFFERS.of("cardano"), {"wallet": account.upper()}, fingerprint_key=KEY).fields == {"wallet": account}
    with pytest.raises(PrivateKeyRefused):
        check(OFFERS.of("cardano"), {"wallet": " ".join(["abandon"] * 23 + ["art"])}, fingerprint_key=KEY)
    with pytest.raises(InvalidField, match="test network"):
        check(
            OFFERS.of("cardano"),
            {"wallet": "stake_test1uqehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gssrtvn"},
            fingerprint_key=KEY,
        )


def test_tron_is_linked_by_either_spelling_of_an_address_and_refuses_keys() -> None:
    text, digits = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "41a614f803b6fd780986a42c78ec9c7f77e6ded13c"
    linked = [check(OFFERS.of("tron"), {"address": entered}, fingerprint_key=KEY) for entered in (text, digits, f"0x{digits}")]
    assert {one.fields["wallet"] for one in linked} == {text}
    assert len({one.fingerprint for one in linked}) == 1
    keyed = check(OFFERS.of("tron"), {"wallet": text, "server_key": "0c0ffee0"}, fingerprint_key=KEY)
    assert (list(keyed.secrets), keyed.fields, keyed.fingerprint) == (["server_key"], {"wallet": text}, linked[0].fingerprint)
    for key in ("ab" * 32, " ".join(["abandon"] * 11 + ["about"])):
        with pytest.raises(PrivateKeyRefused):
            check(OFFERS.of("tron"), {"wallet": key}, fingerprint_key=KEY)


def test_a_cosmos_chain_is_linked_by_its_own_address_and_says_whom_it_asks() -> None:
    offer, address = OFFERS.of("osmosis"), "osmo1syj2za9lxkhgpd9zm5lzfss9f6qcuycae0x7pf"
    taken = check(offer, {"address": address.upper(), "history": "balances"}, fingerprint_key=KEY)
    assert taken.fields == {"wallet": address, "history": "balances"}
    with pytest.raises(InvalidField, match="an address of Cosmos Hub; connect it under cosmoshub"):
        check(offer, {"wallet": "cosmos1syj2za9lxkhgpd9zm5lzfss9f6qcuyca354whm"}, fingerprint_key=KEY)
    with pytest.raises(PrivateKeyRefused):
        check(offer, {"wallet": "ab" * 32}, fingerprint_key=KEY)
    (held,) = asking(Settings(), offer, fields=taken.fields, has_key=False)
    assert (held.reads, held.is_own, set(held.source.split(", else ")) == set(offer.sources)) == ("balances", False, True)
    own = asking(Settings(base_urls={"osmosis": "http://127.0.0.1:1317"}), offer, fields={"wallet": address}, has_key=False)
    assert [(step.reads, step.source, step.is_own) for step in own] == [
        ("balances", "127.0.0.1", True),
        ("history", "127.0.0.1", True),
    ]


def test_stellar_is_linked_by_an_account_and_refuses_its_seed() -> None:
    account = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"
    assert check(OFFERS.of("stellar"), {"address": account.lower()}, fingerprint_key=KEY).fields == {"wallet": account}
    with pytest.raises(PrivateKeyRefused):
        check(OFFERS.of("stellar"), {"wallet": strkey(SEED, bytes(range(32)))}, fingerprint_key=KEY)
    muxed = "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ"
    with pytest.raises(InvalidField, match=account):
        check(OFFERS.of("stellar"), {"wallet": muxed}, fingerprint_key=KEY)


def test_zcash_is_read_from_an_electrum_server_alone() -> None:
    entered = {"wallet": "t1XVXWCvpMgBvUaed4XDqWtgQgJSu1Ghz7F"}
    for url, is_taken in (("tcp://127.0.0.1:50001", True), ("blockbook+https://zec.example", False)):
        offer = Offers(all_offers(Settings(base_urls={"zcash": url}))).of("zcash")
        if is_taken:
            assert check(offer, entered, fingerprint_key=KEY).fields == entered
        else:
            with pytest.raises(InvalidField, match="explorers do not say what was shielded"):
                check(offer, entered, fingerprint_key=KEY)
