"""`omnifolio balances` and `omnifolio transactions`: what the owner holds and what happened."""

from datetime import datetime

import click
from sqlalchemy.engine import Connection

from omnifolio.app.facts import END_OF_TIME
from omnifolio.app.read import Read
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.faces.money import money
from omnifolio.ledger import accounts as ledger_accounts
from omnifolio.ledger.read import PAGE_MAX, Filter
from omnifolio.meaning.classify import TYPES
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs, end_of_day, iso, start_of_day
from omnifolio.model.ids import AccountId, TransactionId
from omnifolio.views.transactions import TransactionPage
from omnifolio.views.valuation import Money, Value

BALANCE_COLUMNS = ("venue", "wallet", "product", "asset", "amount", "value", "note")
TRANSACTION_COLUMNS = ("time", "venue", "type", "moved", "fee", "value", "id")
DATE = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--fiat", default="USD", show_default=True, help="Currency of values.")
@click.option("--account", "account_id", help="Only this account.")
@format_option
@pass_invocation
def balances(invocation: Invocation, fiat: str, account_id: str | None, output_format: str) -> None:
    """What is held where, and what it is worth."""

    async def work(session: Session) -> list[Row]:
        context = session.runtime.context
        chosen = None if account_id is None else context.ids.integer("account", account_id)
        rows: list[Row] = []
        for view in await Read(context).accounts(session.owner.principal, fiat=fiat, wallet=None):
            keys = {wallet.id: wallet.key for wallet in view.wallets}
            rows.extend(
                {
                    "account": context.ids.wire("account", view.account.id),
                    "venue": view.account.venue,
                    "wallet": keys[holding.held.wallet],
                    "product": holding.held.product,
                    "asset": holding.token.ticker,
                    "asset_id": holding.token.id,
                    "amount": canonical(holding.held.amount),
                    "value": _money(holding.value),
                    "fiat": fiat,
                    "observed_at": holding.held.last_seen,
                    "note": _note(holding.value, is_suspect=holding.held.is_suspect),
                }
                for holding in view.holdings
                if chosen in (None, view.account.id)
            )
        return rows

    show(at_work(invocation, work), output_format, columns=BALANCE_COLUMNS, empty="No balances yet.")


@click.command()
@click.option("--fiat", default="USD", show_default=True, help="Currency of values.")
@click.option("--account", "account_id", help="Only this account.")
@click.option("--ticker", help="Only transactions that move this ticker.")
@click.option("--wallet", help="Only transactions of this wallet.")
@click.option("--type", "types", multiple=True, type=click.Choice(TYPES), help="Only these types; may be repeated.")
@click.option("--from", "first", type=DATE, help="First day, UTC.")
@click.option("--to", "last", type=DATE, help="Last day, UTC, included.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many per account.")
@format_option
@pass_invocation
def transactions(
    invocation: Invocation,
    fiat: str,
    account_id: str | None,
    ticker: str | None,
    wallet: str | None,
    types: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    limit: int,
    output_format: str,
) -> None:
    """What happened, the newest first."""

    async def work(session: Session) -> list[Row]:
        context, principal = session.runtime.context, session.owner.principal
        start = start_of_day(first.date()) if first else EpochMs(0)
        end = end_of_day(last.date()) if last else END_OF_TIME
        rows: list[tuple[int, Row]] = []
        for account in await _chosen(session, account_id):
            edge: TransactionId | None = None
            left = limit
            while left > 0:
                wanted = Filter(
                    start=start, end=end, limit=min(left, PAGE_MAX), last=edge, ticker=ticker, wallet=wallet, types=types
                )
                page = await Read(context).transactions(principal, account.id, wanted, fiat=fiat)
                rows.extend(_transaction_rows(session, account.venue, page, fiat))
                left -= len(page.rows)
                if len(page.rows) < wanted.limit:
                    break
                edge = page.rows[-1].transaction.id
        return [row for _at, row in sorted(rows, key=lambda item: -item[0])]

    show(at_work(invocation, work), output_format, columns=TRANSACTION_COLUMNS, empty="No transactions.")


async def _chosen(session: Session, account_id: str | None) -> list[ledger_accounts.Account]:
    context, principal = session.runtime.context, session.owner.principal

    def op(conn: Connection) -> list[ledger_accounts.Account]:
        now = context.clock.now()
        if account_id is None:
            return list(ledger_accounts.listed(conn, principal, now))
        number = AccountId(context.ids.integer("account", account_id))
        return [ledger_accounts.get(conn, principal, number, now)]

    return await context.store.read(op)


def _transaction_rows(session: Session, venue: str, page: TransactionPage, fiat: str) -> list[tuple[int, Row]]:
    found: list[tuple[int, Row]] = []
    for view in page.rows:
        row = view.transaction
        principals = [leg for leg in row.legs if leg.role == "principal"]
        fees = [leg for leg in row.legs if leg.role == "fee"]
        shown = {leg.key: f"{canonical(leg.amount)} {page.tokens[leg.token].ticker}" for leg in row.legs}
        valued = next((view.values[leg.key] for leg in principals if isinstance(view.values.get(leg.key), Money)), None)
        found.append(
            (
                row.at,
                {
                    "id": session.runtime.context.ids.wire("transaction", row.id),
                    "time": iso(row.at)[:19].replace("T", " "),
                    "at": row.at,
                    "venue": venue,
                    "type": row.type if row.subtype is None else f"{row.type} / {row.subtype}",
                    "status": row.status,
                    "moved": ", ".join(shown[leg.key] for leg in principals),
                    "fee": ", ".join(shown[leg.key] for leg in fees) or None,
                    "value": None if valued is None else _money(valued),
                    "fiat": fiat,
                    "ref": row.name,
                },
            )
        )
    return found


def _money(value: Value) -> str | None:
    return money(abs(value.amount) if value.amount < 0 else value.amount) if isinstance(value, Money) else None


def _note(value: Value, *, is_suspect: bool) -> str | None:
    notes = ["the venue's latest answer lacks it; not believed yet"] if is_suspect else []
    if not isinstance(value, Money):
        notes.append(f"no price: {value.reason}")
    elif value.is_stale:
        notes.append("the price is old")
    return "; ".join(notes) or None
