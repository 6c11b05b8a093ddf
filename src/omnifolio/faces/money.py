"""Money as people and the wire see it: two decimals, rounded half to even, once, here."""

from decimal import Decimal

from omnifolio.model.amounts import rounded

PLACES = 2


def money(value: Decimal) -> str:
    """An amount of fiat with two decimals: "2021.08"."""
    return f"{rounded(value, places=PLACES):f}"


def grouped(value: Decimal) -> str:
    """The same with thousands apart, for people: "2,021.08"."""
    return f"{rounded(value, places=PLACES):,f}"
