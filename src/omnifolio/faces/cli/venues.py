"""`omnifolio venues …`: what can be connected, what each venue asks for, and which files can be read."""

import click

from omnifolio.app.offers import Offer
from omnifolio.catalog import layouts
from omnifolio.catalog.layouts import LayoutRow
from omnifolio.faces.cli.entering import offer_of, offers_of
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show, show_one
from omnifolio.faces.cli.verify import verify
from omnifolio.model.clock import SystemClock

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
    }
    show_one({**_row(offer), **fields, **told}, output_format)


@venues.command("files")
@format_option
def list_files(output_format: str) -> None:
    """The files that can be imported, where each one's form was seen, and whether a real one ever was."""
    show([_file(layouts.load(name)) for name in layouts.ids()], output_format, columns=FILE_COLUMNS)


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
