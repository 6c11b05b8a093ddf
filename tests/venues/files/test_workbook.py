"""Workbooks: digits as they stand in the file, dates by integers, nothing unpacked that is too large or declares entities."""

import pytest
from tests.venues.files.sheets import number, row, text, workbook

from omnifolio.model.errors import FileRefused
from omnifolio.venues.files import workbook as reading
from omnifolio.venues.files.table import opened
from omnifolio.venues.files.workbook import Workbook


def lines(book: bytes, sheet: str = "One") -> list[str]:
    return Workbook(book).text(sheet).splitlines()


def test_numbers_keep_every_digit_and_cells_their_place() -> None:
    book = workbook(
        ("One", [row(1, number("A1", "0.100000000000000005551115123125"), number("C1", "1.5E-7")), row(3, text("B3", "late"))])
    )
    assert lines(book) == ["0.100000000000000005551115123125,,0.00000015", "", ",late"]


@pytest.mark.parametrize(
    ("serial", "style", "shown"),
    [
        ("45292", 2, "2024-01-01 00:00:00.000"),
        ("45292.5", 1, "2024-01-01 12:00:00.000"),
        ("45292.999988425923", 1, "2024-01-01 23:59:59.000"),
        ("0.25", 1, "06:00:00.000"),
        ("45292", 0, "45292"),
        ("45292", 3, "45292"),
        ("-1", 1, "-1"),
        ("1E+9", 1, "1E+9"),
    ],
)
def test_a_serial_is_a_date_where_its_style_says_so(serial: str, style: int, shown: str) -> None:
    assert lines(workbook(("One", [row(1, number("A1", serial, style))]))) == [shown]


def test_the_other_calendar_begins_four_years_later() -> None:
    assert lines(workbook(("One", [row(1, number("A1", "43830", 2))]), date_1904=True)) == ["2024-01-01 00:00:00.000"]


def test_strings_are_shared_or_in_parts_and_a_formula_is_its_value() -> None:
    cells = '<c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1"><f>1+1</f><v>2</v></c><c r="D1" t="s"><v>9</v></c>'
    assert lines(workbook(("One", [row(1, cells)]))) == ["shared,in parts,2,"]


def test_a_workbook_is_recognised_by_its_first_sheet() -> None:
    header = row(2, *(text(f"{letter}2", name) for letter, name in zip("ABCD", ("date", "type", "asset", "amount"), strict=True)))
    table = opened(workbook(("First", [row(1, text("A1", "a title")), header]), ("Second", [])))
    assert (table.layout.id, table.start, table.end) == ("omnifolio", 1, 2)


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        (workbook(("One", []), prologue='<!DOCTYPE a [<!ENTITY b "c">]>'), "document type"),
        (b"PK\x03\x04 and nothing more", "neither text nor a workbook"),
        (workbook(), "no sheet"),
        (workbook(("One", [])).replace(b"xl/workbook.xml", b"xl/workbook.xmm"), "no readable"),
    ],
)
def test_what_is_no_plain_workbook_is_refused(book: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        Workbook(book)


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    book = Workbook(workbook(("One", [row(5, text("ZZ5", "far"))])))
    with pytest.raises(FileRefused, match="columns"):
        book.text("One")
    monkeypatch.setattr(reading, "ROWS_MAX", 4)
    with pytest.raises(FileRefused, match="rows"):
        book.text("One")
    monkeypatch.setattr(reading, "PART_BYTES_MAX", 100)
    with pytest.raises(FileRefused, match="larger than"):
        book.text("One")
