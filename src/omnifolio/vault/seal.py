"""How credentials come in: sealed to the installation's public key by a process that can open nothing.

A box is a version byte, the id of the public key and an HPKE message (RFC 9180: X25519, HKDF-SHA256, AES-256-GCM) whose `info`
binds it to its place. The public key stands in the database, vouched for by the edge key, so that whoever can write to the
database still cannot put a key of their own there.
"""

import hmac
from collections.abc import Mapping

import msgspec
import sqlalchemy as sa
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VaultUnavailable
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.store.schema import intake, meta
from omnifolio.vault.places import Place, bind, place_of

SUITE = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
VERSION = b"\x01"
KEY_ID_BYTES = 8
PUBLIC_BYTES = 32
META_KEY = "vault.intake_key"
"""The row of `meta` with the key's id, the public key, and the edge's MAC over both."""

FIELDS_MAX = 20
FIELD_BYTES_MAX = 16_384

_PUBLISHED = sa.select(meta.c.value).where(meta.c.key == META_KEY).with_for_update(read=True)
"""On PostgreSQL the shared lock makes a rotation wait until every box sealed to the old key is committed and can be counted."""
_FORGET = sa.delete(intake).where(intake.c.account_id == sa.bindparam("account"))
_STORE = sa.insert(intake)


class IntakeKey(Struct, frozen=True):
    """The installation's current public key for sealing."""

    key_id: str
    public: bytes


def seal(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    secrets: Mapping[str, Secret],
    *,
    publication_key: bytes,
    now: EpochMs,
) -> None:
    """Seals an account's credentials and leaves them for a worker, in the place of any that wait there already.

    `publication_key` is `derive(edge_key, "publication")`.

    Raises: NotFound for an account that is not the principal's; InvalidField for too many or too long fields;
    VaultUnavailable when no worker has ever published a key, or the published one is not ours.
    """
    place = place_of(conn, principal, account)
    box = seal_to(published(conn, publication_key), place, encoded(secrets))
    conn.execute(_FORGET, {"account": account})
    conn.execute(_STORE, {"account_id": account, "box": box, "created_at": now})


def published(conn: Connection, publication_key: bytes) -> IntakeKey:
    """The public key that a worker has published. Raises: VaultUnavailable."""
    value = conn.execute(_PUBLISHED).scalar_one_or_none()
    if value is None:
        raise VaultUnavailable("no key to seal credentials with: start a worker once, it publishes one")
    body, mac = value[: KEY_ID_BYTES + PUBLIC_BYTES], value[KEY_ID_BYTES + PUBLIC_BYTES :]
    if not hmac.compare_digest(mac, hmac.digest(publication_key, body, "sha256")):
        raise VaultUnavailable("the key to seal credentials with was not published by this installation's workers")
    return IntakeKey(body[:KEY_ID_BYTES].hex(), body[KEY_ID_BYTES:])


def seal_to(key: IntakeKey, place: Place, payload: bytes) -> bytes:
    """`payload` sealed to a public key and tied to its place."""
    public = X25519PublicKey.from_public_bytes(key.public)
    return VERSION + bytes.fromhex(key.key_id) + SUITE.encrypt(payload, public, info=intake_info(place, key.key_id))


def intake_info(place: Place, key_id: str) -> bytes:
    """What a sealed box is bound to."""
    return place.bound("omnifolio/intake/1", key_id)


def encoded(secrets: Mapping[str, Secret]) -> bytes:
    """The credentials as bytes, for encryption only. Raises: InvalidField."""
    if not 0 < len(secrets) <= FIELDS_MAX:
        raise InvalidField(f"credentials: expected 1 to {FIELDS_MAX} fields, got {len(secrets)}")
    for name, secret in secrets.items():
        if len(secret.reveal().encode()) > FIELD_BYTES_MAX:
            raise InvalidField(f"credentials: {name} is longer than {FIELD_BYTES_MAX} bytes")
    return msgspec.msgpack.encode({name: secret.reveal() for name, secret in secrets.items()})


def fingerprint(fingerprint_key: bytes, venue: str, identity: Mapping[str, str | Secret]) -> bytes:
    """32 bytes that are equal for the same credential or address at the same venue, and say nothing else about it.

    `fingerprint_key` is `derive(edge_key, "fingerprint")`; `identity` the fields that make two links the same (a key's public
    part, an address), not those that change when a secret is renewed.
    """
    parts = [(name, value.reveal() if isinstance(value, Secret) else value) for name, value in sorted(identity.items())]
    return hmac.digest(fingerprint_key, bind("fingerprint", venue, *(text for pair in parts for text in pair)), "sha256")
