"""Addresses: the checksum, and what is refused."""

import pytest
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues.evm.address import checksummed, keccak256, parse_address

MIXED = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
"""The first example of EIP-55."""


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=400))
def test_keccak_equals_the_reference(data: bytes) -> None:
    assert keccak256(data) == keccak(data)


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=20, max_size=20))
def test_checksums_equal_the_reference_and_are_accepted(raw: bytes) -> None:
    address = "0x" + raw.hex()
    assert checksummed(address) == to_checksum_address(address)
    assert parse_address(checksummed(address)) == address


@pytest.mark.parametrize("text", [MIXED, MIXED.lower(), "0x" + MIXED[2:].upper(), f" {MIXED}\n"])
def test_an_address_in_any_honest_case_is_the_same(text: str) -> None:
    assert parse_address(text) == MIXED.lower()


def test_one_letter_in_the_wrong_case_is_refused() -> None:
    with pytest.raises(InvalidField, match="character is wrong"):
        parse_address(MIXED[:-1] + "D")


@pytest.mark.parametrize("text", ["", "0x", MIXED[:-1], MIXED + "0", "0x" + "g" * 40, MIXED[2:]])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidField):
        parse_address(text)


@pytest.mark.parametrize("text", ["11" * 32, "0x" + "aB" * 32])
def test_a_private_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(PrivateKeyRefused) as caught:
        parse_address(text)
    assert text[-8:] not in str(caught.value)
