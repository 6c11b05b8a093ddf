"""`omnifolio export …`: your transactions as a file that another program reads."""

from datetime import datetime
from pathlib import Path

import click

from omnifolio.app.exporting import Span, exported
from omnifolio.app.facts import END_OF_TIME
from omnifolio.exports.registry import TARGETS, target_of
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.session import Session, at_work, chosen_account, currency, fiat_option
from omnifolio.model.clock import EpochMs, end_of_day, start_of_day
from omnifolio.model.errors import InvalidField

DATE = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("target_name", metavar="FORMAT", type=click.Choice(list(TARGETS)))
@click.argument("path", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--account", "account_name", metavar="ACCOUNT", help="Only this account: its id, name or venue.")
@click.option("--from", "first", type=DATE, help="From this UTC day on.")
@click.option("--to", "last", type=DATE, help="Up to the end of this UTC day.")
@fiat_option
@pass_invocation
def export(
    invocation: Invocation,
    target_name: str,
    path: Path,
    account_name: str | None,
    first: datetime | None,
    last: datetime | None,
    fiat: str | None,
) -> None:
    """Write your transactions into FILE as FORMAT has it. A FILE that is there already stays as it is."""
    if path.exists():
        raise InvalidField(f"export: {path} exists already; choose another name")
    if not path.parent.is_dir():
        raise InvalidField(f"export: there is no folder {path.parent}")
    span = Span(start_of_day(first.date()) if first else EpochMs(0), end_of_day(last.date()) if last else END_OF_TIME)

    async def work(session: Session) -> int:
        chosen = None if account_name is None else await chosen_account(session, account_name)
        lines = -1
        with path.open("x", encoding="utf-8", newline="") as file:
            async for piece in exported(
                session.runtime.context,
                session.owner.principal,
                target_of(target_name),
                chosen=chosen,
                span=span,
                fiat=currency(session, fiat),
            ):
                file.write(piece)
                lines += piece.count("\r\n")
        return lines

    click.echo(f"Wrote {at_work(invocation, work)} rows for {TARGETS[target_name].name} into {path}.")
