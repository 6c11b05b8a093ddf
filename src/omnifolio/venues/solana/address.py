"""Addresses of Solana as people type them: 32 bytes in base58, a wallet's key or an account that belongs to a program.

There is no checksum: only the length can be told. A key pair has 64 bytes, in base58 or as a list of numbers; it is refused.
"""

import re

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58
from omnifolio.venues.phrases import is_phrase

ADDRESS_BYTES = 32
KEY_PAIR_BYTES = 64
TEXT_LENGTH_MAX = 44
"""Letters of an address; 64 bytes have 88 at most."""
_LIST = re.compile(r"\[?\s*\d{1,3}(\s*,\s*\d{1,3}){31,}\s*\]?")
_HEX = re.compile(r"0x[0-9a-fA-F]{40}")


def parse_address(text: str) -> str:
    """The address in its one spelling. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if _LIST.fullmatch(plain) or is_phrase(plain):
        raise PrivateKeyRefused
    if _HEX.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if not 1 <= len(plain) <= 2 * TEXT_LENGTH_MAX:
        raise InvalidField("address: not a Solana address: it has 32 to 44 letters")
    try:
        data = base58.decode(plain)
    except ValueError as error:
        raise InvalidField(f"address: not a Solana address: {error}") from None
    if len(data) == KEY_PAIR_BYTES:
        raise PrivateKeyRefused
    if len(data) != ADDRESS_BYTES:
        raise InvalidField(f"address: not a Solana address: {len(data)} bytes where {ADDRESS_BYTES} are expected")
    return base58.encode(data)
