"""How complete the accounts of a user are, all of them in two statements: complete intervals and gaps by account.

`ledger.coverage` keeps both while facts are committed; this is the reader's side, which names its user.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger.coverage import StoredGap, joined
from omnifolio.ledger.overrides import OVERLAY_KIND
from omnifolio.model.accounts import Principal
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId
from omnifolio.store.schema import accounts, coverage, gaps, observations, overlays, transactions, wallets

_owned = sa.select(accounts.c.id).where(accounts.c.user_id == sa.bindparam("user"), accounts.c.is_deleted == 0)
_intervals = sa.select(coverage.c.account_id, coverage.c.stream, coverage.c.start, coverage.c.end).where(
    coverage.c.account_id.in_(_owned)
)
_gaps = (
    sa.select(
        gaps.c.account_id,
        gaps.c.stream,
        gaps.c.code,
        gaps.c.text,
        gaps.c.start,
        gaps.c.end,
        gaps.c.is_failure,
        gaps.c.opened_at,
    )
    .where(gaps.c.account_id.in_(_owned))
    .order_by(gaps.c.account_id, gaps.c.id)
)
_held_count = (
    sa.select(sa.func.count())
    .select_from(observations)
    .join(wallets, wallets.c.id == observations.c.wallet_id)
    .where(
        observations.c.until.is_(None),
        wallets.c.account_id == sa.bindparam("account"),
        wallets.c.account_id.in_(_owned),
    )
)
_live_count = (
    sa.select(sa.func.count())
    .select_from(transactions)
    .where(
        transactions.c.account_id == sa.bindparam("account"),
        transactions.c.user_id == sa.bindparam("user"),
        transactions.c.state == "live",
    )
)
_own_price = sa.select(overlays.c.id).where(overlays.c.user_id == sa.bindparam("user"), overlays.c.kind == OVERLAY_KIND).limit(1)


def intervals(conn: Connection, principal: Principal) -> Mapping[AccountId, Mapping[str, Sequence[Interval]]]:
    """The complete intervals of each stream of each account, joined and in order."""
    found: dict[AccountId, dict[str, list[Interval]]] = {}
    for account, stream, start, end in conn.execute(_intervals, {"user": principal.data_user}):
        found.setdefault(AccountId(account), {}).setdefault(stream, []).append(Interval(start, end))
    return {account: {name: joined(items) for name, items in streams.items()} for account, streams in found.items()}


def open_gaps(conn: Connection, principal: Principal) -> Mapping[AccountId, Sequence[StoredGap]]:
    """What is known to be missing, by account, oldest first."""
    found: dict[AccountId, list[StoredGap]] = {}
    for account, stream, code, text, start, end, is_failure, opened_at in conn.execute(_gaps, {"user": principal.data_user}):
        gap = StoredGap(
            stream=stream, code=code, text=text, start=start, end=end, is_failure=bool(is_failure), opened_at=opened_at
        )
        found.setdefault(AccountId(account), []).append(gap)
    return found


def has_own_prices(conn: Connection, principal: Principal) -> bool:
    """Whether the user has set any price; if not, the market's prices are the user's."""
    return conn.execute(_own_price, {"user": principal.data_user}).first() is not None


class Counts(NamedTuple):
    """How much an account holds so far."""

    balances: int
    transactions: int


def counts(conn: Connection, principal: Principal, account: AccountId) -> Counts:
    """Open balances and live transactions of one account of the user."""
    values = {"user": principal.data_user, "account": account}
    return Counts(conn.execute(_held_count, values).scalar_one(), conn.execute(_live_count, values).scalar_one())
