"""What keeps a copy of a user's books elsewhere: the next answer after a cursor, valued and with all that it names."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.bookmarks import bookmark_of, cursor_of
from omnifolio.app.context import Context
from omnifolio.ledger.replica import Bookmark, Told, is_syncing, tell
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
    mark = bookmark_of(context.edge.cursor, principal.data_user, cursor) if cursor else None
    return await context.store.read(page_of, context, principal, mark, limit=limit, fiat=fiat)


def page_of(
    conn: Connection, context: Context, principal: Principal, mark: Bookmark | None, *, limit: int, fiat: str
) -> ReplicaPage:
    """What comes after a bookmark; None is the beginning."""
    now = context.clock.now()
    check_currency(conn, fiat, now)
    told = tell(conn, principal, mark, limit=limit)
    rows = list(told.transactions)
    return ReplicaPage(
        told=told,
        views=chosen_accounts(conn, principal, context.market, told.touched, now=now, currency=fiat),
        transactions=some_transactions(conn, principal, rows, currency=fiat, assets=context.assets, now=now)
        if rows
        else TransactionPage(rows=(), currency=fiat, tokens={}, wallets={}, venues={}),
        cursor=cursor_of(context.edge.cursor, principal.data_user, told.mark),
        is_syncing=is_syncing(conn, principal),
        at=now,
    )
