"""Anonymous users: a UUID, and of the team's own name for the person only a keyed hash."""

import hmac
import uuid
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection, Row

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.ids import TeamId, UserId
from omnifolio.store.schema import users
from omnifolio.tenancy import audit
from omnifolio.tenancy.principals import require, require_operator

LOGIN_LENGTH_MAX = 255

_COLUMNS = (users.c.id, users.c.team_id, users.c.uuid, users.c.token_epoch, users.c.created_at)
_BY_LOGIN = sa.select(*_COLUMNS).where(users.c.team_id == sa.bindparam("team"), users.c.login_digest == sa.bindparam("login"))
_BY_UUID = sa.select(*_COLUMNS).where(users.c.team_id == sa.bindparam("team"), users.c.uuid == sa.bindparam("uuid"))
_BY_ID = sa.select(*_COLUMNS).where(users.c.team_id == sa.bindparam("team"), users.c.id == sa.bindparam("user"))
_ANY = sa.select(*_COLUMNS).where(users.c.uuid == sa.bindparam("uuid"))
_CLAIM = sa.text(
    "INSERT INTO users (team_id, uuid, login_digest, created_at) VALUES (:team, :uuid, :login, :now) "
    "ON CONFLICT (team_id, login_digest) DO NOTHING"
).bindparams(
    sa.bindparam("team", type_=users.c.team_id.type),
    sa.bindparam("login", type_=users.c.login_digest.type),
    sa.bindparam("now", type_=users.c.created_at.type),
)
_OF_USER = users.c.team_id == sa.bindparam("team"), users.c.id == sa.bindparam("user")
_BUMP = sa.update(users).where(*_OF_USER).values(token_epoch=users.c.token_epoch + 1)
_DELETE = sa.delete(users).where(*_OF_USER)


class User(Struct, frozen=True, kw_only=True):
    """A user as it is stored. Tokens of an earlier `token_epoch` are no longer valid."""

    id: UserId
    team: TeamId
    uuid: str
    token_epoch: int
    created_at: EpochMs


def get_or_create(conn: Connection, principal: Principal, login_name: str, *, pepper: bytes, now: EpochMs) -> User:
    """The team's user of that name; of several requests that create one at once, all get the same.

    `login_name` is any id that the team chose: 1 to 255 printable ASCII characters; it is not stored.

    Raises: InvalidField; Forbidden for a principal that may not act for its team.
    """
    require(principal, "link")
    check_login(login_name)
    key = {"team": principal.team, "login": login_digest(pepper, principal.team, login_name)}
    row = conn.execute(_BY_LOGIN, key).first()
    if row is None:
        conn.execute(_CLAIM, {**key, "uuid": str(uuid.uuid4()), "now": now})
        row = conn.execute(_BY_LOGIN, key).one()
    return _one(row)


def check_login(login_name: str) -> None:
    """Raises: InvalidField for what cannot be a team's name for a person."""
    if not 0 < len(login_name) <= LOGIN_LENGTH_MAX or not login_name.isascii() or not login_name.isprintable():
        raise InvalidField(f"loginName: expected 1 to {LOGIN_LENGTH_MAX} printable ASCII characters")


def find(conn: Connection, principal: Principal, user: str) -> User:
    """The user of a UUID, in the team that the principal administers. Raises: NotFound; Forbidden."""
    require(principal, "admin")
    return _one(conn.execute(_BY_UUID, {"team": principal.team, "uuid": user}).first())


def find_anywhere(conn: Connection, principal: Principal, user: str) -> User:
    """The user of a UUID in whatever team, for the operator. Raises: NotFound; Forbidden."""
    require_operator(principal)
    return _one(conn.execute(_ANY, {"uuid": user}).first())


def me(conn: Connection, principal: Principal) -> User:
    """The principal's own user. Raises: NotFound when it was deleted meanwhile; Forbidden for a principal without one."""
    return _one(conn.execute(_BY_ID, {"team": principal.team, "user": principal.data_user}).first())


def revoke_tokens(conn: Connection, principal: Principal) -> None:
    """Makes every token of the principal's user invalid at once. Raises: NotFound; Forbidden for a principal without a user."""
    if conn.execute(_BUMP, {"team": principal.team, "user": principal.data_user}).rowcount != 1:
        raise NotFound("there is no such user")


def delete(conn: Connection, principal: Principal, *, audit_key: bytes, now: EpochMs) -> str:
    """Deletes the principal's user with every row of theirs, and gives the UUID. One audit row stays, without personal data.

    The caller also has the user's keys shredded (`vault.admin.request_shred`), so that backups made earlier are unreadable too.

    Raises: NotFound; Forbidden for a principal without a user.
    """
    user = me(conn, principal)
    key = {"team": principal.team, "user": user.id}
    conn.execute(_BUMP, key)  # takes the row's lock: a sync that is just committing finishes first, a later one finds no user
    conn.execute(_DELETE, key)
    audit.append(conn, principal, "user.deleted", user.uuid, key=audit_key, now=now)
    return user.uuid


def login_digest(pepper: bytes, team: TeamId, login_name: str) -> bytes:
    """The keyed hash of a team's name for a person. The team is part of it: two teams' users cannot be found to be one person."""
    return hmac.digest(pepper, f"login name\0{team}\0{login_name}".encode(), "sha256")


def _one(row: Row[Any, Any, Any, Any, Any] | None) -> User:
    if row is None:
        raise NotFound("there is no such user")
    return User(
        id=UserId(row.id),
        team=TeamId(row.team_id),
        uuid=row.uuid,
        token_epoch=row.token_epoch,
        created_at=EpochMs(row.created_at),
    )
