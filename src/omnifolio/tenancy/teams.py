"""Teams, the developers and hosts that use the API, and the secrets they prove themselves with.

A secret reads `omni_live_<client id>_<43 characters><6 characters>`: 256 random bits in base 62 and a CRC-32 over all before it,
so that scanners of source code find it and see that it is one. Only its keyed hash is stored: no password hash, because guessing
256 bits is hopeless anyway, and a slow hash here would let anybody keep the server busy.
"""

import hmac
import re
import secrets as random
import string
import zlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection, Row

from omnifolio.model.accounts import Principal, Scope
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import Conflict, Forbidden, InvalidField, NotFound, Unauthenticated
from omnifolio.model.ids import TeamId
from omnifolio.model.secrets import Secret
from omnifolio.store.codec import from_json, to_json
from omnifolio.store.schema import team_secrets, teams
from omnifolio.tenancy.principals import require_operator, require_team

LIVE_SECRETS_MAX = 2
"""Live secrets of a team: one in use, one to change over to."""
NAME_LENGTH_MAX = 100
LISTED_MAX = 50
"""Redirect URIs, origins or features of a team."""
URL_LENGTH_MAX = 2_000
CLIENT_ID_LENGTH = 20
SECRET_LENGTH = 43
CHECKSUM_LENGTH = 6
CLIENT_SCOPES: frozenset[Scope] = frozenset({"admin", "link", "read"})
"""What a team that proves itself with its secret may do, and so at most what it may give its users' tokens."""
USED_EVERY_MS = MINUTE_MS
"""`last_used_at` moves at most this often, so that a busy client does not write all the time."""

_LOWER = string.digits + string.ascii_lowercase
_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET = re.compile(rf"omni_live_[0-9a-z]{{{CLIENT_ID_LENGTH}}}_[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}")
_REDIRECT = re.compile(r"https?://[^\s\x00-\x1f#*\"'<>\\]+|[a-z][a-z0-9+.-]*://[^\s\x00-\x1f#*\"'<>\\]*")
_ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")
_FEATURE = re.compile(r"[a-z][a-z0-9_]{0,39}")
_REFUSED_SCHEMES = ("javascript:", "data:", "file:", "vbscript:", "blob:")

_TEAM: sa.BindParameter[int] = sa.bindparam("team")
_INSERT = sa.insert(teams).returning(teams.c.id)
_BY_ID = sa.select(teams).where(teams.c.id == _TEAM)
_LOCK = _BY_ID.with_for_update(key_share=True)
_BY_CLIENT = sa.select(teams).where(teams.c.client_id == sa.bindparam("client"))
_ALL = sa.select(teams).order_by(teams.c.id)
_CHANGE = (
    sa.update(teams)
    .where(teams.c.id == _TEAM)
    .values({"name": sa.bindparam("new_name"), "redirect_uris": sa.bindparam("uris"), "origins": sa.bindparam("pages")})
)
_DEACTIVATE = sa.update(teams).where(teams.c.id == _TEAM).values(is_active=0)
_SECRETS = sa.select(team_secrets).where(team_secrets.c.team_id == _TEAM).order_by(team_secrets.c.id)
_LIVE = _SECRETS.where(sa.or_(team_secrets.c.expires_at.is_(None), team_secrets.c.expires_at > sa.bindparam("now")))
_ADD_SECRET = sa.insert(team_secrets).returning(team_secrets.c.id)
_END_SECRET = (
    sa.update(team_secrets)
    .where(team_secrets.c.team_id == _TEAM, team_secrets.c.id == sa.bindparam("secret"))
    .values(expires_at=sa.bindparam("until"))
)
_USED = (
    sa.update(team_secrets)
    .where(
        team_secrets.c.id == sa.bindparam("secret"),
        sa.or_(team_secrets.c.last_used_at.is_(None), team_secrets.c.last_used_at < sa.bindparam("before")),
    )
    .values(last_used_at=sa.bindparam("now"))
)


class Team(Struct, frozen=True, kw_only=True):
    """A team as it is stored. `redirect_uris` and `origins` are matched exactly, never by prefix or pattern."""

    id: TeamId
    client_id: str
    name: str
    redirect_uris: tuple[str, ...]
    origins: tuple[str, ...]
    features: tuple[str, ...]
    is_active: bool
    created_at: EpochMs


class TeamSecret(Struct, frozen=True, kw_only=True):
    """What may be shown of a secret. `expires_at` None means until revoked; `last_used_at` None means never."""

    id: int
    hint: str
    created_at: EpochMs
    expires_at: EpochMs | None
    last_used_at: EpochMs | None


def create(
    conn: Connection,
    principal: Principal,
    *,
    name: str,
    redirect_uris: Sequence[str] = (),
    origins: Sequence[str] = (),
    features: Sequence[str] = (),
    pepper: bytes,
    now: EpochMs,
) -> tuple[Team, Secret]:
    """A new team and its first secret, which is shown this once and never again. For the operator.

    `pepper` is the installation's key for hashes of client secrets. Raises: Forbidden; InvalidField naming what is wrong.
    """
    require_operator(principal)
    called = _name(name)
    client_id = "".join(random.choice(_LOWER) for _ in range(CLIENT_ID_LENGTH))
    row = {
        "client_id": client_id,
        "name": called,
        "redirect_uris": to_json(_checked("redirect_uris", redirect_uris, _REDIRECT)),
        "origins": to_json(_checked("origins", origins, _ORIGIN)),
        "features": to_json(_checked("features", features, _FEATURE)),
        "created_at": now,
    }
    team = TeamId(conn.execute(_INSERT, row).scalar_one())
    secret = add_secret(conn, principal, team, pepper=pepper, now=now)
    return get(conn, principal, team), secret


def get(conn: Connection, principal: Principal, team: TeamId) -> Team:
    """One team. Raises: NotFound, also for a team that is not the principal's; Forbidden."""
    require_team(principal, team)
    return _one(conn.execute(_BY_ID, {"team": team}).first())


def by_client_id(conn: Connection, client_id: str) -> Team:
    """The active team of a client id: what anybody may ask before they have a token. Raises: NotFound."""
    row = conn.execute(_BY_CLIENT, {"client": client_id}).first()
    if row is None or not row.is_active:
        raise NotFound("there is no such team")
    return _one(row)


def of_principal(conn: Connection, principal: Principal) -> Team:
    """The principal's own team, while it is active. Raises: NotFound."""
    row = conn.execute(_BY_ID, {"team": principal.team}).first()
    if row is None or not row.is_active:
        raise NotFound("there is no such team")
    return _one(row)


def list_all(conn: Connection, principal: Principal) -> list[Team]:
    """Every team, inactive ones too, in the order of their creation. For the operator. Raises: Forbidden."""
    require_operator(principal)
    return [_one(row) for row in conn.execute(_ALL)]


def change(
    conn: Connection,
    principal: Principal,
    team: TeamId,
    *,
    name: str | None = None,
    redirect_uris: Sequence[str] | None = None,
    origins: Sequence[str] | None = None,
) -> Team:
    """The team with another name, other redirect URIs or other origins; what is None stays as it is.

    Raises: InvalidField naming what is wrong; NotFound; Forbidden.
    """
    found = get(conn, principal, team)
    row = {
        "new_name": _name(found.name if name is None else name),
        "uris": to_json(_checked("redirect_uris", found.redirect_uris if redirect_uris is None else redirect_uris, _REDIRECT)),
        "pages": to_json(_checked("origins", found.origins if origins is None else origins, _ORIGIN)),
    }
    conn.execute(_CHANGE, {"team": team, **row})
    return get(conn, principal, team)


def deactivate(conn: Connection, principal: Principal, team: TeamId) -> None:
    """Closes a team: its secrets and its users' tokens stop working at once; nothing is deleted. For the operator.

    Raises: NotFound; Forbidden.
    """
    require_operator(principal)
    if conn.execute(_DEACTIVATE, {"team": team}).rowcount != 1:
        raise NotFound("there is no such team")


def add_secret(conn: Connection, principal: Principal, team: TeamId, *, pepper: bytes, now: EpochMs) -> Secret:
    """A further secret of a team, shown this once. Raises: Conflict when two are live already; NotFound; Forbidden."""
    require_team(principal, team)
    found = conn.execute(_LOCK, {"team": team}).first()  # of two that add at once, the second sees the first's
    if found is None:
        raise NotFound("there is no such team")
    if len(conn.execute(_LIVE, {"team": team, "now": now}).all()) >= LIVE_SECRETS_MAX:
        raise Conflict(f"this team has {LIVE_SECRETS_MAX} live secrets already; revoke one first")
    secret = _mint(found.client_id)
    row = {"team_id": team, "digest": digest(pepper, secret), "hint": secret.hint(), "created_at": now}
    conn.execute(_ADD_SECRET, row)
    return secret


def rotate(conn: Connection, principal: Principal, team: TeamId, *, overlap_ms: int, pepper: bytes, now: EpochMs) -> Secret:
    """A new secret; the one that was live goes on working for `overlap_ms`, so that clients can change over.

    Raises: Conflict when two are live already; NotFound; Forbidden.
    """
    before = [found.id for found in secrets_of(conn, principal, team) if found.expires_at is None]
    secret = add_secret(conn, principal, team, pepper=pepper, now=now)
    for old in before:
        conn.execute(_END_SECRET, {"team": team, "secret": old, "until": now + overlap_ms})
    return secret


def revoke(conn: Connection, principal: Principal, team: TeamId, secret: int, *, now: EpochMs) -> None:
    """Ends a secret at once. Raises: NotFound when the team has no such secret; Forbidden."""
    require_team(principal, team)
    if conn.execute(_END_SECRET, {"team": team, "secret": secret, "until": now}).rowcount != 1:
        raise NotFound("this team has no such secret")


def secrets_of(conn: Connection, principal: Principal, team: TeamId) -> list[TeamSecret]:
    """What may be shown of a team's secrets, ended ones too, oldest first. Raises: NotFound; Forbidden."""
    require_team(principal, team)
    return [
        TeamSecret(
            id=row.id,
            hint=row.hint,
            created_at=row.created_at,
            expires_at=row.expires_at,
            last_used_at=row.last_used_at,
        )
        for row in conn.execute(_SECRETS, {"team": team})
    ]


def authenticate(conn: Connection, client_id: str, secret: Secret, *, pepper: bytes, now: EpochMs) -> Principal:
    """The team that proves itself with its client id and secret, as a principal without a user.

    It may make users and tokens of its own team. Every wrong pair costs the same work and gets the same answer.

    Raises: Unauthenticated; Forbidden for a right pair of a team that has been deactivated.
    """
    team = conn.execute(_BY_CLIENT, {"client": client_id}).first()
    live = conn.execute(_LIVE, {"team": 0 if team is None else team.id, "now": now}).all()
    given = digest(pepper, secret)
    # Each is compared in full: how long it takes must not say which one, or how much of it, was right.
    matching = [row.id for row in live if hmac.compare_digest(bytes(row.digest), given)]
    if team is None or not matching:
        raise Unauthenticated("client id and secret do not belong together")
    if not team.is_active:
        raise Forbidden("this team has been deactivated")
    conn.execute(_USED, {"secret": matching[0], "before": now - USED_EVERY_MS, "now": now})
    return Principal(team=TeamId(team.id), user=None, actor=f"client:{client_id}", scopes=CLIENT_SCOPES)


def looks_like_secret(text: str) -> bool:
    """Whether a text is formed as one of our secrets, checksum included; says nothing of whether it is valid."""
    return _SECRET.fullmatch(text) is not None and _checksum(text[:-CHECKSUM_LENGTH]) == text[-CHECKSUM_LENGTH:]


def digest(pepper: bytes, secret: Secret) -> bytes:
    """The keyed hash under which a client secret is stored."""
    return hmac.digest(pepper, b"client secret\0" + secret.reveal().encode(), "sha256")


def _mint(client_id: str) -> Secret:
    body = "".join(random.choice(_BASE_62) for _ in range(SECRET_LENGTH))
    text = f"omni_live_{client_id}_{body}"
    return Secret(text + _checksum(text))


def _checksum(text: str) -> str:
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_BASE_62))
        digits = _BASE_62[digit] + digits
    return digits


def _name(text: str) -> str:
    if not 0 < len(text.strip()) <= NAME_LENGTH_MAX or not text.isprintable():
        raise InvalidField(f"name: expected 1 to {NAME_LENGTH_MAX} printable characters")
    return text.strip()


def _checked(field: str, values: Sequence[str], form: re.Pattern[str]) -> list[str]:
    if len(values) > LISTED_MAX:
        raise InvalidField(f"{field}: more than {LISTED_MAX}")
    for value in values:
        if len(value) > URL_LENGTH_MAX or not form.fullmatch(value) or value.lower().startswith(_REFUSED_SCHEMES):
            raise InvalidField(f"{field}: {value[:60]!r} is not allowed here; it must be exact, without wildcards or fragment")
    return sorted(set(values))


def _one(row: Row[Any] | None) -> Team:
    if row is None:
        raise NotFound("there is no such team")
    return Team(
        id=row.id,
        client_id=row.client_id,
        name=row.name,
        redirect_uris=tuple(from_json(row.redirect_uris)),
        origins=tuple(from_json(row.origins)),
        features=tuple(from_json(row.features)),
        is_active=bool(row.is_active),
        created_at=row.created_at,
    )
