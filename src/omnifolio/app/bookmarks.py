"""Bookmarks of replicas as cursors: opaque texts that only this installation writes, and that hold for one user alone."""

import base64
import binascii
import hmac
from hashlib import blake2b

import msgspec

from omnifolio.ledger.replica import Bookmark
from omnifolio.model.errors import InvalidField
from omnifolio.model.ids import UserId

CURSOR_LENGTH_MAX = 100
_SEAL_BYTES = 12
_decode = msgspec.msgpack.Decoder(Bookmark).decode


def cursor_of(key: bytes, user: UserId, mark: Bookmark) -> str:
    """The cursor that means a bookmark of a user."""
    packed = msgspec.msgpack.encode(mark)
    return _text(_seal(key, user, packed) + packed)


def bookmark_of(key: bytes, user: UserId, cursor: str) -> Bookmark:
    """The bookmark behind a cursor. Raises: InvalidField when this installation did not give it to this user."""
    try:
        data = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        data = b""
    packed = data[_SEAL_BYTES:]
    if _text(data) != cursor or not hmac.compare_digest(data[:_SEAL_BYTES], _seal(key, user, packed)):
        raise InvalidField("cursor: expected the next_cursor of an earlier answer to this user, or none to begin")
    return _decode(packed)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _seal(key: bytes, user: UserId, packed: bytes) -> bytes:
    return blake2b(user.to_bytes(8, "big") + packed, key=key, digest_size=_SEAL_BYTES).digest()
