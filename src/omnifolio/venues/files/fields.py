"""One line under our own names of fields: what its layout makes of the columns that the file has."""

import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from decimal import Decimal
from functools import cached_property

from omnifolio.catalog.layouts import LayoutRow, column_in, is_among, kind_of
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Kind
from omnifolio.model.ids import WIRE_LENGTH
from omnifolio.venues.files.cells import amount_and_code, code, instant, zone_in
from omnifolio.venues.files.table import Line

OWN_REFERENCE = re.compile(rf"omnifolio:[0-9a-f]{{{WIRE_LENGTH}}}(?![0-9a-f])")
"""How a file that we wrote names the transaction of a line."""

_REFERRING = ("description", "group")
_GUARDED = ("'=", "'+", "'-", "'@", "'\t", "'\r")
"""An apostrophe before what a spreadsheet would run, as our own files have it."""


class Fields:
    """A line's cells by field. `zone` is that of its times where neither the cell nor the column tells one."""

    def __init__(self, layout: LayoutRow, line: Line, zone: tzinfo = UTC) -> None:
        self.layout = layout
        self.line = line
        self._zone = zone
        self.columns: Mapping[str, str] = {
            field: found
            for field, wanted in layout.columns.items()
            for found in [_first(line.cells, wanted)]
            if found is not None
        }
        self.required: Mapping[str, str] = {field: _plain(line.cells[column]) for field, column in self.columns.items()}
        """The cells that the line has; a missing one is a KeyError, which names it."""

    def text(self, name: str) -> str:
        """A cell, "" where the file has none."""
        return self.required.get(name, "")

    def amount(self, name: str) -> tuple[Decimal | None, str | None]:
        """A number and the code beside it; None for what is not there. Raises: InvalidAmount."""
        return amount_and_code(self.text(name), where=name, is_comma=self.layout.decimal_comma)

    def cell(self, column: str) -> tuple[Decimal | None, str | None]:
        """As `amount`, of a column by the file's own name. Raises: InvalidAmount."""
        return amount_and_code(self.line.cells[column], where=column, is_comma=self.layout.decimal_comma)

    def code(self, name: str, beside: str | None = None) -> str:
        """A token's code in its own column, else the one beside the number. Raises: InvalidField."""
        return code(self.text(name) or beside or "", where=name)

    @property
    def at(self) -> EpochMs:
        """When it happened. Raises: InvalidField; KeyError."""
        text, clock = self.required["time"], self.text("clock")
        if clock:  # a column of its own for the time of day; some files have the day in it again
            text = clock if "-" in clock or "/" in clock else f"{text.partition(' ')[0]} {clock}"
        return instant(text, self.layout.time_formats, zone_in(self.columns["time"]) or self._zone)

    @property
    def words(self) -> tuple[str, ...]:
        """The file's words for what it is, the more telling one first."""
        return tuple(word.lower() for word in (self.text("label"), self.text("type")) if word)

    @property
    def kind(self) -> Kind | None:
        """Our kind, None where no word is known."""
        found = (kind_of(self.layout.kinds, word) for word in self.words)
        return next((kind for kind in found if kind is not None), None)

    @property
    def is_silent(self) -> bool:
        """Whether the layout knows the line to say nothing."""
        if any(self.text(field).lower() not in words for field, words in self.layout.only.items() if field in self.required):
            return True
        return any(is_among(self.layout.skips, word) for word in self.words)

    @property
    def is_outgoing(self) -> bool:
        """Whether a word says that the amount leaves."""
        said = (self.text("direction").lower(),) if "direction" in self.required else self.words
        return any(is_among(self.layout.outgoing, word) for word in said)

    def known_kind(self) -> Kind:
        """The kind of a line whose amount gets its sign from a word. Raises: InvalidField for a word that is not known."""
        if self.kind is None and self.layout.outgoing and "direction" not in self.required:
            raise InvalidField(f"type: {' '.join(self.words)[:40]!r} is no word that is known of this file")
        return self.kind or "other"

    @property
    def wallet(self) -> str:
        """The wallet's key."""
        word = self.text("wallet")
        return self.layout.wallets.get(word.lower()) or re.sub(r"[^a-z0-9_.:-]+", "-", word.lower()).strip("-") or "spot"

    @cached_property
    def ref(self) -> str:
        """The line's own name: its id, else its content and how often that came before."""
        return self.text("id") or f"{self.line.digest}:{self.line.occurrence}"

    @property
    def reference(self) -> str | None:
        """Our own name of the transaction, where we wrote the file."""
        found = (OWN_REFERENCE.search(self.text(name)) for name in _REFERRING)
        return next((match[0] for match in found if match), None)

    def group(self, kind: Kind) -> str | None:
        """What the lines of one event have in common."""
        if self.reference or self.text("group"):
            return self.reference or self.text("group")
        if self.layout.group_by and (not self.layout.group_kinds or kind in self.layout.group_kinds):
            return "|".join(self.text(field) for field in self.layout.group_by)
        return None


def _first(cells: Mapping[str, str], wanted: str | tuple[str, ...]) -> str | None:
    names = (wanted,) if isinstance(wanted, str) else wanted
    return next((found for name in names for found in [column_in(cells, name)] if found is not None), None)


def _plain(cell: str) -> str:
    text = cell.strip()
    return text[1:] if text.startswith(_GUARDED) else text
