"""The change log: what changed for a user after a sequence, tombstones included, and the books as they were at one.

A reader that follows `seq` sees every change exactly once and in order, because a user's commits are serialised by the counter
and every changed row carries the sequence of its commit.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import positions
from omnifolio.ledger.events import LegRow, Version, version_of
from omnifolio.ledger.sequence import latest
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Position
from omnifolio.model.ids import TransactionId, WalletId
from omnifolio.store import codec
from omnifolio.store.lists import any_of
from omnifolio.store.schema import (
    accounts,
    legs,
    observations,
    past,
    position_snapshots,
    snapshots,
    transactions,
    users,
    wallets,
)

CURSOR_DIGITS_MAX = 18
_RESETTING = "~"
"""Marks a cursor inside a full snapshot, so that it is finished and not begun again."""

CHANGES_MAX = 1000
"""Changes in one answer at the most."""

_user: sa.BindParameter[int] = sa.bindparam("user")
_after: sa.BindParameter[int] = sa.bindparam("after")
_horizon = sa.select(users.c.horizon).where(users.c.id == _user)
_raise_horizon = (
    sa.update(users).where(users.c.id == _user, users.c.horizon < sa.bindparam("up_to")).values(horizon=sa.bindparam("up_to"))
)
_drop_gone = sa.delete(transactions).where(
    transactions.c.user_id == _user, transactions.c.state == "gone", transactions.c.seq <= sa.bindparam("up_to")
)
_transactions = (
    sa.select(transactions.c.seq, transactions.c.id, transactions.c.state, transactions.c.merged_into)
    .where(transactions.c.user_id == _user, transactions.c.seq > _after)
    .order_by(transactions.c.seq, transactions.c.id)
    .limit(sa.bindparam("count"))
)
_snapshots = (
    sa.select(snapshots.c.seq, snapshots.c.wallet_id, snapshots.c.product)
    .join(wallets, wallets.c.id == snapshots.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .where(accounts.c.user_id == _user, snapshots.c.seq > _after)
    .order_by(snapshots.c.seq, snapshots.c.wallet_id)
    .limit(sa.bindparam("count"))
)
_positions = (
    sa.select(position_snapshots.c.seq, position_snapshots.c.wallet_id, position_snapshots.c.scope)
    .join(wallets, wallets.c.id == position_snapshots.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .where(accounts.c.user_id == _user, position_snapshots.c.seq > _after)
    .order_by(position_snapshots.c.seq, position_snapshots.c.wallet_id)
    .limit(sa.bindparam("count"))
)
_accounts = (
    sa.select(accounts.c.seq, accounts.c.id, accounts.c.is_deleted)
    .where(accounts.c.user_id == _user, accounts.c.seq > _after)
    .order_by(accounts.c.seq, accounts.c.id)
    .limit(sa.bindparam("count"))
)
_live_at = sa.select(transactions).where(
    transactions.c.user_id == _user, transactions.c.since <= sa.bindparam("at_seq"), transactions.c.state == "live"
)
_past_at = sa.select(past.c.fact_id, past.c.payload).where(
    past.c.user_id == _user,
    past.c.kind == "transaction",
    past.c.since <= sa.bindparam("at_seq"),
    past.c.until > sa.bindparam("at_seq"),
)
_legs = sa.select(
    legs.c.transaction_id, legs.c.key, legs.c.wallet_id, legs.c.token_id, legs.c.amount, legs.c.role, legs.c.counterparty
).where(any_of(legs.c.transaction_id, "ids"))
_observed_at = (
    sa.select(observations.c.wallet_id, observations.c.product, observations.c.token_id, observations.c.amount)
    .join(wallets, wallets.c.id == observations.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .where(
        accounts.c.user_id == _user,
        observations.c.since <= sa.bindparam("at_seq"),
        sa.or_(observations.c.until.is_(None), observations.c.until > sa.bindparam("at_seq")),
    )
)

_decode_version = codec.decoder(Version).decode

ChangeKind = Literal["account", "balances", "positions", "transaction"]


class Change(Struct, frozen=True, order=True):
    """One row of the change log. For balances `id` is the wallet and `detail` the product, for positions the scope; a removed row
    is a tombstone and `detail` then names the id that a merged transaction leads to, if any."""

    seq: int
    kind: ChangeKind
    id: int
    is_removed: bool
    detail: str


class Changes(Struct, frozen=True, kw_only=True):
    """Changes in order and the cursor after them. `is_reset`: the cursor was older than the horizon, so a full snapshot begins
    with this answer; the reader drops what it holds and then goes on as always."""

    changes: Sequence[Change]
    cursor: str
    has_more: bool
    is_reset: bool


Place = tuple[WalletId, str, int]
"""Wallet, product and token."""


class Books(Struct, frozen=True, kw_only=True):
    """What was known at a sequence: live transactions by id, balances by (wallet, product, token), positions by (wallet, scope,
    key)."""

    transactions: Mapping[TransactionId, Version]
    balances: Mapping[Place, Decimal]
    positions: Mapping[tuple[WalletId, str, str], Position]


def changes(conn: Connection, principal: Principal, *, cursor: str, limit: int) -> Changes:
    """The next changes after a cursor of an earlier answer; "" is the beginning.

    A commit is never split: the answer may exceed `limit` by one commit's rows. Raises: InvalidField for a foreign cursor.
    """
    user = principal.data_user
    after, is_resetting = _read(cursor)
    newest = latest(conn, principal)
    is_reset = False
    if not is_resetting and (0 < after < conn.execute(_horizon, {"user": user}).scalar_one() or after > newest):
        after, is_reset, is_resetting = 0, True, True
    count = max(1, min(limit, CHANGES_MAX))
    found = _changes(conn, user, after, count)
    if len(found) <= count:
        return Changes(changes=found, cursor=str(newest), has_more=False, is_reset=is_reset)
    last = found[count - 1].seq if found[count].seq != found[count - 1].seq else found[count - 1].seq - 1
    kept = [change for change in found if change.seq <= last] or _whole_commit(conn, user, found[0].seq)
    mark = _RESETTING if is_resetting else ""
    return Changes(changes=kept, cursor=f"{kept[-1].seq}{mark}", has_more=True, is_reset=is_reset)


def prune(conn: Connection, principal: Principal, *, up_to: int) -> int:
    """Drops the tombstones of withdrawn transactions up to a sequence and moves the horizon there; gives how many.

    The names under which they were seen stay, so a transaction that returns has its id again.
    """
    values = {"user": principal.data_user, "up_to": up_to}
    conn.execute(_raise_horizon, values)
    return conn.execute(_drop_gone, values).rowcount


def _read(cursor: str) -> tuple[int, bool]:
    digits = cursor.removesuffix(_RESETTING)
    if not cursor:
        return 0, False
    if not digits.isascii() or not digits.isdigit() or len(digits) > CURSOR_DIGITS_MAX:
        raise InvalidField("cursor: expected one that an earlier answer gave, or none to begin")
    return int(digits), digits != cursor


def _changes(conn: Connection, user: int, after: int, count: int) -> list[Change]:
    values = {"user": user, "after": after, "count": count + 1}
    found = [_transaction_change(row) for row in conn.execute(_transactions, values)]
    found += [Change(row.seq, "balances", row.wallet_id, False, row.product) for row in conn.execute(_snapshots, values)]
    found += [Change(row.seq, "positions", row.wallet_id, False, row.scope) for row in conn.execute(_positions, values)]
    found += [Change(row.seq, "account", row.id, bool(row.is_deleted), "") for row in conn.execute(_accounts, values)]
    return sorted(found)


def _whole_commit(conn: Connection, user: int, seq: int) -> list[Change]:
    """All changes of one commit that is larger than a page."""
    values = {"user": user, "after": seq - 1, "count": 2**31}
    found = [_transaction_change(row) for row in conn.execute(_transactions, values) if row.seq == seq]
    rest = [change for change in _changes(conn, user, seq - 1, 2**31 - 1) if change.seq == seq and change.kind != "transaction"]
    return sorted(found + rest)


def _transaction_change(row: Any) -> Change:
    is_removed = row.state != "live"
    return Change(row.seq, "transaction", row.id, is_removed, str(row.merged_into) if row.state == "merged" else "")


def known_at(conn: Connection, principal: Principal, seq: int) -> Books:
    """The books as they were known right after the commit with that sequence; the same for ever, whatever comes later."""
    values = {"user": principal.data_user, "at_seq": seq}
    rows = conn.execute(_live_at, values).all()
    legs_of: dict[int, list[LegRow]] = {row.id: [] for row in rows}
    for leg in conn.execute(_legs, {"ids": sorted(legs_of)}):
        legs_of[leg[0]].append(LegRow(*leg[1:]))
    found = {TransactionId(row.id): version_of(row, legs_of[row.id]) for row in rows}
    for row in conn.execute(_past_at, values):
        version = _decode_version(row.payload)
        if version.state == "live":
            found[TransactionId(row.fact_id)] = version
    stands = {(item.wallet, item.scope, item.position.key): item.position for item in positions.known_at(conn, principal, seq)}
    return Books(transactions=dict(sorted(found.items())), balances=balances_at(conn, principal, seq), positions=stands)


def balances_at(conn: Connection, principal: Principal, seq: int) -> Mapping[Place, Decimal]:
    """The balances of `known_at` alone, in order."""
    rows = conn.execute(_observed_at, {"user": principal.data_user, "at_seq": seq})
    found = {(WalletId(row.wallet_id), row.product, row.token_id): Decimal(row.amount) for row in rows}
    return dict(sorted(found.items()))
