"""Cells: every country's spelling of a number is the same exact number, every form of an instant the same instant."""

from datetime import UTC
from decimal import Decimal

import pytest

from omnifolio.model.errors import FileRefused, InvalidAmount, InvalidField
from omnifolio.venues.files.cells import amount_and_code, instant, zone_in, zone_of


@pytest.mark.parametrize(
    ("cell", "number", "code"),
    [
        ("1", "1", None),
        ("-1.50", "-1.50", None),
        ("1,234,567.89", "1234567.89", None),
        ("€5,837.33", "5837.33", "EUR"),
        ("-$0.60", "-0.60", "USD"),
        ("$-0.60", "-0.60", "USD"),
        ("($519.83)", "-519.83", "USD"),
        ("752.42380800 XRP", "752.42380800", "XRP"),
        ("76.94 SEK", "76.94", "SEK"),
        ("2.70000000000E-7", "0.000000270000000000", None),
        ("\u22121\u00a0BTC", "-1", "BTC"),
    ],
)
def test_a_number_and_the_code_beside_it(cell: str, number: str, code: str | None) -> None:
    assert amount_and_code(cell, where="amount") == (Decimal(number), code)


@pytest.mark.parametrize(("cell", "number"), [("1.234,5", "1234.5"), ("0,1", "0.1"), ("-7", "-7"), ("1.234.567", "1234567")])
def test_a_comma_parts_the_decimals_where_the_layout_says_so(cell: str, number: str) -> None:
    assert amount_and_code(cell, where="amount", is_comma=True) == (Decimal(number), None)


@pytest.mark.parametrize("cell", ["", "-", "--", " N/A "])
def test_what_is_not_there_is_not_zero(cell: str) -> None:
    assert amount_and_code(cell, where="amount") == (None, None)


@pytest.mark.parametrize("cell", ["=1+1", "1,23", "1;000", "NaN", "(1", "1 BTC ETH", "--1", "+-1"])
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(InvalidAmount):
        amount_and_code(cell, where="amount")


@pytest.mark.parametrize(
    ("cell", "formats"),
    [
        ("2024-07-12 17:46:19", ()),
        ("2024-07-12T17:46:19Z", ()),
        ("2024-07-12T19:46:19+02:00", ()),
        ("2024-07-12 17:46:19 UTC", ("%Y-%m-%d %H:%M:%S UTC",)),
        ("Fri Jul 12 2024 17:46:19 GMT+0000", ("%a %b %d %Y %H:%M:%S GMT%z",)),
        ("Jul 12, 2024, 5:46:19 PM", ("%d %b %Y", "%b %d, %Y, %I:%M:%S %p")),
        ("1720806379", ("epoch",)),
        ("2024-07-12 17:46:19", ("epoch", "%H:%M")),
    ],
)
def test_an_instant_in_any_form_of_the_layout_or_iso(cell: str, formats: tuple[str, ...]) -> None:
    assert instant(cell, formats, UTC) == 1_720_806_379_000


def test_a_local_time_is_read_in_its_zone_and_a_said_one_in_its_own() -> None:
    berlin = zone_of("Europe/Berlin")
    assert instant("2024-07-12 19:46:19", (), berlin) == instant("2024-07-12T17:46:19Z", (), berlin) == 1_720_806_379_000
    assert instant("2024-01-12 18:46:19", (), berlin) - instant("2024-01-12 17:46:19", (), UTC) == 0
    assert instant("2024-07-13 01:46:19", (), zone_in("Time(UTC+08:00)") or UTC) == 1_720_806_379_000
    assert zone_in("Time(UTC)") is None


def test_an_unknown_zone_or_time_is_refused() -> None:
    with pytest.raises(FileRefused, match="no time zone 'Mars/Base'"):
        zone_of("Mars/Base")
    with pytest.raises(InvalidField, match="time"):
        instant("yesterday", ("%H:%M",), zone_of("Europe/Berlin"))
