"""`omnifolio venues …`: what can be connected, what each venue asks for, and which files can be read."""

import contextlib
from collections.abc import Sequence

import click

from omnifolio.app import link as linking
from omnifolio.app.finding import Found, asked_chains, find, told_by_form
from omnifolio.app.offer import Offer
from omnifolio.catalog import layouts
from omnifolio.catalog.layouts import LayoutRow
from omnifolio.faces.cli.entering import address_of, offer_of, offers_of
from omnifolio.faces.cli.main import EXIT_INCOMPLETE, Invocation, pass_invocation, run
from omnifolio.faces.cli.output import Row, format_option, show, show_one
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.faces.cli.verify import verify
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import AlreadyConnected
from omnifolio.venues.sources import host_of

LIST_COLUMNS = ("id", "name", "category", "fields", "proof", "live")
FILE_COLUMNS = ("id", "name", "account", "time_zone", "seen_real", "seen")


@click.group()
def venues() -> None:
    """Exchanges, chains and files that can be connected."""


@venues.command("list")
@click.option("--category", type=click.Choice(["exchanges", "blockchains", "wallets"]), help="Only this category.")
@format_option
@pass_invocation
def list_venues(invocation: Invocation, category: str | None, output_format: str) -> None:
    """All venues, and how each connector has been proved."""
    show(
        [_row(offer.at(SystemClock().now())) for offer in offers_of(invocation).all if category in (None, offer.category)],
        output_format,
        columns=LIST_COLUMNS,
    )


@venues.command("show")
@click.argument("venue")
@format_option
@pass_invocation
def show_venue(invocation: Invocation, venue: str, output_format: str) -> None:
    """One venue: what it asks for and where to find that."""
    offer = offer_of(offers_of(invocation), venue).at(SystemClock().now())
    fields = {field.name: f"{field.label}{'' if not field.is_secret else ' (secret)'}" for field in offer.fields}
    told = {
        "instructions": offer.steps or None,
        "key_check": offer.key_check or None,
        "egress_ips": list(offer.egress_ips),
        "notice": offer.notice,
        "data": _data(offer),
        "asks": list(offer.sources),
    }
    show_one({**_row(offer), **fields, **told}, output_format)


@venues.command("files")
@format_option
def list_files(output_format: str) -> None:
    """The files that can be imported, where each one's form was seen, and whether a real one ever was."""
    show([_file(layouts.load(name)) for name in layouts.ids()], output_format, columns=FILE_COLUMNS)


@venues.command("find")
@click.argument("address")
@click.option("--chain", "chains", metavar="CHAIN", multiple=True, help="Only this chain; several times for several.")
@click.option("--dry-run", is_flag=True, help="Only say who would be asked; nobody is.")
@click.option("--all", "is_all", is_flag=True, help="Show chains on which nothing was found as well.")
@click.option("--link", "is_linked", is_flag=True, help="Link the address on every chain on which something was found.")
@format_option
@pass_invocation
def find_address(
    invocation: Invocation,
    /,
    *,
    address: str,
    chains: tuple[str, ...],
    dry_run: bool,
    is_all: bool,
    is_linked: bool,
    output_format: str,
) -> int:
    """On which chains an address lives; nothing is stored without --link.

    Of an EVM address (0x…, or a name) a node of each chain is asked once, and learns of it. The form of any other address, of an
    extended key or a descriptor says where it lives, and nobody is asked. Linked accounts are read by the server, or by omnifolio
    accounts sync. Exit code 6: some chains did not answer.
    """
    settings = invocation.settings()
    if others := told_by_form(offers_of(invocation), address, chains=chains):
        return _show_others(invocation, others, address, is_linked=is_linked and not dry_run, output_format=output_format)
    if dry_run:
        asked = asked_chains(settings, chains)
        rows = [{"chain": chain.id, "source": ", else ".join(map(host_of, urls)), "own": own} for chain, urls, own in asked]
        show(rows, output_format)
        return 0
    wallet = address_of(invocation, address)
    found = run(lambda: find(settings, wallet, chains=chains, clock=SystemClock()))
    if is_linked:
        there = [row.chain.id for row in found if row.presence is not None and row.presence.is_there]
        at_work(invocation, lambda session: _link_all(session, there, wallet))
    shown = [row for row in found if is_all or row.presence is None or row.presence.is_there]
    show([_found(row) for row in shown], output_format, empty="Nothing was found of this address.")
    return EXIT_INCOMPLETE if any(row.presence is None for row in found) else 0


def _show_others(invocation: Invocation, others: Sequence[Offer], address: str, *, is_linked: bool, output_format: str) -> int:
    names = [offer.name for offer in others]
    if is_linked and len(names) > 1:
        raise click.UsageError(f"such an address lives on several chains: choose with --chain {names[0]}, of {', '.join(names)}")
    if is_linked:
        at_work(invocation, lambda session: _link_all(session, names, address))
    rows: list[Row] = [
        {"chain": offer.name, "name": offer.display_name, "source": ", else ".join(offer.sources)} for offer in others
    ]
    show(rows, output_format)
    return 0


async def _link_all(session: Session, venues: Sequence[str], address: str) -> None:
    """Links the address at each venue; one that is linked already stays as it is."""
    for venue in venues:
        with contextlib.suppress(AlreadyConnected):
            await linking.link(
                session.runtime.context,
                session.owner.principal,
                provider=venue,
                entered={"wallet": address},
                name=None,
                options={},
            )


def _found(row: Found) -> Row:
    told = row.presence
    return {
        "chain": row.chain.id,
        "sent": None if told is None else told.sent,
        "balance": None if told is None else canonical(told.native),
        "ticker": row.chain.ticker,
        "tokens": [] if told is None else list(told.tokens),
        "source": row.source,
        "error": row.error or None,
    }


venues.add_command(verify)


def _data(offer: Offer) -> list[str]:
    """What it gives, in words: "trades (sampled, 90 days)"."""
    return [
        f"{item.kind} ({item.proof}{'' if item.look_back_days is None else f', {item.look_back_days} days'})"
        for item in offer.data
    ]


def _file(row: LayoutRow) -> Row:
    return {
        "id": row.id,
        "name": row.display_name,
        "account": "any" if row.venue == layouts.NO_VENUE else row.venue,
        "time_zone": row.time_zone,
        "seen_real": row.seen_real,
        "seen": row.seen,
        "source": row.source,
    }


def _row(offer: Offer) -> Row:
    return {
        "id": offer.name,
        "name": offer.display_name,
        "category": offer.category,
        "fields": [field.name for field in offer.fields],
        "proof": offer.proof,
        "live": offer.live.date if offer.live else None,
    }
