"""Exporting transactions: page after page of one or all accounts, oldest first, as lines of another program's file."""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.app.read import Read
from omnifolio.exports.registry import Target
from omnifolio.exports.table import csv_text
from omnifolio.ledger import accounts
from omnifolio.ledger.read import PAGE_MAX, Filter
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId
from omnifolio.views.market import check_currency


class Span(Struct, frozen=True):
    """From when to when, both included."""

    start: EpochMs
    end: EpochMs


async def exported(
    context: Context, principal: Principal, target: Target, *, chosen: AccountId | None, span: Span, fiat: str
) -> AsyncIterator[str]:
    """The file in pieces, header first; the accounts one after another in the order in which they were linked.

    A page is one consistent read; a sync between two pages may add rows to those that follow. Raises: NotFound for an account
    that is not the user's; InvalidField for a currency without a rate.
    """

    def begin(conn: Connection) -> Sequence[accounts.Account]:
        now = context.clock.now()
        check_currency(conn, fiat, now)
        return [accounts.get(conn, principal, chosen, now)] if chosen is not None else accounts.listed(conn, principal, now)

    found = await context.store.read(begin)
    names = {account.id: account.name or account.venue for account in found}
    yield csv_text([target.header], is_quoted=target.is_quoted)
    for account in found:
        wanted = Filter(start=span.start, end=span.end, limit=PAGE_MAX, is_ascending=True)
        while True:
            page = await Read(context).transactions(principal, account.id, wanted, fiat=fiat)
            yield csv_text(target.rows(page, ids=context.ids, accounts=names), is_quoted=target.is_quoted)
            if len(page.rows) < PAGE_MAX:
                break
            wanted = replace(wanted, last=page.rows[-1].transaction.id)
