"""Addresses of Substrate's chains, SS58: an account's 32 bytes after the prefix of a chain, with a checksum, in base58.

An account is the same on every chain; the prefix only says for which one its address was written. The generic prefix 42 is
understood everywhere, another chain's is refused with the spelling that was meant.
Source: the SS58 documentation and registry of Substrate, seen 2026-11.
"""

import re
from hashlib import blake2b

from omnifolio.catalog.substrate_chains import SubstrateChain, substrate_chains
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58
from omnifolio.venues.phrases import is_phrase

ACCOUNT_BYTES = 32
GENERIC = 42
_CONTEXT = b"SS58PRE"
_CHECKSUM_BYTES = 2
_SHORT_PREFIXES, _PREFIXES = 64, 16_384
_TEXT_LENGTH_MAX = 60
_HEX = re.compile(r"0x[0-9a-fA-F]{40}")
_SEED = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def spelt(chain: SubstrateChain, text: str) -> str:
    """The address as the chain writes it. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    return encode(account_of(chain, text), chain.prefix)


def account_of(chain: SubstrateChain, text: str) -> bytes:
    """The account of an address. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if is_phrase(plain) or _SEED.fullmatch(plain):
        raise PrivateKeyRefused
    if _HEX.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if not 1 <= len(plain) <= _TEXT_LENGTH_MAX:
        raise InvalidField(f"address: not an address of {chain.name}: it has 46 to 48 letters")
    try:
        prefix, account = decode(plain)
    except ValueError as error:
        raise InvalidField(f"address: not an address of {chain.name}: {error}") from None
    if prefix not in (chain.prefix, GENERIC):
        whose = (
            " or ".join(row.name for row in substrate_chains().values() if row.prefix == prefix)
            or f"a chain with prefix {prefix}"
        )
        raise InvalidField(f"address: written for {whose}; the same account on {chain.name} is {encode(account, chain.prefix)}")
    return account


def encode(account: bytes, prefix: int) -> str:
    """The address of an account on the chain with that prefix."""
    if not 0 <= prefix < _PREFIXES:
        raise ValueError(f"a prefix is below {_PREFIXES}")
    first = bytes([prefix] if prefix < _SHORT_PREFIXES else [(prefix & 0xFC) >> 2 | 0x40, prefix >> 8 | (prefix & 3) << 6])
    return base58.encode(first + account + _checksum(first + account))


def decode(text: str) -> tuple[int, bytes]:
    """The prefix and the account of an address. Raises: ValueError saying what is wrong with it."""
    data = base58.decode(text)
    width = 1 if data[:1] < bytes([_SHORT_PREFIXES]) else 2
    if len(data) != width + ACCOUNT_BYTES + _CHECKSUM_BYTES or data[0] >= 2 * _SHORT_PREFIXES:
        raise ValueError(f"{len(data)} bytes, which is no account with its prefix and checksum")
    if _checksum(data[:-_CHECKSUM_BYTES]) != data[-_CHECKSUM_BYTES:]:
        raise ValueError("its checksum does not fit, so a character is wrong, missing or too many")
    prefix = data[0] if width == 1 else (data[0] & 0x3F) << 2 | data[1] >> 6 | (data[1] & 0x3F) << 8
    return prefix, data[width:-_CHECKSUM_BYTES]


def _checksum(payload: bytes) -> bytes:
    return blake2b(_CONTEXT + payload).digest()[:_CHECKSUM_BYTES]
