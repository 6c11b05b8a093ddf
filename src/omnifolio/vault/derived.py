"""The keys that the server's edge works with, each derived from the one edge key for one purpose.

The edge key opens no credential. It stays the same when the root key is rotated, so that client secrets, login names, tokens and
the audit chain go on being valid.
"""

from typing import Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

Purpose = Literal["pepper", "token", "audit", "fingerprint", "publication", "cursor"]
"""`pepper` client secrets and login names · `token` user tokens · `audit` the audit chain · `fingerprint` recognises a key that
is linked twice · `publication` vouches for the intake's public key in the database · `cursor` places in a user's change log."""

KEY_BYTES = 32


def derive(edge_key: bytes, purpose: Purpose) -> bytes:
    """32 bytes for one purpose, from the installation's edge key."""
    return HKDF(SHA256(), KEY_BYTES, None, b"omnifolio/edge/1/" + purpose.encode()).derive(edge_key)
