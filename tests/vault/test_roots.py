"""The root key's file: made once, readable by us alone, away from the database, replaced without ever being missing."""

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from omnifolio.model.errors import VaultUnavailable
from omnifolio.vault.derived import Purpose, derive
from omnifolio.vault.roots import EnvRoot, FileRoot, ensure_root_key, load_edge_key

DATABASE_FOLDER = Path("/nowhere/database")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "keys" / "root.key"
    assert ensure_root_key(found, database_folder=DATABASE_FOLDER)
    return found


def open_root(path: Path) -> FileRoot:
    return FileRoot(path, database_folder=DATABASE_FOLDER)


def entry(name: str, key: bytes) -> str:
    return f"{name}:{base64.b64encode(key).decode()}"


def write(path: Path, text: str, mode: int = 0o400) -> None:
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_the_first_start_makes_a_key_that_only_we_can_read(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o400
    assert path.parent.stat().st_mode & 0o777 == 0o700
    before = path.read_bytes()
    assert not ensure_root_key(path, database_folder=DATABASE_FOLDER)
    assert path.read_bytes() == before
    assert sorted(path.parent.iterdir()) == [path]


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "root.key"

    def start(_number: int) -> tuple[bool, str]:
        return ensure_root_key(path, database_folder=DATABASE_FOLDER), open_root(path).key_id

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(start, range(16)))
    assert sum(created for created, _key_id in found) == 1
    assert len({key_id for _created, key_id in found}) == 1


def test_a_key_that_appears_while_another_is_made_is_never_replaced(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between looking and writing, another process may have put its key there and wrapped things with it."""
    before = path.read_bytes()
    monkeypatch.setattr(Path, "exists", lambda _self: False)
    assert not ensure_root_key(path, database_folder=DATABASE_FOLDER)
    assert path.read_bytes() == before
    assert sorted(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o440, 0o404, 0o644, 0o410, 0o402, 0o600 | 0o020])
def test_a_key_file_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(VaultUnavailable, match="chmod 400"):
        open_root(path)
    with pytest.raises(VaultUnavailable, match="chmod 400"):
        load_edge_key(path)


@pytest.mark.parametrize("mode", [0o400, 0o600])
def test_a_key_file_that_only_we_can_reach_is_taken(path: Path, mode: int) -> None:
    path.chmod(mode)
    assert open_root(path).key_id


def test_a_key_file_of_another_user_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = path.stat().st_uid
    os.chown(path, own + 1, -1) if own == 0 else monkeypatch.setattr(os, "geteuid", lambda: own + 1)
    with pytest.raises(VaultUnavailable, match="another user"):
        open_root(path)


@pytest.mark.parametrize("below", [".", "keys", "a/b"])
def test_a_key_beside_the_database_is_refused(tmp_path: Path, below: str) -> None:
    path = tmp_path / below / "root.key"
    with pytest.raises(VaultUnavailable, match="outside the database's folder"):
        ensure_root_key(path, database_folder=tmp_path)
    assert not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, entry("root", bytes(32)))
    with pytest.raises(VaultUnavailable, match="outside the database's folder"):
        FileRoot(path, database_folder=tmp_path)


def test_a_link_that_leads_beside_the_database_is_refused(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "elsewhere.key"
    link.symlink_to(path)
    with pytest.raises(VaultUnavailable, match="outside"):
        FileRoot(link, database_folder=path.parent)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(VaultUnavailable, match="cannot be created"):
        ensure_root_key(tmp_path / "file" / "root.key", database_folder=DATABASE_FOLDER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        entry("edge", bytes(32)),
        "root:",
        entry("root", bytes(31)),
        entry("root", bytes(33)),
        "root:swordfish!!",
        base64.b64encode(bytes(32)).decode(),
        f"{entry('root', bytes(32))}\nswordfish",
        f"{entry('root', bytes(32))}\n{entry('edge', bytes(32))}\n{entry('edge', bytes(32))}",
        "root:" + "é" * 43,
    ],
)
def test_a_text_that_is_no_key_file_is_refused_without_being_shown(path: Path, text: str) -> None:
    write(path, text)
    with pytest.raises(VaultUnavailable) as caught:
        open_root(path)
    assert str(path) in caught.value.message
    assert "swordfish" not in caught.value.message


def test_a_missing_file_is_named(path: Path) -> None:
    path.unlink()
    with pytest.raises(VaultUnavailable, match="cannot be read"):
        open_root(path)


def test_a_wrapped_key_opens_with_its_root_and_its_binding_alone(path: Path, tmp_path: Path) -> None:
    root = open_root(path)
    box = root.wrap(b"k" * 32, b"here")
    assert root.unwrap(box, b"here") == b"k" * 32
    ensure_root_key(tmp_path / "other.key", database_folder=DATABASE_FOLDER)
    for opener, aad, changed in (
        (root, b"there", box),
        (open_root(tmp_path / "other.key"), b"here", box),
        (root, b"here", b"\x02" + box[1:]),
        (root, b"here", box[:-1]),
        (root, b"here", b""),
    ):
        with pytest.raises(VaultUnavailable):
            opener.unwrap(changed, aad)
    for number in range(len(box) * 8):
        flipped = bytes(b ^ (1 << number % 8) if i == number // 8 else b for i, b in enumerate(box))
        with pytest.raises(VaultUnavailable):
            root.unwrap(flipped, b"here")


def test_a_new_root_wraps_and_old_ones_still_open(path: Path) -> None:
    root, elsewhere = open_root(path), open_root(path)
    old = root.wrap(b"k" * 32, b"")
    edge = root.edge_key
    first, second = root.key_id, root.add()
    assert list(root.key_ids) == [second, first]
    assert root.unwrap(old, b"") == b"k" * 32
    assert elsewhere.unwrap(root.wrap(b"n" * 32, b""), b"") == b"n" * 32, "another process reads the file again"
    root.drop(frozenset([first, second]))
    assert list(root.key_ids) == [second], "the current key is never dropped"
    assert open_root(path).edge_key == edge == load_edge_key(path)
    assert path.stat().st_mode & 0o777 == 0o400
    with pytest.raises(VaultUnavailable, match=first):
        open_root(path).unwrap(old, b"")


def test_the_environment_may_hold_the_key_but_is_warned_about() -> None:
    text = f"{entry('root', b'n' * 32)},{entry('root', b'o' * 32)},{entry('edge', b'e' * 32)}"
    with pytest.warns(UserWarning, match="prefer a key file"):
        root = EnvRoot(text)
    assert root.unwrap(root.wrap(b"k" * 32, b""), b"") == b"k" * 32
    assert len(root.key_ids) == 2
    assert root.edge_key == b"e" * 32
    shown = repr(root) + repr(root.key_ids)
    assert not any(base64.b64encode(letter * 32).decode() in shown for letter in (b"n", b"o", b"e"))


def test_a_text_with_the_edge_entry_alone_serves_but_opens_nothing(path: Path) -> None:
    write(path, entry("edge", b"e" * 32))
    assert load_edge_key(path) == b"e" * 32
    with pytest.raises(VaultUnavailable, match="no root key"):
        open_root(path)


def test_every_purpose_has_a_key_of_its_own() -> None:
    purposes: tuple[Purpose, ...] = ("pepper", "token", "audit", "fingerprint", "publication")
    found = {derive(b"e" * 32, purpose) for purpose in purposes} | {derive(b"f" * 32, purpose) for purpose in purposes}
    assert len(found) == 10
    assert {len(key) for key in found} == {32}
