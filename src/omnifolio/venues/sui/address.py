"""Addresses of Sui as people type them: 32 bytes in hexadecimal after `0x`. There is no checksum: only the length can be told."""

import re

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues.phrases import is_phrase

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{64}")
_ETHEREUM = re.compile(r"0x[0-9a-fA-F]{40}")
_SECRET = re.compile(r"suiprivkey1[a-z0-9]+", re.IGNORECASE)
_COIN_ADDRESS = re.compile(r"0x([0-9a-fA-F]{1,64})(?=::)")


def parse_address(text: str) -> str:
    """The address in its one spelling. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if is_phrase(plain) or _SECRET.fullmatch(plain):
        raise PrivateKeyRefused
    if _ETHEREUM.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if not _ADDRESS.fullmatch(plain):
        raise InvalidField("address: not a Sui address: it is 0x and 64 hexadecimal digits")
    return plain.lower()


def coin_type(text: str) -> str:
    """A type of coins in its one spelling: addresses in it have 64 digits, in small letters."""
    return _COIN_ADDRESS.sub(lambda found: f"0x{found[1].lower():0>64}", text.replace(" ", ""))
