"""Teams and users as the tests of this room need them, and the keys that the vault would derive."""

from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.secrets import Secret
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.teams import Team
from omnifolio.tenancy.users import User

NOW = EpochMs(1_700_000_000_000)
PEPPER = b"p" * 32
AUDIT_KEY = b"a" * 32
OPERATOR = operator("test")


def team(conn: Connection, name: str = "Acme") -> tuple[Team, Secret]:
    return teams.create(conn, OPERATOR, name=name, pepper=PEPPER, now=NOW)


def admin_of(found: Team) -> Principal:
    return Principal(team=found.id, user=None, actor="test", scopes=frozenset({"admin", "link", "read"}))


def user(conn: Connection, found: Team, login: str = "alice") -> User:
    return users.get_or_create(conn, admin_of(found), login, pepper=PEPPER, now=NOW)


def principal(found: User) -> Principal:
    return Principal(team=found.team, user=found.id, actor="test", scopes=frozenset({"link", "read"}))
