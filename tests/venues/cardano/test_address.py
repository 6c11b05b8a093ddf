"""Addresses: the vectors of CIP-19, Byron's by their own checksum, and what is refused with words that help."""

import pytest
from tests.venues.cardano.miniature import address

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58, bech32
from omnifolio.venues.cardano.address import has_stake, is_stake, parse_address

MAIN = (
    "addr1qx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer3n0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgse35a3x",
    "addr1z8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gten0d3vllmyqwsx5wktcd8cc3sq835lu7drv2xwl2wywfgs9yc0hh",
    "addr1yx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzerkr0vd4msrxnuwnccdxlhdjar77j6lg0wypcc9uar5d2shs2z78ve",
    "addr1x8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gt7r0vd4msrxnuwnccdxlhdjar77j6lg0wypcc9uar5d2shskhj42g",
    "addr1gx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzer5pnz75xxcrzqf96k",
    "addr128phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtupnz75xxcrtw79hu",
    "addr1vx2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzers66hrl8",
    "addr1w8phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtcyjy7wx",
    "stake1uyehkck0lajq8gr28t9uxnuvgcqrc6070x3k9r8048z8y5gh6ffgw",
    "stake178phkx6acpnf78fuvxn0mkew3l0fd058hzquvz7w36x4gtcccycj5",
)
"""The vectors of CIP-19 for the main network, types 0 to 7, 14 and 15."""
BYRON = (
    "Ae2tdPwUPEZFRbyhz3cpfC2CumGzNkFBN2L42rcUc2yjQpEkxDbkPodpMAi",
    "DdzFFzCqrhstmqBkaU98vdHu6PdqjqotmgudToWYEeRmQKDrn4cAgGv9EZKtu1DevLrMA1pdVazufUCK4zhFkUcQZ5Gm88mVHnrwmXvT",
)
TEST_BYRON = "37btjrVyb4KDXBNC4haBVPCrro8AQPHwvCMp3RFhhSVWwfFmZ6wwzSK6JK1hY6wHNmtrpTf1kdbva8TCneM2YsiXT7mrzT21EacHnPpz5YyUdj64na"
"""CIP-19's example, which is one of a test network."""


@pytest.mark.parametrize("text", [*MAIN, *BYRON])
def test_every_kind_of_address_is_taken_in_its_one_spelling(text: str) -> None:
    assert parse_address(f" {text}\n") == text
    if text in MAIN:
        assert parse_address(text.upper()) == text


def test_stake_addresses_are_told_from_those_that_have_one() -> None:
    assert [is_stake(text) for text in MAIN] == [False] * 8 + [True] * 2
    assert [has_stake(text) for text in MAIN] == [True] * 6 + [False] * 4
    assert not has_stake(BYRON[0])


@pytest.mark.parametrize(
    "text",
    [
        bech32.encode_plain("addr_xsk", bytes(96)),
        bech32.encode_plain("ed25519e_sk", bytes(64)),
        bech32.encode_plain("xprv", bytes(96)),
        bech32.encode_plain("root_xsk", bytes(96)),
        " ".join(["abandon"] * 14 + ["address"]),
    ],
)
def test_private_keys_are_refused(text: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        parse_address(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("addr_test1vz2fxv2umyhttkxyxp8x0dlpdt3k6cwng5pxj3jhsydzerspjrlsz", "test network"),
        (TEST_BYRON, "test network"),
        (bech32.encode_plain("acct_xvk", bytes(64)), "stake address"),
        (bech32.encode_plain("pool", bytes(28)), "expected addr1"),
        ("0x00000000219ab540356cBB839Cbe05303d7705Fa", "Ethereum"),
        ("$handle", "handle"),
        (f"{MAIN[6][:-1]}9", "checksum"),
        (f"{BYRON[0][:-1]}j", "checksum"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "begin with addr1"),
        ("", "begin with addr1"),
        (bech32.encode_plain("addr", bytes([0x61]) + bytes(27)), "no address of Cardano's main network"),
        (bech32.encode_plain("addr", b""), "no address of Cardano's main network"),
        (bech32.encode_plain("stake", bytes([0x61]) + bytes(28)), "no address of Cardano's main network"),
        (base58.encode(b"\x82\xd8\x18\x58\x21" + bytes(3)), "begin with addr1"),
    ],
)
def test_what_is_no_address_here_is_named(text: str, words: str) -> None:
    with pytest.raises(InvalidField, match=words):
        parse_address(text)


def test_made_up_addresses_are_addresses() -> None:
    assert parse_address(address("ann")) == address("ann")
