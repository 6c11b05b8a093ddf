"""Addresses of TRON: 21 bytes that begin with 0x41, as people paste them (`T…`, Base58Check) and as nodes write them (in hex).

Source: TRON's developer documentation, "Account address format", seen 2026-11.
"""

import functools
import re

from omnifolio.model.errors import InvalidField, PrivateKeyRefused, VenueBadResponse
from omnifolio.venues import base58
from omnifolio.venues.phrases import is_phrase

PREFIX = 0x41
ADDRESS_BYTES = 21
TEXT_LENGTH = 34
TEXT_LENGTH_MAX = 80
_HEX = re.compile(r"(?:0x)?(41[0-9a-fA-F]{40})")
_HEX_OF_LOGS = re.compile(r"[0-9a-fA-F]{40}")
_ETHEREUM = re.compile(r"0x[0-9a-fA-F]{40}")
_KEY = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")


def parse_address(text: str) -> str:
    """The address in its one spelling, `T…`. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if _KEY.fullmatch(plain) or is_phrase(plain):
        raise PrivateKeyRefused
    if found := _HEX.fullmatch(plain):
        return base58.encode_check(bytes.fromhex(found[1]))
    if _ETHEREUM.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if not 1 <= len(plain) <= TEXT_LENGTH_MAX:
        raise InvalidField("address: not an address of TRON: it has 34 letters from T on, or 42 hex digits from 41 on")
    try:
        data = base58.decode_check(plain)
    except ValueError as error:
        raise InvalidField(f"address: not an address of TRON: {error}") from None
    if len(data) != ADDRESS_BYTES or data[0] != PREFIX:
        raise InvalidField("address: this belongs to another chain: an address of TRON has 34 letters and begins with T")
    return plain


@functools.lru_cache(maxsize=65_536)
def spelt(told: str) -> str:
    """An address that a server told, in the one spelling; events leave the first byte out. Raises: VenueBadResponse."""
    try:
        if _HEX_OF_LOGS.fullmatch(told):
            return base58.encode_check(bytes([PREFIX]) + bytes.fromhex(told))
        return parse_address(told)
    except (InvalidField, PrivateKeyRefused):
        raise VenueBadResponse("the server states an address that is none") from None


def hexadecimal(address: str) -> str:
    """The address as nodes take it: 42 digits that begin with 41."""
    return base58.decode_check(address).hex()


def word_of(address: str) -> str:
    """The address as a parameter of a contract: 64 hexadecimal digits."""
    return hexadecimal(address)[2:].rjust(64, "0")
