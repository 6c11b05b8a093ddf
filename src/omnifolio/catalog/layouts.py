"""File layouts as data: which columns a venue's export has, and what they mean.

Rows are files `data/layouts/<id>.toml`. A layout is recognised by its header line alone.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from omnifolio.model.errors import NotFound


class LayoutRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of file.

    `venue`   whose export it is: tokens and refs are that venue's, so that its rows merge with what its API tells.
    `rows`    the reading of one line: `kraken_ledger`, `kraken_trade` or `plain`.
    `columns` our field → the file's column. `header` all columns that must be there; others are ignored.
    `kinds`   for `plain`: the file's word for the type → our kind.
    `fills`   kinds of the venue's streams whose rows the file has; () = all of them.
    """

    id: str
    display_name: str
    venue: str
    rows: str
    header: tuple[str, ...]
    columns: Mapping[str, str]
    delimiter: str = ","
    kinds: Mapping[str, str] = {}
    fills: tuple[str, ...] = ()
    documentation: str = ""

    def tells(self, kind: str) -> bool:
        """Whether the file has the rows of a kind of stream."""
        return not self.fills or kind in self.fills


OWN = "omnifolio"
"""The id of our own layout, for whatever no export describes."""


@cache
def ids() -> tuple[str, ...]:
    """The ids of all layouts, sorted."""
    folder = resources.files(__package__) / "data" / "layouts"
    return tuple(sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def of_venue(venue: str) -> tuple[LayoutRow, ...]:
    """What can be uploaded for an account at a venue: the venue's own exports, else our own layout alone."""
    rows = [load(name) for name in ids()]
    return tuple(row for row in rows if row.venue == venue) or (load(OWN),)


@cache
def load(layout_id: str) -> LayoutRow:
    """One layout. Raises: NotFound."""
    if layout_id not in ids():
        raise NotFound(f"no file layout has the id {layout_id[:40]!r}")
    text = (resources.files(__package__) / "data" / "layouts" / f"{layout_id}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), LayoutRow)
