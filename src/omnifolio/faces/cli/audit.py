"""`omnifolio audit …`: who did what, and the proof that the record is as it was written."""

import re

import click

from omnifolio.app import upkeep
from omnifolio.faces.cli.main import EXIT_REFUSED, Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show, show_one
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.model.clock import iso
from omnifolio.model.errors import InvalidField
from omnifolio.tenancy.audit import Head

_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")

team_option = click.option("--team", "client_id", metavar="CLIENT_ID", help="The record of this team, not of the installation.")


@click.group()
def audit() -> None:
    """Who did what here: accounts linked and removed, credentials kept and wiped, teams, tokens, keys."""


@audit.command("list")
@team_option
@format_option
@pass_invocation
def list_entries(invocation: Invocation, client_id: str | None, output_format: str) -> None:
    """Every line of the record, oldest first. It holds ids, never names, addresses or amounts."""

    async def work(session: Session) -> list[Row]:
        found = await upkeep.audit_entries(session.runtime.context, client_id)
        return [
            {
                "id": entry.id,
                "time": iso(entry.at),
                "actor": entry.actor,
                "action": entry.action,
                "target": entry.target,
                "user": entry.user,
            }
            for entry in found
        ]

    show(at_work(invocation, work), output_format, empty="Nothing was recorded yet.")


@audit.command("head")
@team_option
@format_option
@pass_invocation
def show_head(invocation: Invocation, client_id: str | None, output_format: str) -> None:
    """The present end of the record. Keep it outside the database: with it, verify also sees lines cut off at the end."""

    async def work(session: Session) -> Row:
        head = await upkeep.audit_head(session.runtime.context, client_id)
        return {"anchor": f"{head.id}:{head.digest.hex()}"}

    show_one(at_work(invocation, work), output_format)


@audit.command()
@team_option
@click.option("--anchor", metavar="ID:DIGEST", help="An end of the record that omnifolio audit head printed earlier.")
@pass_invocation
def verify(invocation: Invocation, client_id: str | None, anchor: str | None) -> int:
    """Is every line as it was written, in its place, and none missing?"""
    known = None if anchor is None else _anchor(anchor)

    async def work(session: Session) -> int | None:
        return await upkeep.audit_fault(session.runtime.context, client_id, known)

    fault = at_work(invocation, work)
    if fault is None:
        click.echo(
            "Every line is as it was written." if known else "Every line is as it was written; give --anchor to see a cut end."
        )
        return 0
    click.echo(f"Line {fault} is not as it was written, or a line before it is missing. Compare with a backup made earlier.")
    return EXIT_REFUSED


def _anchor(text: str) -> Head:
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise InvalidField("anchor: expected what omnifolio audit head printed, a number, a colon and 64 hexadecimal digits")
    return Head(id=int(found.group(1)), digest=bytes.fromhex(found.group(2)))
