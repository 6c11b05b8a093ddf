"""Who listens to which account's private stream: one process each, claimed on the account's row and given up by dying.

A process says every few seconds that it lives (`beat`). What belongs to one that has not said so is free for others.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.accounts import Due, change
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId
from omnifolio.store.schema import accounts, listeners, users

_owner: sa.BindParameter[str] = sa.bindparam("owner")
_now: sa.BindParameter[int] = sa.bindparam("now")
_beat = sa.update(listeners).where(listeners.c.name == _owner).values(until=sa.bindparam("until_"))
_bury = sa.delete(listeners).where(listeners.c.until < _now)
_living = sa.select(listeners.c.name).where(listeners.c.until >= _now)
_free_dead = (
    sa.update(accounts)
    .where(accounts.c.live_owner != "", accounts.c.live_owner.not_in(_living))
    .values(live_owner="", live_since=None)
)
_place = sa.select(accounts.c.id, accounts.c.user_id, users.c.team_id).join(users, users.c.id == accounts.c.user_id)
_held = _place.where(accounts.c.live_owner == _owner, accounts.c.is_deleted == 0, accounts.c.status != "error")
_free = (
    _place.where(
        accounts.c.live_owner == "",
        accounts.c.venue.in_(sa.bindparam("venues", expanding=True)),
        accounts.c.is_deleted == 0,
        accounts.c.status.in_(("ok", "retry")),
        accounts.c.synced_at.is_not(None),
        accounts.c.live_after <= _now,
    )
    .order_by(accounts.c.id)
    .limit(sa.bindparam("count"))
)
_claim = (
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("account"), accounts.c.live_owner == "", accounts.c.is_deleted == 0)
    .values(live_owner=_owner)
)
_mine = sa.select(accounts.c.id).where(accounts.c.id == sa.bindparam("account"), accounts.c.live_owner == _owner)
_hasten = (
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("account"), accounts.c.status == "ok", accounts.c.lease_until < _now)
    .values(next_sync_at=_now)
)
_is_leased = sa.select(accounts.c.id).where(accounts.c.id == sa.bindparam("account"), accounts.c.lease_until >= _now)


class Claims(Struct, frozen=True):
    """What a process listens to, and what it has just taken over."""

    held: Sequence[Due]
    taken: Sequence[Due]


_wanted = sa.select(accounts.c.id).where(
    accounts.c.venue.in_(sa.bindparam("venues", expanding=True)),
    accounts.c.live_owner.not_in(_living),
    accounts.c.is_deleted == 0,
    accounts.c.status.in_(("ok", "retry")),
    accounts.c.synced_at.is_not(None),
    accounts.c.live_after <= _now,
).limit(1)  # fmt: skip


def is_wanted(conn: Connection, *, venues: Sequence[str], now: EpochMs) -> bool:
    """Whether there is an account that nobody alive listens to, and that may be listened to."""
    return conn.execute(_wanted, {"venues": list(venues), "now": now}).first() is not None


def claims(conn: Connection, owner: str, *, venues: Sequence[str], count_max: int, now: EpochMs, until: EpochMs) -> Claims:
    """Says that `owner` lives until then, frees what the dead have held, and takes accounts up to `count_max` in all.

    Accounts are taken that have been read once and whose key is not refused.
    """
    if not conn.execute(_beat, {"owner": owner, "until_": until}).rowcount:
        conn.execute(sa.insert(listeners).values(name=owner, until=until))
    conn.execute(_free_dead, {"now": now})
    conn.execute(_bury, {"now": now})
    held = [Due(*row) for row in conn.execute(_held, {"owner": owner})]
    taken = []
    if len(held) < count_max:
        for row in conn.execute(_free, {"venues": list(venues), "now": now, "count": count_max - len(held)}).all():
            if conn.execute(_claim, {"account": row.id, "owner": owner}).rowcount:
                taken.append(Due(*row))
    return Claims(held, taken)


def leave(conn: Connection, owner: str) -> None:
    """Gives up everything: the process ends."""
    conn.execute(
        sa.update(accounts).where(accounts.c.live_owner == _owner).values(live_owner="", live_since=None), {"owner": owner}
    )
    conn.execute(sa.delete(listeners).where(listeners.c.name == _owner), {"owner": owner})


def connected(conn: Connection, principal: Principal, account: AccountId, owner: str, now: EpochMs) -> bool:
    """Notes that the account's stream is heard from now on; false when the account belongs to somebody else by now."""
    if conn.execute(_mine, {"account": account, "owner": owner}).first() is None:
        return False
    change(conn, principal, account, now, live_since=now, live_problem=None)
    return True


def lost(
    conn: Connection, principal: Principal, account: AccountId, owner: str, now: EpochMs, *, problem: str, after: EpochMs | None
) -> None:
    """Notes that it is not heard any more, and why. With `after` it is given up until then. Raises: NotFound."""
    if conn.execute(_mine, {"account": account, "owner": owner}).first() is not None:
        given_up = {} if after is None else {"live_owner": "", "live_after": after}
        change(conn, principal, account, now, live_since=None, live_problem=problem, **given_up)


def heard(conn: Connection, principal: Principal, account: AccountId, now: EpochMs, *, at: EpochMs, is_under_round: bool) -> None:
    """Notes when the last event came. `is_under_round`: a balance moved while a round was open, so that round's history may have
    been read before: the next one reads it again. Raises: NotFound."""
    again = {"scanned_at": 0} if is_under_round else {}
    change(conn, principal, account, now, live_heard_at=at, **again)


def hasten(conn: Connection, account: AccountId, now: EpochMs) -> bool:
    """Lets an account that is well be due now; false while a worker has it, whose turn would end in another date.

    One that is not well keeps its own date: a pause that the venue asked for is a pause.
    """
    if conn.execute(_hasten, {"account": account, "now": now}).rowcount:
        return True
    return conn.execute(_is_leased, {"account": account, "now": now}).first() is None
