"""What a token calls itself: the metadata account of its mint, whose address follows from the mint's.

Sources, seen 2026-11: Metaplex's Token Metadata program (`metadata.rs`: key, authority, mint, name, symbol); Solana's
documentation of program-derived addresses; RFC 8032, 5.1.3, for what is a point of the curve.
"""

import functools
from hashlib import sha256

from msgspec import Struct

from omnifolio.venues import base58
from omnifolio.venues.solana.shapes import AccountInfo

METADATA = "metaqbxxUerdq28cj1RbAWkYQm3ybzjb6a8bt518x1s"
TICKER_LENGTH_MAX = 20
NAME_LENGTH_MAX = 60
_KIND = 4
"""The first byte of a metadata account."""
_NAME_AT = 65
_LENGTH_BYTES = 4
_FIELD = 2**255 - 19
_D = -121665 * pow(121666, -1, _FIELD) % _FIELD


class Named(Struct, frozen=True):
    """What a token calls itself; both may be anything, also the name of another."""

    ticker: str
    name: str


@functools.lru_cache(maxsize=4_096)
def metadata_address(mint: str) -> str:
    """The address of a mint's metadata account: the first one of its seeds that is no point of the curve, so has no key."""
    program = base58.decode(METADATA)
    seeds = b"metadata" + program + base58.decode(mint)
    for bump in range(255, -1, -1):
        found = sha256(seeds + bytes([bump]) + program + b"ProgramDerivedAddress").digest()
        if not is_on_curve(found):
            return base58.encode(found)
    raise AssertionError("half of all addresses are no points, so one of 256 is")


def is_on_curve(address: bytes) -> bool:
    """Whether 32 bytes are a point of Ed25519, as every key of a wallet is."""
    y = int.from_bytes(address, "little") % 2**255
    over, under = (y * y - 1) % _FIELD, (_D * y * y + 1) % _FIELD
    square = over * pow(under, -1, _FIELD) % _FIELD
    return square == 0 or pow(square, (_FIELD - 1) // 2, _FIELD) == 1


def named(account: AccountInfo | None) -> Named | None:
    """What stands in a metadata account; None where there is none, or nothing that can be shown."""
    if account is None or account.owner != METADATA or account.content[:1] != bytes([_KIND]):
        return None
    name, at = _text(account.content, _NAME_AT)
    ticker, _ = _text(account.content, at)
    return Named(ticker[:TICKER_LENGTH_MAX], (name or ticker)[:NAME_LENGTH_MAX]) if ticker else None


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends; "" where it is none that can be shown."""
    end = at + _LENGTH_BYTES + int.from_bytes(data[at : at + _LENGTH_BYTES], "little")
    try:
        text = data[at + _LENGTH_BYTES : end].decode().rstrip("\0").strip()
    except UnicodeDecodeError:
        return "", end
    return text if text.isprintable() else "", end
