"""What a reader knows of all accounts of a user by one statement: their state, complete intervals, gaps, and the terms of values.

`ledger.coverage` keeps both while facts are committed; this is the reader's side, which names its user.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import StoredGap, joined
from omnifolio.ledger.overrides import OVERLAY_KIND
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId
from omnifolio.store.reading import Reading
from omnifolio.store.schema import accounts as accounts_table
from omnifolio.store.schema import observations, transactions, wallets

_owned = sa.select(accounts_table.c.id).where(accounts_table.c.user_id == sa.bindparam("user"), accounts_table.c.is_deleted == 0)
_ARRAYS = {"sqlite": "json_group_array(json_array({0}))", "postgresql": "CAST(json_agg(json_build_array({0})) AS TEXT)"}
"""Rows as one text, since each of a user's accounts has a few: no statement for each kind of them is needed."""
_SPAN = 'c.stream, c.start, c."end"'
_GAP = 'g.id, g.stream, g.code, g.text, g.start, g."end", g.is_failure, g.opened_at'
_overview = Reading(
    {
        dialect: sa.text(
            f"SELECT t.version, t.has_own, {', '.join('a.' + column.name for column in accounts.COLUMNS)}, "
            f"(SELECT {rows.format(_SPAN)} FROM coverage c WHERE c.account_id = a.id), "
            f"(SELECT {rows.format(_GAP)} "
            "FROM gaps g WHERE g.account_id = a.id), "
            "EXISTS (SELECT 1 FROM wallets w JOIN positions p ON p.wallet_id = w.id AND p.until IS NULL "
            "WHERE w.account_id = a.id) "
            "FROM (SELECT (SELECT COALESCE(SUM(version), 0) FROM price_state) AS version, "
            "EXISTS (SELECT 1 FROM overlays WHERE user_id = :user AND kind = :kind) AS has_own) t "
            "LEFT JOIN accounts a ON a.user_id = :user AND a.is_deleted = 0 "
            "AND (CAST(:account AS BIGINT) IS NULL OR a.id = :account) ORDER BY a.id"
        )
        for dialect, rows in _ARRAYS.items()
    }
)
_decode_spans = msgspec.json.Decoder(list[tuple[str, EpochMs, EpochMs]]).decode
_decode_gaps = msgspec.json.Decoder(list[tuple[int, str, str, str, EpochMs | None, EpochMs | None, int, EpochMs]]).decode
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


class PriceTerms(Struct, frozen=True):
    """Under which prices a user's values stand: the version of all prices and rates, and whether the user has set any."""

    version: int
    has_own: bool


class Known(Struct, frozen=True):
    """An account and how far it was read: the complete intervals of each stream, joined and in order, what is known to be
    missing, oldest first, and whether there are open positions."""

    account: Account
    spans: Mapping[str, Sequence[Interval]]
    gaps: Sequence[StoredGap]
    has_positions: bool


class Overview(Struct, frozen=True):
    """The terms of a user's values, and their accounts, oldest first."""

    terms: PriceTerms
    accounts: Sequence[Known]


def overview(conn: Connection, principal: Principal, now: EpochMs, account: AccountId | None = None) -> Overview:
    """What is known of all accounts of the user, or of one, before one looks into them. Raises: NotFound."""
    rows = _overview.rows(conn, user=principal.data_user, kind=OVERLAY_KIND, account=account)
    terms = PriceTerms(int(rows[0][0]), bool(rows[0][1]))
    # Where there is no account, the terms stand alone.
    found = [
        Known(accounts.account_of(columns, now), _spans(spans), _gaps(gaps), bool(has_positions))
        for _version, _has_own, *columns, spans, gaps, has_positions in rows
        if columns[0] is not None
    ]
    if account is not None and not found:
        raise NotFound("no account has this id")
    return Overview(terms, found)


def _spans(text: str | None) -> Mapping[str, Sequence[Interval]]:
    found: dict[str, list[Interval]] = {}
    for stream, start, end in _decode_spans(text) if text else ():
        found.setdefault(stream, []).append(Interval(start, end))
    return {stream: joined(items) for stream, items in found.items()}


def _gaps(text: str | None) -> Sequence[StoredGap]:
    return [
        StoredGap(stream=stream, code=code, text=said, start=start, end=end, is_failure=bool(is_failure), opened_at=opened_at)
        for _id, stream, code, said, start, end, is_failure, opened_at in (sorted(_decode_gaps(text)) if text else ())
    ]


class Counts(NamedTuple):
    """How much an account holds so far."""

    balances: int
    transactions: int


def counts(conn: Connection, principal: Principal, account: AccountId) -> Counts:
    """Open balances and live transactions of one account of the user."""
    values = {"user": principal.data_user, "account": account}
    return Counts(conn.execute(_held_count, values).scalar_one(), conn.execute(_live_count, values).scalar_one())
