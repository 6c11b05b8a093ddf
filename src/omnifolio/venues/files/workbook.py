"""A workbook (XLSX) as the text of one sheet: numbers are the digits that stand in the file, dates come from exact integers.

A workbook is a ZIP of XML. Sizes are bounded before anything is unpacked, document types and entities are refused, formulas are
never run: what is read is the value that the file says they had. Source: ECMA-376 part 1, sections 18.3, 18.4 and 18.8.30.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

from omnifolio.model.amounts import canonical, parse_amount
from omnifolio.model.clock import DAY_MS
from omnifolio.model.errors import FileRefused, InvalidAmount

MAGIC = b"PK\x03\x04"
PART_BYTES_MAX = 48 * 1024 * 1024
ROWS_MAX = 200_000
COLUMNS_MAX = 200
PARTS_MAX = 2_000

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DECLARED = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_SERIAL = re.compile(r"\d{1,7}(?:\.(\d{1,30}))?")
_LITERALS = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.|_.')
_DATES = frozenset({*range(14, 23), 45, 46, 47})
"""Built-in number formats that show a date or a time."""
_FIRST_DAY, _FIRST_DAY_1904 = datetime(1899, 12, 30, tzinfo=UTC), datetime(1904, 1, 1, tzinfo=UTC)
_LEAP_FAULT_UNTIL = 61
"""Serials below this are shifted by a day that never was; no export has them."""


def is_workbook(body: bytes) -> bool:
    """Whether the bytes are a ZIP, as a workbook is."""
    return body.startswith(MAGIC)


class Workbook:
    """An opened workbook. Raises: FileRefused for what is none, is too large or declares a document type."""

    def __init__(self, body: bytes) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(body))
        except zipfile.BadZipFile:
            raise FileRefused("the file is neither text nor a workbook") from None
        if len(self._zip.infolist()) > PARTS_MAX:
            raise FileRefused(f"the workbook has more than {PARTS_MAX} parts")
        book = self._xml("xl/workbook.xml")
        targets = {
            item.get("Id"): item.get("Target", "").lstrip("/").removeprefix("xl/")
            for item in self._xml("xl/_rels/workbook.xml.rels")
        }
        properties = book.find(f"{_MAIN}workbookPr")
        is_1904 = properties is not None and properties.get("date1904") in ("1", "true")
        self._first_day = _FIRST_DAY_1904 if is_1904 else _FIRST_DAY
        self.sheets: Mapping[str, str] = {
            sheet.get("name", ""): f"xl/{targets.get(sheet.get(_RELATION), '')}" for sheet in book.iter(f"{_MAIN}sheet")
        }
        if not self.sheets:
            raise FileRefused("the workbook has no sheet")
        self._texts = self._shared()
        self._dates = self._date_styles()

    def text(self, sheet: str) -> str:
        """A sheet as CSV: a line for each row, the empty ones too, so that line numbers are row numbers."""
        out = io.StringIO()
        writer = csv.writer(out)
        written = 0
        for row in self._xml(self.sheets[sheet]).iter(f"{_MAIN}row"):
            number = row.get("r", "")
            place = int(number) if number.isdigit() and len(number) < 8 else written + 1
            if place > ROWS_MAX:
                raise FileRefused(f"the sheet has more than {ROWS_MAX} rows")
            out.write("\r\n" * max(0, place - written - 1))
            writer.writerow(self._cells(row))
            written = max(place, written + 1)
        return out.getvalue()

    def _cells(self, row: ElementTree.Element) -> Sequence[str]:
        cells: list[str] = []
        for cell in row.iter(f"{_MAIN}c"):
            named = _CELL.fullmatch(cell.get("r", ""))
            place = _column(named[1]) if named else len(cells)
            if place >= COLUMNS_MAX:
                raise FileRefused(f"the sheet has more than {COLUMNS_MAX} columns")
            cells.extend([""] * (place + 1 - len(cells)))
            cells[place] = " ".join(self._value(cell).split())
        return cells

    def _value(self, cell: ElementTree.Element) -> str:
        kind, value = cell.get("t", "n"), cell.findtext(f"{_MAIN}v", "")
        if kind == "inlineStr":
            return _joined(cell.find(f"{_MAIN}is"))
        if kind == "s":
            return self._texts[int(value)] if value.isdigit() and int(value) < len(self._texts) else ""
        if kind != "n" or not value:
            return value
        if cell.get("s", "") in self._dates:
            return self._date(value)
        try:
            return canonical(parse_amount(value))
        except InvalidAmount:
            return value

    def _date(self, serial: str) -> str:
        """A serial of days as ISO 8601, to the millisecond; below one day it is a time alone."""
        found = _SERIAL.fullmatch(serial)
        if not found:
            return serial
        scale = 10 ** len(found[1] or "")
        ms = (int(serial.replace(".", "")) * DAY_MS * 2 + scale) // (scale * 2)
        moment = (self._first_day + timedelta(milliseconds=ms)).replace(tzinfo=None)
        if ms < DAY_MS:
            return moment.time().isoformat(timespec="milliseconds")
        return serial if ms < _LEAP_FAULT_UNTIL * DAY_MS else moment.isoformat(sep=" ", timespec="milliseconds")

    def _shared(self) -> Sequence[str]:
        name = "xl/sharedStrings.xml"
        return [_joined(item) for item in self._xml(name)] if name in self._zip.namelist() else []

    def _date_styles(self) -> frozenset[str]:
        """The numbers of the cell styles that show dates."""
        name = "xl/styles.xml"
        if name not in self._zip.namelist():
            return frozenset()
        styles = self._xml(name)
        own = {
            item.get("numFmtId", ""): item.get("formatCode", "")
            for item in styles.iter(f"{_MAIN}numFmt")
        }  # fmt: skip
        cells = styles.find(f"{_MAIN}cellXfs")
        ids = [item.get("numFmtId", "") for item in (cells if cells is not None else ())]
        return frozenset(str(place) for place, number in enumerate(ids) if _is_date(number, own))

    def _xml(self, name: str) -> ElementTree.Element:
        try:
            with self._zip.open(name) as part:
                body = part.read(PART_BYTES_MAX + 1)
        except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError):
            raise FileRefused(f"the workbook has no readable {name[:60]}") from None
        if len(body) > PART_BYTES_MAX:
            raise FileRefused(f"a part of the workbook is larger than {PART_BYTES_MAX // 1024 // 1024} MB")
        try:
            body.decode("utf-8")
            if _DECLARED.search(body):
                raise FileRefused("the workbook declares a document type, which no spreadsheet does")
            return ElementTree.fromstring(body)  # noqa: S314 - bounded, and without a document type nothing expands
        except (UnicodeDecodeError, ElementTree.ParseError):
            raise FileRefused(f"the workbook's {name[:60]} is no XML") from None


def _joined(item: ElementTree.Element | None) -> str:
    """The text of a string, without the readings that stand above characters."""
    return "".join(_texts_of(item)) if item is not None else ""


def _texts_of(item: ElementTree.Element) -> Iterator[str]:
    for child in item:
        if child.tag == f"{_MAIN}t":
            yield child.text or ""
        elif child.tag == f"{_MAIN}r":
            yield from _texts_of(child)


def _column(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _is_date(number: str, own: Mapping[str, str]) -> bool:
    if number in own:
        return any(letter in _LITERALS.sub("", own[number]).lower() for letter in "dmyhs")
    return number.isdigit() and int(number) in _DATES
