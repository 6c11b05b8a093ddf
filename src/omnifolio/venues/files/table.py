"""A CSV file as numbered lines: recognised by its header, cut into pages that can each be read on their own.

Nothing in a file is executed or trusted: text stays text, sizes are bounded, and a cell that looks like a formula is either a
plain value of its field or makes its line unreadable.
"""

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping

from msgspec import Struct

from omnifolio.catalog import layouts
from omnifolio.catalog.layouts import LayoutRow
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused
from omnifolio.model.facts import Evidence

FILE_BYTES_MAX = 64 * 1024 * 1024
LINES_MAX = 2_000_000
FIELD_CHARS_MAX = 4_096
COLUMNS_MAX = 100
PAGE_LINES = 500

REQUEST = "FILE"


class Line(Struct, frozen=True):
    """One record: its line number in the file (from 1), its occurrence among equal records (from 1), and its cells by column."""

    number: int
    occurrence: int
    cells: Mapping[str, str]

    @property
    def digest(self) -> str:
        """A name made of the record's content alone."""
        text = json.dumps(sorted(self.cells.items()), ensure_ascii=False, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def recognised(body: bytes) -> LayoutRow:
    """The layout whose header the file has; the one with the most columns wins. Raises: FileRefused naming what is known."""
    header = set(_header(_text(body)))
    fitting = [row for row in map(layouts.load, layouts.ids()) if header.issuperset(row.header)]
    if not fitting:
        names = ", ".join(layouts.load(layout).display_name for layout in layouts.ids())
        raise FileRefused(f"the file's header line is none that is known; known files are: {names}")
    return max(fitting, key=lambda row: len(row.header))


def pages(body: bytes, layout: LayoutRow, *, received_at: EpochMs) -> Iterator[Evidence]:
    """The file in pages of 500 records, each a CSV of its own with the header, and what a page alone could not tell.

    Raises: FileRefused for a file that is no such table or is too large.
    """
    text = _text(body)
    header = _header(text, layout.delimiter)
    missing = [column for column in layout.header if column not in header]
    if missing:
        raise FileRefused(f"the file has no column {missing[0]!r}, which {layout.display_name} has")
    yield from _Cut(layout, text, received_at).pages()


class _Cut:
    """A file on its way into pages: its raw lines, and which equal records came before."""

    def __init__(self, layout: LayoutRow, text: str, received_at: EpochMs) -> None:
        self._layout = layout
        self._received_at = received_at
        self._raw = list(io.StringIO(text, newline=""))
        self._reader = csv.reader(io.StringIO(text, newline=""), delimiter=layout.delimiter, strict=True)
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._repeats: dict[str, int] = {}
        self._header_end = 0
        self._first = 0

    def pages(self) -> Iterator[Evidence]:
        """Every page. Raises: FileRefused for a file that is too long or no CSV."""
        try:
            next(self._reader)
            self._header_end, self._first = self._reader.line_num, self._reader.line_num + 1
            for records, cells in enumerate(self._reader, start=1):
                if records > LINES_MAX:
                    raise FileRefused(f"the file has more than {LINES_MAX} records")
                self._note(tuple(cells))
                if records % PAGE_LINES == 0:
                    yield self._page(self._reader.line_num)
        except csv.Error as error:
            raise FileRefused(f"line {self._reader.line_num}: not a CSV record ({error})") from None
        if self._first <= len(self._raw):
            yield self._page(len(self._raw))

    def _note(self, record: tuple[str, ...]) -> None:
        self._seen[record] += 1
        if self._seen[record] > 1:
            self._repeats[str(self._reader.line_num)] = self._seen[record]

    def _page(self, last: int) -> Evidence:
        params = {"first_line": str(self._first), "header_lines": str(self._header_end)}
        if self._repeats:
            params["repeats"] = json.dumps(self._repeats, separators=(",", ":"))
        body = "".join(self._raw[: self._header_end] + self._raw[self._first - 1 : last])
        self._first, self._repeats = last + 1, {}
        return Evidence(
            stream=f"file/{self._layout.id}",
            request=f"{REQUEST} {self._layout.id}",
            params=params,
            received_at=self._received_at,
            body=body.encode(),
        )


def lines_of(evidence: Evidence, layout: LayoutRow) -> Iterator[Line]:
    """The records of one page. Raises: FileRefused."""
    shift = int(evidence.params.get("first_line", "2")) - int(evidence.params.get("header_lines", "1")) - 1
    repeats = json.loads(evidence.params.get("repeats", "{}"))
    reader = csv.reader(io.StringIO(_text(evidence.body), newline=""), delimiter=layout.delimiter, strict=True)
    header = next(reader)
    for cells in reader:
        number = reader.line_num + shift
        if cells:
            yield Line(number, int(repeats.get(str(number), 1)), dict(zip(header, cells, strict=False)))


def _header(text: str, delimiter: str = ",") -> list[str]:
    csv.field_size_limit(FIELD_CHARS_MAX)
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise FileRefused(f"line 1: not a CSV header ({error})") from None
    if len(header) > COLUMNS_MAX:
        raise FileRefused(f"the file has more than {COLUMNS_MAX} columns")
    return header


def _text(body: bytes) -> str:
    if len(body) > FILE_BYTES_MAX:
        raise FileRefused(f"the file is larger than {FILE_BYTES_MAX // 1024 // 1024} MB")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused("the file is not UTF-8 text") from None
    if "\0" in text:
        raise FileRefused("the file holds binary data")
    return text
