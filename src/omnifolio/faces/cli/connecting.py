"""`omnifolio connect …`: the Connect page for whoever runs this installation."""

import click

from omnifolio.app import connecting
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.session import Session, at_work, chosen_account


@click.group()
def connect() -> None:
    """A link that opens the Connect page once, in the owner's name."""


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
