"""The root key, which wraps every other key, and the file or environment variable that holds it.

The text has one entry a line (or separated by commas): `root:<base64 of 32 bytes>`, the current one first and older ones after
it while a rotation runs, and `edge:<base64 of 32 bytes>`, from which the edge's keys are derived. A server that only serves gets
a text with the `edge` entry alone and can open nothing.
"""

import base64
import binascii
import os
import stat
import tempfile
import warnings
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from omnifolio.model.errors import VaultUnavailable

KEY_BYTES = 32
KEY_ID_BYTES = 8
NONCE_BYTES = 12
FILE_MODE = 0o400
FOLDER_MODE = 0o700
FILE_BYTES_MAX = 16_384
_VERSION = b"\x01"


class RootKey(Protocol):
    """What wraps keys: a file, the environment, or a key service."""

    @property
    def key_id(self) -> str:
        """The id of the key that `wrap` uses: 16 hexadecimal digits."""
        ...

    def wrap(self, key: bytes, aad: bytes) -> bytes:
        """`key` encrypted under the current root key and tied to `aad`; the result names the root key."""
        ...

    def unwrap(self, box: bytes, aad: bytes) -> bytes:
        """The wrapped key. Raises: VaultUnavailable when the root key is not here or the box was changed."""
        ...

    def refresh(self) -> None:
        """Takes notice of a rotation by another process."""
        ...


class KeyText:
    """The parsed text of a key file: root keys by id, the current one first, and the edge key."""

    __slots__ = ("edge", "roots")

    def __init__(self, roots: list[bytes], edge: bytes | None) -> None:
        self.roots = {key_id_of(key): key for key in roots}
        self.edge = edge

    @classmethod
    def parse(cls, text: str, *, where: str) -> "KeyText":
        """The keys in a text. Raises: VaultUnavailable saying which entry of `where` is wrong, without showing it."""
        roots, edge = list[bytes](), None
        entries = [entry.strip() for line in text.splitlines() if not line.lstrip().startswith("#") for entry in line.split(",")]
        for number, entry in enumerate((entry for entry in entries if entry), start=1):
            name, _, value = entry.partition(":")
            try:
                key = base64.b64decode(value.strip(), validate=True)
            except binascii.Error:
                key = b""
            if name not in ("root", "edge") or len(key) != KEY_BYTES or (name == "edge" and edge is not None):
                raise VaultUnavailable(f"{where}: entry {number} is not root:<base64 of 32 bytes> or one edge:<…>") from None
            if name == "root":
                roots.append(key)
            else:
                edge = key
        return cls(roots, edge)

    def text(self) -> str:
        """The text that `parse` reads."""
        entries = [("root", key) for key in self.roots.values()] + ([("edge", self.edge)] if self.edge else [])
        return "".join(f"{name}:{base64.b64encode(key).decode()}\n" for name, key in entries)

    def __repr__(self) -> str:
        return f"KeyText({', '.join(self.roots)})"


class _TextRoot:
    """Wraps with the first root key of a text, unwraps with any of them."""

    _where: str

    def __init__(self) -> None:
        self._keys = self._loaded()

    def _load(self) -> KeyText:
        raise NotImplementedError

    def _loaded(self) -> KeyText:
        keys = self._load()
        if not keys.roots:
            raise VaultUnavailable(f"{self._where}: holds no root key, so no credential can be opened here")
        return keys

    @property
    def key_id(self) -> str:
        return next(iter(self._keys.roots))

    @property
    def key_ids(self) -> tuple[str, ...]:
        """All root keys that are here, the current one first."""
        return tuple(self._keys.roots)

    @property
    def edge_key(self) -> bytes:
        """The key from which the edge's keys are derived. Raises: VaultUnavailable when the text has none."""
        if self._keys.edge is None:
            raise VaultUnavailable(f"{self._where}: holds no edge key")
        return self._keys.edge

    def refresh(self) -> None:
        self._keys = self._loaded()

    def wrap(self, key: bytes, aad: bytes) -> bytes:
        key_id, root = next(iter(self._keys.roots.items()))
        nonce = os.urandom(NONCE_BYTES)
        return _VERSION + bytes.fromhex(key_id) + nonce + AESGCM(root).encrypt(nonce, key, aad)

    def unwrap(self, box: bytes, aad: bytes) -> bytes:
        key_id = root_id_of(box)
        if key_id not in self._keys.roots:
            self.refresh()
        if key_id not in self._keys.roots:
            raise VaultUnavailable(f"{self._where}: root key {key_id or '(unknown version)'} is not here")
        rest = box[1 + KEY_ID_BYTES :]
        try:
            return AESGCM(self._keys.roots[key_id]).decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], aad)
        except (InvalidTag, ValueError):
            raise VaultUnavailable(f"a key wrapped under root key {key_id} was changed or belongs elsewhere") from None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._where})"


class FileRoot(_TextRoot):
    """Root keys in a file that only this user can read, outside the folder of the database."""

    def __init__(self, path: Path, *, database_folder: Path | None) -> None:
        """`database_folder` is None on PostgreSQL. Raises: VaultUnavailable saying what is wrong with the file."""
        self.path = path
        self._where = str(path)
        if database_folder is not None:
            refuse_inside(path, database_folder)
        super().__init__()

    def _load(self) -> KeyText:
        return KeyText.parse(_read_private(self.path), where=self._where)

    def add(self) -> str:
        """Puts a new root key before the others and returns its id. Only under the key store's write lock."""
        keys = self._loaded()
        self._replace(KeyText([os.urandom(KEY_BYTES), *keys.roots.values()], keys.edge))
        return self.key_id

    def drop(self, key_ids: frozenset[str]) -> None:
        """Removes older root keys; the current one stays. Only under the key store's write lock."""
        keys = self._loaded()
        kept = [key for n, (key_id, key) in enumerate(keys.roots.items()) if n == 0 or key_id not in key_ids]
        self._replace(KeyText(kept, keys.edge))

    def _replace(self, keys: KeyText) -> None:
        temporary = _write_temporary(self.path, keys.text())
        temporary.replace(self.path)
        _sync_folder(self.path.parent)
        self._keys = keys


class EnvRoot(_TextRoot):
    """Root keys in the text of an environment variable: for containers that mount no file. Warns, because more can see it."""

    def __init__(self, text: str) -> None:
        self._where = "the root key of the environment"
        self._text = text
        warnings.warn("the root key is in the environment, where other programs may read it; prefer a key file", stacklevel=2)
        super().__init__()

    def _load(self) -> KeyText:
        return KeyText.parse(self._text, where=self._where)


def ensure_root_key(path: Path, *, database_folder: Path | None) -> bool:
    """Creates the key file if there is none, and says whether it did.

    Safe when several processes start at once: the first one's file stays. Without this file no stored credential can ever be
    opened again, and client secrets and login names are no longer recognised.

    Raises: VaultUnavailable when the place is not allowed or not writable.
    """
    if database_folder is not None:
        refuse_inside(path, database_folder)
    if path.exists():
        return False
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
        temporary = _write_temporary(path, KeyText([os.urandom(KEY_BYTES)], os.urandom(KEY_BYTES)).text())
        try:
            os.link(temporary, path)  # unlike a rename, it never replaces what another process has just put there
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise VaultUnavailable(f"{path}: the key file cannot be created ({error.strerror})") from error
    return True


def load_edge_key(path: Path) -> bytes:
    """The edge key alone, for a server that opens nothing. Raises: VaultUnavailable."""
    keys = KeyText.parse(_read_private(path), where=str(path))
    if keys.edge is None:
        raise VaultUnavailable(f"{path}: holds no edge key")
    return keys.edge


def refuse_inside(path: Path, database_folder: Path) -> None:
    """Raises: VaultUnavailable when `path` would be copied together with the database."""
    if path.resolve().is_relative_to(database_folder.resolve()):
        raise VaultUnavailable(f"{path}: keys must lie outside the database's folder, so that no copy of it holds both")


def refuse_shared(path: Path) -> None:
    """Raises: VaultUnavailable when `path` is no file, not ours, or others can read it."""
    try:
        found = path.stat()
    except OSError as error:
        raise VaultUnavailable(f"{path}: cannot be read ({error.strerror})") from error
    if not stat.S_ISREG(found.st_mode):
        raise VaultUnavailable(f"{path}: is not a file")
    if found.st_uid not in (os.geteuid(), 0):
        raise VaultUnavailable(f"{path}: belongs to another user")
    if found.st_mode & 0o077:
        raise VaultUnavailable(f"{path}: others can read it (mode {found.st_mode & 0o777:o}); run chmod 400 on it")


def key_id_of(root: bytes) -> str:
    """The public id of a root key: 16 hexadecimal digits that say nothing of the key."""
    return HKDF(SHA256(), KEY_ID_BYTES, None, b"omnifolio/root-key-id/1").derive(root).hex()


def root_id_of(box: bytes) -> str:
    """The id of the root key that wrapped a box; "" for a version that is not known."""
    return box[1 : 1 + KEY_ID_BYTES].hex() if box[:1] == _VERSION else ""


def _read_private(path: Path) -> str:
    refuse_shared(path)
    try:
        with path.open("rb") as file:
            return file.read(FILE_BYTES_MAX).decode("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise VaultUnavailable(f"{path}: cannot be read ({type(error).__name__})") from None


def _write_temporary(path: Path, text: str) -> Path:
    """A file with `text` in the folder of `path`, mode 0400, on the disk and not only in its cache."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), FILE_MODE)
        os.fsync(file.fileno())
    return Path(name)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
