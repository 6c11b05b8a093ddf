"""How a worker gets at credentials: it takes in what was sealed, and opens what is kept.

Taking in has two steps, because between them the venue is asked what the key may do: `open_intake` reads the sealed credentials;
then `accept` keeps them under the user's key and deletes the sealed row in the same transaction, or `refuse` deletes them.

What is kept is encrypted with a fresh key of its own (AES-256-GCM, one encryption per key). That one is wrapped by a key derived
from two keys of the key store, the user's and the account's: destroying either destroys the credential, in every backup too.
"""

import os

import msgspec
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import NotFound, SecretUnreadable
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.store.schema import intake
from omnifolio.store.schema import secrets as kept
from omnifolio.vault.keystore import Key, KeyStore
from omnifolio.vault.places import Place, place_of
from omnifolio.vault.seal import KEY_ID_BYTES, SUITE, VERSION, encoded, intake_info

RECORD_VERSION = 1
KEY_BYTES = 32
NONCE_BYTES = 12

_NEWEST = (
    sa.select(intake.c.id, intake.c.box)
    .where(intake.c.account_id == sa.bindparam("account"))
    .order_by(intake.c.id.desc())
    .limit(1)
)
_DELETE_TAKEN = sa.delete(intake).where(intake.c.account_id == sa.bindparam("account"), intake.c.id == sa.bindparam("taken"))
_KEPT = sa.select(kept.c.version, kept.c.record).where(kept.c.account_id == sa.bindparam("account"))
_FORGET_KEPT = sa.delete(kept).where(kept.c.account_id == sa.bindparam("account"))
_INSERT = sa.insert(kept)
_LEASE = (
    sa.update(kept)
    .where(kept.c.account_id == sa.bindparam("account"), kept.c.version == sa.bindparam("known"))
    .where(kept.c.busy_until <= sa.bindparam("now"))
    .values(busy_until=sa.bindparam("until"))
)
_RELEASE = (
    sa.update(kept)
    .where(kept.c.account_id == sa.bindparam("account"), kept.c.version == sa.bindparam("known"))
    .values(busy_until=0)
)
_REPLACE = (
    sa.update(kept)
    .where(kept.c.account_id == sa.bindparam("account"))
    .values(version=sa.bindparam("next"), record=sa.bindparam("box"), created_at=sa.bindparam("now"), busy_until=0)
)
_RENEW = _REPLACE.where(kept.c.version == sa.bindparam("known"))


class Taken(Struct, frozen=True):
    """Credentials read from the intake, and the row they came from, for `accept` or `refuse`."""

    intake_id: int
    secrets: dict[str, Secret]


class Kept(Struct, frozen=True):
    """A kept credential and its version, which grows each time that it is replaced."""

    version: int
    secrets: dict[str, Secret]


class Record(Struct, frozen=True, array_like=True):
    """A kept credential as it is stored: which keys wrap it, its own wrapped key, and its ciphertext, each with its nonce."""

    version: int
    user_key: str
    account_key: str
    wrapped_key: bytes
    box: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Record).decode
_decode_payload = msgspec.msgpack.Decoder(dict[str, str]).decode


def open_intake(conn: Connection, principal: Principal, account: AccountId, keys: KeyStore) -> Taken | None:
    """The credentials that wait for this account, or None. Nothing is changed.

    Raises: NotFound for an account that is not the principal's; SecretUnreadable for a box that no key here opens.
    """
    place = place_of(conn, principal, account)
    row = conn.execute(_NEWEST, {"account": account}).first()
    return None if row is None else Taken(row.id, _credentials(open_box(keys, place, row.box)))


def accept(conn: Connection, principal: Principal, account: AccountId, taken: Taken, keys: KeyStore, *, now: EpochMs) -> int:
    """Keeps what was taken and deletes its sealed row, in the caller's transaction; gives the secret's version.

    Raises: NotFound when the row has gone meanwhile: the user sent newer credentials or deleted the account.
    """
    place = place_of(conn, principal, account)
    if conn.execute(_DELETE_TAKEN, {"account": account, "taken": taken.intake_id}).rowcount != 1:
        raise NotFound("these credentials have been replaced meanwhile")
    previous = conn.execute(_KEPT, {"account": account}).first()
    version = 1 if previous is None else previous.version + 1
    record = keep(keys, place, version, encoded(taken.secrets), now=now)
    if previous is None:
        conn.execute(_INSERT, {"account_id": account, "version": version, "record": record, "created_at": now})
    else:
        conn.execute(_REPLACE, {"account": account, "next": version, "box": record, "now": now})
    return version


def refuse(conn: Connection, principal: Principal, account: AccountId, taken: Taken) -> None:
    """Deletes credentials that must not be kept, for instance because the key can do more than read."""
    place_of(conn, principal, account)
    conn.execute(_DELETE_TAKEN, {"account": account, "taken": taken.intake_id})


def forget(conn: Connection, principal: Principal, account: AccountId) -> None:
    """Deletes kept credentials that must not be used any more, for instance because the venue gave the key more rights."""
    place_of(conn, principal, account)
    conn.execute(_FORGET_KEPT, {"account": account})


def open_secret(conn: Connection, principal: Principal, account: AccountId, keys: KeyStore) -> dict[str, Secret]:
    """The kept credentials of an account, field by field.

    Raises: NotFound when the account is not the principal's or has none; SecretUnreadable when its keys were destroyed or the
    record was changed or moved.
    """
    return open_version(conn, principal, account, keys).secrets


def open_version(conn: Connection, principal: Principal, account: AccountId, keys: KeyStore) -> Kept:
    """As `open_secret`, with the version that was opened."""
    place = place_of(conn, principal, account)
    row = conn.execute(_KEPT, {"account": account}).first()
    if row is None:
        raise NotFound("this account has no stored credentials")
    return Kept(row.version, _credentials(open_kept(keys, place, row.version, row.record)))


def lease(conn: Connection, account: AccountId, version: int, *, now: EpochMs, length_ms: int) -> bool:
    """Takes the sole right to renew this version of a kept credential; false while somebody else has it, or it is replaced."""
    values = {"account": account, "known": version, "now": now, "until": now + length_ms}
    return conn.execute(_LEASE, values).rowcount == 1


def release(conn: Connection, account: AccountId, version: int) -> None:
    """Gives that right back, where the version is still the same."""
    conn.execute(_RELEASE, {"account": account, "known": version})


def renew(conn: Connection, principal: Principal, account: AccountId, renewed: Kept, keys: KeyStore, *, now: EpochMs) -> None:
    """Puts a renewed credential in the place of the version that it names, and ends the lease on it.

    Raises: NotFound when that version has gone meanwhile: the user reconnected or deleted the account.
    """
    place, version = place_of(conn, principal, account), renewed.version
    record = keep(keys, place, version + 1, encoded(renewed.secrets), now=now)
    values = {"account": account, "known": version, "next": version + 1, "box": record, "now": now}
    if conn.execute(_RENEW, values).rowcount != 1:
        raise NotFound("this credential has been replaced meanwhile")


def open_record(keys: KeyStore, place: Place, version: int, record: bytes) -> dict[str, Secret]:
    """The credential in a record that has left its account's row. Raises: SecretUnreadable."""
    return _credentials(open_kept(keys, place, version, record))


def keep(keys: KeyStore, place: Place, version: int, payload: bytes, *, now: EpochMs) -> bytes:
    """`payload` as a record that only this place and version open."""
    user = keys.find_or_create("user", place.user, now)
    account = keys.find_or_create("account", f"{place.user}/{place.account}", now)
    data_key = os.urandom(KEY_BYTES)
    binding = _binding(place, version, user.key_id, account.key_id)
    wrapped = _encrypt(_wrapping_key(user, account), data_key, b"key" + binding)
    return _encode(Record(RECORD_VERSION, user.key_id, account.key_id, wrapped, _encrypt(data_key, payload, b"secret" + binding)))


def open_kept(keys: KeyStore, place: Place, version: int, stored: bytes) -> bytes:
    """What `keep` was given. Raises: SecretUnreadable."""
    user = keys.find("user", place.user)
    account = keys.find("account", f"{place.user}/{place.account}")
    if user is None or account is None:
        raise SecretUnreadable("the keys of this credential were destroyed")
    try:
        record = _decode(stored)
        if (record.version, record.user_key, record.account_key) != (RECORD_VERSION, user.key_id, account.key_id):
            raise SecretUnreadable("this credential was kept under keys that are not here")
        binding = _binding(place, version, user.key_id, account.key_id)
        data_key = _decrypt(_wrapping_key(user, account), record.wrapped_key, b"key" + binding)
        return _decrypt(data_key, record.box, b"secret" + binding)
    except (InvalidTag, ValueError, msgspec.DecodeError):
        raise SecretUnreadable("the stored credential was changed or belongs elsewhere") from None


def open_box(keys: KeyStore, place: Place, box: bytes) -> bytes:
    """What `seal_to` was given. Raises: SecretUnreadable."""
    key_id = box[1 : 1 + KEY_ID_BYTES].hex()
    key = keys.find("intake", key_id) if box[:1] == VERSION else None
    if key is None:
        raise SecretUnreadable("these credentials were sealed to a key that is not here")
    try:
        private = X25519PrivateKey.from_private_bytes(key.material)
        return SUITE.decrypt(box[1 + KEY_ID_BYTES :], private, info=intake_info(place, key_id))
    except (InvalidTag, ValueError):
        raise SecretUnreadable("the sealed credentials were changed or belong elsewhere") from None


def _credentials(payload: bytes) -> dict[str, Secret]:
    return {name: Secret(text) for name, text in _decode_payload(payload).items()}


def _binding(place: Place, version: int, user_key: str, account_key: str) -> bytes:
    return place.bound("omnifolio/secret", RECORD_VERSION, version, user_key, account_key)


def _wrapping_key(user: Key, account: Key) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, account.material, b"omnifolio/secret/1").derive(user.material)


def _encrypt(key: bytes, data: bytes, aad: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, data, aad)


def _decrypt(key: bytes, box: bytes, aad: bytes) -> bytes:
    return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], aad)
