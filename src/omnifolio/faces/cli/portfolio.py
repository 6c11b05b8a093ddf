"""A portfolio for people: per account, per asset, in total, in several currencies, and what is missing from it."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

import click

from omnifolio.app.read import Read
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import NO_PRICE, Format, Row, format_option, hidden_as_spam, show, show_one
from omnifolio.faces.cli.session import Session, at_work, label_of
from omnifolio.faces.money import grouped, money
from omnifolio.ledger import overview
from omnifolio.ledger.overview import Counts
from omnifolio.model.amounts import canonical
from omnifolio.model.ids import AccountId
from omnifolio.views.accounts import AccountView
from omnifolio.views.portfolio import AssetLine, Portfolio
from omnifolio.views.valuation import Money, Total, Value

Portfolios = Mapping[str, Portfolio]
"""Currency → the same portfolio in it; the first one leads."""


@click.command()
@click.option("--fiat", "currencies", multiple=True, help="Currency of values; may be repeated.  [default: the setting fiat]")
@format_option
@pass_invocation
def portfolio(invocation: Invocation, currencies: tuple[str, ...], output_format: str) -> None:
    """Everything that the owner holds: per account, per asset, in total, and what is missing from it.

    JSON gives all of it; NDJSON and CSV give a row for each asset.
    """

    async def work(session: Session) -> tuple[Portfolios, Mapping[AccountId, Counts]]:
        context, principal = session.runtime.context, session.owner.principal
        asked = dict.fromkeys(fiat.upper() for fiat in currencies or (context.settings.fiat,))
        found = {fiat: (await Read(context).portfolio(principal, fiat=fiat))[0] for fiat in asked}
        return found, await counted(session, found)

    found, counts = at_work(invocation, work)
    if output_format == Format.JSON:
        show_one(as_document(found, counts), output_format)
    elif output_format != Format.TABLE:
        assets = as_document(found, counts)["assets"]
        show(
            [{"asset": row["asset"], "ticker": row["ticker"], "amount": row["amount"], **row["values"]} for row in assets],
            output_format,
        )
    elif not _lead(found).accounts:
        click.echo("No account is linked yet. Begin with: omnifolio accounts add kraken")
    else:
        print_portfolio(found, counts)


async def counted(session: Session, found: Portfolios) -> Mapping[AccountId, Counts]:
    """How many balances and transactions each account has."""
    store, principal = session.runtime.context.store, session.owner.principal
    return {view.account.id: await store.read(overview.counts, principal, view.account.id) for view in _lead(found).accounts}


def as_document(found: Portfolios, counts: Mapping[AccountId, Counts]) -> Row:
    """The portfolio as a document for programs; money with two decimals, amounts exact."""
    lead = _lead(found)
    return {
        "accounts": [
            {
                "venue": view.account.venue,
                "name": view.account.name,
                "status": view.account.status,
                "balances": counts[view.account.id].balances,
                "transactions": counts[view.account.id].transactions,
                "values": {fiat: money(each.accounts[n].total.amount) for fiat, each in found.items()},
                "complete": view.total.complete,
            }
            for n, view in enumerate(lead.accounts)
        ],
        "balances": [
            {
                "venue": view.account.venue,
                "wallet": purses[holding.held.wallet],
                "product": holding.held.product,
                "asset": holding.token.ticker,
                "asset_id": holding.token.id,
                "amount": canonical(holding.held.amount),
                "values": {fiat: _worth(each.accounts[n].holdings[m].value) for fiat, each in found.items()},
                "priced_at": holding.value.price.bucket if isinstance(holding.value, Money) and holding.value.price else None,
            }
            for n, view in enumerate(lead.accounts)
            for purses in [{purse.id: purse.key for purse in view.wallets}]
            for m, holding in enumerate(view.holdings)
        ],
        "positions": [
            {
                "venue": view.account.venue,
                "wallet": purses[item.held.wallet],
                "contract": item.held.position.name,
                "kind": item.held.position.kind,
                "size": canonical(item.held.position.size),
                "values": {fiat: _sum(each.accounts[n].positions[m].total) for fiat, each in found.items()},
            }
            for n, view in enumerate(lead.accounts)
            for purses in [{purse.id: purse.key for purse in view.wallets}]
            for m, item in enumerate(view.positions)
        ],
        "assets": [
            {
                "asset": line.asset,
                "ticker": line.ticker,
                "amount": canonical(line.amount),
                "values": {fiat: _value(each, line, money) for fiat, each in found.items()},
            }
            for line in lead.assets
        ],
        "positions_values": {fiat: _sum(each.positions) for fiat, each in found.items()},
        "totals": {fiat: money(each.total.amount) for fiat, each in found.items()},
        "complete": lead.total.complete,
        "missing": [{"asset": line.asset, "ticker": line.ticker, "reason": _reason(line)} for line in _unpriced(lead)],
        "hidden": lead.hidden,
        "partial": lead.is_partial,
        "unread": [{"account": label_of(item.account), "reason": item.text} for item in lead.unread],
    }


def print_portfolio(found: Portfolios, counts: Mapping[AccountId, Counts]) -> None:
    """The portfolio as two tables and the totals."""
    lead = _lead(found)
    click.echo()
    show(
        [
            {
                "account": label_of(view.account),
                "balances": counts[view.account.id].balances,
                "transactions": counts[view.account.id].transactions,
                **{fiat: grouped(each.accounts[n].total.amount) for fiat, each in found.items()},
                "without": list(dict.fromkeys(part.name for part in view.total.missing)),
                "state": view.account.error_text or view.account.status,
            }
            for n, view in enumerate(lead.accounts)
        ],
        Format.TABLE,
    )
    click.echo()
    shared = _shared_tickers(lead)
    show(
        [
            {
                "asset": line.ticker,
                "name": f"{line.ticker} at {_place(line)}" if line.ticker in shared and not line.is_verified else line.name,
                "amount": canonical(line.amount),
                **{fiat: _value(each, line, grouped) or NO_PRICE for fiat, each in found.items()},
            }
            for line in lead.assets
        ],
        Format.TABLE,
    )
    click.echo()
    _print_positions(found)
    totals = {fiat: grouped(each.total.amount) for fiat, each in found.items()}
    wide = max(map(len, totals.values()))
    for fiat, text in totals.items():
        click.echo(f"Total {fiat}  {text:>{wide}}{'' if lead.total.complete else '  (incomplete)'}")
    _print_missing(lead)


def _print_positions(found: Portfolios) -> None:
    """What is open, and what it adds to the assets; nothing where nothing is."""
    rows = [
        {
            "position": item.held.position.name,
            "at": label_of(view.account),
            "size": canonical(item.held.position.size),
            "of": item.tokens[item.held.position.size_token].ticker,
            **{fiat: _sum(each.accounts[n].positions[m].total, grouped) or NO_PRICE for fiat, each in found.items()},
        }
        for n, view in enumerate(_lead(found).accounts)
        for m, item in enumerate(view.positions)
    ]
    if rows:
        show(rows, Format.TABLE)
        click.echo()


def unvalued(view: AccountView) -> list[str]:
    """What an account's value lacks: tokens without a price, prices that are old."""
    return [f"{part.name}: {part.text}" for part in (*view.total.missing, *view.total.stale)]


def _print_missing(lead: Portfolio) -> None:
    reasons: dict[str, list[str]] = {}
    for line in _unpriced(lead):
        reasons.setdefault(_reason(line), []).append(line.ticker if line.is_verified else f"{line.ticker} at {_place(line)}")
    for reason, names in reasons.items():
        click.echo(f"Not in the total ({reason}): {', '.join(names)}")
    if lead.total.stale:
        click.echo("Valued with an old price: " + ", ".join(part.name for part in lead.total.stale))
    if lead.hidden:
        click.echo(hidden_as_spam(lead.hidden))
    for item in lead.unread:
        click.echo(f"Not read wholly: {label_of(item.account)}: {item.text}")


def _lead(found: Portfolios) -> Portfolio:
    return next(iter(found.values()))


def _unpriced(lead: Portfolio) -> Sequence[AssetLine]:
    return [line for line in lead.assets if line.value.missing]


def _reason(line: AssetLine) -> str:
    return line.value.missing[0].text


def _shared_tickers(lead: Portfolio) -> frozenset[str]:
    tickers = [line.ticker for line in lead.assets]
    return frozenset(ticker for ticker in tickers if tickers.count(ticker) > 1)


def _place(line: AssetLine) -> str:
    """Where a token that nobody has reviewed is: `kraken` of `venue:kraken/ORB`, the chain of a CAIP-19 id."""
    return line.asset.removeprefix("venue:").partition("/")[0]


def _sum(total: Total, form: Callable[[Decimal], str] = money) -> str | None:
    """A sum of values; None where a part of it has none."""
    return None if total.missing else form(total.amount)


def _worth(value: Value) -> str | None:
    return money(value.amount) if isinstance(value, Money) else None


def _value(each: Portfolio, line: AssetLine, form: Callable[[Decimal], str]) -> str | None:
    same = next(other for other in each.assets if other.asset == line.asset)
    return None if same.value.missing else form(same.value.amount)
