"""`omnifolio prices …`: what a token is worth in your own judgement, for one day or for always."""

from datetime import date

import click
from sqlalchemy.engine import Connection

from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.ledger import overlays, overrides
from omnifolio.ledger.tokens import by_ids
from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.clock import iso
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.prices import BRIDGE
from omnifolio.model.tokens import TokenId

day_option = click.option("--day", metavar="YYYY-MM-DD", help="The UTC day on which it holds.  [default: every day]")


@click.group()
def prices() -> None:
    """Prices that you set yourself. They win over every source, for you alone, and stay through every sync and rebuild."""


@prices.command("list")
@format_option
@pass_invocation
def list_prices(invocation: Invocation, output_format: str) -> None:
    """Every price that you have set."""

    async def work(session: Session) -> list[Row]:
        found = await session.runtime.context.store.read(overrides.listed, session.owner.principal)
        return [
            {
                "asset_id": item.token,
                "day": item.day,
                "price": canonical(item.override.price),
                "currency": item.override.currency,
                "reason": item.reason,
                "set_at": iso(item.at),
            }
            for item in found
        ]

    show(at_work(invocation, work), output_format, empty="You have set no price; omnifolio prices set does.")


@prices.command("set")
@click.argument("asset_id")
@click.argument("price")
@click.option("--currency", default=BRIDGE, show_default=True, help="ISO 4217 code of the currency of the price.")
@click.option("--reason", default="", help="Why; it is kept beside the price.")
@day_option
@pass_invocation
def set_price(invocation: Invocation, asset_id: str, price: str, currency: str, reason: str, day: str | None) -> None:
    """Say what one unit of ASSET_ID is worth (omnifolio balances -o json names the ids). 0 means worthless."""
    wanted = overrides.Override(price=parse_amount(price, where="price"), currency=currency.upper())

    async def work(session: Session) -> None:
        context = session.runtime.context

        def op(conn: Connection) -> None:
            token = TokenId(asset_id)
            if not by_ids(conn, [token]):
                raise NotFound(f"no balance or transaction names {asset_id[:80]!r}; omnifolio balances -o json shows the ids")
            overrides.set_price(
                conn, session.owner.principal, token, wanted, day=_day(day), now=context.clock.now(), reason=reason
            )

        await context.store.write(op)

    at_work(invocation, work)
    click.echo(f"{asset_id} counts as {canonical(wanted.price)} {wanted.currency} {'on ' + day if day else 'every day'}.")


@prices.command()
@click.argument("asset_id")
@day_option
@pass_invocation
def unset(invocation: Invocation, asset_id: str, day: str | None) -> None:
    """Take a price back; the sources count again."""

    async def work(session: Session) -> None:
        context = session.runtime.context
        target = overrides.target_of(TokenId(asset_id), _day(day))

        def op(conn: Connection) -> None:
            overlays.drop(conn, session.owner.principal, kind=overrides.OVERLAY_KIND, target=target, now=context.clock.now())

        await context.store.write(op)

    at_work(invocation, work)
    click.echo(f"Took the price of {asset_id} back.")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidField(f"day: {text[:20]!r} is no date; expected YYYY-MM-DD") from None
