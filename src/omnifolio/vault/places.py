"""Where a secret belongs, and how that place is bound into every encryption.

A box opens only in the place it was made for: moving it to another account, user, team, venue or version fails.
"""

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.errors import NotFound
from omnifolio.model.ids import AccountId
from omnifolio.store.schema import accounts, users

_PLACE = (
    sa.select(users.c.team_id, users.c.uuid, accounts.c.venue)
    .select_from(accounts.join(users, accounts.c.user_id == users.c.id))
    .where(
        accounts.c.id == sa.bindparam("account"),
        accounts.c.is_deleted == 0,
        users.c.id == sa.bindparam("user"),
        users.c.team_id == sa.bindparam("team"),
    )
)


class Place(Struct, frozen=True, kw_only=True):
    """An account, and whose it is. `user` is the UUID: numbers are handed out again after a restore, UUIDs are not."""

    team: int
    user: str
    account: int
    venue: str

    def bound(self, purpose: str, *more: str | int) -> bytes:
        """The bytes that tie an encryption to this place, for one purpose and whatever else must not change."""
        return bind(purpose, self.team, self.user, self.account, self.venue, *more)


def place_of(conn: Connection, principal: Principal, account: AccountId) -> Place:
    """The place of one of the principal's accounts. Raises: NotFound for anybody else's, Forbidden without a user."""
    row = conn.execute(_PLACE, {"account": account, "user": principal.data_user, "team": principal.team}).first()
    if row is None:
        raise NotFound("this user has no such account")
    return Place(team=row.team_id, user=row.uuid, account=account, venue=row.venue)


def bind(*parts: str | int) -> bytes:
    """The parts as bytes, each with its length before it, so that no two different lists give the same bytes."""
    encoded = [str(part).encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
