"""Every venue there is and who reads it: a table of families, and the rows of each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from omnifolio.catalog import exchanges, layouts
from omnifolio.catalog.chains import evm_chain, evm_chains
from omnifolio.model.errors import NotFound
from omnifolio.venues.contract import Reader
from omnifolio.venues.demo.reader import DemoReader
from omnifolio.venues.evm.reader import EvmReader
from omnifolio.venues.exchanges.reader import ExchangeReader
from omnifolio.venues.files.reader import STREAM_KIND, FileReader

AuthType = Literal["token", "password", "wallet", "file"]


class Field(Struct, frozen=True, kw_only=True):
    """One thing that a user enters to link an account. `pattern` is a regular expression for the whole value, "" for any."""

    name: str
    label: str
    is_secret: bool
    pattern: str = ""
    hint: str = ""


class VenueRow(Struct, frozen=True, kw_only=True):
    """What is told of a venue before anybody has linked it. `is_simulated`: it exists only where a sandbox runs."""

    id: str
    display_name: str
    family: str
    category: str
    auth: AuthType
    fields: tuple[Field, ...]
    wallets: Mapping[str, str]
    documentation: str = ""
    is_simulated: bool = False


def _exchange(venue: str) -> VenueRow:
    row = exchanges.load(venue)
    return VenueRow(
        id=row.id,
        display_name=row.display_name,
        family="exchange",
        category="exchange",
        auth="token",
        fields=tuple(
            Field(name=field.name, label=field.label, is_secret=field.secret, pattern=field.pattern, hint=field.hint)
            for field in row.fields
        ),
        wallets=row.reading.wallets,
        documentation=row.documentation,
    )


def _file(layout_id: str) -> VenueRow:
    layout = layouts.load(layout_id)
    return VenueRow(
        id=f"file-{layout.id}",
        display_name=layout.display_name,
        family="file",
        category="file",
        auth="file",
        fields=(Field(name="content", label="CSV file", is_secret=False),),
        wallets={},
        documentation=layout.documentation,
    )


def _evm(venue: str) -> VenueRow:
    chain = evm_chain(venue)
    return VenueRow(
        id=chain.id,
        display_name=chain.name,
        family="evm",
        category="blockchain",
        auth="wallet",
        fields=(Field(name="wallet", label="Public address", is_secret=False, pattern="0x[0-9a-fA-F]{40}"),),
        wallets={},
        documentation=chain.explorer_url,
    )


def _demo(venue: str) -> VenueRow:
    return VenueRow(
        id=venue,
        display_name="Demo",
        family="demo",
        category="exchange",
        auth="password",
        fields=(
            Field(name="username", label="Username", is_secret=False),
            Field(name="password", label="Password", is_secret=True),
        ),
        wallets={"spot": "Spot"},
        is_simulated=True,
    )


class Family(Struct, frozen=True):
    """A way of reading: its ids, their rows, and the one reader of all of them."""

    ids: Callable[[], Sequence[str]]
    row: Callable[[str], VenueRow]
    reader: Reader


FAMILIES: Mapping[str, Family] = {
    "exchange": Family(exchanges.ids, _exchange, ExchangeReader()),
    "file": Family(
        lambda: tuple(f"file-{layout}" for layout in layouts.ids()),
        lambda venue: _file(venue.removeprefix("file-")),
        FileReader(),
    ),
    "evm": Family(lambda: tuple(evm_chains()), _evm, EvmReader()),
    "demo": Family(lambda: ("demo",), _demo, DemoReader()),
}


def venues() -> tuple[VenueRow, ...]:
    """Every venue, by family and id."""
    return tuple(family.row(venue) for family in FAMILIES.values() for venue in family.ids())


def venue(venue_id: str) -> VenueRow:
    """One venue. Raises: NotFound."""
    return _family(venue_id).row(venue_id)


def reader_for(venue_id: str, stream: str = "") -> Reader:
    """Who reads a venue. A file's streams are read by the file reader whatever account they were put into. Raises: NotFound."""
    if stream.startswith(f"{STREAM_KIND}/"):
        return FAMILIES["file"].reader
    return _family(venue_id).reader


def _family(venue_id: str) -> Family:
    for family in FAMILIES.values():
        if venue_id in family.ids():
            return family
    raise NotFound(f"no venue has the id {venue_id[:40]!r}")
