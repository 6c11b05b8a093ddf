"""Amounts: exact at any size, refused when they are not numbers, and written without an exponent."""

import decimal
import threading
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnifolio.model import amounts
from omnifolio.model.errors import InvalidAmount

UINT256_MAX = 2**256 - 1


@given(st.lists(st.integers(min_value=-UINT256_MAX, max_value=UINT256_MAX), max_size=60))
def test_sums_of_uint256_amounts_with_18_decimals_conserve_to_the_unit(units: list[int]) -> None:
    found = amounts.total(amounts.from_units(unit, 18) for unit in units)
    assert found.scaleb(18, amounts.EXACT) == sum(units)


@given(st.integers(min_value=-UINT256_MAX, max_value=UINT256_MAX), st.integers(min_value=0, max_value=36))
def test_canonical_text_round_trips_and_has_no_exponent(units: int, decimals: int) -> None:
    value = amounts.from_units(units, decimals)
    text = amounts.canonical(value)
    assert amounts.parse_amount(text) == value
    assert "E" not in text.upper()
    assert not text.endswith(".")
    assert text != "-0"
    if "." in text:
        assert not text.endswith("0")


@pytest.mark.parametrize(
    "text", ["NaN", "sNaN", "Infinity", "-inf", "1e91", "1e300000", "1e-61", "", " ", "0x10", "1_000", "1,5", "--1"]
)
def test_what_is_no_finite_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount, match="free"):
        amounts.parse_amount(text, where="free")


@pytest.mark.parametrize("raw", [1.5, True, None, b"1", [], Decimal("NaN"), Decimal("Infinity"), Decimal("1e400")])
def test_what_is_not_text_or_integer_is_refused(raw: object) -> None:
    with pytest.raises(InvalidAmount):
        amounts.parse_amount(raw)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("1E-18", "0.000000000000000001"),
        ("1e-8", "0.00000001"),
        ("12.00000000", "12"),
        ("-0", "0"),
        ("+5", "5"),
        (".5", "0.5"),
        (str(UINT256_MAX), str(UINT256_MAX)),
        ("1." + "0" * 90, "1"),
        ("0E-90", "0"),
        ("1e+3", "1000"),
    ],
)
def test_amounts_are_written_plainly(raw: str, text: str) -> None:
    assert amounts.canonical(amounts.parse_amount(raw)) == text


def test_the_exact_context_reaches_new_threads() -> None:
    amounts.install()
    seen: list[decimal.Context] = []
    thread = threading.Thread(target=lambda: seen.append(decimal.getcontext()))
    thread.start()
    thread.join()
    assert seen[0].prec == amounts.PRECISION_DIGITS
    assert seen[0].traps[decimal.Inexact]


def test_a_sum_that_would_round_raises_instead() -> None:
    with pytest.raises(decimal.Inexact):
        amounts.total([Decimal("1e150"), Decimal("1e-60")])


def test_division_rounds_half_to_even_at_the_stated_place() -> None:
    assert amounts.divide(Decimal(1), Decimal(8), places=2) == Decimal("0.12")
    assert amounts.divide(Decimal(3), Decimal(8), places=2) == Decimal("0.38")


@given(
    st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**60), max_value=10**60, places=20), max_size=30)
)
def test_many_values_are_rounded_as_each_is_by_itself(values: list[Decimal]) -> None:
    assert amounts.monies(values) == [amounts.money(value) for value in values]


def test_values_that_round_to_nothing_have_no_sign() -> None:
    values = [Decimal("-0.004"), Decimal("-0.005"), Decimal("0.015"), Decimal(-1)]
    assert amounts.monies(values) == ["0.00", "0.00", "0.02", "-1.00"]


def test_operators_are_exact_whatever_the_context_of_the_thread_is() -> None:
    large = Decimal(10) ** 40 + 1
    with decimal.localcontext(decimal.Context(prec=5)), amounts.exact():
        assert large * large == amounts.product(large, large)
        assert amounts.total([large, Decimal("1E-18")]) - large == Decimal("1E-18")
