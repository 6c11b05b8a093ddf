"""Addresses of TRON: every form that people paste, and everything else refused with what it is."""

import pytest

from omnifolio.model.errors import InvalidField, PrivateKeyRefused, VenueBadResponse
from omnifolio.venues.tron.address import hexadecimal, parse_address, spelt, word_of

# Pairs of TRON's documentation of its HTTP API and of TronGrid, seen 2026-11.
PAIRS = {
    "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t": "41a614f803b6fd780986a42c78ec9c7f77e6ded13c",
    "TLCuBEirVzB6V4menLZKw1jfBTFMZbuKq7": "41704833c02883b3261f7baf62f8cb19b4b0c2e64e",
    "T9yD14Nj9j7xAB4dbGeiX9h8unkKHxuWwb": "410000000000000000000000000000000000000000",
}


@pytest.mark.parametrize(("text", "digits"), PAIRS.items())
def test_an_address_has_one_spelling(text: str, digits: str) -> None:
    assert [parse_address(form) for form in (text, f" {text}\n", digits, f"0x{digits}", digits.upper())] == [text] * 5
    assert hexadecimal(text) == digits
    assert word_of(text) == digits[2:].rjust(64, "0")
    assert spelt(digits[2:]) == text, "events leave the first byte out"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6T", "checksum"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6", "checksum"),
        ("0xdac17f958d2ee523a2206206994597c13d831ec7", "Ethereum"),
        ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "another chain"),
        ("", "34 letters"),
        ("T0", "neither 0"),
    ],
)
def test_what_is_no_address_is_refused_with_what_it_is(text: str, words: str) -> None:
    with pytest.raises(InvalidField, match=words):
        parse_address(text)


@pytest.mark.parametrize("text", ["ab" * 32, "0x" + "AB" * 32, " ".join(["abandon"] * 12)])
def test_private_keys_are_refused(text: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        parse_address(text)


def test_a_server_that_states_no_address_is_not_believed() -> None:
    with pytest.raises(VenueBadResponse):
        spelt("41xyz")
