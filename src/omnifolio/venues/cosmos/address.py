"""Addresses of Cosmos chains as people paste them: bech32 with the chain's own prefix, 20 bytes of a key or 32 of a contract.

The same key has another address on every chain, so one of another chain is refused with the name of that chain. Modules have
addresses, too: the first 20 bytes of the SHA-256 of their name. Source: Cosmos SDK, addresses and module accounts, seen 2026-11.
"""

import re
from hashlib import sha256

from omnifolio.catalog.cosmos_chains import CosmosChain, by_prefix
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import bech32
from omnifolio.venues.phrases import is_phrase

KEY_BYTES = 20
CONTRACT_BYTES = 32
BONDED, UNBONDING, REWARDS, FEES = "bonded_tokens_pool", "not_bonded_tokens_pool", "distribution", "fee_collector"
"""Modules that hold what is staked, what is being unstaked, what was earned, and what was paid as fees."""
TEXT_LENGTH_MAX = 120
_PRIVATE_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")
_HEX = re.compile(r"0x([0-9a-fA-F]{40})")
_OPERATOR, _CONSENSUS, _PUBLIC = "valoper", "valcons", "pub"


def parse_address(chain: CosmosChain, text: str) -> str:
    """The address in its one spelling. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if _PRIVATE_KEY.fullmatch(plain) or is_phrase(plain):
        raise PrivateKeyRefused
    if digits := _HEX.fullmatch(plain):
        if not chain.is_hex:
            raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
        return bech32.encode_plain(chain.prefix, bytes.fromhex(digits[1]))
    if not 1 <= len(plain) <= TEXT_LENGTH_MAX:
        raise InvalidField(f"address: not an address of {chain.name}: expected {chain.prefix}1 and its letters")
    try:
        prefix, data = bech32.decode_plain(plain)
    except ValueError as error:
        raise InvalidField(f"address: not an address of {chain.name}: {error}") from None
    if prefix != chain.prefix:
        raise InvalidField(f"address: {_what(chain, prefix, data)}")
    if len(data) not in (KEY_BYTES, CONTRACT_BYTES):
        raise InvalidField(f"address: not an address of {chain.name}: {len(data)} bytes where {KEY_BYTES} are expected")
    return bech32.encode_plain(prefix, data)


def module_address(chain: CosmosChain, name: str) -> str:
    """The address of a module's account."""
    return bech32.encode_plain(chain.prefix, sha256(name.encode()).digest()[:KEY_BYTES])


def _what(chain: CosmosChain, prefix: str, data: bytes) -> str:
    """What a text with another prefix than the chain's addresses is."""
    owner = next((prefix.removesuffix(kind) for kind in (_OPERATOR, _CONSENSUS, _PUBLIC) if prefix.endswith(kind)), prefix)
    if owner != prefix and owner in {chain.prefix, *by_prefix()}:
        if prefix.endswith(_OPERATOR):
            return f"this names a validator; the account of its operator is {bech32.encode_plain(owner, data)}"
        kind = "the key with which a validator signs blocks" if prefix.endswith(_CONSENSUS) else "a public key"
        return f"this is {kind}, which holds nothing; paste the address that begins with {owner}1"
    other = by_prefix().get(prefix)
    if other is None:
        return f"expected the prefix {chain.prefix}1 of {chain.name}, got {prefix[:20]}1"
    told = f"this is an address of {other.name}; connect it under {other.id}"
    if len(data) == KEY_BYTES and other.slip44 == chain.slip44 and other.is_hex == chain.is_hex:
        told += f", or paste the same key's address on {chain.name}: {bech32.encode_plain(chain.prefix, data)}"
    return told
