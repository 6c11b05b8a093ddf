"""`omnifolio transfers …`: what went between the owner's own wallets, and saying what did."""

import click

from omnifolio.app import deciding
from omnifolio.app.deciding import Asked
from omnifolio.app.read import Read
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.ledger.transfers import PAGE_MAX
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import EpochMs, iso
from omnifolio.views.transfers import SideView, confidence_text

COLUMNS = ("time", "from", "to", "sent", "received", "lost", "evidence", "confidence", "source", "target")


@click.group(invoke_without_command=True)
@click.option("--offered", is_flag=True, help="Those that may be transfers and wait for your word.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, PAGE_MAX), help="At most so many.")
@format_option
@click.pass_context
def transfers(ctx: click.Context, /, *, offered: bool, limit: int, output_format: str) -> None:
    """What went from one of your wallets to another, the newest first."""
    if ctx.invoked_subcommand is not None:
        return

    async def work(session: Session) -> list[Row]:
        context = session.runtime.context
        found = await Read(context).transfers(
            session.owner.principal, state="offered" if offered else "linked", before=EpochMs(2**62), limit=limit
        )
        return [
            {
                "time": iso(item.source.at)[:19].replace("T", " "),
                "at": item.source.at,
                "state": item.told.state,
                "from": f"{item.source.venue}/{item.source.wallet.key}",
                "to": f"{item.target.venue}/{item.target.wallet.key}",
                "sent": _amount(item.source),
                "received": _amount(item.target),
                "lost": None if not item.lost else f"{canonical(item.lost)} {item.source.token.ticker}",
                "evidence": " ".join(item.told.evidence),
                "confidence": confidence_text(item.told.confidence),
                "source": context.ids.wire("transaction", item.source.transaction),
                "target": context.ids.wire("transaction", item.target.transaction),
            }
            for item in found
        ]

    empty = "Nothing waits for your word." if offered else "No transfers between your wallets are known."
    show(at_work(ctx.ensure_object(Invocation), work), output_format, columns=COLUMNS, empty=empty)


@transfers.command()
@click.argument("one")
@click.argument("other")
@pass_invocation
def link(invocation: Invocation, one: str, other: str) -> None:
    """Say that the transactions ONE and OTHER are the two sides of one transfer."""
    _say(invocation, one, other, "yes")
    click.echo("Linked; it stays so through every sync and rebuild. omnifolio decisions undo takes it back.")


@transfers.command()
@click.argument("one")
@click.argument("other")
@pass_invocation
def unlink(invocation: Invocation, one: str, other: str) -> None:
    """Say that the transactions ONE and OTHER are no transfer, whatever the evidence."""
    _say(invocation, one, other, "no")
    click.echo("Kept apart; it stays so through every sync and rebuild. omnifolio decisions undo takes it back.")


def _say(invocation: Invocation, one: str, other: str, value: str) -> None:
    async def work(session: Session) -> None:
        asked = Asked(kind="link", transaction=one, other=other, value=value)
        await deciding.decide(session.runtime.context, session.owner.principal, asked)

    at_work(invocation, work)


def _amount(side: SideView) -> str:
    return f"{canonical(side.amount)} {side.token.ticker}"
