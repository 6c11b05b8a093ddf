"""`omnifolio teams …`: the developers and hosts who use the API, and their secrets."""

import click

from omnifolio.app import administer
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show, show_one
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.model.clock import DAY_MS
from omnifolio.tenancy import teams as tenancy
from omnifolio.tenancy.principals import operator

ROTATION_OVERLAP_DAYS = 7


@click.group()
def teams() -> None:
    """Teams that use the API: create, list, rotate their secret, deactivate."""


@teams.command()
@click.argument("name")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Where Connect may return to; may be repeated.")
@click.option("--origin", "origins", multiple=True, help="Page that may call the API or frame Connect; may be repeated.")
@format_option
@pass_invocation
def create(
    invocation: Invocation, name: str, redirect_uris: tuple[str, ...], origins: tuple[str, ...], output_format: str
) -> None:
    """A new team. Its secret is shown this once and never again."""

    async def work(session: Session) -> Row:
        context = session.runtime.context

        team, secret = await administer.create_team(
            context, operator("cli"), name=name, redirect_uris=redirect_uris, origins=origins
        )
        return {"name": team.name, "client_id": team.client_id, "secret": secret.reveal()}

    show_one(at_work(invocation, work), output_format)


@teams.command("list")
@format_option
@pass_invocation
def list_teams(invocation: Invocation, output_format: str) -> None:
    """All teams."""

    async def work(session: Session) -> list[Row]:
        found = await session.runtime.context.store.read(tenancy.list_all, operator("cli"))
        return [
            {
                "name": team.name,
                "client_id": team.client_id,
                "is_active": team.is_active,
                "origins": list(team.origins),
                "redirect_uris": list(team.redirect_uris),
            }
            for team in found
        ]

    show(at_work(invocation, work), output_format)


@teams.command()
@click.argument("client_id")
@click.option("--overlap-days", default=ROTATION_OVERLAP_DAYS, show_default=True, help="How long the old secret still works.")
@format_option
@pass_invocation
def rotate(invocation: Invocation, client_id: str, overlap_days: int, output_format: str) -> None:
    """A new secret for a team; the old one goes on for a while."""

    async def work(session: Session) -> Row:
        context = session.runtime.context

        secret = await administer.rotate_secret(context, operator("cli"), client_id, overlap_ms=overlap_days * DAY_MS)
        return {"client_id": client_id, "secret": secret.reveal()}

    show_one(at_work(invocation, work), output_format)


@teams.command()
@click.argument("client_id")
@pass_invocation
def deactivate(invocation: Invocation, client_id: str) -> None:
    """Refuse a team's secrets and tokens from now on; its data stay."""

    async def work(session: Session) -> None:
        await administer.deactivate_team(session.runtime.context, operator("cli"), client_id)

    at_work(invocation, work)
    click.echo("Deactivated. Its tokens and secrets are refused from now on; nothing was deleted.")
