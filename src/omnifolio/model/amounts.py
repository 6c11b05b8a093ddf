"""Exact amounts of money: how they are read, added, multiplied and written without ever losing a digit.

One context of 160 digits in which every inexact result is an error. 160 digits hold a uint256 (78 digits) with 18 decimals
many times over, so that a sum which would have to round raises `Inexact` instead of being quietly wrong.
"""

import decimal
import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from decimal import Decimal
from itertools import repeat

from omnifolio.model.errors import InvalidAmount

PRECISION_DIGITS = 160
INTEGER_DIGITS_MAX = 90
FRACTION_DIGITS_MAX = 60
TEXT_LENGTH_MAX = 200

ZERO = Decimal(0)

EXACT = decimal.Context(
    prec=PRECISION_DIGITS,
    rounding=decimal.ROUND_HALF_EVEN,
    Emin=-PRECISION_DIGITS * 2,
    Emax=PRECISION_DIGITS * 2,
    traps=[
        decimal.Inexact,
        decimal.Overflow,
        decimal.InvalidOperation,
        decimal.DivisionByZero,
        decimal.FloatOperation,
    ],
)
"""The one context of exact arithmetic: add, subtract, multiply. Divisions round, so they go through `divide`."""

_ROUNDING = decimal.Context(prec=PRECISION_DIGITS * 2, rounding=decimal.ROUND_HALF_EVEN)
_CENT = Decimal("0.01")
_multiply, _quantize, _scaleb = EXACT.multiply, _ROUNDING.quantize, EXACT.scaleb
"""Looked up once: finding the method takes longer than the arithmetic."""
_UNITS_END = 2**256
_SHORT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_PLAIN = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?")


def install() -> None:
    """Makes EXACT the context of this thread and of every thread started later. Call once where a process begins."""
    decimal.DefaultContext.prec = EXACT.prec
    decimal.DefaultContext.Emin, decimal.DefaultContext.Emax = EXACT.Emin, EXACT.Emax
    decimal.DefaultContext.traps = dict(EXACT.traps)
    decimal.setcontext(EXACT.copy())


def parse_amount(raw: object, *, where: str = "amount") -> Decimal:
    """An exact amount from a string or integer that came from outside.

    `where` names the field for the error. Scientific notation is read; the value itself has at most 90 integer digits and 60
    decimals, so that a short text cannot ask for a huge computation.

    Raises: InvalidAmount for floats, NaN, Infinity, empty or malformed text, and numbers beyond the limits.
    """
    if not isinstance(raw, str):
        return _parse_number(raw, where=where)
    if len(raw) <= FRACTION_DIGITS_MAX and _SHORT.fullmatch(raw):
        # The common case: without an exponent, so short a text is within all limits.
        return Decimal(raw) or ZERO
    text = raw.strip()
    if len(text) > TEXT_LENGTH_MAX or not _PLAIN.fullmatch(text):
        raise InvalidAmount(f"{where}: expected a finite decimal number such as -12.5, got {text[:24]!r}")
    return bounded(Decimal(text), where=where)


def _parse_number(raw: object, *, where: str) -> Decimal:
    """An amount that is a number already. Raises: InvalidAmount."""
    if isinstance(raw, Decimal):
        return bounded(raw, where=where)
    if isinstance(raw, bool) or not isinstance(raw, int):
        raise InvalidAmount(f"{where}: expected a decimal string, got {type(raw).__name__}")
    if raw.bit_length() > INTEGER_DIGITS_MAX * 4:
        raise InvalidAmount(f"{where}: more than {INTEGER_DIGITS_MAX} digits")
    return bounded(Decimal(raw), where=where)


def bounded(value: Decimal, *, where: str = "amount") -> Decimal:
    """`value` if it is finite and within the digit limits. Raises: InvalidAmount."""
    if not value.is_finite():
        raise InvalidAmount(f"{where}: {value} is not a number that can be held")
    if not value:
        return ZERO
    # A text of so many characters has no more digits than that, so most values need no closer look.
    text = str(value)
    if len(text) <= FRACTION_DIGITS_MAX and "E" not in text:
        return value
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    if len(digits) + exponent <= INTEGER_DIGITS_MAX and -exponent <= FRACTION_DIGITS_MAX:
        return value
    kept = len(digits)
    while kept > 1 and digits[kept - 1] == 0:
        kept -= 1
    exponent += len(digits) - kept
    if kept + exponent > INTEGER_DIGITS_MAX or -exponent > FRACTION_DIGITS_MAX:
        raise InvalidAmount(f"{where}: beyond {INTEGER_DIGITS_MAX} integer digits or {FRACTION_DIGITS_MAX} decimals")
    return Decimal((sign, digits[:kept], exponent))


def canonical(value: Decimal) -> str:
    """The one text of an amount: no exponent, no trailing zeros, "0" for zero. `canonical(Decimal("1E-18"))` has 18 decimals."""
    text = str(value)
    if text[-1] != "0" and "E" not in text:
        return text
    if "E" in text:
        text = f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "", "-") else text


def exact() -> AbstractContextManager[decimal.Context]:
    """Makes the operators exact, whatever the thread's own context is.

    For many amounts at once: a method of EXACT costs five times what `*` and `+` cost.
    """
    return decimal.localcontext(EXACT)


def total(values: Iterable[Decimal]) -> Decimal:
    """The exact sum of `values`, whatever the thread's own context is."""
    with exact():
        return sum(values, ZERO)


def product(left: Decimal, right: Decimal) -> Decimal:
    """The exact product, for instance amount times price."""
    return _multiply(left, right)


def divide(left: Decimal, right: Decimal, *, places: int) -> Decimal:
    """`left / right` rounded half to even at `places` decimals: the only division of money there is."""
    return _ROUNDING.quantize(_ROUNDING.divide(left, right), Decimal(1).scaleb(-places))


def rounded(value: Decimal, *, places: int) -> Decimal:
    """`value` rounded half to even at `places` decimals, for the edge where money is shown."""
    return _ROUNDING.quantize(value, Decimal(1).scaleb(-places))


def money(value: Decimal) -> str:
    """The value as people read it: two places, rounded half to even, never "-0.00". money(Decimal("2.005")) is "2.00"."""
    text = str(_quantize(value, _CENT))
    return "0.00" if text == "-0.00" else text


def monies(values: Iterable[Decimal]) -> list[str]:
    """`money` of each of many values."""
    texts = list(map(str, map(_quantize, values, repeat(_CENT))))
    return ["0.00" if text == "-0.00" else text for text in texts] if "-0.00" in texts else texts


def from_units(units: int, decimals: int) -> Decimal:
    """The amount of `units` base units of a token with `decimals` decimals: from_units(5, 1) is 0.5."""
    if -_UNITS_END < units < _UNITS_END and units and 0 <= decimals <= FRACTION_DIGITS_MAX:
        return _scaleb(Decimal(units), -decimals)  # any uint256 is within all limits
    return bounded(Decimal(units).scaleb(-decimals, EXACT), where="token amount")
