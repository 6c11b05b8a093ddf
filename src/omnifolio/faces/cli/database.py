"""`omnifolio db …`: the database's state, its upgrade, and a consistent copy of it."""

from pathlib import Path

import click

from omnifolio.app import upkeep
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show_one
from omnifolio.faces.cli.session import Session, at_work


@click.group()
def db() -> None:
    """The database: status, upgrade, backup."""


@db.command()
@format_option
@pass_invocation
def status(invocation: Invocation, output_format: str) -> None:
    """Which database, which schema."""

    async def work(session: Session) -> Row:
        found = upkeep.database(session.runtime.context)
        return {"kind": found.kind, "where": found.where, "schema": found.schema}

    show_one(at_work(invocation, work), output_format)


@db.command()
@pass_invocation
def upgrade(invocation: Invocation) -> None:
    """Bring the schema to this version's; every other command does the same when it starts."""

    async def work(session: Session) -> upkeep.Database:
        return upkeep.database(session.runtime.context)

    found = at_work(invocation, work)
    click.echo(f"{found.kind}: schema {found.schema} is in place.")


@db.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@pass_invocation
def backup(invocation: Invocation, target: Path) -> None:
    """Copy a SQLite database while it is in use. The copy is consistent and holds no key. PostgreSQL: use pg_dump."""

    async def work(session: Session) -> None:
        upkeep.backup(session.runtime.context, target)

    at_work(invocation, work)
    click.echo(f"Copied to {target}. Credentials in it open only with the key file and key store, which are not in it.")
