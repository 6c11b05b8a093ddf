"""What the operator does with database, keys and audit: describe, copy, rotate, check."""

from pathlib import Path

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import InvalidField, VaultUnavailable
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import SqliteStore
from omnifolio.store.migrate import REVISION
from omnifolio.tenancy import audit, teams
from omnifolio.tenancy.principals import operator
from omnifolio.vault import admin
from omnifolio.vault.keystore import KeyStore
from omnifolio.vault.selftest import Proof, rotate_under_load


class Database(Struct, frozen=True):
    """Which database, where, with which schema. The address holds no password."""

    kind: str
    where: str
    schema: str


class Rotated(Struct, frozen=True):
    """What a rotation did."""

    wrapped: int
    intake_key: str
    dropped: tuple[str, ...]


def database(context: Context) -> Database:
    """The database of this process."""
    store = context.store
    where = str(store.path) if isinstance(store, SqliteStore) else context.settings.database_url.rpartition("@")[2]
    return Database(store.dialect, where, REVISION)


def backup(context: Context, target: Path) -> None:
    """A consistent copy of a SQLite database while it is in use; it holds no key. Raises: InvalidField."""
    store = context.store
    if not isinstance(store, SqliteStore):
        raise InvalidField("backup: this database is PostgreSQL; use pg_dump, and copy key file and key store apart from it")
    if target.exists():
        raise InvalidField(f"backup: {target} exists already; choose another name")
    if not target.parent.is_dir():
        raise InvalidField(f"backup: there is no folder {target.parent}")
    store.backup(target)


async def vault_status(context: Context) -> admin.Status:
    """Which keys are in use, and how many credentials they keep. Raises: VaultUnavailable."""
    return await context.store.read(admin.status, _keys(context))


async def rotate_keys(context: Context, *, drop_old: bool) -> Rotated:
    """A new root key and a new intake key; every stored key is wrapped anew. Raises: VaultUnavailable, Conflict."""
    keys = _keys(context)
    count = admin.rotate_root(keys)
    await _note(context, "root_key.rotated")
    made = await rotate_intake(context)
    return Rotated(count, made, admin.drop_old_roots(keys) if drop_old else ())


async def rotate_intake(context: Context) -> str:
    """A new key for sealing; older ones that nothing waits for are destroyed. Gives its id. Raises: VaultUnavailable."""
    keys, publication = _keys(context), context.edge.publication

    def rotate(conn: Connection) -> str:
        made = admin.rotate_intake(conn, keys, publication_key=publication, now=context.clock.now())
        context.note(conn, operator("cli"), "intake_key.rotated", made)
        return made

    def drop(conn: Connection) -> tuple[str, ...]:
        return admin.drop_intake_keys(conn, keys, publication_key=publication)

    made = await context.store.write(rotate)
    await context.store.write(drop)
    return made


async def shred(context: Context, user: str, account: AccountId | None) -> int:
    """Destroys the keys of a user (UUID), or of one of their accounts; gives their number. Raises: VaultUnavailable."""
    keys = _keys(context)
    count = admin.shred_user(keys, user) if account is None else admin.shred_account(keys, user, account)
    await _note(context, "keys.shredded", user if account is None else context.ids.wire("account", account))
    return count


async def audit_entries(context: Context, client_id: str | None) -> list[audit.Entry]:
    """The audit of the installation itself, or of a team, oldest first. Raises: NotFound."""

    def op(conn: Connection) -> list[audit.Entry]:
        principal = _auditor(conn, client_id)
        found: list[audit.Entry] = []
        while page := audit.entries(conn, principal, after=found[-1].id if found else 0):
            found += page
        return found

    return await context.store.read(op)


async def audit_head(context: Context, client_id: str | None) -> audit.Head:
    """The end of that chain, to be kept outside the database. Raises: NotFound."""
    return await context.store.read(lambda conn: audit.head(conn, _auditor(conn, client_id)))


async def audit_fault(context: Context, client_id: str | None, anchor: audit.Head | None) -> int | None:
    """The first row of that chain that is not as it was written, or None. Raises: NotFound."""

    def op(conn: Connection) -> int | None:
        return audit.verify(conn, _auditor(conn, client_id), key=context.edge.audit, anchor=anchor)

    return await context.store.read(op)


def _auditor(conn: Connection, client_id: str | None) -> Principal:
    """Whoever runs the installation, reading its own chain or that of one team."""
    if client_id is None:
        return operator("cli")
    return Principal(team=teams.by_client_id(conn, client_id).id, user=None, actor="cli", scopes=frozenset({"admin"}))


async def _note(context: Context, action: str, target: str = "") -> None:
    await context.store.write(lambda conn: context.note(conn, operator("cli"), action, target))


def vault_selftest(folder: Path, *, workers: int, seconds: float) -> Proof:
    """Rotates under load in a folder of its own; no real key is touched."""
    return rotate_under_load(folder, SystemClock(), workers=workers, seconds=seconds)


def _keys(context: Context) -> KeyStore:
    if context.key_store is None:
        raise VaultUnavailable("the key store is not open in this process")
    return context.key_store
