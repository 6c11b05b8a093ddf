"""What an operator does with the vault: publish and rotate keys, destroy them, and see where they are in use.

`omnifolio vault status` shows `status`; `vault rotate` runs `rotate_root` (no database needed) or `rotate_intake`, later
`drop_intake_keys`; `vault shred` runs `shred_user` or `shred_account`. Each may be interrupted and run again.
"""

import hmac

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import Conflict, VaultUnavailable
from omnifolio.store.schema import intake, meta
from omnifolio.store.schema import secrets as kept
from omnifolio.vault import leaving
from omnifolio.vault.keystore import Key, KeyCount, KeyStore
from omnifolio.vault.roots import EnvRoot, FileRoot
from omnifolio.vault.seal import KEY_ID_BYTES, META_KEY, PUBLIC_BYTES, VERSION, published

REQUEST_PREFIX = "vault.shred/"
"""Before the UUID, or `<UUID>/<account id>`, of what must be shredded, in a row of `meta` each."""

_BOX_KEY = sa.func.substr(intake.c.box, 1 + len(VERSION), KEY_ID_BYTES)
_OLDEST_BOX = sa.func.min(intake.c.created_at)
_WAITING = (
    sa.select(_BOX_KEY.label("key_id"), sa.func.count().label("boxes"), _OLDEST_BOX.label("oldest_at"))
    .group_by(_BOX_KEY)
    .order_by(_OLDEST_BOX)
)
_KEPT = sa.select(sa.func.count().label("records"), sa.func.min(kept.c.created_at).label("oldest_at"))
_CLAIM = sa.text("INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO NOTHING").bindparams(
    sa.bindparam("value", type_=meta.c.value.type)
)
_REQUESTS = sa.select(meta.c.key).where(meta.c.key.startswith(REQUEST_PREFIX, autoescape=True)).order_by(meta.c.key)
_REQUEST_DONE = sa.delete(meta).where(meta.c.key == sa.bindparam("request"))
_LOCK = sa.update(meta).where(meta.c.key == META_KEY).values(key=meta.c.key)
_PUBLISH = sa.update(meta).where(meta.c.key == META_KEY).values(value=sa.bindparam("published"))


class Waiting(Struct, frozen=True, kw_only=True):
    """Sealed credentials that wait for a worker, by the key they are sealed to."""

    key_id: str
    count: int
    oldest_at: EpochMs


class Status(Struct, frozen=True, kw_only=True):
    """Where keys are in use: nothing of it is secret.

    `oldest_kept_at` is None when no credential is kept; `to_shred` counts requests that no worker has carried out yet.
    """

    root_id: str
    root_ids: tuple[str, ...]
    keys: tuple[KeyCount, ...]
    waiting: tuple[Waiting, ...]
    kept: int
    oldest_kept_at: EpochMs | None
    to_shred: int


def publish(conn: Connection, keys: KeyStore, *, publication_key: bytes, now: EpochMs) -> str:
    """Makes sure that credentials can be sealed to a key which this key store opens; gives the key's id.

    Every worker calls it when it starts. A key that another installation published, or whose private part is lost, is replaced.
    """
    conn.execute(_CLAIM, {"key": META_KEY, "value": b""})
    try:
        found = published(conn, publication_key)
    except VaultUnavailable:
        found = None
    if found is not None and keys.find("intake", found.key_id) is not None:
        return found.key_id
    return rotate_intake(conn, keys, publication_key=publication_key, now=now)


def rotate_intake(conn: Connection, keys: KeyStore, *, publication_key: bytes, now: EpochMs) -> str:
    """Makes and publishes a new key for sealing; older ones still open what was sealed to them. Gives the new key's id.

    The key is stored before it is published: if the transaction fails, an unused key is left, which `drop_intake_keys` removes.
    """
    conn.execute(_CLAIM, {"key": META_KEY, "value": b""})
    conn.execute(_LOCK)  # nobody may count the new key as idle before it is published
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key_id = hmac.digest(public, b"omnifolio/intake-key-id/1", "sha256")[:KEY_ID_BYTES].hex()
    keys.add("intake", key_id, Key(key_id, private.private_bytes_raw()), now)
    body = bytes.fromhex(key_id) + public
    assert len(body) == KEY_ID_BYTES + PUBLIC_BYTES
    conn.execute(_PUBLISH, {"published": body + hmac.digest(publication_key, body, "sha256")})
    return key_id


def drop_intake_keys(conn: Connection, keys: KeyStore, *, publication_key: bytes) -> tuple[str, ...]:
    """Destroys every private key for sealing that is neither published nor needed by waiting credentials; gives their ids.

    Call it in a transaction after that of the rotation: by then everything sealed to the old key is committed and counted.
    """
    needed = {published(conn, publication_key).key_id} | {waiting.key_id for waiting in _waiting(conn)}
    idle = tuple(key_id for key_id, _created_at in keys.subjects("intake") if key_id not in needed)
    for key_id in idle:
        keys.shred("intake", key_id)
    return idle


def rotate_root(keys: KeyStore) -> int:
    """Brings every key under a new root key, while workers go on; gives the number of keys wrapped anew.

    A key file gets a new root key, unless an interrupted rotation left one there already; of the environment's text the first
    entry is taken as the new one. The old root keys stay until `drop_old_roots`.
    """
    if isinstance(keys.root, FileRoot):
        with keys.locked():
            if len(keys.root.key_ids) == 1:
                keys.root.add()
    count = 0
    while rewrapped := keys.rewrap():
        count += rewrapped
    keys.empty_log()
    return count


def drop_old_roots(keys: KeyStore) -> tuple[str, ...]:
    """Removes the old root keys from the key file; gives their ids.

    Raises: Conflict while one of them still wraps a key: run `rotate_root` to its end first.
    """
    if not isinstance(keys.root, FileRoot):
        raise Conflict("only a key file can be changed here: remove the old entry from the environment yourself")
    with keys.locked():
        current, *old = keys.root.key_ids
        in_use = sorted({count.root_id for count in keys.counts()} - {current})
        if in_use:
            raise Conflict(f"root key {in_use[0]} still wraps keys; run the rotation to its end first")
        keys.root.drop(frozenset(old))
    return tuple(old)


def shred_user(keys: KeyStore, user: str) -> int:
    """Destroys all keys of a user (UUID): no credential of theirs can be opened again, in no backup of the database either.

    May be repeated. Where rows are deleted too, `request_shred` in that transaction makes sure that it is not forgotten.
    """
    return keys.shred("user", user)


def shred_account(keys: KeyStore, user: str, account: int) -> int:
    """Destroys the key of one account of a user (UUID), as `shred_user` does."""
    return keys.shred("account", f"{user}/{account}")


def request_shred(conn: Connection, user: str, account: int | None = None) -> None:
    """Notes that a user's keys, or those of one account, must be destroyed: in the transaction that deletes the rows.

    So nothing is forgotten when a process ends in between, or when it only serves and cannot reach the key store itself.
    """
    subject = user if account is None else f"{user}/{account}"
    conn.execute(_CLAIM, {"key": REQUEST_PREFIX + subject, "value": b""})


def shred_requested(conn: Connection, keys: KeyStore) -> int:
    """Destroys what was requested; gives the number of keys. Workers call it when they start and after each deletion.

    What must first be taken back at its venue (`leaving`) is left for the worker that does so.

    A request is removed in the caller's transaction, after its keys are gone: an interruption repeats it and loses none.
    """
    count, needed = 0, leaving.subjects(conn)
    for request in conn.execute(_REQUESTS).scalars().all():
        user, _, account = request.removeprefix(REQUEST_PREFIX).partition("/")
        if any(user == of and account in ("", str(number)) for of, number in needed):
            continue
        count += shred_account(keys, user, int(account)) if account else shred_user(keys, user)
        conn.execute(_REQUEST_DONE, {"request": request})
    return count


def status(conn: Connection, keys: KeyStore) -> Status:
    """Counts and ages of keys and credentials, for people; shows how far a rotation is."""
    root = keys.root
    stored = conn.execute(_KEPT).one()
    return Status(
        root_id=root.key_id,
        root_ids=root.key_ids if isinstance(root, FileRoot | EnvRoot) else (root.key_id,),
        keys=tuple(keys.counts()),
        waiting=tuple(_waiting(conn)),
        kept=stored.records,
        oldest_kept_at=stored.oldest_at,
        to_shred=len(conn.execute(_REQUESTS).all()),
    )


def _waiting(conn: Connection) -> list[Waiting]:
    found = conn.execute(_WAITING)
    return [Waiting(key_id=bytes(row.key_id).hex(), count=row.boxes, oldest_at=row.oldest_at) for row in found]
