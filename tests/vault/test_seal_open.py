"""Sealing, taking in and opening: a credential opens only in its place, and only unchanged."""

import itertools
import logging
import traceback
from pathlib import Path

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec.structs import replace
from tests.vault.stand import CANARY, CREDENTIALS, NOW, key_store, people, publication_key, revealed, start

from omnifolio.model.accounts import Principal
from omnifolio.model.errors import InvalidField, NotFound, OmnifolioError, SecretUnreadable, VaultUnavailable
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.store import schema
from omnifolio.store.engine import Store
from omnifolio.vault import admin
from omnifolio.vault.keystore import Key, KeyStore
from omnifolio.vault.open import accept, keep, open_box, open_intake, open_kept, open_secret, refuse
from omnifolio.vault.places import Place, bind
from omnifolio.vault.seal import IntakeKey, fingerprint, published, seal, seal_to

HERE = Place(team=1, user="uuid-1", account=11, venue="kraken")
ELSEWHERE = [
    replace(HERE, team=2),
    replace(HERE, user="uuid-2"),
    replace(HERE, account=12),
    replace(HERE, venue="binance"),
    replace(HERE, team=11, user="uid-1"),
    Place(team=1, user="uuid-11", account=1, venue="kraken"),
]


@pytest.fixture
def keys(tmp_path: Path) -> KeyStore:
    return key_store(tmp_path / "keys")


async def link(store: Store, keys: KeyStore) -> tuple[Principal, AccountId]:
    """A user with one account whose credentials are kept."""
    ((principal, (account, _)), *_others) = await store.write(people)
    await store.write(start, keys)
    await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)
    taken = await store.read(open_intake, principal, account, keys)
    assert taken is not None
    await store.write(accept, principal, account, taken, keys, now=NOW)
    return principal, account


async def test_what_the_edge_seals_a_worker_takes_in_and_opens(store: Store, keys: KeyStore) -> None:
    ((principal, (account, other)), *_) = await store.write(people)
    await store.write(start, keys)
    await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)
    taken = await store.read(open_intake, principal, account, keys)
    assert taken is not None
    assert revealed(taken.secrets) == revealed(CREDENTIALS)
    assert await store.write(accept, principal, account, taken, keys, now=NOW) == 1
    assert await store.read(open_intake, principal, account, keys) is None
    assert revealed(await store.read(open_secret, principal, account, keys)) == revealed(CREDENTIALS)
    with pytest.raises(NotFound):
        await store.read(open_secret, principal, other, keys)


async def test_new_credentials_replace_the_old_ones_under_the_next_version(store: Store, keys: KeyStore) -> None:
    principal, account = await link(store, keys)
    for text in ("never taken in", "renewed"):
        await store.write(seal, principal, account, {"secret": Secret(text)}, publication_key=publication_key(keys), now=NOW)
    taken = await store.read(open_intake, principal, account, keys)
    assert taken is not None
    assert await store.write(accept, principal, account, taken, keys, now=NOW) == 2
    assert revealed(await store.read(open_secret, principal, account, keys)) == {"secret": "renewed"}
    assert await store.read(lambda conn: conn.execute(sa.select(sa.func.count()).select_from(schema.intake)).scalar()) == 0


async def test_credentials_that_were_replaced_meanwhile_are_not_kept(store: Store, keys: KeyStore) -> None:
    """While the venue is asked about the first key, the user sends a second one."""
    principal, account = await link(store, keys)
    await store.write(seal, principal, account, {"secret": Secret("first")}, publication_key=publication_key(keys), now=NOW)
    taken = await store.read(open_intake, principal, account, keys)
    await store.write(seal, principal, account, {"secret": Secret("second")}, publication_key=publication_key(keys), now=NOW)
    assert taken is not None
    with pytest.raises(NotFound, match="replaced"):
        await store.write(accept, principal, account, taken, keys, now=NOW)
    await store.write(refuse, principal, account, taken)
    newest = await store.read(open_intake, principal, account, keys)
    assert newest is not None
    assert revealed(newest.secrets) == {"secret": "second"}
    assert revealed(await store.read(open_secret, principal, account, keys)) == revealed(CREDENTIALS)


async def test_refused_credentials_are_gone(store: Store, keys: KeyStore) -> None:
    ((principal, (account, _)), *_others) = await store.write(people)
    await store.write(start, keys)
    await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)
    taken = await store.read(open_intake, principal, account, keys)
    assert taken is not None
    await store.write(refuse, principal, account, taken)
    assert await store.read(open_intake, principal, account, keys) is None
    assert await store.read(lambda conn: conn.execute(sa.select(schema.secrets)).all()) == []


async def test_taking_in_is_all_or_nothing(store: Store, keys: KeyStore) -> None:
    ((principal, (account, _)), *_others) = await store.write(people)
    await store.write(start, keys)
    await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)
    taken = await store.read(open_intake, principal, account, keys)
    assert taken is not None

    def interrupted(conn: sa.Connection) -> None:
        accept(conn, principal, account, taken, keys, now=NOW)
        raise KeyError("the power went")

    with pytest.raises(KeyError):
        await store.write(interrupted)
    assert await store.read(open_intake, principal, account, keys) is not None
    with pytest.raises(NotFound):
        await store.read(open_secret, principal, account, keys)


async def test_nobody_reaches_anybody_elses_account(store: Store, keys: KeyStore) -> None:
    persons = await store.write(people)
    await store.write(start, keys)
    for principal, _accounts in persons:
        for owner, accounts in persons:
            if owner is principal:
                continue
            for unit in (
                store.write(seal, principal, accounts[0], CREDENTIALS, publication_key=publication_key(keys), now=NOW),
                store.read(open_intake, principal, accounts[0], keys),
                store.read(open_secret, principal, accounts[0], keys),
            ):
                with pytest.raises(NotFound):
                    await unit
    wrong_team = replace(persons[0][0], team=persons[2][0].team)
    with pytest.raises(NotFound, match="no such account"):
        await store.read(open_secret, wrong_team, persons[0][1][0], keys)


async def test_records_swapped_between_accounts_in_the_database_do_not_open(store: Store, keys: KeyStore) -> None:
    principal, account = await link(store, keys)
    other = await store.read(
        lambda conn: conn.execute(
            sa.select(schema.accounts.c.id).where(schema.accounts.c.user_id == principal.user, schema.accounts.c.id != account)
        ).scalar_one()
    )

    def swap(conn: sa.Connection) -> None:
        conn.execute(sa.update(schema.secrets).values(account_id=other))

    await store.write(swap)
    with pytest.raises(SecretUnreadable):
        await store.read(open_secret, principal, AccountId(other), keys)


@pytest.mark.parametrize("change", [{"venue": "binance"}, {"user_id": 2}])
async def test_an_account_turned_towards_another_venue_or_user_does_not_open(
    store: Store, keys: KeyStore, change: dict[str, object]
) -> None:
    """Whoever can write to the database still cannot send a key to a venue of their choice."""
    principal, account = await link(store, keys)
    if "user_id" in change:
        second = await store.read(
            lambda conn: conn.execute(sa.select(schema.users.c.id).where(schema.users.c.uuid == "uuid-2")).scalar_one()
        )
        change = {"user_id": second, "fingerprint": b"other"}
        reader = replace(principal, user=second)
    else:
        reader = principal
    await store.write(lambda conn: conn.execute(sa.update(schema.accounts).where(schema.accounts.c.id == account), change))
    with pytest.raises(SecretUnreadable):
        await store.read(open_secret, reader, account, keys)


async def test_an_older_version_number_does_not_open(store: Store, keys: KeyStore) -> None:
    principal, account = await link(store, keys)
    await store.write(lambda conn: conn.execute(sa.update(schema.secrets).values(version=2)))
    with pytest.raises(SecretUnreadable):
        await store.read(open_secret, principal, account, keys)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_kept_credential_opens_only_in_its_place(keys: KeyStore, place: Place) -> None:
    record = keep(keys, HERE, 3, b"payload", now=NOW)
    keep(keys, place, 3, b"other", now=NOW)  # so that the other place has keys of its own
    assert open_kept(keys, HERE, 3, record) == b"payload"
    with pytest.raises(SecretUnreadable):
        open_kept(keys, place, 3, record)


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_sealed_box_opens_only_in_its_place(keys: KeyStore, place: Place) -> None:
    key = intake_key(keys)
    box = seal_to(key, HERE, b"payload")
    assert open_box(keys, HERE, box) == b"payload"
    with pytest.raises(SecretUnreadable):
        open_box(keys, place, box)


def intake_key(keys: KeyStore) -> IntakeKey:
    private = X25519PrivateKey.generate()
    keys.add("intake", "00" * 8, Key("00" * 8, private.private_bytes_raw()), NOW)
    return IntakeKey("00" * 8, private.public_key().public_bytes_raw())


def flipped(box: bytes) -> list[bytes]:
    return [bytes(b ^ (1 << bit) if i == n else b for i, b in enumerate(box)) for n in range(len(box)) for bit in range(8)]


def test_every_flipped_bit_of_a_kept_credential_is_noticed(keys: KeyStore) -> None:
    record = keep(keys, HERE, 3, b"payload", now=NOW)
    for changed in flipped(record):
        with pytest.raises(SecretUnreadable):
            open_kept(keys, HERE, 3, changed)
    for length in range(len(record)):
        with pytest.raises(SecretUnreadable):
            open_kept(keys, HERE, 3, record[:length])


def test_every_flipped_bit_of_a_sealed_box_is_noticed(keys: KeyStore) -> None:
    box = seal_to(intake_key(keys), HERE, b"payload")
    for changed in flipped(box):
        with pytest.raises(SecretUnreadable):
            open_box(keys, HERE, changed)
    for length in range(len(box)):
        with pytest.raises(SecretUnreadable):
            open_box(keys, HERE, box[:length])


def test_no_two_lists_are_bound_alike() -> None:
    parts: list[str | int] = ["", "a", "b", "ab", "a|b", "1", 1]
    lists = [combination for length in range(4) for combination in itertools.product(parts, repeat=length)]
    seen: dict[bytes, tuple[str, ...]] = {}
    for combination in lists:
        texts = tuple(str(part) for part in combination)
        assert seen.setdefault(bind(*combination), texts) == texts


async def test_a_public_key_that_others_put_into_the_database_is_refused(store: Store, keys: KeyStore, tmp_path: Path) -> None:
    await store.write(start, keys)
    stranger = key_store(tmp_path / "stranger")
    ((principal, (account, _)), *_others) = await store.write(people)
    await store.write(admin.rotate_intake, stranger, publication_key=publication_key(stranger), now=NOW)
    with pytest.raises(VaultUnavailable, match="not published by this installation"):
        await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)
    assert await store.write(start, keys) == (await store.write(published, publication_key(keys))).key_id


async def test_without_a_worker_there_is_nothing_to_seal_with(store: Store, keys: KeyStore) -> None:
    ((principal, (account, _)), *_others) = await store.write(people)
    with pytest.raises(VaultUnavailable, match="start a worker"):
        await store.write(seal, principal, account, CREDENTIALS, publication_key=publication_key(keys), now=NOW)


@pytest.mark.parametrize("secrets", [{}, {f"f{n}": Secret("x") for n in range(21)}, {"key": Secret("x" * 16_385)}])
async def test_too_many_or_too_long_fields_are_refused(store: Store, keys: KeyStore, secrets: dict[str, Secret]) -> None:
    ((principal, (account, _)), *_others) = await store.write(people)
    await store.write(start, keys)
    with pytest.raises(InvalidField, match="credentials"):
        await store.write(seal, principal, account, secrets, publication_key=publication_key(keys), now=NOW)


def test_a_fingerprint_knows_the_same_credential_again_and_says_nothing_else() -> None:
    key = b"k" * 32
    one = fingerprint(key, "kraken", {"apiKey": Secret(CANARY), "address": "0xabc"})
    assert one == fingerprint(key, "kraken", {"address": "0xabc", "apiKey": Secret(CANARY)})
    others = [
        fingerprint(key, "binance", {"apiKey": Secret(CANARY), "address": "0xabc"}),
        fingerprint(key, "kraken", {"apiKey": Secret(CANARY + "x"), "address": "0xabc"}),
        fingerprint(key, "kraken", {"apiKeyc": Secret("anary"), "address": "0xabc"}),
        fingerprint(b"l" * 32, "kraken", {"apiKey": Secret(CANARY), "address": "0xabc"}),
    ]
    assert one not in others
    assert len(one) == 32


async def test_a_secret_never_shows_on_disk_in_logs_or_in_errors(
    store: Store, keys: KeyStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything at its most talkative: debug logs, and the full traceback of an error with all local variables."""
    caplog.set_level(logging.DEBUG)
    principal, account = await link(store, keys)
    shown = [repr(await store.read(open_secret, principal, account, keys)), repr(keys.find("user", "uuid-1")), repr(keys.root)]
    await store.write(lambda conn: conn.execute(sa.update(schema.secrets).values(version=9)))
    try:
        await store.read(open_secret, principal, account, keys)
    except OmnifolioError as error:
        shown.append("".join(traceback.TracebackException.from_exception(error, capture_locals=True).format()))
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for form in (CANARY, CANARY.encode().hex(), CANARY[::-1]):
        assert form not in caplog.text + "".join(shown)
        assert form.encode() not in written
