"""Which transactions are on a page: one filter is walked along the index that is made for it, the others are checked on the way.

A page costs the same wherever in the history it lies: every walk begins at the page's edge and stops at its end.
"""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.meaning.classify import TYPES
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, TransactionId
from omnifolio.store.schema import legs, tokens, transactions, wallets

PAGE_MAX = 1000
"""Transactions on one page at the most."""
COUNTED_MAX = 1_000
"""Of two filters the one with fewer rows is walked; beyond so many it no longer matters which."""

_ticker_tokens = sa.select(tokens.c.id).where(tokens.c.ticker == sa.bindparam("ticker"))
_other_leg, _other_row = legs.alias("other_leg"), transactions.alias("other_row")
_wallet_of = sa.select(wallets.c.id).where(wallets.c.account_id == sa.bindparam("account"), wallets.c.key == sa.bindparam("key"))


class Filter(Struct, frozen=True, kw_only=True):
    """Which transactions of an account, and in which order. Both instants are included."""

    start: EpochMs
    end: EpochMs
    limit: int
    is_ascending: bool = False
    last: TransactionId | None = None
    ticker: str | None = None
    wallet: str | None = None
    types: tuple[str, ...] = ()


def page_ids(conn: Connection, account: AccountId, wanted: Filter, edge: tuple[int, int] | None) -> list[int]:
    """The ids of one page of the account in order, after the row at `edge` (instant, id)."""
    filters = _filters(conn, account, wanted)
    if filters is None:
        return []
    start, end = int(wanted.start), int(wanted.end)
    if edge is not None:
        # The edge's instant as a bound of its own lets both databases begin there; a comparison of pairs alone would not.
        start, end = (max(start, edge[0]), end) if wanted.is_ascending else (start, min(end, edge[0]))
    walks = [[source.between(start, end) for source in one.sources] for one in filters]
    chosen = 0 if len(walks) == 1 else min(range(len(walks)), key=lambda place: _size(conn, walks[place]))
    checks = [one.holds for place, one in enumerate(filters) if place != chosen]
    parts = [_ordered(source, wanted, edge, checks) for source in walks[chosen]]
    picked = {(row[0], row[1]) for row in conn.execute(parts[0] if len(parts) == 1 else _together(parts))}
    ordered = sorted(picked, reverse=not wanted.is_ascending)
    return [number for _at, number in ordered[: _limit(wanted)]]


class _Source(Struct, frozen=True):
    """One range of one index: where its rows' instant and transaction stand, and what all its rows have in common."""

    at: Any
    number: Any
    condition: Any

    def between(self, start: int, end: int) -> "_Source":
        return _Source(self.at, self.number, self.condition & (self.at >= start) & (self.at <= end))


class _Filtered(Struct, frozen=True):
    """A filter both ways: the ranges that hold exactly its rows, and how to check any transaction for it."""

    sources: Sequence[_Source]
    holds: Callable[[Any], Any]


def _filters(conn: Connection, account: AccountId, wanted: Filter) -> list[_Filtered] | None:
    """The filters that were asked for, or the whole account; None when one of them can match nothing."""
    found: list[_Filtered] = []
    if wanted.ticker is not None:
        numbers = [row[0] for row in conn.execute(_ticker_tokens, {"ticker": wanted.ticker})]
        if not numbers:
            return None
        ranges = [_leg_source((legs.c.account_id == account) & (legs.c.token_id == number)) for number in numbers]
        found.append(_Filtered(ranges, lambda number: _some_leg(number, (_other_leg.c.token_id + 0).in_(numbers))))
    if wanted.wallet is not None:
        wallet = conn.execute(_wallet_of, {"account": account, "key": wanted.wallet}).scalar_one_or_none()
        if wallet is None:
            return None
        found.append(
            _Filtered(
                [_leg_source(legs.c.wallet_id == wallet)], lambda number: _some_leg(number, _other_leg.c.wallet_id + 0 == wallet)
            )
        )
    if wanted.types and not set(TYPES) <= set(wanted.types):
        found.append(
            _Filtered([_row_source(account, transactions.c.type == kind) for kind in wanted.types], _of_type(wanted.types))
        )
    return found or [_Filtered([_row_source(account, sa.true())], lambda _number: sa.true())]


def _leg_source(condition: Any) -> _Source:
    return _Source(legs.c.at, legs.c.transaction_id, condition)


def _row_source(account: AccountId, condition: Any) -> _Source:
    return _Source(
        transactions.c.at,
        transactions.c.id,
        (transactions.c.account_id == account) & condition & (transactions.c.state == "live"),
    )


def _some_leg(number: Any, condition: Any) -> Any:
    # A scalar instead of EXISTS, which PostgreSQL would turn into a join that leaves the order of the index. What is compared is
    # an expression (`+ 0`), so that SQLite looks at the legs of the one transaction and not at all legs of a wallet.
    return (
        sa.select(sa.literal(1)).where(_other_leg.c.transaction_id == number, condition).limit(1).scalar_subquery().is_not(None)
    )


def _of_type(types: Sequence[str]) -> Callable[[Any], Any]:
    kind = _other_row.c.type
    return lambda number: sa.select(kind).where(_other_row.c.id == number).scalar_subquery().in_(types)


def _size(conn: Connection, sources: Sequence[_Source]) -> int:
    """How many rows the ranges have together, counted as far as `COUNTED_MAX`."""
    counted = 0
    for source in sources:
        some = sa.select(source.at).where(source.condition).limit(COUNTED_MAX).subquery()
        counted += conn.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()
    return counted


def _ordered(source: _Source, wanted: Filter, edge: tuple[int, int] | None, checks: Sequence[Callable[[Any], Any]]) -> Any:
    """The first rows of a range in the asked order, after the edge."""
    at, number = source.at, source.number
    statement = sa.select(at.label("at"), number.label("number")).where(source.condition, *(check(number) for check in checks))
    if edge is not None:
        statement = statement.where(
            sa.or_(at > edge[0], number > edge[1]) if wanted.is_ascending else sa.or_(at < edge[0], number < edge[1])
        )
    if at is legs.c.at:
        # Several legs of one transaction stand beside each other in the index, so DISTINCT needs no sorting.
        statement = statement.distinct()
    order = (at, number) if wanted.is_ascending else (at.desc(), number.desc())
    return statement.order_by(*order).limit(_limit(wanted))


def _together(parts: Sequence[Any]) -> Any:
    """Several ranges in one statement; each keeps its own order and limit."""
    return sa.union_all(*(sa.select(part.subquery()) for part in parts))


def _limit(wanted: Filter) -> int:
    return min(wanted.limit, PAGE_MAX)
