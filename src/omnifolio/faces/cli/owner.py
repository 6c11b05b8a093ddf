"""`omnifolio owner …`: who runs this installation for themselves, and a token for their own tools."""

import click

from omnifolio.app.administer import revoke_tokens
from omnifolio.app.authenticate import USER_SCOPES
from omnifolio.app.signing_in import sign_in_link
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show_one
from omnifolio.faces.cli.session import Session, at_work


@click.group()
def owner() -> None:
    """The owner's team and user."""


@owner.command("show")
@format_option
@pass_invocation
def show_owner(invocation: Invocation, output_format: str) -> None:
    """The owner's team and user id."""

    async def work(session: Session) -> Row:
        found = session.owner
        return {"team": found.team.name, "client_id": found.team.client_id, "user": found.user.uuid}

    show_one(at_work(invocation, work), output_format)


@owner.command()
@pass_invocation
def link(invocation: Invocation) -> None:
    """A link that signs a browser in to the console, once and within 15 minutes."""

    async def work(session: Session) -> str:
        settings = session.runtime.context.settings
        made = await sign_in_link(session.runtime.context)
        return f"{settings.reached_at()}/console#{made.reveal()}"

    click.echo(at_work(invocation, work))


@owner.command()
@pass_invocation
def token(invocation: Invocation) -> None:
    """A token for the API in the owner's name, valid for 20 minutes."""

    async def work(session: Session) -> str:
        context, found = session.runtime.context, session.owner
        return context.tokens.issue(found.team, found.user, USER_SCOPES, now=context.clock.now())

    click.echo(at_work(invocation, work))


@owner.command()
@pass_invocation
def revoke(invocation: Invocation) -> None:
    """Make every token in the owner's name invalid at once."""

    async def work(session: Session) -> None:
        await revoke_tokens(session.runtime.context, session.owner.principal)

    at_work(invocation, work)
    click.echo("Revoked. Every token in the owner's name is refused from now on; omnifolio owner token makes a new one.")
