"""Addresses of UTXO chains as people type them: checksums verified, and errors that say what is wrong and what would be right."""

from omnifolio.catalog.utxo_chains import UtxoChain, utxo_chains
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58, bech32
from omnifolio.venues.utxo.scripts import address_of, key_hash_script, script_hash_script, witness_script

HASH_BYTES = 20
_WIF_BYTES = (33, 34)
"""A version byte, the key, and a mark where its public key is compressed."""


def script_of(chain: UtxoChain, text: str) -> bytes:
    """The output script of an address of that chain.

    Raises: PrivateKeyRefused for a private key, InvalidField for everything else that is no address of the chain.
    """
    plain = text.strip()
    try:
        return _script(chain, plain)
    except ValueError as error:
        other = next((found for found in utxo_chains().values() if found is not chain and _is_of(found, plain)), None)
        if other is not None:
            raise InvalidField(f"address: this is a {other.name} address; connect it under {other.id}") from None
        raise InvalidField(f"address: not a {chain.name} address: {error}") from None


def spelt(chain: UtxoChain, text: str) -> str:
    """The address in its one spelling. Raises: as `script_of`."""
    found = address_of(chain, script_of(chain, text))
    assert found is not None, "a script that came from an address has one"
    return found


def _is_of(chain: UtxoChain, text: str) -> bool:
    try:
        return bool(_script(chain, text))
    except ValueError:
        return False


def _script(chain: UtxoChain, text: str) -> bytes:
    """Raises: ValueError saying what is wrong, PrivateKeyRefused."""
    lower = text.lower()
    if chain.hrp and lower.startswith(chain.hrp + "1"):
        version, program = bech32.decode_segwit(chain.hrp, text)
        return witness_script(version, program)
    if chain.cash_prefix and (":" in text or lower[:1] in ("q", "p")):
        kind, digest = bech32.decode_cash(chain.cash_prefix, text)
        if kind > 1:
            raise ValueError("its type is not one that holds plain coins")
        return script_hash_script(digest) if kind else key_hash_script(digest)
    payload = base58.decode_check(text)
    if len(payload) in _WIF_BYTES and payload[0] >= 0x80:
        raise PrivateKeyRefused
    prefix, digest = payload[:-HASH_BYTES].hex(), payload[-HASH_BYTES:]
    if len(payload) >= HASH_BYTES and prefix in chain.key_hash:
        return key_hash_script(digest)
    if len(payload) >= HASH_BYTES and prefix in chain.script_hash:
        return script_hash_script(digest)
    raise ValueError("its checksum is right, but it belongs to another chain or is no address")
