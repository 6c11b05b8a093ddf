"""The key store: users' wrapping keys and the intake's private keys, each wrapped by the root key, in a file of their own.

It lies beside the key file and never in the ledger's database, so that no dump of the ledger holds a wrapping key, and deleting
a key here makes every earlier backup of the ledger unreadable for that user. Do not keep backups of this file longer than a
deleted user may stay readable. Workers on other machines need it on storage that they share and that has POSIX locks.

Writers stand in line at a lock file, because SQLite's own waiting starves the unlucky. The key file is read again under that lock
before anything is wrapped, and it is changed only under that lock: so no key is ever wrapped under a root key that a rotation has
just removed.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VaultUnavailable
from omnifolio.vault.places import bind
from omnifolio.vault.roots import FOLDER_MODE, RootKey, refuse_inside, refuse_shared, root_id_of

Kind = Literal["user", "account", "intake"]
"""`user` subject is the user's UUID · `account` subject is `<uuid>/<account id>` · `intake` subject is the key's own id."""

KEY_BYTES = 32
KEY_ID_BYTES = 8
BUSY_TIMEOUT_MS = 10_000
FILE_MODE = 0o600
TRUNCATE_ATTEMPTS_MAX = 5
REWRAP_ROWS = 200
"""Keys wrapped anew in one transaction."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    kind TEXT NOT NULL, subject TEXT NOT NULL, key_id TEXT NOT NULL, root_id TEXT NOT NULL, wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL, PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID
"""


class Key(Struct, frozen=True):
    """A key of the store in the clear. It lives as long as the unit of work that needs it."""

    key_id: str
    material: bytes

    def __repr__(self) -> str:
        return f"Key({self.key_id})"


class KeyCount(Struct, frozen=True, kw_only=True):
    """How many keys of a kind are wrapped by one root key, and when the oldest of them was made."""

    kind: str
    root_id: str
    count: int
    oldest_at: EpochMs


class KeyStore:
    """One open key store. Threads may share it; every process opens its own. Raises: VaultUnavailable from every method."""

    def __init__(self, path: Path, root: RootKey, *, database_folder: Path | None) -> None:
        """Opens the file, creating it at first. `database_folder` is None on PostgreSQL."""
        if database_folder is not None:
            refuse_inside(path, database_folder)
        self.path, self.root = path, root
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
            self._line = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, FILE_MODE)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE))  # SQLite gives its own files the mode of this one
            refuse_shared(path)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000)
            for pragma in ("secure_delete=ON", "synchronous=FULL", "trusted_schema=OFF"):
                self._db.execute(f"PRAGMA {pragma}")
            with self._in_line():
                self._db.execute("PRAGMA journal_mode=WAL")
                self._db.execute(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise _unavailable(path, error) from error

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()
            os.close(self._line)

    def find(self, kind: Kind, subject: str) -> Key | None:
        """The key of a subject, or None when there is none (any more)."""
        rows = self._read("SELECT key_id, wrapped FROM keys WHERE kind = ? AND subject = ?", (kind, subject))
        return self._unwrapped(kind, subject, rows[0]) if rows else None

    def find_or_create(self, kind: Kind, subject: str, now: EpochMs) -> Key:
        """The key of a subject, made now if there is none; of several processes that make it at once, one wins for all."""
        found = self.find(kind, subject)
        if found is not None:
            return found
        with self._writing():
            found = self.find(kind, subject)
            if found is None:
                found = Key(os.urandom(KEY_ID_BYTES).hex(), os.urandom(KEY_BYTES))
                self._insert(kind, subject, found, now)
        return found

    def add(self, kind: Kind, subject: str, key: Key, now: EpochMs) -> None:
        """Stores a key that was made elsewhere."""
        with self._writing():
            self._insert(kind, subject, key, now)

    def subjects(self, kind: Kind) -> list[tuple[str, EpochMs]]:
        """The subjects that have a key of this kind, and since when; the newest first."""
        rows = self._read("SELECT subject, created_at FROM keys WHERE kind = ? ORDER BY 2 DESC, 1", (kind,))
        return [(subject, created_at) for subject, created_at in rows]

    def counts(self) -> list[KeyCount]:
        """How many keys each root key wraps, by kind."""
        rows = self._read("SELECT kind, root_id, count(*), min(created_at) FROM keys GROUP BY 1, 2 ORDER BY 1, 2", ())
        return [KeyCount(kind=kind, root_id=root, count=count, oldest_at=oldest) for kind, root, count, oldest in rows]

    def shred(self, kind: Kind, subject: str) -> int:
        """Destroys a subject's key, and with a user's key those of all the user's accounts; says how many. May be repeated.

        The bytes are overwritten in the file and removed from its log before this returns.
        """
        accounts_of = f"{subject}/" if kind == "user" else ""
        where = "(kind = ? AND subject = ?) OR (kind = 'account' AND ? <> '' AND substr(subject, 1, ?) = ?)"
        values = (kind, subject, accounts_of, len(accounts_of), accounts_of)
        with self._writing():
            self._db.execute(f"UPDATE keys SET wrapped = zeroblob(length(wrapped)) WHERE {where}", values)  # noqa: S608
            count = self._db.execute(f"DELETE FROM keys WHERE {where}", values).rowcount  # noqa: S608
        self.empty_log()
        return count

    def empty_log(self) -> None:
        """Removes what was overwritten from the write-ahead log as well."""
        with self._in_line():
            for _attempt in range(TRUNCATE_ATTEMPTS_MAX):
                if self._read("PRAGMA wal_checkpoint(TRUNCATE)", ())[0][0] == 0:
                    return
        raise VaultUnavailable(f"{self.path}: deleted keys are still in its log while others read it; shred again")

    def rewrap(self) -> int:
        """Wraps a batch of keys anew that are not under the current root key; says how many. 0 = none is left."""
        with self._writing():
            sql = "SELECT kind, subject, key_id, wrapped FROM keys WHERE root_id <> ? LIMIT ?"
            rows = self._read(sql, (self.root.key_id, REWRAP_ROWS))
            for kind, subject, *row in rows:
                aad = bind("key", kind, subject, row[0])
                box = self.root.wrap(self.root.unwrap(row[1], aad), aad)
                sql = "UPDATE keys SET wrapped = ?, root_id = ? WHERE kind = ? AND subject = ?"
                self._db.execute(sql, (box, root_id_of(box), kind, subject))
        return len(rows)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the write lock, for changes to the key file; the root key is read again first."""
        with self._writing():
            yield

    def _insert(self, kind: Kind, subject: str, key: Key, now: EpochMs) -> None:
        box = self.root.wrap(key.material, bind("key", kind, subject, key.key_id))
        sql = "INSERT INTO keys (kind, subject, key_id, root_id, wrapped, created_at) VALUES (?, ?, ?, ?, ?, ?)"
        self._db.execute(sql, (kind, subject, key.key_id, root_id_of(box), box, now))

    def _unwrapped(self, kind: Kind, subject: str, row: Sequence[Any]) -> Key:
        key_id, wrapped = row
        return Key(key_id, self.root.unwrap(wrapped, bind("key", kind, subject, key_id)))

    def _read(self, sql: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                return self._db.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise _unavailable(self.path, error) from error

    @contextmanager
    def _in_line(self) -> Iterator[None]:
        with self._lock:
            fcntl.flock(self._line, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.flock(self._line, fcntl.LOCK_UN)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._in_line():
            try:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    self.root.refresh()
                    yield
                    self._db.execute("COMMIT")
                except BaseException:
                    if self._db.in_transaction:  # a COMMIT that failed for a full disk has ended it already
                        self._db.execute("ROLLBACK")
                    raise
            except sqlite3.Error as error:
                raise _unavailable(self.path, error) from error


def _unavailable(path: Path, error: Exception) -> VaultUnavailable:
    return VaultUnavailable(f"{path}: the key store cannot be used ({type(error).__name__}: {error})")
