"""`omnifolio decisions …`, and the words on one transaction: what the owner says, who said it when, taken back, carried away."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from omnifolio.app import deciding
from omnifolio.app.deciding import Asked
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.ledger.carrying import Document, Loaded
from omnifolio.ledger.overlays import OverlayKind
from omnifolio.model.clock import iso
from omnifolio.model.errors import InvalidField

COLUMNS = ("kind", "about", "value", "reason", "author", "at", "id")
_COMMANDS: tuple[tuple[OverlayKind, str], ...] = (
    ("label", "Label a transaction in your own words, or take the label back."),
    ("note", "Write a note on a transaction, or take it back."),
    ("spam", "Say whether a transaction is spam (yes or no), or take that back."),
    ("type", "Say what a transaction is (deposit, reward/staking_reward …), or take that back."),
)


@click.group()
def decisions() -> None:
    """What you have said of transactions, addresses and tokens. It stays through every sync and rebuild."""


@decisions.command("list")
@format_option
@pass_invocation
def list_decisions(invocation: Invocation, output_format: str) -> None:
    """Every decision that stands, oldest first, with who made it and when."""

    async def work(session: Session) -> list[Row]:
        found = await deciding.listed(session.runtime.context, session.owner.principal)
        return [
            {
                "id": item.id,
                "kind": item.kind,
                "about": " ".join(filter(None, (item.transaction, item.other, item.address, item.asset_id, item.day))),
                "value": item.value if item.currency is None else f"{item.value} {item.currency}",
                "reason": item.reason,
                "author": item.author,
                "at": iso(item.at),
            }
            for item in found
        ]

    show(at_work(invocation, work), output_format, columns=COLUMNS, empty="You have decided nothing yet.")


@decisions.command()
@click.argument("decision")
@pass_invocation
def undo(invocation: Invocation, decision: str) -> None:
    """Take DECISION back (omnifolio decisions list shows the ids)."""

    async def work(session: Session) -> None:
        await deciding.undo(session.runtime.context, session.owner.principal, decision)

    at_work(invocation, work)
    click.echo("Took it back.")


@decisions.command("label")
@click.argument("address")
@click.argument("text", required=False)
@click.option("--remove", is_flag=True, help="Take it back.")
@pass_invocation
def label_address(invocation: Invocation, address: str, text: str | None, remove: bool) -> None:
    """Say whose ADDRESS is, or take that back."""
    if (text is None) is not remove:
        raise click.UsageError("give either TEXT or --remove")

    async def work(session: Session) -> None:
        await _say(session, Asked(kind="label", address=address, value=text or ""), remove=remove)

    at_work(invocation, work)
    click.echo("Took the label back." if remove else "Set the label; it stands beside every movement from and to it.")


@decisions.command("spam")
@click.argument("asset_id")
@click.argument("answer", required=False, type=click.Choice(["yes", "no"]))
@click.option("--remove", is_flag=True, help="Take it back.")
@pass_invocation
def spam_token(invocation: Invocation, asset_id: str, answer: str | None, remove: bool) -> None:
    """Say whether the token ASSET_ID is spam (omnifolio balances --spam names the ids), or take that back."""
    if (answer is None) is not remove:
        raise click.UsageError("give either yes, no or --remove")

    async def work(session: Session) -> None:
        await _say(session, Asked(kind="spam", asset_id=asset_id, value=answer or ""), remove=remove)

    at_work(invocation, work)
    click.echo("Took it back; the token is judged by itself again." if remove else f"Spam: {answer}. It holds in every total.")


@decisions.command("export")
@pass_invocation
def export_decisions(invocation: Invocation) -> None:
    """Print every decision as a JSON document that `import` takes."""

    async def work(session: Session) -> Document:
        return await deciding.unload(session.runtime.context, session.owner.principal)

    click.echo(msgspec.json.format(msgspec.json.encode(at_work(invocation, work))).decode())


@decisions.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@pass_invocation
def import_decisions(invocation: Invocation, file: Path) -> None:
    """Take over the decisions in FILE; - is standard input. An own later decision is kept."""
    body = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        document = msgspec.json.decode(body, type=Document)
    except msgspec.MsgspecError as error:
        raise InvalidField(f"{file}: {error}") from None

    async def work(session: Session) -> Loaded:
        return await deciding.load(session.runtime.context, session.owner.principal, document)

    done = at_work(invocation, work)
    click.echo(f"{done.made} made, {done.same} stood already, {done.outweighed} outweighed by a later one of yours.")
    for item in done.unfound:
        click.echo(f"Not taken over: number {item.place + 1}, {item.why}", err=True)


def transaction_commands() -> Iterator[click.Command]:
    """The commands that say something of one transaction."""
    for kind, doc in _COMMANDS:
        yield _transaction_command(kind, doc)


def _transaction_command(kind: OverlayKind, doc: str) -> click.Command:
    @click.command(kind, help=doc)
    @click.argument("transaction")
    @click.argument("text", required=False)
    @click.option("--reason", default="", help="Why; it is kept beside it.")
    @click.option("--remove", is_flag=True, help="Take it back.")
    @pass_invocation
    def command(invocation: Invocation, transaction: str, text: str | None, reason: str, remove: bool) -> None:
        if (text is None) is not remove:
            raise click.UsageError("give either TEXT or --remove")

        async def work(session: Session) -> None:
            await _say(session, Asked(kind=kind, transaction=transaction, value=text or "", reason=reason), remove=remove)

        at_work(invocation, work)
        click.echo(f"Took the {kind} back." if remove else f"Set the {kind}; it stays through every sync and rebuild.")

    return command


async def _say(session: Session, asked: Asked, *, remove: bool) -> None:
    say = deciding.undo_on if remove else deciding.decide
    await say(session.runtime.context, session.owner.principal, asked)
