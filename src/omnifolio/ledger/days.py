"""What the wallets of one account held over time: observed amounts as intervals, and the movements since an instant.

Everything that a daily history is calculated from, read in three statements.
"""

from collections.abc import Sequence
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.walk import first_of_wallet
from omnifolio.meaning.classify import TYPE_NUMBERS
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.store.schema import accounts, legs, observations, snapshots, touches, wallets

_account: sa.BindParameter[int] = sa.bindparam("account")
_owned = sa.select(accounts.c.id).where(
    accounts.c.id == _account, accounts.c.user_id == sa.bindparam("user"), accounts.c.is_deleted == 0
)
_of_account = wallets.c.account_id.in_(_owned)
_looks = (
    sa.select(snapshots.c.wallet_id, snapshots.c.product, snapshots.c.first_seen, snapshots.c.last_seen)
    .join(wallets, wallets.c.id == snapshots.c.wallet_id)
    .where(_of_account)
)
_observed = (
    sa.select(
        observations.c.wallet_id,
        observations.c.product,
        observations.c.token_id,
        observations.c.amount,
        observations.c.first_seen,
        sa.func.coalesce(observations.c.last_seen, snapshots.c.last_seen).label("last_seen"),
    )
    .join(wallets, wallets.c.id == observations.c.wallet_id)
    .join(snapshots, (snapshots.c.wallet_id == observations.c.wallet_id) & (snapshots.c.product == observations.c.product))
    .where(
        _of_account,
        sa.or_(observations.c.last_seen.is_(None), observations.c.last_seen >= sa.bindparam("start")),
    )
)
_moved = (
    sa.select(legs.c.wallet_id, legs.c.token_id, legs.c.amount, legs.c.at)
    .select_from(wallets)
    .join(touches, touches.c.wallet_id == wallets.c.id)
    .join(legs, (legs.c.transaction_id == touches.c.transaction_id) & (legs.c.wallet_id == touches.c.wallet_id))
    .where(
        _of_account,
        touches.c.type_number.in_([sa.literal_column(str(number)) for number in TYPE_NUMBERS.values()]),
        touches.c.at >= sa.bindparam("start"),
    )
    .order_by(legs.c.wallet_id, legs.c.at.desc())
)
_owns = sa.select(wallets.c.id).where(_of_account, wallets.c.id == sa.bindparam("wallet"))


class Look(Struct, frozen=True):
    """When a (wallet, product) was first and last observed as a whole."""

    wallet: WalletId
    product: str
    first_seen: EpochMs
    last_seen: EpochMs


class Observed(Struct, frozen=True):
    """An amount that was observed at both instants and at none between them to be otherwise."""

    wallet: WalletId
    product: str
    token: int
    amount: Decimal
    first_seen: EpochMs
    last_seen: EpochMs


class Moved(Struct, frozen=True):
    """A signed movement."""

    wallet: WalletId
    token: int
    amount: Decimal
    at: EpochMs


def looks(conn: Connection, principal: Principal, account: AccountId) -> Sequence[Look]:
    """How often the wallets were looked at: one row per (wallet, product)."""
    values = {"account": account, "user": principal.data_user}
    return [Look(*row) for row in conn.execute(_looks, values)]


def observed(conn: Connection, principal: Principal, account: AccountId, start: EpochMs) -> Sequence[Observed]:
    """Amounts that were still held at `start` or came later."""
    values = {"account": account, "user": principal.data_user, "start": start}
    return [
        Observed(row.wallet_id, row.product, row.token_id, Decimal(row.amount), row.first_seen, row.last_seen)
        for row in conn.execute(_observed, values)
    ]


def moved(conn: Connection, principal: Principal, account: AccountId, start: EpochMs) -> Sequence[Moved]:
    """Movements at `start` or later, by wallet, newest first."""
    values = {"account": account, "user": principal.data_user, "start": start}
    return [Moved(row.wallet_id, row.token_id, Decimal(row.amount), row.at) for row in conn.execute(_moved, values)]


def first_movement(conn: Connection, principal: Principal, account: AccountId, wallet: WalletId) -> EpochMs | None:
    """The instant of a wallet's oldest movement; None without any."""
    is_own = conn.execute(_owns, {"account": account, "user": principal.data_user, "wallet": wallet}).first() is not None
    return first_of_wallet(conn, wallet) if is_own else None
