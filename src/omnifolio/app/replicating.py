"""What keeps a copy of a user's books elsewhere: the next answer after a cursor, valued and with all that it names."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.bookmarks import bookmark_of, cursor_of
from omnifolio.app.context import Context
from omnifolio.ledger.replica import Told, is_syncing, tell
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.views.accounts import AccountView, chosen_accounts
from omnifolio.views.market import check_currency
from omnifolio.views.transactions import TransactionPage, some_transactions


class ReplicaPage(Struct, frozen=True, kw_only=True):
    """What a replica is told next: `views` are the accounts with any change in them, whole; `told` says what of them changed."""

    told: Told
    views: Sequence[AccountView]
    transactions: TransactionPage
    cursor: str
    is_syncing: bool
    at: EpochMs


async def replica_page(context: Context, principal: Principal, *, cursor: str, limit: int, fiat: str) -> ReplicaPage:
    """The answer after a cursor; "" is the beginning. Raises: InvalidField for a cursor or currency that is none of ours."""
    key, user = context.edge.cursor, principal.data_user
    mark = bookmark_of(key, user, cursor) if cursor else None

    def op(conn: Connection) -> ReplicaPage:
        now = context.clock.now()
        check_currency(conn, fiat, now)
        told = tell(conn, principal, mark, limit=limit)
        return ReplicaPage(
            told=told,
            views=chosen_accounts(conn, principal, context.market, told.touched, now=now, currency=fiat),
            transactions=some_transactions(
                conn, principal, list(told.transactions), currency=fiat, assets=context.assets, now=now
            )
            if told.transactions
            else TransactionPage(rows=(), currency=fiat, tokens={}, wallets={}, venues={}),
            cursor=cursor_of(key, user, told.mark),
            is_syncing=is_syncing(conn, principal),
            at=now,
        )

    return await context.store.read(op)
