"""File layouts as data: which columns an export has, what its words mean, and how sure we are of that.

Rows are files `data/layouts/<id>.toml`. A layout is recognised by its header line alone.
"""

import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec
from msgspec import Struct

from omnifolio.model.clock import MINUTE_MS, SECOND_MS
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Kind

NO_VENUE = "file"
"""The venue of layouts that belong to none: their files go into any account."""


class LayoutRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of file.

    `like`        another layout whose values hold for all that this one does not say itself.
    `venue`       whose export it is: tokens and refs are that venue's, so that its rows merge with what its API tells.
    `rows`        the reading of one line, a name in `venues.files.rows`.
    `source`      where header and words were seen, on the day `seen`; `seen_real`: whether anybody here ever saw a real file.
    `header`      all columns that must be there; others are ignored. A name that ends in `*` stands for all that begin so; the
                  second `Cur.` of a header is called `Cur.#2`.
    `columns`     our field → the file's column, or several of which the file has one.
    `kinds`       the file's word for the type, in lower case, `*` for any text → our kind.
    `outgoing`    words of `direction`, else of `type`, whose amounts leave; only for files whose amounts have no sign.
    `skips`       words of the type whose lines say nothing: moves inside the account, announcements.
    `only`        our field → the words of lines that count: a status.
    `group_by`    fields which the lines of one event have in common, for lines whose kind is in `group_kinds`.
    `fees`        `apart` from the amount, or `inside` it.  `signed_fees`: a fee that is paid is negative.
    `wallets`     the file's word for a wallet → ours.
    `time_formats`  as `strptime` has them, the usual one first; () is ISO 8601.
    `time_zone`   `UTC`, or `ask` where the file does not say.  `sheet`: of a workbook; "" is the first.
    `is_named`    its ids are those of the venue's API: content need not be compared.
    `fills`       kinds of the venue's streams whose rows the file has; () = all of them.
    `is_partial`  it has the rows of one wallet or business alone, so that its span proves nothing complete.
    """

    id: str
    like: str = ""
    display_name: str
    venue: str
    rows: str
    source: str
    seen: str
    seen_real: bool = False
    header: tuple[str, ...]
    columns: Mapping[str, str | tuple[str, ...]]
    kinds: Mapping[str, Kind] = {}
    outgoing: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    only: Mapping[str, tuple[str, ...]] = {}
    group_by: tuple[str, ...] = ()
    group_kinds: tuple[Kind, ...] = ()
    fees: Literal["apart", "inside"] = "apart"
    signed_fees: bool = False
    wallets: Mapping[str, str] = {}
    time_formats: tuple[str, ...] = ()
    time_zone: Literal["UTC", "ask"] = "UTC"
    decimal_comma: bool = False
    sheet: str = ""
    is_named: bool = False
    fills: tuple[str, ...] = ()
    is_partial: bool = False

    def tells(self, kind: str) -> bool:
        """Whether the file has the rows of a kind of stream."""
        return not self.is_partial and (not self.fills or kind in self.fills)

    def fits(self, names: Iterable[str]) -> bool:
        """Whether a header has all columns that must be there."""
        found = set(names)
        return all(column_in(found, wanted) is not None for wanted in self.header)

    @property
    def resolution_ms(self) -> int:
        """How exact its times are."""
        usual = self.time_formats[0] if self.time_formats else ""
        return MINUTE_MS if "%M" in usual and "%S" not in usual else SECOND_MS


def column_in(names: Iterable[str], wanted: str) -> str | None:
    """The column of a header that a name of a layout stands for."""
    if not wanted.endswith("*"):
        return wanted if wanted in names else None
    return next((name for name in names if name.startswith(wanted[:-1])), None)


def kind_of(kinds: Mapping[str, Kind], word: str) -> Kind | None:
    """Our kind for a file's word; an exact word wins over one with `*`."""
    return kinds.get(word) or next((kind for pattern, kind in kinds.items() if is_among((pattern,), word)), None)


def is_among(patterns: Iterable[str], word: str) -> bool:
    """Whether a word is one of those, in which `*` stands for any text."""
    return any(word == pattern or ("*" in pattern and fnmatchcase(word, pattern)) for pattern in patterns)


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
    own = _table(layout_id)
    return msgspec.convert({**_table(own["like"]), **own} if "like" in own else own, LayoutRow)


def _table(layout_id: str) -> dict[str, Any]:
    text = (resources.files(__package__) / "data" / "layouts" / f"{layout_id}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
