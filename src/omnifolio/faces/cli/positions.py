"""`omnifolio positions`: what is open at exchanges, and what it is worth beside the balances."""

from decimal import Decimal

import click

from omnifolio.app.read import Read
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work, chosen_account, currency, fiat_option
from omnifolio.faces.money import money
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import iso
from omnifolio.model.tokens import TokenId
from omnifolio.views.positions import PositionView

COLUMNS = (
    *("venue", "wallet", "contract", "kind", "side", "size", "of", "entry", "mark", "liquidation", "leverage", "mode"),
    *("expires", "profit", "in", "worth", "note"),
)


@click.command()
@fiat_option
@click.option("--account", "account_name", metavar="ACCOUNT", help="Only this account: its id, name or venue.")
@format_option
@pass_invocation
def positions(invocation: Invocation, fiat: str | None, account_name: str | None, output_format: str) -> None:
    """What is open, and what it is worth beside the balances."""

    async def work(session: Session) -> list[Row]:
        context = session.runtime.context
        chosen = None if account_name is None else await chosen_account(session, account_name)
        found = await Read(context).positions(session.owner.principal, chosen, fiat=currency(session, fiat))
        return [
            {
                "account": context.ids.wire("account", view.held.account),
                "venue": found.venues[view.held.account],
                "wallet": found.wallets[view.held.wallet].key,
                "scope": view.held.scope,
                **position_row(view),
            }
            for view in found.positions
        ]

    show(at_work(invocation, work), output_format, columns=COLUMNS, empty="No positions are open.")


def position_row(view: PositionView) -> Row:
    """A position as a row: prices in the quote currency, the profit in the one that settles, the worth in fiat money."""
    found = view.held.position

    def ticker(token: TokenId | None) -> str | None:
        return None if token is None else view.tokens[token].ticker

    return {
        "key": found.key,
        "contract": found.name,
        "kind": found.kind,
        "side": "short" if found.size < 0 else "long",
        "size": canonical(found.size),
        "of": ticker(found.size_token),
        "contracts": _text(found.contracts),
        "base": ticker(found.base),
        "quote": ticker(found.quote),
        "entry": _text(found.entry_price),
        "mark": _text(found.mark_price),
        "liquidation": _text(found.liquidation_price),
        "leverage": _text(found.leverage),
        "mode": found.margin_mode,
        "margin": _text(found.margin),
        "strike": _text(found.strike),
        "option": found.option,
        "expires": None if found.expires_at is None else iso(found.expires_at)[:16].replace("T", " "),
        "expires_at": found.expires_at,
        "opened_at": found.opened_at,
        "profit": _text(found.unrealised),
        "in": ticker(found.settle),
        "worth": None if view.total.missing else money(view.total.amount),
        "fiat": view.total.currency,
        "observed_at": view.held.last_seen,
        "note": "; ".join(f"{part.name}: {part.text}" for part in (*view.total.missing, *view.total.stale)) or None,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else canonical(amount)
