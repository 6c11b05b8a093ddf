"""Ids that accounts had at another service and keep on our wire: each is one account's, in the whole installation and for ever.

They are numbered in the order of their commits, so that who has learned up to a number knows what came before it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.errors import Conflict
from omnifolio.model.ids import AccountId, UserId
from omnifolio.store.schema import aliases, counters

_next = sa.text(
    "INSERT INTO counters (name, value) VALUES (:name, 1) ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 "
    "RETURNING value"
).bindparams(sa.bindparam("name", aliases.name, type_=counters.c.name.type))
_add = sa.insert(aliases)
_after = (
    sa.select(aliases.c.number, aliases.c.account_id, aliases.c.wire)
    .where(aliases.c.number > sa.bindparam("last"))
    .order_by(aliases.c.number)
)
_owner = sa.select(aliases.c.account_id, aliases.c.user_id).where(aliases.c.wire == sa.bindparam("wire"))


def add(conn: Connection, principal: Principal, account: AccountId, wire: str) -> None:
    """Gives an account of the principal's user the id that it had elsewhere: 24 hexadecimal digits, small letters.

    The caller has made sure that it could not be one of ours. Raises: Conflict when an account has it already.
    """
    # The counter's row stays locked until the commit, so a higher number is never seen before a lower one.
    number = conn.execute(_next).scalar_one()
    if owner(conn, wire) is not None:
        raise Conflict("another account here has this id")
    conn.execute(_add, {"number": number, "user_id": principal.data_user, "account_id": account, "wire": wire})


def owner(conn: Connection, wire: str) -> tuple[AccountId, UserId] | None:
    """Whose id it is: the account, which may be gone, and its user."""
    row = conn.execute(_owner, {"wire": wire}).first()
    return None if row is None else (AccountId(row.account_id), UserId(row.user_id))


def after(conn: Connection, last: int) -> Sequence[tuple[int, int, str]]:
    """What was added after the number: number, account, id."""
    return [(row.number, row.account_id, row.wire) for row in conn.execute(_after, {"last": last})]
