"""`omnifolio balances` and `omnifolio transactions`: what the owner holds, what happened, and what the owner says of it."""

import heapq
import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime

import click

from omnifolio.app.facts import END_OF_TIME
from omnifolio.app.read import Read
from omnifolio.faces.cli.deciding import transaction_commands
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, hidden_as_spam, show
from omnifolio.faces.cli.session import Session, at_work, chosen_account, currency, fiat_option
from omnifolio.faces.money import money
from omnifolio.ledger import accounts as ledger_accounts
from omnifolio.ledger.read import PAGE_MAX, Filter, StoredLeg
from omnifolio.meaning.classify import TYPES
from omnifolio.meaning.spam import REASONS
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs, end_of_day, iso, start_of_day
from omnifolio.model.errors import InvalidField
from omnifolio.model.ids import AccountId, TransactionId, WalletId
from omnifolio.views.accounts import AccountView
from omnifolio.views.transactions import TransactionPage, TransactionView
from omnifolio.views.transfers import confidence_text
from omnifolio.views.valuation import Money, Value

BALANCE_COLUMNS = ("venue", "wallet", "product", "asset", "amount", "value", "note")
SPAM_COLUMNS = ("venue", "wallet", "asset", "asset_id", "amount", "why")
TRANSACTION_COLUMNS = ("time", "venue", "type", "subtype", "out", "in", "fee", "value", "label", "note", "spam", "id")
DATE = click.DateTime(["%Y-%m-%d"])


@click.command()
@fiat_option
@click.option("--account", "account_name", metavar="ACCOUNT", help="Only this account: its id, name or venue.")
@click.option(
    "--known-at",
    metavar="SEQ|YYYY-MM-DD",
    help="As it was known after that change, or at the end of that day (UTC); without values.",
)
@click.option("--spam", is_flag=True, help="What is hidden as spam, and why, in the place of the rest.")
@format_option
@pass_invocation
def balances(
    invocation: Invocation,
    /,
    *,
    fiat: str | None,
    account_name: str | None,
    known_at: str | None,
    spam: bool,
    output_format: str,
) -> None:
    """What is held where, and what it is worth. Spam is hidden, and its number is told."""
    if spam and known_at is not None:
        raise click.UsageError("--known-at hides nothing; leave --spam out")

    async def work(session: Session) -> list[Row]:
        context = session.runtime.context
        chosen = None if account_name is None else await chosen_account(session, account_name)
        if known_at is not None:
            return await _known(session, known_at, chosen)
        rows: list[Row] = []
        hidden: set[str] = set()
        for view in await Read(context).accounts(session.owner.principal, fiat=currency(session, fiat), wallet=None):
            if chosen not in (None, view.account.id):
                continue
            keys = {wallet.id: wallet.key for wallet in view.wallets}
            hidden |= {item.token.id for item in view.hidden}
            if spam:
                rows.extend(_hidden(session, view, keys))
                continue
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
                    "fiat": currency(session, fiat),
                    "observed_at": holding.held.last_seen,
                    "note": _note(holding.value, is_suspect=holding.held.is_suspect),
                }
                for holding in view.holdings
            )
        if hidden and not spam:
            click.echo(hidden_as_spam(len(hidden)), err=True)
        return rows

    show(
        at_work(invocation, work),
        output_format,
        columns=SPAM_COLUMNS if spam else BALANCE_COLUMNS,
        empty="Nothing is hidden as spam." if spam else "No balances yet. Link an account with: omnifolio accounts add kraken",
    )


@click.group(invoke_without_command=True)
@fiat_option
@click.option("--account", "account_name", metavar="ACCOUNT", help="Only this account: its id, name or venue.")
@click.option("--ticker", help="Only transactions that move this ticker.")
@click.option("--wallet", help="Only transactions of this wallet.")
@click.option("--type", "types", multiple=True, type=click.Choice(TYPES), help="Only these types; may be repeated.")
@click.option("--from", "first", type=DATE, metavar="YYYY-MM-DD", help="First day, UTC.")
@click.option("--to", "last", type=DATE, metavar="YYYY-MM-DD", help="Last day, UTC, included.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1), help="At most so many.")
@format_option
@click.pass_context
def transactions(
    ctx: click.Context,
    /,
    *,
    fiat: str | None,
    account_name: str | None,
    ticker: str | None,
    wallet: str | None,
    types: tuple[str, ...],
    first: datetime | None,
    last: datetime | None,
    limit: int,
    output_format: str,
) -> None:
    """What happened, the newest first."""
    if ctx.invoked_subcommand is not None:
        return
    if first and last and last < first:
        raise click.BadParameter("the last day is before the first", ctx=ctx, param_hint="--to")

    async def work(session: Session) -> list[Row]:
        start = start_of_day(first.date()) if first else EpochMs(0)
        end = end_of_day(last.date()) if last else END_OF_TIME
        streams: list[list[tuple[int, Row]]] = []
        for account in await _chosen(session, account_name):
            found: list[tuple[int, Row]] = []
            edge: TransactionId | None = None
            while len(found) < limit:
                asked = min(limit - len(found), PAGE_MAX)
                wanted = Filter(start=start, end=end, limit=asked, last=edge, ticker=ticker, wallet=wallet, types=types)
                page = await Read(session.runtime.context).transactions(
                    session.owner.principal, account.id, wanted, fiat=currency(session, fiat)
                )
                found.extend(_rows(session, account, page))
                if len(page.rows) < asked:
                    break
                edge = page.rows[-1].transaction.id
            streams.append(found)
        newest = heapq.merge(*streams, key=lambda item: -item[0])
        return [row for _, row in itertools.islice(newest, limit)]

    rows = at_work(ctx.ensure_object(Invocation), work)
    show(rows, output_format, columns=TRANSACTION_COLUMNS, empty="No transactions fit.")


for _command in transaction_commands():
    transactions.add_command(_command)


def _hidden(session: Session, view: AccountView, keys: Mapping[WalletId, str]) -> Iterator[Row]:
    for item in view.hidden:
        yield {
            "account": session.runtime.context.ids.wire("account", view.account.id),
            "venue": view.account.venue,
            "wallet": keys[item.held.wallet],
            "asset": item.token.ticker,
            "asset_id": item.token.id,
            "amount": item.held.text,
            "reasons": list(item.reasons),
            "why": "; ".join(REASONS[reason] for reason in item.reasons),
        }


async def _known(session: Session, known_at: str, chosen: AccountId | None) -> list[Row]:
    """The balances as they were known after a change, given by its number, or at the end of a day."""
    asked, principal = Read(session.runtime.context), session.owner.principal
    if known_at.isascii() and known_at.isdigit():
        found = await asked.known(principal, int(known_at))
    else:
        try:
            day = date.fromisoformat(known_at)
        except ValueError:
            raise InvalidField(f"--known-at {known_at[:20]}: expected the number of a change, or a day") from None
        found = await asked.known_on(principal, end_of_day(day))
    return [
        {
            "account": session.runtime.context.ids.wire("account", row.account),
            "venue": row.venue,
            "wallet": row.wallet.key,
            "product": row.product,
            "asset": row.token.ticker,
            "asset_id": row.token.id,
            "amount": canonical(row.amount),
            "seq": found.seq,
            "known_at": found.at,
        }
        for row in found.balances
        if chosen in (None, row.account)
    ]


async def _chosen(session: Session, account_name: str | None) -> list[ledger_accounts.Account]:
    context, principal = session.runtime.context, session.owner.principal
    found = await context.store.read(ledger_accounts.listed, principal, context.clock.now())
    if account_name is None:
        return list(found)
    number = await chosen_account(session, account_name)
    return [account for account in found if account.id == number]


def _rows(session: Session, account: ledger_accounts.Account, page: TransactionPage) -> Iterator[tuple[int, Row]]:
    ids = session.runtime.context.ids
    for view in page.rows:
        row = view.transaction
        principals = [leg for leg in row.legs if leg.role == "principal"]
        fees = [leg for leg in row.legs if leg.role == "fee"]
        yield (
            row.at,
            {
                "id": ids.wire("transaction", row.id),
                "account": ids.wire("account", account.id),
                "venue": account.venue,
                "at": row.at,
                "time": iso(row.at)[:19].replace("T", " "),
                "type": row.type,
                "subtype": row.subtype,
                "status": row.status,
                "out": _sum(page, [leg for leg in principals if leg.amount < 0]),
                "in": _sum(page, [leg for leg in principals if leg.amount > 0]),
                "fee": _sum(page, fees),
                "value": _worth(view, principals),
                "fiat": page.currency,
                "ref": row.name,
                "event": row.event,
                "transfers": [
                    {
                        "account": ids.wire("account", side.account),
                        "transaction": ids.wire("transaction", side.transaction),
                        "evidence": list(tie.evidence),
                        "confidence": confidence_text(tie.confidence),
                    }
                    for tie in view.transfers
                    for side in (tie.source, tie.target)
                    if side.transaction != row.id
                ],
                "spam": "; ".join(REASONS[reason] for reason in view.spam.reasons) if view.spam.is_spam else None,
                "label": view.label,
                "note": view.note,
                "legs": [_leg(page, view, leg) for leg in row.legs],
            },
        )


def _sum(page: TransactionPage, legs: Sequence[StoredLeg]) -> str | None:
    """The legs for people, without signs: "0.5 ETH, 3 USDT"."""
    return ", ".join(f"{canonical(abs(leg.amount))} {page.tokens[leg.token].ticker}" for leg in legs) or None


def _leg(page: TransactionPage, view: TransactionView, leg: StoredLeg) -> Row:
    token = page.tokens[leg.token]
    value = view.values.get(leg.key)
    return {
        "wallet": page.wallets[leg.wallet].key,
        "asset": token.ticker,
        "asset_id": token.id,
        "amount": canonical(leg.amount),
        "role": leg.role,
        "value": money(value.amount) if isinstance(value, Money) else None,
    }


def _worth(view: TransactionView, legs: Sequence[StoredLeg]) -> str | None:
    values = (view.values.get(leg.key) for leg in legs)
    return next((_money(value) for value in values if isinstance(value, Money)), None)


def _money(value: Value) -> str | None:
    return money(abs(value.amount)) if isinstance(value, Money) else None


def _note(value: Value, *, is_suspect: bool) -> str | None:
    notes = ["the venue's latest answer lacks it; not believed yet"] if is_suspect else []
    if not isinstance(value, Money):
        notes.append(f"no price: {value.text}")
    elif value.is_stale:
        notes.append("the price is old")
    return "; ".join(notes) or None
