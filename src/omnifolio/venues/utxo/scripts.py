"""Output scripts: how they are built from keys and hashes, which address shows them, and how an index names them.

Sources: BIP-16, 141, 341 (scripts), 86 (a key path alone), the Electrum protocol (`scripthash`).
"""

import hashlib
from collections.abc import Sequence

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.venues import base58, bech32
from omnifolio.venues.utxo.curve import compressed, moved, point_of

KEYS_MAX = 20
"""Keys of a multisig script."""
_DUP, _EQUAL, _EQUALVERIFY, _HASH160, _CHECKSIG, _CHECKMULTISIG = 0x76, 0x87, 0x88, 0xA9, 0xAC, 0xAE
_SEGWIT_BYTES = (4, 42)


def hash160(data: bytes) -> bytes:
    """RIPEMD-160 of the SHA-256."""
    return hashlib.new("ripemd160", hashlib.sha256(data).digest(), usedforsecurity=False).digest()


def key_hash_script(digest: bytes) -> bytes:
    """P2PKH."""
    return bytes([_DUP, _HASH160, 20]) + digest + bytes([_EQUALVERIFY, _CHECKSIG])


def script_hash_script(digest: bytes) -> bytes:
    """P2SH."""
    return bytes([_HASH160, 20]) + digest + bytes([_EQUAL])


def witness_script(version: int, program: bytes) -> bytes:
    """A witness program of any version."""
    return bytes([version and 0x50 + version, len(program)]) + program


def of_key(form: str, key: bytes) -> bytes:
    """The script of one compressed key: `pk`, `pkh`, `wpkh`, `sh-wpkh` or `tr` (key path without scripts)."""
    if form == "pk":
        return bytes([len(key)]) + key + bytes([_CHECKSIG])
    if form == "pkh":
        return key_hash_script(hash160(key))
    if form == "wpkh":
        return witness_script(0, hash160(key))
    if form == "sh-wpkh":
        return script_hash_script(hash160(witness_script(0, hash160(key))))
    assert form == "tr", f"no script has the form {form}"
    even = b"\x02" + key[1:]
    tweak = int.from_bytes(_tagged("TapTweak", key[1:]), "big")
    return witness_script(1, compressed(moved(point_of(even), [tweak])[0])[1:])


def of_keys(form: str, keys: Sequence[bytes], *, needed: int) -> bytes:
    """The multisig script of compressed keys in their order: `sh`, `wsh` or `sh-wsh` around `needed` of them."""
    inner = _number(needed) + b"".join(bytes([len(key)]) + key for key in keys) + _number(len(keys)) + bytes([_CHECKMULTISIG])
    if form == "sh":
        return script_hash_script(hash160(inner))
    witness = witness_script(0, hashlib.sha256(inner).digest())
    assert form in ("wsh", "sh-wsh"), f"no multisig script has the form {form}"
    return witness if form == "wsh" else script_hash_script(hash160(witness))


def _number(value: int) -> bytes:
    return bytes([0x50 + value]) if value <= 16 else bytes([1, value])


def _tagged(tag: str, data: bytes) -> bytes:
    """A hash of BIP-340's kind."""
    prefix = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(prefix + prefix + data).digest()


def scripthash(script: bytes) -> str:
    """The script's name in Electrum's protocol: SHA-256 with its bytes reversed."""
    return hashlib.sha256(script).digest()[::-1].hex()


def address_of(chain: UtxoChain, script: bytes) -> str | None:
    """The address that shows a script, in the chain's own spelling; None where it has none."""
    if len(script) == 25 and script == key_hash_script(script[3:23]):
        return _hash_address(chain, 0, script[3:23])
    if len(script) == 23 and script == script_hash_script(script[2:22]):
        return _hash_address(chain, 1, script[2:22])
    if chain.hrp and _SEGWIT_BYTES[0] <= len(script) <= _SEGWIT_BYTES[1] and script[1] == len(script) - 2:
        version = script[0] - 0x50 if script[0] else 0
        if 0 <= version <= 16 and (version or len(script) in (22, 34)):
            return bech32.encode_segwit(chain.hrp, version, script[2:])
    return None


def _hash_address(chain: UtxoChain, kind: int, digest: bytes) -> str:
    if chain.cash_prefix:
        return bech32.encode_cash(chain.cash_prefix, kind, digest)
    return base58.encode_check(bytes.fromhex((chain.script_hash if kind else chain.key_hash)[0]) + digest)
