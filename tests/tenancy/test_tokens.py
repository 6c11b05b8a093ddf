"""Tokens: read by the official clients, valid for twenty minutes, refused in every forged form, revocable at once."""

import base64
import json
import warnings
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.tenancy.stand import AUDIT_KEY, NOW, OPERATOR, principal, team, user

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidSettings, Unauthenticated
from omnifolio.model.ids import TeamId, UserId
from omnifolio.store.engine import Store
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.teams import Team
from omnifolio.tenancy.tokens import LIFETIME_S, TokenKeys, principal_of
from omnifolio.tenancy.users import User

KEY = b"k" * 32
HERE = "4c5b2a52-0000-4000-8000-000000000001"
KEYS = TokenKeys(HERE, KEY)
ACME = Team(
    id=TeamId(1), client_id="acme", name="", redirect_uris=(), origins=(), features=(), is_active=True, created_at=EpochMs(0)
)
ALICE = User(id=UserId(1), team=TeamId(1), uuid="u-1", token_epoch=0, created_at=EpochMs(0))
SCOPES = frozenset({"read", "link"})
NOW_S = NOW // 1_000


def issued(keys: TokenKeys = KEYS) -> str:
    return keys.issue(ACME, ALICE, SCOPES, now=NOW)  # type: ignore[arg-type]


def header_of(token: str) -> dict[str, Any]:
    return dict(jwt.get_unverified_header(token))


def claims_of(token: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return found


def forged(changes: dict[str, Any], *, key: Any = KEY, algorithm: str = "HS256", header: dict[str, Any] | None = None) -> str:
    """A token written by another library, with the right header unless told otherwise. A claim of None is left out."""
    genuine = issued()
    claims = {name: value for name, value in {**claims_of(genuine), **changes}.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jwt.encode(claims, key, algorithm=algorithm, headers={**header_of(genuine), "alg": algorithm, **(header or {})})


def unsigned(alg: str) -> str:
    head = base64.urlsafe_b64encode(json.dumps({**header_of(issued()), "alg": alg}).encode()).rstrip(b"=").decode()
    return f"{head}.{issued().split('.')[1]}."


def test_an_independent_library_reads_our_tokens() -> None:
    token = issued()
    found = jwt.decode(token, KEY, algorithms=["HS256"], audience="omnifolio/v1", issuer=HERE, options={"verify_exp": False})
    assert found == claims_of(token)
    assert found["exp"] - found["iat"] == 1_200
    assert isinstance(found["exp"], int)
    assert (found["sub"], found["team"], found["scope"], found["epoch"]) == ("u-1", "acme", "link read", 0)
    assert set(header_of(token)) == {"alg", "kid", "typ"}
    assert claims_of(issued())["jti"] != found["jti"]


def test_a_token_of_another_library_is_read_if_it_is_written_alike() -> None:
    """So that the table of forgeries below tests the forgery, not the writer."""
    token = forged({})
    head = issued().split(".")[0]
    body = f"{head}.{token.split('.')[1]}"
    signature = jwt.get_algorithm_by_name("HS256").sign(body.encode(), KEY)
    rewritten = f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
    assert KEYS.check(rewritten, now=NOW).sub == "u-1"


def resigned(changes: dict[str, Any], *, key: bytes = KEY) -> str:
    """Our own header and a right signature over changed claims."""
    token = forged(changes, key=key)
    body = f"{issued().split('.')[0]}.{token.split('.')[1]}"
    signature = jwt.get_algorithm_by_name("HS256").sign(body.encode(), key)
    return f"{body}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


@pytest.mark.parametrize("claim", ["iss", "aud", "sub", "team", "scope", "jti", "epoch", "iat", "exp"])
def test_every_claim_is_required(claim: str) -> None:
    with pytest.raises(Unauthenticated, match="claim"):
        KEYS.check(resigned({claim: None}), now=NOW)


@pytest.mark.parametrize(
    "token",
    [
        pytest.param(unsigned("none"), id="alg none"),
        pytest.param(unsigned("None"), id="alg None"),
        pytest.param(unsigned("HS256"), id="no signature"),
        pytest.param(forged({}, key=KEY * 2, algorithm="HS512"), id="another algorithm"),
        pytest.param(forged({}, key=KEY, algorithm="HS384"), id="another algorithm with the right key"),
        pytest.param(resigned({}, key=b"x" * 32), id="another key"),
        pytest.param(resigned({}, key=b"short"), id="a short key"),
        pytest.param(forged({}, header={"kid": "0" * 16}), id="another key id"),
        pytest.param(forged({}, header={"kid": "../../dev/null"}), id="a path as key id"),
        pytest.param(forged({}, header={"jku": "https://evil.example"}), id="a key of one's own by address"),
        pytest.param(forged({}, header={"jwk": {"kty": "oct", "k": "a2tr"}}), id="a key of one's own in the header"),
        pytest.param(resigned({"exp": str(NOW_S + 60)}), id="exp as text"),
        pytest.param(resigned({"exp": NOW_S + 60.5}), id="exp as a fraction"),
        pytest.param(resigned({"exp": True}), id="exp as a boolean"),
        pytest.param(resigned({"exp": NOW_S}), id="just expired"),
        pytest.param(resigned({"exp": NOW_S + LIFETIME_S + 1}), id="longer than we ever issue"),
        pytest.param(resigned({"exp": 2**70}), id="never expires"),
        pytest.param(resigned({"iat": NOW_S + 6, "exp": NOW_S + 600}), id="issued in the future"),
        pytest.param(resigned({"iat": NOW_S + 3, "exp": NOW_S + 2}), id="ends before it begins"),
        pytest.param(resigned({"aud": "other"}), id="another audience"),
        pytest.param(resigned({"aud": ["omnifolio/v1"]}), id="a list of audiences"),
        pytest.param(resigned({"iss": "other"}), id="another installation"),
        pytest.param(resigned({"epoch": "0"}), id="epoch as text"),
        pytest.param(issued(TokenKeys(HERE, b"y" * 32)), id="this id, another installation's key"),
        pytest.param(issued(TokenKeys("other", KEY)), id="another installation with this key"),
        pytest.param("", id="empty"),
        pytest.param("..", id="only dots"),
        pytest.param("a.b", id="two parts"),
        pytest.param(issued() + ".x", id="four parts"),
        pytest.param(issued() + "=", id="padded"),
        pytest.param(" " + issued(), id="blank before"),
        pytest.param(issued() + "\n", id="line end behind"),
        pytest.param("é" * 50, id="not ASCII"),
        pytest.param("\ud800", id="half a character"),
        pytest.param(issued() + "A" * 3_000, id="too long"),
        pytest.param("omni_live_x_y", id="a client secret"),
    ],
)
def test_a_forged_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        KEYS.check(token, now=NOW)


@given(st.data())
def test_no_changed_character_is_accepted(data: st.DataObject) -> None:
    token = issued()
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("ABCdef019-_.=+/ ").filter(lambda c: c != token[at]))
    with pytest.raises(Unauthenticated):
        KEYS.check(token[:at] + character + token[at + 1 :], now=NOW)


@pytest.mark.parametrize("key", [b"", b"12345678", b"k" * 31])
def test_a_short_key_is_refused_at_the_start(key: bytes) -> None:
    with pytest.raises(InvalidSettings, match="at least 32 bytes"):
        TokenKeys(HERE, key)
    with pytest.raises(InvalidSettings, match="at least 32 bytes"):
        TokenKeys(HERE, KEY, older=(key,))


def test_tokens_of_an_older_key_are_good_until_they_expire() -> None:
    token = issued()
    changed = TokenKeys(HERE, b"n" * 32, older=(KEY,))
    assert changed.check(token, now=NOW).sub == "u-1"
    assert header_of(issued(changed))["kid"] != header_of(token)["kid"]


def test_a_remembered_token_still_expires_on_time(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = TokenKeys(HERE, KEY)
    token = issued(keys)
    verified = 0
    real = TokenKeys._verified

    def counting(self: TokenKeys, text: str) -> Any:
        nonlocal verified
        verified += 1
        return real(self, text)

    monkeypatch.setattr(TokenKeys, "_verified", counting)
    last = NOW + LIFETIME_S * 1_000 - 1
    for moment in (NOW, NOW + 29_999, NOW + 30_000, last, last):
        keys.check(token, now=EpochMs(moment))
    assert verified == 3, "at first, after 30 s, and at the end; not the times between"
    with pytest.raises(Unauthenticated, match="expired"):
        keys.check(token, now=EpochMs(last + 1))


def test_only_so_many_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omnifolio.tenancy.tokens.REMEMBERED_MAX", 10)
    keys = TokenKeys(HERE, KEY)
    for _ in range(50):
        keys.check(issued(keys), now=NOW)
    assert len(keys._checked) == 10


async def test_a_token_speaks_for_its_user_with_its_scopes(store: Store) -> None:
    acme, _ = await store.write(team)
    alice = await store.write(user, acme)
    token = KEYS.issue(acme, alice, frozenset({"read"}), now=NOW)
    found = await store.read(principal_of, token, KEYS, now=NOW)
    assert (found.team, found.user, found.scopes) == (acme.id, alice.id, frozenset({"read"}))
    assert found.actor == f"token:{claims_of(token)['jti']}"


async def test_revoked_tokens_are_refused_at_once_though_they_are_remembered(store: Store) -> None:
    acme, _ = await store.write(team)
    alice, bob = await store.write(user, acme), await store.write(user, acme, "bob")
    keys = TokenKeys(HERE, KEY)
    tokens = [keys.issue(acme, person, frozenset({"read"}), now=NOW) for person in (alice, bob)]
    for token in tokens:
        await store.read(principal_of, token, keys, now=NOW)
    await store.write(users.revoke_tokens, principal(alice))
    with pytest.raises(Unauthenticated, match="revoked"):
        await store.read(principal_of, tokens[0], keys, now=NOW)
    assert (await store.read(principal_of, tokens[1], keys, now=NOW)).user == bob.id
    fresh = keys.issue(acme, await store.read(users.me, principal(alice)), frozenset({"read"}), now=NOW)
    assert (await store.read(principal_of, fresh, keys, now=NOW)).user == alice.id


async def test_tokens_end_with_their_user_and_with_their_team(store: Store) -> None:
    acme, _ = await store.write(team)
    alice, bob = await store.write(user, acme), await store.write(user, acme, "bob")
    tokens = [KEYS.issue(acme, person, frozenset({"read"}), now=NOW) for person in (alice, bob)]
    await store.write(users.delete, principal(alice), audit_key=AUDIT_KEY, now=NOW)
    with pytest.raises(Unauthenticated):
        await store.read(principal_of, tokens[0], KEYS, now=NOW)
    await store.write(teams.deactivate, OPERATOR, acme.id)
    with pytest.raises(Unauthenticated):
        await store.read(principal_of, tokens[1], KEYS, now=NOW)


async def test_a_token_that_names_another_team_than_its_users_is_refused(store: Store) -> None:
    acme, _ = await store.write(team)
    other, _ = await store.write(team, "Other")
    alice = await store.write(user, acme)
    with pytest.raises(Unauthenticated):
        await store.read(principal_of, KEYS.issue(other, alice, frozenset({"read"}), now=NOW), KEYS, now=NOW)
    unknown = replace(alice, uuid="nobody")
    with pytest.raises(Unauthenticated):
        await store.read(principal_of, KEYS.issue(acme, unknown, frozenset({"read"}), now=NOW), KEYS, now=NOW)
