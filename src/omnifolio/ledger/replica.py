"""What a replica of a user's books has to be told: all that differs from the books that it holds, or all there is.

Answers come in runs. A run begins where the one before ended and ends with the answer that has no more; then the replica equals
the books. What is small (accounts, wallets, balances, positions) comes whole with the run's first answer; transactions follow, in
the order of their last change, `limit` at a time. What changes while a run is on its way comes later in the same run.

What must hold
  * after a run's last answer the replica holds exactly what is live, whatever was committed meanwhile;
  * an answer that is taken in twice, or after a later one, does no harm: a row is told as it is now, or as gone;
  * dropped tombstones cost a new beginning, and only where they could have been missed.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.events import Version
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import NotFound
from omnifolio.model.ids import AccountId, TransactionId, WalletId
from omnifolio.store import codec
from omnifolio.store.lists import any_of
from omnifolio.store.schema import accounts, past, position_snapshots, snapshots, transactions, users, wallets

TOLD_MAX = 1000
"""Transactions in one answer at the most."""

_user: sa.BindParameter[int] = sa.bindparam("user")
_told: sa.BindParameter[int] = sa.bindparam("told")
_base: sa.BindParameter[int] = sa.bindparam("base")
_state = sa.select(users.c.seq, users.c.horizon).where(users.c.id == _user, users.c.team_id == sa.bindparam("team"))
_accounts = (
    sa.select(accounts.c.id, accounts.c.since, accounts.c.seq, accounts.c.is_deleted)
    .where(accounts.c.user_id == _user, accounts.c.seq > _told)
    .order_by(accounts.c.id)
)
_owned = sa.and_(accounts.c.user_id == _user, accounts.c.is_deleted == 0)
_wallets = (
    sa.select(accounts.c.id, wallets.c.id, wallets.c.since)
    .join_from(wallets, accounts, accounts.c.id == wallets.c.account_id)
    .where(_owned, sa.or_(wallets.c.since > _told, accounts.c.seq > _told))
)
_balances = (
    sa.select(accounts.c.id, wallets.c.id, snapshots.c.product, snapshots.c.since)
    .join_from(snapshots, wallets, wallets.c.id == snapshots.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .where(_owned, snapshots.c.seq > _told)
)
_positions = (
    sa.select(accounts.c.id, wallets.c.id, position_snapshots.c.scope, position_snapshots.c.since)
    .join_from(position_snapshots, wallets, wallets.c.id == position_snapshots.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .where(_owned, position_snapshots.c.seq > _told)
)
_transactions = (
    sa.select(
        transactions.c.id,
        transactions.c.account_id,
        transactions.c.seq,
        transactions.c.since,
        transactions.c.state,
        transactions.c.merged_into,
    )
    .where(
        transactions.c.user_id == _user,
        sa.tuple_(transactions.c.seq, transactions.c.id) > sa.tuple_(sa.bindparam("seq"), sa.bindparam("id")),
        sa.or_(transactions.c.state == "live", transactions.c.seq > sa.bindparam("graves_after")),
    )
    .order_by(transactions.c.seq, transactions.c.id)
    .limit(sa.bindparam("count"))
)
_held_at = sa.select(past.c.fact_id, past.c.payload).where(
    past.c.user_id == _user,
    past.c.kind == "transaction",
    past.c.until > _base,
    past.c.since <= _base,
    any_of(past.c.fact_id, "ids"),
)
_any_syncing = (
    sa.select(accounts.c.id)
    .where(accounts.c.user_id == _user, accounts.c.is_deleted == 0, accounts.c.status == "syncing")
    .limit(1)
)

_decode_version = codec.decoder(Version).decode
_ALL = 2**62
"""Above every id: all transactions of a sequence were told."""


class Bookmark(Struct, frozen=True, array_like=True):
    """How far a replica was told, and against which books.

    `base` is the sequence of the books that it held when the run began (0 for none), `start` the user's sequence at that time.
    Accounts, wallets, balances and positions were told up to `told`, transactions up to `id` of `seq`. Between two runs all four
    are one sequence.
    """

    base: int
    start: int
    told: int
    seq: int
    id: int

    @property
    def is_between_runs(self) -> bool:
        """The last answer had no more."""
        return self.base == self.start

    @property
    def needed(self) -> int:
        """The sequence after which no tombstone may be missing. What was gone before a first run began was never told in it."""
        return self.seq if self.base else max(self.seq, self.start)


class Grave(Struct, frozen=True, kw_only=True):
    """A transaction that is no more; `leads_to` is the one that it turned out to be."""

    id: TransactionId
    account: AccountId
    leads_to: TransactionId | None


Part = tuple[WalletId, str]
"""A wallet with a product, or with a scope of positions."""


class Told(Struct, frozen=True, kw_only=True):
    """What a replica is told next. Each live thing says whether it is new: not among the books that the run began with.

    `touched` are the accounts that any of the small things belongs to. `is_reset`: a run over everything begins with this answer.
    """

    accounts: Mapping[AccountId, bool]
    closed: Sequence[AccountId]
    wallets: Mapping[WalletId, bool]
    balances: Mapping[Part, bool]
    positions: Mapping[Part, bool]
    touched: Collection[AccountId]
    transactions: Mapping[TransactionId, bool]
    graves: Sequence[Grave]
    mark: Bookmark
    has_more: bool
    is_reset: bool
    seq: int


def tell(conn: Connection, principal: Principal, mark: Bookmark | None, *, limit: int) -> Told:
    """What comes after a bookmark, or from the beginning where there is none. Raises: NotFound when the user is gone."""
    user = principal.data_user
    state = conn.execute(_state, {"user": user, "team": principal.team}).one_or_none()
    if state is None:
        raise NotFound("this user does not exist any more")
    newest, horizon = state
    is_reset = mark is None or max(mark.told, mark.seq) > newest or mark.needed < horizon
    if mark is None or is_reset:
        mark = Bookmark(0, newest, 0, 0, 0)
    elif mark.is_between_runs:
        mark = Bookmark(mark.seq, newest, mark.seq, mark.seq, _ALL)
    count = max(1, min(limit, TOLD_MAX))
    rows = _next_transactions(conn, user, mark, count + 1)
    has_more = len(rows) > count
    rows = rows[:count]
    live = [row for row in rows if row.state == "live"]
    held = _held(conn, user, mark.base, [row.id for row in live if row.since > mark.base])
    after = Bookmark(mark.base, mark.start, newest, rows[-1].seq, rows[-1].id) if has_more else _between(newest)
    return _with_small_things(
        conn,
        user,
        mark,
        Told(
            accounts={},
            closed=(),
            wallets={},
            balances={},
            positions={},
            touched=(),
            transactions={TransactionId(row.id): not (mark.base >= row.since or row.id in held) for row in live},
            graves=[_grave(row) for row in rows if row.state != "live"],
            mark=after,
            has_more=has_more,
            is_reset=is_reset,
            seq=newest,
        ),
    )


def is_syncing(conn: Connection, principal: Principal) -> bool:
    """Whether a sync of any of the user's accounts is under way."""
    return conn.execute(_any_syncing, {"user": principal.data_user}).first() is not None


def _between(seq: int) -> Bookmark:
    return Bookmark(seq, seq, seq, seq, _ALL)


def _next_transactions(conn: Connection, user: int, mark: Bookmark, count: int) -> Sequence[Any]:
    if mark.seq >= mark.start and mark.id == _ALL:
        return []  # nothing was committed since
    graves_after = 0 if mark.base else mark.start
    values = {"user": user, "seq": mark.seq, "id": mark.id, "graves_after": graves_after, "count": count}
    return conn.execute(_transactions, values).all()


def _held(conn: Connection, user: int, base: int, numbers: Sequence[int]) -> frozenset[int]:
    """Those of the transactions that were live in the books of `base`, under a version that was replaced since."""
    if not base or not numbers:
        return frozenset()
    rows = conn.execute(_held_at, {"user": user, "base": base, "ids": numbers})
    return frozenset(row.fact_id for row in rows if _decode_version(row.payload).state == "live")


def _grave(row: Any) -> Grave:
    leads_to = TransactionId(row.merged_into) if row.state == "merged" else None
    return Grave(id=TransactionId(row.id), account=AccountId(row.account_id), leads_to=leads_to)


def _with_small_things(conn: Connection, user: int, mark: Bookmark, told: Told) -> Told:
    """The answer with what changed of accounts, wallets, balances and positions since they were told last."""
    if mark.told >= told.seq:
        return told
    values = {"user": user, "told": mark.told}
    graves_after = 0 if mark.base else mark.start
    found = conn.execute(_accounts, values).all()
    purses, looks, stands = (conn.execute(query, values).all() for query in (_wallets, _balances, _positions))

    def is_new(since: int) -> bool:
        return not mark.base or since > mark.base

    open_ = {AccountId(row.id): is_new(row.since) for row in found if not row.is_deleted}
    return Told(
        accounts=open_,
        closed=[AccountId(row.id) for row in found if row.is_deleted and row.seq > graves_after],
        wallets={WalletId(row[1]): is_new(row.since) for row in purses},
        balances={(WalletId(row[1]), row.product): is_new(row.since) for row in looks},
        positions={(WalletId(row[1]), row.scope): is_new(row.since) for row in stands},
        touched=open_.keys() | {AccountId(row[0]) for row in (*purses, *looks, *stands)},
        transactions=told.transactions,
        graves=told.graves,
        mark=told.mark,
        has_more=told.has_more,
        is_reset=told.is_reset,
        seq=told.seq,
    )
