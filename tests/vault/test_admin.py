"""Rotation while workers go on, and shredding that reaches backups made earlier."""

import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.vault.stand import CREDENTIALS, NOW, key_store, people, publication_key, revealed, start

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import Conflict, SecretUnreadable, VaultUnavailable
from omnifolio.model.ids import AccountId
from omnifolio.store import schema
from omnifolio.store.engine import Store, open_store
from omnifolio.vault import admin
from omnifolio.vault.keystore import Key, KeyStore
from omnifolio.vault.open import accept, keep, open_intake, open_kept, open_secret
from omnifolio.vault.places import Place
from omnifolio.vault.roots import EnvRoot, FileRoot
from omnifolio.vault.seal import published, seal
from omnifolio.vault.selftest import rotate_under_load

HERE = Place(team=1, user="uuid-1", account=11, venue="kraken")


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return key_store(tmp_path / "keys")


async def everybody(store: Store, keys: KeyStore) -> list[tuple[Principal, AccountId]]:
    """All test accounts with kept credentials."""
    persons = await store.write(people)
    await store.write(start, keys)
    for principal, accounts in persons:
        for account in accounts:
            await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)
            taken = await store.read(open_intake, principal, account, keys)
            assert taken is not None
            await store.write(accept, principal, account, taken, keys, now=NOW)
    return [(principal, account) for principal, accounts in persons for account in accounts]


def test_the_root_key_is_rotated_while_eight_workers_go_on(tmp_path: Path) -> None:
    proof = rotate_under_load(tmp_path, SystemClock(), workers=8, seconds=0, rotations_min=12)
    assert proof.failures == ()
    assert proof.rotations >= 12
    assert proof.opened > 8


async def test_after_a_rotation_everything_opens_without_the_old_root(store: Store, keys: KeyStore) -> None:
    accounts = await everybody(store, keys)
    old = keys.root.key_id
    edge = publication_key(keys)
    assert isinstance(keys.root, FileRoot)
    with keys.locked():
        keys.root.add()
    with pytest.raises(Conflict, match=old):
        admin.drop_old_roots(keys)
    assert admin.rotate_root(keys) == 3 + 6 + 1  # users, accounts, intake
    assert admin.rotate_root(keys) == 0, "run again, it finds the rotation done"
    assert admin.drop_old_roots(keys) == (old,)
    fresh = KeyStore(keys.path, FileRoot(keys.path.with_name("root.key"), database_folder=None), database_folder=None)
    assert fresh.root.key_id != old
    for principal, account in accounts:
        assert revealed(await store.read(open_secret, principal, account, fresh)) == revealed(CREDENTIALS)
    assert publication_key(fresh) == edge


def test_an_interrupted_rotation_goes_on_where_it_was(keys: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnifolio.vault.keystore.REWRAP_ROWS", 3)
    boxes = [keep(keys, Place(team=1, user="u", account=n, venue="v"), 1, b"x", now=NOW) for n in range(10)]
    assert isinstance(keys.root, FileRoot)
    with keys.locked():
        keys.root.add()
    assert keys.rewrap() == 3
    again = key_store(keys.path.parent)
    assert admin.rotate_root(again) == 8
    assert len(admin.drop_old_roots(again)) == 1, "no second new root was made"
    for number, box in enumerate(boxes):
        assert open_kept(again, Place(team=1, user="u", account=number, venue="v"), 1, box) == b"x"


def test_rotated_keys_leave_nothing_of_the_old_wrapping_on_disk(keys: KeyStore) -> None:
    keep(keys, HERE, 1, b"x", now=NOW)
    with sqlite3.connect(keys.path) as db:
        before = [row[0] for row in db.execute("SELECT wrapped FROM keys")]
    db.close()
    admin.rotate_root(keys)
    assert not any(wrapped in everything(keys.path.parent) for wrapped in before)


def test_the_root_of_the_environment_is_rotated_by_its_first_entry(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    old, new = "root:" + "b" * 43 + "=", "root:" + "Q" * 43 + "="
    path = tmp_path / "root.store"
    before = KeyStore(path, EnvRoot(old), database_folder=None)
    box = keep(before, HERE, 1, b"x", now=NOW)
    after = KeyStore(path, EnvRoot(f"{new} , {old}"), database_folder=None)
    assert admin.rotate_root(after) == 2
    with pytest.raises(Conflict, match="environment"):
        admin.drop_old_roots(after)
    assert open_kept(KeyStore(path, EnvRoot(new), database_folder=None), HERE, 1, box) == b"x"
    with pytest.raises(VaultUnavailable):
        open_kept(before, HERE, 1, box)


async def test_the_intake_key_is_rotated_and_the_old_one_goes_when_nothing_waits_for_it(store: Store, keys: KeyStore) -> None:
    ((principal, (account, _)), *_others) = await store.write(people)
    first = await store.write(start, keys)
    await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)
    second = await store.write(admin.rotate_intake, keys, publication_key=publication_key(keys), now=NOW)
    assert (await store.write(published, publication_key(keys))).key_id == second
    assert await store.write(start, keys) == second
    assert await store.write(admin.drop_intake_keys, keys, publication_key=publication_key(keys)) == ()
    status = await store.read(admin.status, keys)
    assert [(waiting.key_id, waiting.count) for waiting in status.waiting] == [(first, 1)]
    taken = await store.read(open_intake, principal, account, keys)
    assert taken is not None
    await store.write(accept, principal, account, taken, keys, now=NOW)
    assert await store.write(admin.drop_intake_keys, keys, publication_key=publication_key(keys)) == (first,)
    assert [subject for subject, _at in keys.subjects("intake")] == [second]


async def test_a_lost_key_store_is_noticed_and_a_new_intake_key_published(store: Store, keys: KeyStore, tmp_path: Path) -> None:
    first = await store.write(start, keys)
    keys.close()
    for path in keys.path.parent.glob("root.store*"):
        path.unlink()
    assert await store.write(start, key_store(tmp_path / "keys")) != first


async def test_status_counts_keys_by_root_and_age(store: Store, keys: KeyStore) -> None:
    await everybody(store, keys)
    status = await store.read(admin.status, keys)
    assert {(found.kind, found.count, found.oldest_at, found.root_id) for found in status.keys} == {
        ("user", 3, NOW, keys.root.key_id),
        ("account", 6, NOW, keys.root.key_id),
        ("intake", 1, NOW, keys.root.key_id),
    }
    assert (status.kept, status.oldest_kept_at, status.waiting) == (6, NOW, ())
    assert status.root_ids == (keys.root.key_id,)


async def test_a_shredded_user_is_unreadable_in_an_earlier_backup_too(sqlite_url: str, keys: KeyStore, tmp_path: Path) -> None:
    """The backup holds every byte of the ledger's database; with the key store as it is now, nothing of the user opens."""
    store = open_store(sqlite_url)
    accounts = await everybody(store, keys)
    with sqlite3.connect(keys.path) as db:
        destroyed = [row[0] for row in db.execute("SELECT wrapped FROM keys WHERE subject LIKE 'uuid-1%'")]
    db.close()
    assert len(destroyed) == 3
    (tmp_path / "backup").mkdir()
    for path in tmp_path.glob("omnifolio.db*"):
        shutil.copy(path, tmp_path / "backup")
    backup = open_store(f"sqlite:///{tmp_path / 'backup' / 'omnifolio.db'}")
    assert revealed(await backup.read(open_secret, *accounts[0], keys)) == revealed(CREDENTIALS)

    assert admin.shred_user(keys, "uuid-1") == 3
    assert admin.shred_user(keys, "uuid-1") == 0
    await store.write(lambda conn: conn.execute(sa.delete(schema.users).where(schema.users.c.uuid == "uuid-1")))

    assert not any(wrapped in everything(tmp_path) for wrapped in destroyed), "db, wal, shm, key store and backup are clean"
    for opener in (keys, key_store(keys.path.parent)):
        for account in accounts[:2]:
            with pytest.raises(SecretUnreadable, match="destroyed"):
                await backup.read(open_secret, *account, opener)
        for account in accounts[2:]:
            assert revealed(await backup.read(open_secret, *account, opener)) == revealed(CREDENTIALS)
    keys.find_or_create("user", "uuid-1", NOW)
    keys.find_or_create("account", f"uuid-1/{accounts[0][1]}", NOW)
    with pytest.raises(SecretUnreadable, match="kept under keys that are not here"):
        await backup.read(open_secret, *accounts[0], keys)
    await store.close()
    await backup.close()


async def test_a_shredding_that_was_requested_is_carried_out_by_the_next_worker(store: Store, keys: KeyStore) -> None:
    """A process that only serves deletes rows and cannot reach the key store; and any process may end in between."""
    accounts = await everybody(store, keys)

    def remove(conn: sa.Connection) -> None:
        for _ in range(2):
            admin.request_shred(conn, "uuid-1")
            admin.request_shred(conn, "uuid-2", accounts[2][1])

    await store.write(remove)
    assert (await store.read(admin.status, keys)).to_shred == 2

    def interrupted(conn: sa.Connection) -> None:
        admin.shred_requested(conn, keys)
        raise KeyError("the power went")

    with pytest.raises(KeyError):
        await store.write(interrupted)
    assert (await store.read(admin.status, keys)).to_shred == 2
    await store.write(admin.shred_requested, keys)
    assert (await store.read(admin.status, keys)).to_shred == 0
    assert await store.write(admin.shred_requested, keys) == 0
    for account in accounts[:3]:
        with pytest.raises(SecretUnreadable, match="destroyed"):
            await store.read(open_secret, *account, keys)
    for account in accounts[3:]:
        assert revealed(await store.read(open_secret, *account, keys)) == revealed(CREDENTIALS)


async def test_a_shredded_account_leaves_the_users_other_accounts_readable(store: Store, keys: KeyStore) -> None:
    accounts = await everybody(store, keys)
    assert admin.shred_account(keys, "uuid-1", accounts[0][1]) == 1
    with pytest.raises(SecretUnreadable, match="destroyed"):
        await store.read(open_secret, *accounts[0], keys)
    for account in accounts[1:]:
        assert revealed(await store.read(open_secret, *account, keys)) == revealed(CREDENTIALS)


def test_the_key_store_wipes_what_it_deletes_and_waits_for_the_disk(keys: KeyStore) -> None:
    pragmas = ("secure_delete", "synchronous", "journal_mode")
    assert [keys._db.execute(f"PRAGMA {pragma}").fetchone()[0] for pragma in pragmas] == [1, 2, "wal"]


def test_shredding_one_user_spares_users_with_a_similar_name(keys: KeyStore) -> None:
    for user in ("u", "u1", "u%", "U"):
        keep(keys, Place(team=1, user=user, account=1, venue="v"), 1, b"x", now=NOW)
    assert admin.shred_user(keys, "u") == 2
    assert sorted(subject for subject, _at in keys.subjects("account")) == ["U/1", "u%/1", "u1/1"]


def test_keys_swapped_inside_the_key_store_do_not_open(keys: KeyStore) -> None:
    box = keep(keys, HERE, 1, b"x", now=NOW)
    keep(keys, Place(team=1, user="uuid-2", account=12, venue="kraken"), 1, b"y", now=NOW)
    with sqlite3.connect(keys.path) as db:
        ((key_id, wrapped),) = db.execute("SELECT key_id, wrapped FROM keys WHERE kind = 'user' AND subject = 'uuid-2'")
        db.execute("UPDATE keys SET key_id = ?, wrapped = ? WHERE subject = 'uuid-1'", (key_id, wrapped))
    db.close()
    with pytest.raises(VaultUnavailable, match="changed or belongs elsewhere"):
        open_kept(keys, HERE, 1, box)


def test_processes_that_need_a_users_key_at_once_get_the_same_one(tmp_path: Path) -> None:
    def ask(_number: int) -> Key:
        store = key_store(tmp_path)
        found = store.find_or_create("user", "uuid-1", NOW)
        store.close()
        return found

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(ask, range(16)))
    assert len({(key.key_id, key.material) for key in found}) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604])
def test_a_key_store_that_others_can_read_is_refused(keys: KeyStore, mode: int) -> None:
    assert keys.path.stat().st_mode & 0o777 == 0o600
    keys.path.chmod(mode)
    with pytest.raises(VaultUnavailable, match="others can read it"):
        key_store(keys.path.parent)


def test_a_key_store_beside_the_database_is_refused(keys: KeyStore, tmp_path: Path) -> None:
    with pytest.raises(VaultUnavailable, match="outside the database's folder"):
        KeyStore(tmp_path / "database" / "root.store", keys.root, database_folder=tmp_path / "database")


def test_a_damaged_key_store_is_unavailable(keys: KeyStore) -> None:
    keys.close()
    keys.path.write_bytes(b"this is no database, but long enough to be looked at" * 100)
    with pytest.raises(VaultUnavailable, match="cannot be used"):
        key_store(keys.path.parent)


def everything(folder: Path) -> bytes:
    """All bytes of all files under a folder."""
    return b"\0".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
