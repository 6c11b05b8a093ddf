"""Addresses of Stellar: an account in its one spelling, and everything else refused with what it is."""

import pytest

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues.stellar.address import CONTRACT, SEED, encode, parse_address

# Vectors of SEP-0023: the account, the same with an id (muxed), and strings that must be refused.
ACCOUNT = "GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGZ"
MUXED = "MA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUAAAAAAAAAAAACJUQ"


def test_an_account_has_one_spelling() -> None:
    assert [parse_address(text) for text in (ACCOUNT, f" {ACCOUNT}\n", ACCOUNT.lower())] == [ACCOUNT] * 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MUXED, ACCOUNT),
        (encode(CONTRACT, bytes(32)), "contract"),
        (encode(19 << 3, bytes(32)), "something else of Stellar"),
        (encode(6 << 3, bytes(30)), "something else of Stellar"),
        ("GAAAAAAAACGC6", "something else of Stellar"),
        ("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJUACUSI", "something else of Stellar"),
        ("GA7QYNF7SOWQ3GLR2BGMZEHXAVIRZA4KVWLTJJFC7MGXUA74P7UJVSGA", "checksum"),
        ("ann*example.org", "federation"),
        ("0xdac17f958d2ee523a2206206994597c13d831ec7", "Ethereum"),
        ("TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t", "56 letters"),
        ("", "56 letters"),
    ],
)
def test_what_is_no_account_is_refused_with_what_it_is(text: str, words: str) -> None:
    with pytest.raises(InvalidField, match=words):
        parse_address(text)


@pytest.mark.parametrize("text", [encode(SEED, bytes(range(32))), "ab" * 32, " ".join(["abandon"] * 12)])
def test_private_keys_are_refused(text: str) -> None:
    with pytest.raises(PrivateKeyRefused):
        parse_address(text)
