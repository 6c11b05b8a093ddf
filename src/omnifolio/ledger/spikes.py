"""Which new prices are believed: none that is more than ten times away from its neighbours in time. Pure.

A price is compared with the nearest believed one, known before or just accepted. Where nothing is known yet, the middle price of
the newcomers is where belief begins, and only if most of them agree with it.
"""

from collections.abc import Sequence
from decimal import Decimal

from omnifolio.model.amounts import product
from omnifolio.model.clock import DAY_MS, EpochMs

FACTOR_MAX = Decimal(10)
"""A price may be this many times its neighbour, or this small a part of it."""
NEIGHBOUR_MS = 30 * DAY_MS
"""Prices further apart in time are no neighbours: in a month an honest price can move a long way."""
AGREEMENT_MAX = Decimal("1.25")
"""Two sources agree when neither price is more than this many times the other."""

Point = tuple[EpochMs, Decimal]


def within(left: Decimal, right: Decimal, factor: Decimal) -> bool:
    """Whether neither price is more than `factor` times the other."""
    return left <= product(right, factor) and right <= product(left, factor)


def believed(newcomers: Sequence[Point], known: Sequence[Point]) -> list[bool]:
    """For every newcomer of one token (in order of time), whether it is believed beside the `known` prices (in any order)."""
    verdicts: list[bool | None] = [None] * len(newcomers)
    start = 0
    for end in range(1, len(newcomers) + 1):
        if end == len(newcomers) or newcomers[end][0] - newcomers[end - 1][0] > NEIGHBOUR_MS:
            _judge(newcomers, known, verdicts, range(start, end))
            start = end
    return [verdict is True for verdict in verdicts]


def _judge(newcomers: Sequence[Point], known: Sequence[Point], verdicts: list[bool | None], places: range) -> None:
    """Judges one stretch of newcomers that are neighbours of each other."""
    first, last = newcomers[places.start][0], newcomers[places.stop - 1][0]
    anchors = [point for point in known if first - NEIGHBOUR_MS <= point[0] <= last + NEIGHBOUR_MS]
    if not anchors:
        middle = sorted(places, key=lambda place: newcomers[place][1])[(len(places) - 1) // 2]
        anchors = [newcomers[middle]]
        _walk(newcomers, anchors, verdicts, places)
        if sum(verdicts[place] is True for place in places) * 2 <= len(places):
            for place in places:
                verdicts[place] = False
        return
    _walk(newcomers, anchors, verdicts, places)


def _walk(newcomers: Sequence[Point], anchors: Sequence[Point], verdicts: list[bool | None], places: range) -> None:
    """Goes out from the anchors in time, each newcomer against the nearest believed price on its way."""
    ordered = sorted(anchors)
    for way in (1, -1):
        trusted: Point | None = None
        waiting = list(ordered) if way == 1 else list(reversed(ordered))
        for place in places if way == 1 else reversed(places):
            at, price = newcomers[place]
            while waiting and (waiting[0][0] - at) * way <= 0:
                trusted = waiting.pop(0)
            if verdicts[place] is True:
                trusted = newcomers[place]
            elif verdicts[place] is None and trusted is not None and abs(at - trusted[0]) <= NEIGHBOUR_MS:
                verdicts[place] = within(price, trusted[1], FACTOR_MAX)
                if verdicts[place]:
                    trusted = newcomers[place]
