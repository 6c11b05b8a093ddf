"""What an account's history and its balances are compared by: who told what and when, movements of chosen tokens, what was seen.

`days` reads the same facts for a daily history; here they are read for a few tokens only, and with where they come from.
"""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.store.lists import any_of
from omnifolio.store.schema import accounts, claims, commits, legs, observations, snapshots, transactions, wallets

_account: sa.BindParameter[int] = sa.bindparam("account")
_user: sa.BindParameter[int] = sa.bindparam("user")
_owned = sa.select(accounts.c.id).where(accounts.c.id == _account, accounts.c.user_id == _user, accounts.c.is_deleted == 0)
_rows_told = (
    sa.select(claims.c.stream, sa.func.count(), sa.func.min(transactions.c.at), sa.func.max(transactions.c.at))
    .join(transactions, transactions.c.id == claims.c.transaction_id)
    .where(claims.c.account_id.in_(_owned), claims.c.is_withdrawn == 0)
    .group_by(claims.c.stream)
)
_movements = (
    sa.select(legs.c.wallet_id, legs.c.token_id, legs.c.at, legs.c.amount, transactions.c.status)
    .join(transactions, transactions.c.id == legs.c.transaction_id)
    .where(
        legs.c.wallet_id.in_(sa.select(wallets.c.id).where(wallets.c.account_id.in_(_owned))),
        any_of(legs.c.token_id, "tokens"),
    )
    .order_by(legs.c.at)
)
_tellers = (
    sa.select(claims.c.stream, legs.c.wallet_id, legs.c.token_id)
    .join(legs, legs.c.transaction_id == claims.c.transaction_id)
    .where(claims.c.account_id.in_(_owned), claims.c.is_withdrawn == 0, any_of(legs.c.token_id, "tokens"))
    .distinct()
)
_seen = (
    sa.select(
        observations.c.wallet_id,
        observations.c.product,
        observations.c.token_id,
        observations.c.amount,
        observations.c.first_seen,
        sa.func.coalesce(observations.c.last_seen, snapshots.c.last_seen),
        observations.c.until,
        commits.c.at,
    )
    .join(wallets, wallets.c.id == observations.c.wallet_id)
    .join(snapshots, (snapshots.c.wallet_id == observations.c.wallet_id) & (snapshots.c.product == observations.c.product))
    .outerjoin(commits, (commits.c.user_id == _user) & (commits.c.seq == observations.c.until))
    .where(wallets.c.account_id.in_(_owned))
    .order_by(observations.c.first_seen)
)
_PENDING = "pending"


class Told(Struct, frozen=True):
    """How many records of a stream stand, and the instants of the first and the last of them."""

    rows: int
    first: EpochMs
    last: EpochMs


class Movement(Struct, frozen=True):
    """A signed movement of a token in a wallet. One that is pending may or may not be in the balance already."""

    at: EpochMs
    amount: Decimal
    is_pending: bool = False


class Seen(Struct, frozen=True):
    """An amount as it was seen from the first to the last instant. `is_open`: it holds still. Else `gone_at` is when the ledger
    noted that it had changed."""

    wallet: WalletId
    product: str
    token: int
    amount: Decimal
    first: EpochMs
    last: EpochMs
    is_open: bool
    gone_at: EpochMs | None


Purse = tuple[WalletId, int]
"""A wallet and a token in it."""


def rows_told(conn: Connection, principal: Principal, account: AccountId) -> Mapping[str, Told]:
    """What stands of each stream that has told anything of an account."""
    values = {"account": account, "user": principal.data_user}
    return {row[0]: Told(*row[1:]) for row in conn.execute(_rows_told, values)}


def movements(
    conn: Connection, principal: Principal, account: AccountId, tokens: Collection[int]
) -> Mapping[Purse, Sequence[Movement]]:
    """All movements of some tokens by wallet and token, oldest first."""
    found: dict[Purse, list[Movement]] = {}
    values = {"account": account, "user": principal.data_user, "tokens": sorted(tokens)}
    for wallet, token, at, amount, status in conn.execute(_movements, values):
        found.setdefault((wallet, token), []).append(Movement(at, Decimal(amount), status == _PENDING))
    return found


def tellers(
    conn: Connection, principal: Principal, account: AccountId, tokens: Collection[int]
) -> Mapping[Purse, Collection[str]]:
    """The streams whose records have moved some tokens, by wallet and token."""
    found: dict[Purse, set[str]] = {}
    values = {"account": account, "user": principal.data_user, "tokens": sorted(tokens)}
    for stream, wallet, token in conn.execute(_tellers, values):
        found.setdefault((wallet, token), set()).add(stream)
    return found


def seen(conn: Connection, principal: Principal, account: AccountId) -> Sequence[Seen]:
    """Every amount that was ever seen in an account's wallets, the oldest first."""
    return [
        Seen(wallet, product, token, Decimal(amount), first, max(first, last), until is None, gone_at)
        for wallet, product, token, amount, first, last, until, gone_at in conn.execute(
            _seen, {"account": account, "user": principal.data_user}
        )
    ]
