"""`omnifolio db …`: the database's state, its upgrade, and a consistent copy of it."""

import contextlib
import sqlite3
from pathlib import Path

import click

from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show_one
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.model.errors import InvalidField
from omnifolio.store.engine import SqliteStore
from omnifolio.store.migrate import REVISION


@click.group()
def db() -> None:
    """The database: status, upgrade, backup."""


@db.command()
@format_option
@pass_invocation
def status(invocation: Invocation, output_format: str) -> None:
    """Which database, which schema."""

    async def work(session: Session) -> Row:
        store = session.runtime.context.store
        where = (
            str(store.path) if isinstance(store, SqliteStore) else session.runtime.context.settings.database_url.partition("@")[2]
        )
        return {"kind": store.dialect, "where": where, "schema": REVISION}

    show_one(at_work(invocation, work), output_format)


@db.command()
@pass_invocation
def upgrade(invocation: Invocation) -> None:
    """Bring the schema to this version's; every other command does the same when it starts."""

    async def work(session: Session) -> None:
        click.echo(f"{session.runtime.context.store.dialect}: schema {REVISION}")

    at_work(invocation, work)


@db.command()
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@pass_invocation
def backup(invocation: Invocation, target: Path) -> None:
    """Copy a SQLite database while it is in use. The copy is consistent and holds no key. PostgreSQL: use pg_dump."""

    if target.exists():
        raise InvalidField(f"backup: {target} exists already; choose another name")
    if not target.parent.is_dir():
        raise InvalidField(f"backup: there is no folder {target.parent}")

    async def work(session: Session) -> None:
        store = session.runtime.context.store
        if not isinstance(store, SqliteStore):
            raise InvalidField(
                "backup: this database is PostgreSQL; use pg_dump, and copy the key file and key store apart from it"
            )
        with contextlib.closing(sqlite3.connect(store.path)) as source, contextlib.closing(sqlite3.connect(target)) as copy:
            source.backup(copy)

    at_work(invocation, work)
    click.echo(f"Copied to {target}. Credentials in it open only with the key file and key store, which are not in it.")
