"""How complete the accounts of a user are, all of them in two statements: complete intervals and gaps by account.

`ledger.coverage` keeps both while facts are committed; this is the reader's side, which names its user.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.coverage import StoredGap, joined
from omnifolio.ledger.overrides import OVERLAY_KIND
from omnifolio.model.accounts import Principal
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId
from omnifolio.store.reading import Reading
from omnifolio.store.schema import accounts, coverage, gaps, observations, transactions, wallets

_owned = sa.select(accounts.c.id).where(accounts.c.user_id == sa.bindparam("user"), accounts.c.is_deleted == 0)
_intervals = Reading(
    sa.select(coverage.c.account_id, coverage.c.stream, coverage.c.start, coverage.c.end).where(coverage.c.account_id.in_(_owned))
)
_gaps = Reading(
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
_terms = Reading(
    sa.text(
        "SELECT (SELECT COALESCE(SUM(version), 0) FROM price_state), "
        "EXISTS (SELECT 1 FROM overlays WHERE user_id = :user AND kind = :kind)"
    )
)


class PriceTerms(Struct, frozen=True):
    """Under which prices a user's values stand: the version of all prices and rates, and whether the user has set any."""

    version: int
    has_own: bool


def intervals(conn: Connection, principal: Principal) -> Mapping[AccountId, Mapping[str, Sequence[Interval]]]:
    """The complete intervals of each stream of each account, joined and in order."""
    found: dict[AccountId, dict[str, list[Interval]]] = {}
    for account, stream, start, end in _intervals.rows(conn, user=principal.data_user):
        found.setdefault(AccountId(account), {}).setdefault(stream, []).append(Interval(start, end))
    return {account: {name: joined(items) for name, items in streams.items()} for account, streams in found.items()}


def open_gaps(conn: Connection, principal: Principal) -> Mapping[AccountId, Sequence[StoredGap]]:
    """What is known to be missing, by account, oldest first."""
    found: dict[AccountId, list[StoredGap]] = {}
    for account, stream, code, text, start, end, is_failure, opened_at in _gaps.rows(conn, user=principal.data_user):
        gap = StoredGap(
            stream=stream, code=code, text=text, start=start, end=end, is_failure=bool(is_failure), opened_at=opened_at
        )
        found.setdefault(AccountId(account), []).append(gap)
    return found


def price_terms(conn: Connection, principal: Principal) -> PriceTerms:
    """The present terms of the user's values. Without prices of their own, the market's are the user's."""
    [(version, has_own)] = _terms.rows(conn, user=principal.data_user, kind=OVERLAY_KIND)
    return PriceTerms(int(version), bool(has_own))


class Counts(NamedTuple):
    """How much an account holds so far."""

    balances: int
    transactions: int


def counts(conn: Connection, principal: Principal, account: AccountId) -> Counts:
    """Open balances and live transactions of one account of the user."""
    values = {"user": principal.data_user, "account": account}
    return Counts(conn.execute(_held_count, values).scalar_one(), conn.execute(_live_count, values).scalar_one())
