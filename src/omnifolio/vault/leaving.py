"""Credentials of accounts that are gone but must still be taken back at their venue: set aside sealed, for a worker.

They are moved in the transaction that deletes the account. Their keys are destroyed once the venue was asked, whatever it says.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TeamId
from omnifolio.store.schema import accounts, revocations, secrets, users
from omnifolio.vault.places import Place

_now = sa.bindparam("now", type_=revocations.c.created_at.type)
_COLUMNS = ("team_id", "user_uuid", "account_id", "venue", "version", "record", "created_at")
_OF_USER = (
    sa.select(users.c.team_id, users.c.uuid, accounts.c.id, accounts.c.venue, secrets.c.version, secrets.c.record, _now)
    .select_from(secrets.join(accounts, accounts.c.id == secrets.c.account_id).join(users, users.c.id == accounts.c.user_id))
    .where(users.c.id == sa.bindparam("user"), users.c.team_id == sa.bindparam("team"), accounts.c.is_deleted == 0)
    .where(accounts.c.fields.contains(sa.bindparam("mark"), autoescape=False))
)
_MOVE_ALL = sa.insert(revocations).from_select(_COLUMNS, _OF_USER)
_MOVE_ONE = sa.insert(revocations).from_select(_COLUMNS, _OF_USER.where(accounts.c.id == sa.bindparam("account")))
_WAITING = sa.select(revocations).order_by(revocations.c.id)
_DONE = sa.delete(revocations).where(revocations.c.id == sa.bindparam("number"))
_TRIED = sa.update(revocations).where(revocations.c.id == sa.bindparam("number")).values(tries=revocations.c.tries + 1)
_SUBJECTS = sa.select(revocations.c.user_uuid, revocations.c.account_id)


class Leaving(Struct, frozen=True, kw_only=True):
    """A sealed credential that waits to be taken back."""

    id: int
    place: Place
    version: int
    record: bytes
    tries: int

    @property
    def principal(self) -> Principal:
        """Under whose name it is noted: the team's, for the user may be gone."""
        return Principal(team=TeamId(self.place.team), user=None, actor="sync")

    @property
    def account(self) -> AccountId:
        """The account that had it."""
        return AccountId(self.place.account)


def set_aside(conn: Connection, principal: Principal, account: AccountId | None, *, mark: str, now: EpochMs) -> None:
    """Sets aside the credentials of one account of the principal's user, or of all, whose public link fields hold `mark`."""
    values = {"user": principal.data_user, "team": principal.team, "mark": mark, "now": now}
    if account is None:
        conn.execute(_MOVE_ALL, values)
    else:
        conn.execute(_MOVE_ONE, {**values, "account": account})


def waiting(conn: Connection) -> Sequence[Leaving]:
    """Everything that was set aside, the oldest first."""
    return [
        Leaving(
            id=row.id,
            place=Place(team=row.team_id, user=row.user_uuid, account=row.account_id, venue=row.venue),
            version=row.version,
            record=row.record,
            tries=row.tries,
        )
        for row in conn.execute(_WAITING)
    ]


def subjects(conn: Connection) -> frozenset[tuple[str, int]]:
    """Users (UUID) and accounts whose keys are still needed for it."""
    return frozenset((row.user_uuid, row.account_id) for row in conn.execute(_SUBJECTS))


def tried(conn: Connection, leaving: Leaving) -> None:
    """Counts an attempt that failed."""
    conn.execute(_TRIED, {"number": leaving.id})


def done(conn: Connection, leaving: Leaving) -> None:
    """Drops it: the venue was asked, or never will be."""
    conn.execute(_DONE, {"number": leaving.id})
