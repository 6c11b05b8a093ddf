"""Is a token really gone? Absence in a snapshot is no proof when a venue has a bad day.

Nothing here reads or writes: the ledger hands over what was held, what is absent now and what the legs explain.
"""

from collections.abc import Mapping
from decimal import Decimal

from omnifolio.model.amounts import ZERO, product, total
from omnifolio.model.clock import MINUTE_MS, EpochMs

SECOND_LOOK_MS = 10 * MINUTE_MS
"""A second observation this much later that shows the same absence is believed."""
EXPLAINING_SLACK_MS = 60 * MINUTE_MS
"""Legs this much older than the last good observation may still explain an absence, where all legs together say so: venues date
them differently, but the observation may also have shown what they did."""


def is_suspect(*, held: Mapping[int, Decimal], unexplained: frozenset[int], prices: Mapping[int, Decimal]) -> bool:
    """True when more than half of the value, or everything, has vanished without legs that explain it.

    `held` amounts by token before; `unexplained` the tokens that the new observation lacks and whose going no legs show;
    `prices` one common currency, tokens without a price are counted instead of weighed.
    """
    if not unexplained:
        return False
    if unexplained == held.keys():
        return True
    priced = {token: abs(product(amount, prices[token])) for token, amount in held.items() if token in prices}
    whole = total(priced.values())
    lost = total(value for token, value in priced.items() if token in unexplained)
    if whole:
        return lost * 2 > whole
    return len(unexplained) * 2 > len(held)


def is_confirmed(*, suspect_since: EpochMs, at: EpochMs) -> bool:
    """True when a second observation of the same absence comes late enough to be believed."""
    return at - suspect_since >= SECOND_LOOK_MS


def is_explained(*, held: Decimal, moved: Decimal, whole: Decimal, has_left: bool) -> bool:
    """True when legs take away at least what was held.

    `moved` sums the legs after the last good observation. `whole` is the sum of all legs and `has_left` says that some of them,
    around or after that observation, went the same way: where that sum is zero, the last of it left.
    """
    rest = held + moved
    return (rest <= ZERO if held > 0 else rest >= ZERO) or (has_left and not whole)
