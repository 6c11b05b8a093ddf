"""Extended public keys (BIP-32): read with their version bytes, and their public children. Private ones are refused.

The version bytes also say which scripts a wallet makes of the keys (SLIP-132): xpub, ypub, zpub and each coin's own.
"""

import hashlib
import hmac
from collections.abc import Sequence

from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58
from omnifolio.venues.utxo.curve import Point, compressed, moved, point_of

EXTENDED_BYTES = 78
HARDENED = 1 << 31


class ExtendedKey(Struct, frozen=True):
    """A public key with the chain code that its children are derived with."""

    version: str
    """The version bytes, hexadecimal."""
    chain_code: bytes
    point: Point

    @property
    def key(self) -> bytes:
        """The compressed public key."""
        return compressed(self.point)

    def child(self, index: int) -> "ExtendedKey":
        """The child of that index, which must not be hardened."""
        digest = self._digest(index)
        point = moved(self.point, [int.from_bytes(digest[:32], "big")])[0]
        return ExtendedKey(self.version, digest[32:], point)

    def children(self, indexes: Sequence[int]) -> list[bytes]:
        """The compressed public keys of many children, which costs less than one by one."""
        numbers = [int.from_bytes(self._digest(index)[:32], "big") for index in indexes]
        return [compressed(point) for point in moved(self.point, numbers)]

    def _digest(self, index: int) -> bytes:
        assert 0 <= index < HARDENED, "a hardened child needs the private key"
        return hmac.digest(self.chain_code, self.key + index.to_bytes(4, "big"), hashlib.sha512)


def is_extended(text: str) -> bool:
    """The text has the length and letters of an extended key, public or private."""
    return len(text) in (111, 112) and text.isalnum()


def extended_key(text: str, chain: UtxoChain) -> ExtendedKey:
    """The key behind `xpub…` and its kin. Raises: PrivateKeyRefused for a private one, InvalidField."""
    try:
        return _read(text, chain)
    except ValueError as error:
        raise InvalidField(f"extended public key: {error}") from None


def _read(text: str, chain: UtxoChain) -> ExtendedKey:
    payload = base58.decode_check(text)
    if len(payload) != EXTENDED_BYTES:
        raise ValueError("its length is not that of an extended key")
    if payload[45] == 0:
        raise PrivateKeyRefused
    version = payload[:4].hex()
    if version not in chain.extended and version not in chain.extended_multisig:
        raise ValueError(f"its version bytes {version} are not those of a {chain.name} key")
    return ExtendedKey(version, payload[13:45], point_of(payload[45:]))
