"""In whose name a command about webhooks acts: the owner's team, or another one that the operator names."""

from collections.abc import Callable
from typing import Any

import click

from omnifolio.app.administer import team_info
from omnifolio.faces.cli.session import Session
from omnifolio.model.accounts import Principal


def team_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--team`, as `team`; None for the owner's own."""
    return click.option("--team", metavar="CLIENT_ID", help="The team whose webhooks are meant.  [default: the owner's]")(command)


async def acting(session: Session, team: str | None) -> Principal:
    """An administrator of that team. Raises: NotFound."""
    found = session.owner.team if team is None else await team_info(session.runtime.context, team)
    return Principal(team=found.id, user=None, actor="cli", scopes=frozenset({"admin"}))
