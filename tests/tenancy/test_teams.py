"""Teams: what they may register, and secrets that prove who asks."""

import asyncio
import hmac
import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tests.tenancy.stand import NOW, OPERATOR, PEPPER, admin_of, principal, team, user

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import Conflict, Forbidden, InvalidField, NotFound, Unauthenticated
from omnifolio.model.ids import TeamId
from omnifolio.model.secrets import Secret
from omnifolio.store import schema
from omnifolio.store.engine import Store
from omnifolio.tenancy import teams
from omnifolio.tenancy.installation import Installation, ensure


async def test_a_team_proves_itself_with_its_secret(store: Store) -> None:
    found, secret = await store.write(team)
    who = await store.write(teams.authenticate, found.client_id, secret, pepper=PEPPER, now=NOW)
    assert (who.team, who.user, who.actor) == (found.id, None, f"client:{found.client_id}")
    assert re.fullmatch(r"[0-9a-z]{20}", found.client_id), "client ids stand in URLs as they are"
    assert await store.read(teams.get, OPERATOR, found.id) == found
    assert await store.read(teams.by_client_id, found.client_id) == found
    assert await store.read(teams.list_all, OPERATOR) == [found]


async def test_a_secret_has_256_bits_a_checksum_and_a_form_that_scanners_find(store: Store) -> None:
    found, secret = await store.write(team)
    text = secret.reveal()
    assert re.fullmatch(rf"omni_live_{found.client_id}_[0-9A-Za-z]{{49}}", text)
    assert 62**teams.SECRET_LENGTH >= 2**256
    assert teams.looks_like_secret(text)
    for number in range(len(text)):
        changed = text[:number] + ("A" if text[number] != "A" else "B") + text[number + 1 :]
        assert not teams.looks_like_secret(changed)


async def test_of_a_secret_only_the_keyed_hash_is_stored(store: Store) -> None:
    found, secret = await store.write(team)
    rows = await store.read(lambda conn: conn.execute(sa.select(schema.team_secrets)).all())
    assert [bytes(row.digest) for row in rows] == [teams.digest(PEPPER, secret)]
    assert secret.reveal() not in repr(rows)
    with pytest.raises(Unauthenticated):
        await store.write(teams.authenticate, found.client_id, secret, pepper=b"q" * 32, now=NOW)


async def test_every_wrong_pair_is_refused_alike_and_compared_in_full(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found, secret = await store.write(team)
    other, other_secret = await store.write(team, "Other")
    closed, _closed_secret = await store.write(team, "Closed")
    await store.write(teams.deactivate, OPERATOR, closed.id)
    compared = 0
    real = hmac.compare_digest

    def counting(left: bytes, right: bytes) -> bool:
        nonlocal compared
        compared += 1
        return real(left, right)

    monkeypatch.setattr("omnifolio.tenancy.teams.hmac.compare_digest", counting)
    for client_id, given in (
        (found.client_id, other_secret),
        (other.client_id, secret),
        (found.client_id, Secret(secret.reveal()[:-1])),
        (found.client_id, Secret("")),
        ("", secret),
        ("nobody", secret),
        (closed.client_id, secret),
    ):
        with pytest.raises(Unauthenticated, match=r"^client id and secret do not belong together$"):
            await store.write(teams.authenticate, client_id, given, pepper=PEPPER, now=NOW)
    assert compared == 5, "one live secret of each team that exists"


async def test_secrets_are_changed_over_with_both_valid_for_a_while(store: Store) -> None:
    found, old = await store.write(team)
    new = await store.write(teams.rotate, admin_of(found), found.id, overlap_ms=1_000, pepper=PEPPER, now=NOW)
    for secret, moment, is_valid in (
        (old, NOW + 999, True),
        (new, NOW + 999, True),
        (old, NOW + 1_000, False),
        (new, NOW + 1_000, True),
    ):
        attempt = store.write(teams.authenticate, found.client_id, secret, pepper=PEPPER, now=EpochMs(moment))
        if is_valid:
            assert (await attempt).team == found.id
        else:
            with pytest.raises(Unauthenticated):
                await attempt
    listed = await store.read(teams.secrets_of, admin_of(found), found.id)
    assert [(item.hint, item.expires_at) for item in listed] == [(old.hint(), NOW + 1_000), (new.hint(), None)]


async def test_a_team_has_at_most_two_live_secrets_even_when_many_are_asked_for_at_once(store: Store) -> None:
    found, first = await store.write(team)
    asked = [store.write(teams.add_secret, admin_of(found), found.id, pepper=PEPPER, now=NOW) for _ in range(6)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sorted(type(answer).__name__ for answer in answers) == ["Conflict"] * 5 + ["Secret"]
    with pytest.raises(Conflict):
        await store.write(teams.rotate, admin_of(found), found.id, overlap_ms=0, pepper=PEPPER, now=NOW)
    listed = await store.read(teams.secrets_of, admin_of(found), found.id)
    await store.write(teams.revoke, admin_of(found), found.id, listed[0].id, now=NOW)
    with pytest.raises(Unauthenticated):
        await store.write(teams.authenticate, found.client_id, first, pepper=PEPPER, now=NOW)
    assert isinstance(await store.write(teams.add_secret, admin_of(found), found.id, pepper=PEPPER, now=NOW), Secret)


async def test_the_last_use_of_a_secret_is_noted_once_a_minute(store: Store) -> None:
    found, secret = await store.write(team)
    for moment, noted in ((NOW, NOW), (NOW + 59_999, NOW), (NOW + 60_001, NOW + 60_001)):
        await store.write(teams.authenticate, found.client_id, secret, pepper=PEPPER, now=EpochMs(moment))
        (listed,) = await store.read(teams.secrets_of, admin_of(found), found.id)
        assert listed.last_used_at == noted


async def test_a_closed_team_is_not_found_by_its_client_id(store: Store) -> None:
    found, _secret = await store.write(team)
    await store.write(teams.deactivate, OPERATOR, found.id)
    with pytest.raises(NotFound):
        await store.read(teams.by_client_id, found.client_id)
    assert not (await store.read(teams.get, OPERATOR, found.id)).is_active


async def test_a_closed_team_that_proves_itself_is_told_so(store: Store) -> None:
    found, secret = await store.write(team)
    await store.write(teams.deactivate, OPERATOR, found.id)
    with pytest.raises(Forbidden, match="deactivated"):
        await store.write(teams.authenticate, found.client_id, secret, pepper=PEPPER, now=NOW)


async def test_teams_manage_themselves_and_nobody_else(store: Store) -> None:
    found, _secret = await store.write(team)
    other, _other_secret = await store.write(team, "Other")
    (theirs,) = await store.read(teams.secrets_of, OPERATOR, other.id)
    person = principal(await store.write(user, found))
    units: list[tuple[Callable[..., object], TeamId, dict[str, Any]]] = [
        (teams.get, other.id, {}),
        (teams.secrets_of, other.id, {}),
        (teams.add_secret, other.id, {"pepper": PEPPER, "now": NOW}),
        (teams.rotate, other.id, {"pepper": PEPPER, "now": NOW, "overlap_ms": 0}),
    ]
    for unit, target, extra in units:
        with pytest.raises(NotFound):
            await store.write(unit, admin_of(found), target, **extra)
        with pytest.raises(Forbidden):
            await store.write(unit, person, found.id, **extra)
    with pytest.raises(NotFound):
        await store.write(teams.revoke, admin_of(found), other.id, theirs.id, now=NOW)
    with pytest.raises(NotFound):
        await store.write(teams.revoke, admin_of(found), found.id, theirs.id, now=NOW)
    for action in (
        store.write(teams.create, admin_of(found), name="x", pepper=PEPPER, now=NOW),
        store.write(teams.deactivate, admin_of(found), found.id),
        store.read(teams.list_all, admin_of(found)),
    ):
        with pytest.raises(Forbidden):
            await action
    with pytest.raises(NotFound):
        await store.write(teams.deactivate, OPERATOR, TeamId(999))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("redirect_uris", "javascript://%0aalert(1)"),
        ("redirect_uris", "https://*.example.org/cb"),
        ("redirect_uris", "https://example.org/cb#fragment"),
        ("redirect_uris", "https://example.org/a b"),
        ("redirect_uris", "example.org/cb"),
        ("redirect_uris", "data://text/html,x"),
        ("redirect_uris", "https://example.org/\r\nx: y"),
        ("redirect_uris", "https://e.org/" + "x" * 2_000),
        ("origins", "https://example.org/"),
        ("origins", "*"),
        ("origins", "null"),
        ("origins", "https://example.org/path"),
        ("origins", "ftp://example.org"),
        ("features", "Bad Feature"),
    ],
)
async def test_what_a_team_may_not_register_is_named(store: Store, field: str, value: str) -> None:
    with pytest.raises(InvalidField, match=field):
        await store.write(teams.create, OPERATOR, name="Acme", pepper=PEPPER, now=NOW, **{field: [value]})


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\nb", "a\x00b"])
async def test_a_team_without_a_proper_name_is_refused(store: Store, name: str) -> None:
    with pytest.raises(InvalidField, match="name"):
        await store.write(teams.create, OPERATOR, name=name, pepper=PEPPER, now=NOW)


async def test_what_a_team_registers_is_kept_exactly(store: Store) -> None:
    uris, origins = ["myapp://callback", "https://example.org/cb?x=1"], ["http://localhost:3000", "https://example.org"]
    found, _secret = await store.write(
        teams.create,
        OPERATOR,
        name="Ünïcode & Co",
        redirect_uris=uris,
        origins=origins,
        features=["kyc", "kyc"],
        pepper=PEPPER,
        now=NOW,
    )
    assert (found.name, set(found.redirect_uris), set(found.origins)) == ("Ünïcode & Co", set(uris), set(origins))
    assert found.features == ("kyc",)


async def test_the_installations_facts_are_made_once(store: Store) -> None:
    first, *others = await asyncio.gather(*(store.write(ensure, OPERATOR) for _ in range(4)))
    assert isinstance(first, Installation)
    assert all(other == first for other in others)
    assert len(first.wire_key) == 32
    assert first.wire_key.hex() not in repr(first)

    def as_anybody(conn: Connection) -> None:
        ensure(conn, admin_of(team(conn)[0]))

    with pytest.raises(Forbidden):
        await store.write(as_anybody)
