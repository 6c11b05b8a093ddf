"""Candles of an exchange as prices at instants: how they are grouped into questions, and what a candle says.

A candle's close is the price at its last millisecond. So a day's candle gives exactly the day's close, and a minute's candle the
price of its minute.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal

from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.facts import Quote
from omnifolio.model.prices import Wanted, bucket_of
from omnifolio.pricing.contract import settle, usable

Point = tuple[EpochMs, Decimal]

NEAR_MS = HOUR_MS
"""A question about minutes also asks this much around, because a market without trades has no candles."""


def points(candles: Iterable[tuple[int, Decimal | None]], *, interval: int) -> list[Point]:
    """The prices of candles given as (first millisecond, close), sorted by time; those without a usable close are left out."""
    return sorted(
        (EpochMs(start + interval - 1), price) for start, close in candles if (price := usable(close)) is not None and start > 0
    )


def crossed(first: Sequence[Point], second: Sequence[Point], multiply: Callable[[Decimal, Decimal], Decimal]) -> list[Point]:
    """Prices over two markets: at every instant that both have, their product."""
    other = dict(second)
    return [(at, multiply(price, other[at])) for at, price in first if at in other]


def interval_of(want: Wanted) -> int:
    """The candle that answers a want best: a day's for a close, a minute's for everything else."""
    return DAY_MS if want.resolution == DAY_MS else MINUTE_MS


def windows(wants: Sequence[Wanted], *, interval: int, candles_max: int) -> Iterator[tuple[EpochMs, EpochMs, list[Wanted]]]:
    """Groups wants of one market into spans of at most `candles_max` candles: first and last instant asked, and the wants.

    Both ends are included and stand at the beginning of a candle.
    """
    margin = NEAR_MS if interval < NEAR_MS else 0
    reach = (candles_max - 1) * interval - 2 * margin
    assert reach > 0, "a question must hold more candles than its margins"
    group: list[Wanted] = []
    for want in sorted(wants, key=lambda item: item.at):
        if group and want.at - group[0].at > reach - interval:
            yield _span(group, interval, margin)
            group = []
        group.append(want)
    if group:
        yield _span(group, interval, margin)


def _span(group: list[Wanted], interval: int, margin: int) -> tuple[EpochMs, EpochMs, list[Wanted]]:
    first = bucket_of(EpochMs(group[0].at - margin), interval)
    last = bucket_of(EpochMs(group[-1].at + margin), interval)
    return first, last, group


def settle_all(
    wants: Sequence[Wanted], found: Sequence[Point], *, source: str, observed_at: EpochMs, route: str
) -> dict[Wanted, Quote | None]:
    """The quotes for all wants out of one market's prices."""
    return {want: settle(want, found, source=source, observed_at=observed_at, route=route) for want in wants}
