"""The owner: the team and the user of whoever runs this installation for themselves, made at the first start."""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.secrets import Secret
from omnifolio.store.schema import meta
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.principals import require_operator
from omnifolio.tenancy.teams import Team
from omnifolio.tenancy.users import User

TEAM_NAME = "Owner"
LOGIN_NAME = "owner"
META_KEY = "owner.client_id"

_FIND = sa.select(meta.c.value).where(meta.c.key == META_KEY)
_CLAIM: dict[str, sa.Insert] = {
    "sqlite": sqlite.insert(meta).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(meta).on_conflict_do_nothing(),
}


class Owner(Struct, frozen=True, kw_only=True):
    """The owner's team and user. `secret` is the team's first secret, in the answer of the call that made it and never again."""

    team: Team
    user: User
    principal: Principal
    secret: Secret | None = None


def ensure(conn: Connection, principal: Principal, *, actor: str, pepper: bytes, now: EpochMs) -> Owner:
    """The owner, made at the first time. `actor` names who acts in the owner's name. Raises: Forbidden but for the operator."""
    require_operator(principal)
    client_id = conn.execute(_FIND).scalar_one_or_none()
    secret = None
    if client_id is None:
        team, secret = teams.create(conn, principal, name=TEAM_NAME, pepper=pepper, now=now)
        conn.execute(_CLAIM[conn.dialect.name], {"key": META_KEY, "value": team.client_id.encode()})
        client_id = conn.execute(_FIND).scalar_one()
    team = teams.by_client_id(conn, bytes(client_id).decode())
    acting = Principal(team=team.id, user=None, actor=actor, scopes=frozenset({"link", "admin", "read"}))
    user = users.get_or_create(conn, acting, LOGIN_NAME, pepper=pepper, now=now)
    return Owner(
        team=team,
        user=user,
        principal=Principal(team=team.id, user=user.id, actor=actor, scopes=frozenset({"read", "link"})),
        secret=secret,
    )
