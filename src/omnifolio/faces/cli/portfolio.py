"""A portfolio for people: per account, per asset, in total, in several currencies, and what is missing from it."""

from collections.abc import Mapping

import click

from omnifolio.faces.cli.output import Row, show
from omnifolio.faces.money import grouped, money
from omnifolio.ledger.overview import Counts
from omnifolio.model.amounts import canonical
from omnifolio.model.ids import AccountId
from omnifolio.views.portfolio import Portfolio
from omnifolio.views.valuation import Total

PORTFOLIO = Mapping[str, Portfolio]
"""Currency → the same portfolio in it; the first one leads."""


def as_document(found: PORTFOLIO, counted: Mapping[AccountId, Counts]) -> Row:
    """The portfolio as a document for programs; money with two decimals, amounts exact."""
    lead = next(iter(found.values()))
    return {
        "accounts": [
            {
                "venue": view.account.venue,
                "status": view.account.status,
                "balances": counted[view.account.id].balances,
                "transactions": counted[view.account.id].transactions,
                "values": {fiat: money(portfolio.accounts[n].total.amount) for fiat, portfolio in found.items()},
                "complete": view.total.complete,
            }
            for n, view in enumerate(lead.accounts)
        ],
        "assets": [
            {
                "asset": line.asset,
                "ticker": line.ticker,
                "amount": canonical(line.amount),
                "values": {fiat: _of(portfolio, line.asset) for fiat, portfolio in found.items()},
            }
            for line in lead.assets
        ],
        "totals": {fiat: money(portfolio.total.amount) for fiat, portfolio in found.items()},
        "complete": lead.total.complete,
        "missing": [f"{part.name}: {part.text}" for part in lead.total.missing],
        "partial": lead.is_partial,
    }


def print_portfolio(found: PORTFOLIO, counted: Mapping[AccountId, Counts]) -> None:
    """The portfolio as two tables and the totals."""
    lead = next(iter(found.values()))
    click.echo()
    show(
        [
            {
                "account": view.account.venue,
                "balances": counted[view.account.id].balances,
                "transactions": counted[view.account.id].transactions,
                **{fiat: _shown(portfolio.accounts[n].total) for fiat, portfolio in found.items()},
                "state": view.account.status if view.account.error_text is None else view.account.error_text,
            }
            for n, view in enumerate(lead.accounts)
        ],
        "table",
    )
    click.echo()
    show(
        [
            {
                "asset": line.ticker,
                "name": line.name,
                "amount": canonical(line.amount),
                **{fiat: _by_asset(portfolio, line.asset) for fiat, portfolio in found.items()},
            }
            for line in lead.assets
        ],
        "table",
    )
    click.echo()
    for fiat, portfolio in found.items():
        click.echo(f"Total {fiat}  {grouped(portfolio.total.amount)}{'' if portfolio.total.complete else '  (incomplete)'}")
    _print_missing(lead.total)


def _print_missing(total: Total) -> None:
    if total.missing:
        click.echo("Not in the total: " + "; ".join(f"{part.name} ({part.text})" for part in total.missing))
    if total.stale:
        click.echo("Valued with an old price: " + ", ".join(part.name for part in total.stale))


def _shown(total: Total) -> str:
    return grouped(total.amount) + ("" if total.complete else " +?")


def _by_asset(portfolio: Portfolio, asset: str) -> str:
    line = next(line for line in portfolio.assets if line.asset == asset)
    return "no price" if line.value.missing else grouped(line.value.amount)


def _of(portfolio: Portfolio, asset: str) -> str | None:
    line = next(line for line in portfolio.assets if line.asset == asset)
    return None if line.value.missing else money(line.value.amount)
