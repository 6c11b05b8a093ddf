"""`omnifolio holdings …`: what the owner has that no venue tells, in a manual account."""

from typing import get_args

import click

from omnifolio.app import holding
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.session import Session, at_work, chosen_account
from omnifolio.ledger.overrides import Override
from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.prices import BRIDGE
from omnifolio.venues.manual import AssetClass, Holding, token_of

asset_option = click.option("--asset", required=True, help="What it is called; for cash its currency, such as EUR.")
class_option = click.option(
    "--class",
    "kind",
    default="other",
    show_default=True,
    type=click.Choice(get_args(AssetClass)),
    help="What kind of thing it is.",
)


@click.group()
def holdings() -> None:
    """What you own that no venue tells: houses, shares, cash. Begin with: omnifolio accounts add manual --name House"""


@holdings.command("set")
@click.argument("account")
@asset_option
@class_option
@click.option("--amount", default="1", show_default=True, help="How much of it.")
@click.option("--price", help="What one unit is worth; without it, a price that was set before stays.")
@click.option("--currency", default=BRIDGE, show_default=True, help="ISO 4217 code of the currency of the price.")
@pass_invocation
def set_holding(
    invocation: Invocation,
    /,
    *,
    account: str,
    asset: str,
    kind: AssetClass,
    amount: str,
    price: str | None,
    currency: str,
) -> None:
    """Say what is in ACCOUNT, or say it anew."""
    one = Holding(asset, kind, canonical(parse_amount(amount)))
    worth = None if price is None else Override(price=parse_amount(price, where="price"), currency=currency.upper())

    async def work(session: Session) -> str:
        number = await chosen_account(session, account)
        return await holding.hold(session.runtime.context, session.owner.principal, number, one, price=worth)

    click.echo(f"Holds {one.amount} {asset} as {at_work(invocation, work)}.")


@holdings.command("remove")
@click.argument("account")
@asset_option
@class_option
@pass_invocation
def remove_holding(invocation: Invocation, account: str, asset: str, kind: AssetClass) -> None:
    """Say that something is no longer in ACCOUNT; the price that you set for it goes, too."""

    async def work(session: Session) -> None:
        number = await chosen_account(session, account)
        await holding.drop(session.runtime.context, session.owner.principal, number, token_of(asset, kind).id)

    at_work(invocation, work)
    click.echo(f"Removed {asset}.")
