"""Addresses as people paste them: the right chain's, another chain's, a validator's, and keys that must never be pasted."""

import pytest

from omnifolio.catalog.cosmos_chains import cosmos_chain
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import bech32
from omnifolio.venues.cosmos.address import BONDED, FEES, REWARDS, UNBONDING, module_address, parse_address

HUB = cosmos_chain("cosmoshub")
SPLIT = "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w"
ME = "cosmos1syj2za9lxkhgpd9zm5lzfss9f6qcuyca354whm"


def test_an_address_has_one_spelling() -> None:
    assert parse_address(HUB, f" {ME.upper()} ") == ME
    contract = "cosmos14hj2tavq8fpesdwxxcu44rty3hh90vhujrvcmstl4zr3txmfvw9s4hmalr"
    assert parse_address(HUB, contract) == contract


def test_modules_have_the_addresses_that_their_names_give() -> None:
    """As the Hub has them: the pools of staked coins, what was earned, and fees."""
    assert module_address(HUB, BONDED) == "cosmos1fl48vsnmsdzcv85q5d2q4z5ajdha8yu34mf0eh"
    assert module_address(HUB, UNBONDING) == "cosmos1tygms3xhhs3yv487phx3dw4a95jn7t7lpm470r"
    assert module_address(HUB, REWARDS) == "cosmos1jv65s3grqf6v6jl3dp4t6c9t9rk99cd88lyufl"
    assert module_address(HUB, FEES) == "cosmos17xpfvakm2amg962yls6f84z3kell8c5lserqta"


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("osmo1syj2za9lxkhgpd9zm5lzfss9f6qcuycae0x7pf", f"an address of Osmosis; connect it under osmosis, or paste .*{ME}"),
        ("inj1j4yzhgjm00ch3h0p9kel7g8sp6g045qf32pzlj", "an address of Injective; connect it under injective$"),
        ("cosmosvaloper1rne8lgs98p0jqe82sgt0qr4rdn4hgvmgp9ggcc", "a validator; the account of its operator is cosmos1rne8lgs98"),
        (bech32.encode_plain("cosmosvalcons", bytes(20)), "signs blocks, which holds nothing; paste the address"),
        (bech32.encode_plain("cosmospub", bytes(38)), "a public key, which holds nothing"),
        (bech32.encode_plain("moon", bytes(20)), "expected the prefix cosmos1 of Cosmos Hub, got moon1"),
        ("0x5CC3F2A0D1E5b0f0ce3C2A4dE5bD8a0fD6c8D7A1", "an address of Ethereum and its kin"),
        (ME[:-1] + "q", "checksum"),
        (ME[:9] + "B" + ME[10:], "mixes small and capital"),
        (bech32.encode_plain("cosmos", bytes(21)), "21 bytes where 20 are expected"),
        ("", "not an address of Cosmos Hub"),
        ("cosmos", "expected a prefix"),
        ("cosmos1b" + "q" * 40, "expected a prefix|no such text"),
    ],
)
def test_what_is_no_address_of_the_chain_is_told_what_it_is(pasted: str, told: str) -> None:
    with pytest.raises(InvalidField, match=told):
        parse_address(HUB, pasted)


@pytest.mark.parametrize("pasted", ["ab" * 32, "0x" + "AB" * 32, "abandon " * 11 + "about", " ".join(["zoo"] * 24)])
def test_keys_and_seed_phrases_are_refused(pasted: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        parse_address(HUB, pasted)


def test_a_chain_with_keys_of_ethereum_takes_the_account_in_hexadecimal() -> None:
    """The chain's own documentation gives both spellings of one account (Evmos, accounts, 2022)."""
    canto = cosmos_chain("canto-cosmos")
    address = parse_address(canto, "0x14574a6DFF2Ddf9e07828b4345d3040919AF5652")
    assert address == bech32.encode_plain("canto", bytes.fromhex("14574a6dff2ddf9e07828b4345d3040919af5652"))
    assert bech32.encode_plain("evmos", bytes.fromhex("14574a6dff2ddf9e07828b4345d3040919af5652")) == (
        "evmos1z3t55m0l9h0eupuz3dp5t5cypyv674jj7mz2jw"
    )


@pytest.mark.parametrize("text", ["A12UEL5L", "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw", SPLIT])
def test_plain_texts_of_the_standard_are_read_and_written(text: str) -> None:
    """Vectors of BIP-173."""
    assert bech32.encode_plain(*bech32.decode_plain(text)) == text.lower()


@pytest.mark.parametrize("text", ["A1G7SGD8", "1qzzfhee", "10a06t8", "de1lg7wt\xff", "li1dgmt3", "x1b4n0q5v", "a12UEL5L"])
def test_texts_that_the_standard_forbids_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"checksum|expected a prefix|no such text|capital"):
        bech32.decode_plain(text)
