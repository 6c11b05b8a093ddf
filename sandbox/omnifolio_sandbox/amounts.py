"""Exact decimal amounts: one wide context that refuses to round, and how amounts are written."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow, localcontext

PRECISION_DIGITS = 160
EXACT = Context(prec=PRECISION_DIGITS, rounding=ROUND_HALF_EVEN, traps=[Inexact, InvalidOperation, Overflow])
ROUNDING = Context(prec=PRECISION_DIGITS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow])


@contextmanager
def exact() -> Iterator[None]:
    """Do arithmetic in the wide context: an operation that would lose a digit raises instead."""
    with localcontext(EXACT):
        yield


def cut(value: Decimal, places: int) -> Decimal:
    """`value` rounded towards zero to `places` decimal places (amounts are never rounded up)."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_DOWN, context=ROUNDING)


def near(value: Decimal, places: int) -> Decimal:
    """`value` rounded half-even to `places` decimal places."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=ROUNDING)


def significant(value: Decimal, digits: int) -> Decimal:
    """`value` rounded half-even to `digits` significant digits."""
    return Context(prec=digits, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, Overflow]).plus(value)


def divide(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """The quotient, rounded half-even to `places` decimal places."""
    return near(ROUNDING.divide(dividend, divisor), places)


def ratio(dividend: Decimal, divisor: Decimal, places: int) -> Decimal:
    """The quotient, rounded towards zero to `places` decimal places (a quantity that is never rounded up)."""
    return cut(ROUNDING.divide(dividend, divisor), places)


def text(value: Decimal) -> str:
    """Canonical form: no exponent, no trailing zeros, "0" for zero, never "-0"."""
    if not value:
        return "0"
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def fixed(value: Decimal, places: int) -> str:
    """`value` with exactly `places` decimals, as venues print it; refuses to lose a digit."""
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places and near(value, places) != value:
        raise ValueError(f"{text(value)} does not fit into {places} decimal places")
    return format(value if value else Decimal(0), f".{places}f")
