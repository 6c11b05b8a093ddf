"""`omnifolio connect …`: the Connect page for whoever runs this installation."""

import click

from omnifolio.app import connecting
from omnifolio.app.administer import team_info
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work, chosen_account


@click.group()
def connect() -> None:
    """The Connect page: a link that opens it once, and its visits."""


@connect.command()
@click.option("--provider", metavar="VENUE", help="The venue to begin with.")
@click.option("--account", help="The account to give new credentials: its id, or a name or venue that fits only one.")
@click.option("--lang", type=click.Choice(["en", "es", "fr", "it", "de"]), help="Language of the page.  [default: en]")
@pass_invocation
def link(invocation: Invocation, provider: str | None, account: str | None, lang: str | None) -> None:
    """A link to the Connect page of the running server; it opens once, within 30 minutes."""

    async def work(session: Session) -> str:
        context = session.runtime.context
        number = None if account is None else context.ids.wire("account", await chosen_account(session, account))
        made = await connecting.make_link(
            context, session.owner.principal, {"lang": lang} if lang else {}, provider=provider, account=number
        )
        return connecting.address_of(context.settings, made.token)

    click.echo(at_work(invocation, work))


@connect.command()
@click.option("--team", "client_id", metavar="CLIENT_ID", help="Whose page.  [default: the owner's]")
@click.option("--days", type=click.IntRange(1, 90), default=30, show_default=True, help="How far back.")
@format_option
@pass_invocation
def visits(invocation: Invocation, client_id: str | None, days: int, output_format: str) -> None:
    """How many visits of a Connect page came to which step; it knows no person."""

    async def work(session: Session) -> list[Row]:
        context = session.runtime.context
        team = session.owner.team if client_id is None else await team_info(context, client_id)
        return [
            {"step": found.step, "venue": found.venue, "outcome": found.outcome, "visits": found.visits}
            for found in await connecting.visits(context, team, days=days)
        ]

    show(at_work(invocation, work), output_format, empty="Nobody has opened the page.")
