"""The user's counter: taken first by every commit, it serialises the commits of one user and numbers what they change."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.ids import AccountId
from omnifolio.store import bulk
from omnifolio.store.reading import Reading
from omnifolio.store.schema import commits, users

_take = (
    sa.update(users)
    .where(users.c.id == sa.bindparam("user"), users.c.team_id == sa.bindparam("team"))
    .values(seq=users.c.seq + 1)
    .returning(users.c.seq)
)
_latest = sa.select(users.c.seq).where(users.c.id == sa.bindparam("user"), users.c.team_id == sa.bindparam("team"))
_take_directly = Reading(_take)
_newest_first = sa.select(commits.c.seq, commits.c.at).where(commits.c.user_id == sa.bindparam("user")).order_by(
    commits.c.seq.desc()
).limit(1)  # fmt: skip
_newest = Reading(_newest_first)
_written = sa.select(commits.c.at).where(commits.c.user_id == sa.bindparam("user"), commits.c.seq == sa.bindparam("seq"))
_at = _newest_first.where(commits.c.at <= sa.bindparam("instant"))


def take(conn: Connection, principal: Principal, now: EpochMs) -> int:
    """The next sequence of the principal's user. The row stays locked until the transaction ends.

    Must be the first statement of a writing unit of work. Raises: NotFound when the user is gone.
    """
    assert now > 0, "a commit needs the time"
    values = {"user": principal.data_user, "team": principal.team}
    if conn.dialect.name == "sqlite":
        rows: Sequence[Sequence[Any]] = _take_directly.rows(conn, **values)
    else:
        # By SQLAlchemy, which lets a connection go that it finds broken: the first statement is where that shows.
        rows = conn.execute(_take, values).all()
    if not rows:
        raise NotFound("this user does not exist any more")
    return int(rows[0][0])


def stamp(conn: Connection, principal: Principal, seq: int, account: AccountId | None, now: EpochMs) -> None:
    """Records when a sequence was written. A clock that went back does not bring the record out of order."""
    last = _newest.rows(conn, user=principal.data_user)
    at_ms = max(now, last[0][1]) if last else now
    bulk.insert(conn, commits, ("user_id", "seq", "at", "account_id"), [(principal.data_user, seq, at_ms, account)])


def latest(conn: Connection, principal: Principal) -> int:
    """The user's last sequence: the version of everything that can be read. Raises: NotFound."""
    seq = conn.execute(_latest, {"user": principal.data_user, "team": principal.team}).scalar_one_or_none()
    if seq is None:
        raise NotFound("this user does not exist any more")
    return int(seq)


def at(conn: Connection, principal: Principal, instant: EpochMs) -> int:
    """The sequence that was the last one at an instant; 0 before the first."""
    row = conn.execute(_at, {"user": principal.data_user, "instant": instant}).first()
    return 0 if row is None else int(row.seq)


def written_at(conn: Connection, principal: Principal, seq: int) -> EpochMs | None:
    """When a sequence was written; None for 0, before the first."""
    at_ms: int | None = conn.execute(_written, {"user": principal.data_user, "seq": seq}).scalar_one_or_none()
    return None if at_ms is None else EpochMs(at_ms)
