"""The audit: who did what, in rows that cannot be changed, removed or put in another order without it being seen.

Each row's digest is an HMAC over the row and the digest of the row before it, per team, with a key that is not in the database.
What a chain alone cannot see is that its end was cut off, so its head is anchored outside from time to time (`head`): a line in
the log, a webhook, a file elsewhere.
"""

import hmac
from collections.abc import Iterator

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection, Row

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.store.schema import audit, users
from omnifolio.tenancy.principals import INSTALLATION, require

PAGE_ROWS = 1_000
GENESIS = bytes(32)
_LOCK_NAMESPACE = 7_245_204
_LOCK = sa.text("SELECT pg_advisory_xact_lock(:namespace, :team)")

_LAST = sa.select(audit.c.id, audit.c.digest).order_by(audit.c.id.desc()).limit(1)
_NEXT = sa.select(audit).where(audit.c.id > sa.bindparam("after")).order_by(audit.c.id).limit(PAGE_ROWS)
_OF_TEAM, _OF_INSTALLATION = audit.c.team_id == sa.bindparam("team"), audit.c.team_id.is_(None)
_HEAD = {True: _LAST.where(_OF_INSTALLATION), False: _LAST.where(_OF_TEAM)}
_PAGE = {True: _NEXT.where(_OF_INSTALLATION), False: _NEXT.where(_OF_TEAM)}
"""By whether the chain is that of the installation itself, whose rows have no team."""
_UUID = sa.select(users.c.uuid).where(users.c.id == sa.bindparam("user"))
_INSERT = sa.insert(audit).returning(audit.c.id)


class Head(Struct, frozen=True, kw_only=True):
    """The last row of a team's chain, to be anchored outside the database. Row 0 with a zero digest is the empty chain."""

    id: int
    digest: bytes


class Entry(Struct, frozen=True, kw_only=True):
    """One audit row. `team` None and `user` None mean that the action concerned none."""

    id: int
    user: str | None
    actor: str
    action: str
    target: str
    at: EpochMs


def append(conn: Connection, principal: Principal, action: str, target: str = "", *, key: bytes, now: EpochMs) -> int:
    """Adds a row for something that the principal did, in the transaction that does it; gives the row's id.

    `action` is `noun.verb` (`account.linked`); `target` an id of ours, never a name, address or amount. Call it last in a
    transaction: rows of one team are written one transaction after the other.
    """
    team = principal.team
    if conn.dialect.name == "postgresql":
        conn.execute(_LOCK, {"namespace": _LOCK_NAMESPACE, "team": team})
    previous = head(conn, principal).digest
    user = None if principal.user is None else conn.execute(_UUID, {"user": principal.user}).scalar_one_or_none()
    digest = _link(key, previous, (str(team), user, principal.actor, action, target, str(now)))
    row = {
        "team_id": None if team == INSTALLATION else team,
        "user_uuid": user,
        "actor": principal.actor,
        "action": action,
        "target": target,
        "at": now,
        "digest": digest,
    }
    return int(conn.execute(_INSERT, row).scalar_one())


def head(conn: Connection, principal: Principal) -> Head:
    """The present end of the chain of the principal's team."""
    row = conn.execute(_HEAD[principal.team == INSTALLATION], {"team": principal.team}).first()
    return Head(id=0, digest=GENESIS) if row is None else Head(id=row.id, digest=bytes(row.digest))


def entries(conn: Connection, principal: Principal, *, after: int = 0) -> list[Entry]:
    """Up to 1,000 rows of the principal's team after row `after`, oldest first. Raises: Forbidden without scope admin."""
    require(principal, "admin")
    return [
        Entry(id=row.id, user=row.user_uuid, actor=row.actor, action=row.action, target=row.target, at=row.at)
        for row in conn.execute(_PAGE[principal.team == INSTALLATION], {"team": principal.team, "after": after})
    ]


def verify(conn: Connection, principal: Principal, *, key: bytes, anchor: Head | None = None) -> int | None:
    """The id of the first row of the team's chain that is not as it was written, or None when all are.

    For a missing row it is the one after it; where rows are missing at the end, it is the anchored head's id.

    Raises: Forbidden without scope admin.
    """
    require(principal, "admin")
    previous = GENESIS
    is_anchored = anchor is None or anchor == Head(id=0, digest=GENESIS)
    for row in _rows(conn, principal):
        fields = (str(principal.team), row.user_uuid, row.actor, row.action, row.target, str(row.at))
        link = _link(key, previous, fields)
        previous = bytes(row.digest)
        if not hmac.compare_digest(link, previous):
            return int(row.id)
        if anchor is not None and row.id == anchor.id:
            if previous != anchor.digest:
                return int(row.id)
            is_anchored = True
    return None if anchor is None or is_anchored else anchor.id


def _rows(conn: Connection, principal: Principal) -> Iterator[Row[tuple[object, ...]]]:
    after = 0
    while page := conn.execute(_PAGE[principal.team == INSTALLATION], {"team": principal.team, "after": after}).all():
        yield from page
        after = page[-1].id


def _link(key: bytes, previous: bytes, fields: tuple[str | None, ...]) -> bytes:
    """The digest of a row. Every field has its length before it, so that no text can slide into its neighbour."""
    encoded = [b"" if field is None else b"=" + field.encode() for field in fields]
    return hmac.digest(key, previous + b"".join(len(field).to_bytes(4, "big") + field for field in encoded), "sha256")
