"""A file as numbered lines: opened, recognised by its header, cut into pages that can each be read on their own.

Nothing in a file is executed or trusted: text stays text, sizes are bounded, and a cell that looks like a formula is either a
plain value of its field or makes its line unreadable.
"""

import codecs
import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from omnifolio.catalog import layouts
from omnifolio.catalog.layouts import LayoutRow
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused
from omnifolio.model.facts import Evidence
from omnifolio.venues.files.workbook import Workbook, is_workbook

FILE_BYTES_MAX = 64 * 1024 * 1024
LINES_MAX = 2_000_000
FIELD_CHARS_MAX = 4_096
COLUMNS_MAX = 200
PREAMBLE_RECORDS_MAX = 30
PAGE_LINES = 500

REQUEST = "FILE"
DELIMITERS = (",", ";", "\t")


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


class Table(Struct, frozen=True):
    """An opened file: its kind, its text, and where in it the header is (lines `start` until `end`, from 0, excluded)."""

    layout: LayoutRow
    text: str
    delimiter: str
    start: int
    end: int


class _Head(Struct, frozen=True):
    """A record that may be the header."""

    names: Sequence[str]
    delimiter: str
    start: int
    end: int


def opened(body: bytes, named: LayoutRow | None = None) -> Table:
    """The file as a table of the named layout, else of the one that its header tells; the one with the most columns wins.

    Raises: FileRefused naming what is known.
    """
    if len(body) > FILE_BYTES_MAX:
        raise FileRefused(f"the file is larger than {FILE_BYTES_MAX // 1024 // 1024} MB")
    wanted = [named] if named else [layouts.load(name) for name in layouts.ids()]
    found: list[Table] = []
    seen: list[str] = []
    for sheet, text in _texts(body, {row.sheet for row in wanted}).items():
        heads = list(_heads(text))
        seen.extend(name for head in heads[:1] for name in head.names)
        for row in wanted:
            head = next((head for head in heads if row.fits(head.names)), None) if row.sheet == sheet else None
            if head is not None:
                found.append(Table(row, text, head.delimiter, head.start, head.end))
    if not found:
        raise _unknown(named, seen)
    return max(found, key=lambda table: len(table.layout.header))


def recognised(body: bytes) -> LayoutRow:
    """The layout whose header the file has. Raises: FileRefused."""
    return opened(body).layout


def pages(table: Table, *, received_at: EpochMs, known: Mapping[str, str]) -> Iterator[Evidence]:
    """The file in pages of 500 records, each a CSV of its own with the header, and what a page alone could not tell.

    `known` is what else the reading of a page depends on. Raises: FileRefused for a file that is no such table or is too large.
    """
    yield from _Cut(table, received_at, known).pages()


class _Cut:
    """A file on its way into pages: its raw lines, and which equal records came before."""

    def __init__(self, table: Table, received_at: EpochMs, known: Mapping[str, str]) -> None:
        self._table = table
        self._received_at = received_at
        self._known = known if table.delimiter == "," else {**known, "delimiter": table.delimiter}
        raw = list(io.StringIO(table.text, newline=""))
        self._header, self._raw = raw[table.start : table.end], raw[table.end :]
        self._reader = _csv(iter(self._raw), table.delimiter)
        self._seen: Counter[tuple[str, ...]] = Counter()
        self._repeats: dict[str, int] = {}
        self._first = 0

    def pages(self) -> Iterator[Evidence]:
        """Every page. Raises: FileRefused for a file that is too long or no CSV."""
        try:
            for records, cells in enumerate(self._reader, start=1):
                if records > LINES_MAX:
                    raise FileRefused(f"the file has more than {LINES_MAX} records")
                self._note(tuple(cells))
                if records % PAGE_LINES == 0:
                    yield self._page(self._reader.line_num)
        except csv.Error as error:
            raise FileRefused(f"line {self._table.end + self._reader.line_num}: not a CSV record ({error})") from None
        if self._first < len(self._raw):
            yield self._page(len(self._raw))

    def _note(self, record: tuple[str, ...]) -> None:
        self._seen[record] += 1
        if self._seen[record] > 1:
            self._repeats[str(self._table.end + self._reader.line_num)] = self._seen[record]

    def _page(self, last: int) -> Evidence:
        first = self._table.end + self._first + 1
        params = {"first_line": str(first), "header_lines": str(len(self._header)), **self._known}
        if self._repeats:
            params["repeats"] = json.dumps(self._repeats, separators=(",", ":"))
        body = "".join(self._header + self._raw[self._first : last])
        self._first, self._repeats = last, {}
        return Evidence(
            stream=f"file/{self._table.layout.id}",
            request=f"{REQUEST} {self._table.layout.id}",
            params=params,
            received_at=self._received_at,
            body=body.encode(),
        )


def lines_of(evidence: Evidence) -> Iterator[Line]:
    """The records of one page. Raises: FileRefused."""
    shift = int(evidence.params.get("first_line", "2")) - int(evidence.params.get("header_lines", "1")) - 1
    repeats = json.loads(evidence.params.get("repeats", "{}"))
    reader = _csv(io.StringIO(evidence.body.decode(), newline=""), evidence.params.get("delimiter", ","))
    header = _named(next(reader, []))
    for cells in reader:
        number = reader.line_num + shift
        if any(cells):
            yield Line(number, int(repeats.get(str(number), 1)), dict(zip(header, cells, strict=False)))


def _unknown(named: LayoutRow | None, seen: Sequence[str]) -> FileRefused:
    if len(seen) > COLUMNS_MAX:
        return FileRefused(f"the file has more than {COLUMNS_MAX} columns")
    if named is not None:
        missing = next((name for name in named.header if name not in seen), named.header[0])
        return FileRefused(f"the file has no column {missing!r}, which {named.display_name} has")
    names = ", ".join(layouts.load(layout).display_name for layout in layouts.ids())
    return FileRefused(f"the file's header line is none that is known; known files are: {names}")


def _texts(body: bytes, sheets: set[str]) -> dict[str, str]:
    """The text by the sheet that a layout names; text has no sheets, so that it is every layout's."""
    if not is_workbook(body):
        return dict.fromkeys(sheets, text_of(body))
    book = Workbook(body)
    named = {sheet: book.text(sheet) for sheet in sheets if sheet in book.sheets}
    return {**named, "": book.text(next(iter(book.sheets)))} if "" in sheets else named


def text_of(body: bytes) -> str:
    """The text of a file in UTF-8, or in UTF-16 with a byte order mark. Raises: FileRefused."""
    encoding = "utf-16" if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError:
        raise FileRefused("the file is not UTF-8 text") from None
    if "\0" in text:
        raise FileRefused("the file holds binary data")
    return text


def _heads(text: str) -> Iterator[_Head]:
    """The first records, as each of the delimiters would part them."""
    for delimiter in DELIMITERS:
        reader = _csv(io.StringIO(text, newline=""), delimiter)
        start = 0
        try:
            for cells in islice(reader, PREAMBLE_RECORDS_MAX):
                if len(cells) > 1:
                    yield _Head(_named(cells), delimiter, start, reader.line_num)
                start = reader.line_num
        except csv.Error:
            continue


def _named(cells: Sequence[str]) -> list[str]:
    """The names of columns; the second of one name is `name#2`."""
    count: Counter[str] = Counter()
    names = []
    for cell in cells:
        name = cell.strip()
        count[name] += 1
        names.append(name if count[name] == 1 else f"{name}#{count[name]}")
    return names


def _csv(lines: Iterator[str] | io.StringIO, delimiter: str) -> "csv._reader":  # type: ignore[name-defined]  # typeshed's name
    csv.field_size_limit(FIELD_CHARS_MAX)
    return csv.reader(lines, delimiter=delimiter, strict=True)
