"""What is taken for an address of Solana, and what is refused."""

import pytest

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58
from omnifolio.venues.solana.address import parse_address

SYSTEM = "1" * 32
KEY_PAIR = bytes(range(1, 65))
PHRASE = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"


def test_a_wallet_and_a_program_have_addresses_alike() -> None:
    assert parse_address(f" {SYSTEM}\n") == SYSTEM
    key = base58.encode(KEY_PAIR[:32])
    assert parse_address(key) == key


@pytest.mark.parametrize(
    "secret", [base58.encode(KEY_PAIR), str(list(KEY_PAIR)), ",".join(map(str, KEY_PAIR)), str(list(KEY_PAIR[:32])), PHRASE]
)
def test_a_private_key_is_refused(secret: str) -> None:
    with pytest.raises(PrivateKeyRefused) as caught:
        parse_address(secret)
    assert secret not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "32 to 44 letters"),
        (SYSTEM[1:], "31 bytes"),
        ("0" * 40, "'0' is in no such text"),
        ("0x" + "ab" * 20, "Ethereum"),
        ("A" * 500, "32 to 44 letters"),
    ],
)
def test_what_is_no_address_is_told_why(text: str, wrong: str) -> None:
    with pytest.raises(InvalidField, match=wrong):
        parse_address(text)
