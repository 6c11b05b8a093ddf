"""Prices and exchange rates as values: what is asked, what is found, what is missing and why. No I/O.

A price belongs to a bucket: a minute, an hour or a UTC day, named by its first millisecond. Everything is worth something in the
bridge currency first (`BRIDGE`); other currencies are reached through the euro's daily reference rates.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from omnifolio.model import amounts
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs, day_of, iso, start_of_day
from omnifolio.model.tokens import TokenId

BRIDGE = "USD"
EURO = "EUR"
RESOLUTIONS = (MINUTE_MS, HOUR_MS, DAY_MS)
ALL_TIME = 0
"""The resolution of an absence that holds for a token at every instant."""

NOW_INTERVAL_MS = 10 * MINUTE_MS
"""Prices of what is held are asked at most this often; within it, the last one counts as the price of now."""
RATE_AGE_MAX_DAYS = 30
"""A reference rate is used for at most this many days after its publication."""
RATIO_PLACES = 12
"""Decimals to which an amount in one currency is rounded (half to even) when it is divided by a rate."""

Reason = Literal["no_source", "source_failed", "not_asked", "coarser", "spike", "no_rate", "spam"]
REASONS: dict[Reason, str] = {
    "no_source": "no price source lists it at that time",
    "source_failed": "the price sources did not answer; they are asked again",
    "not_asked": "no price source has been asked yet",
    "coarser": "only a coarser price is known",
    "spike": "the only price found is more than ten times away from its neighbours, and no second source confirms it",
    "spam": "it is spam, which has no worth",
    "no_rate": f"no exchange rate was published on that day or in the {RATE_AGE_MAX_DAYS} days before it",
}


class Wanted(Struct, frozen=True, kw_only=True):
    """One price that is wanted: of `token` at the instant `at`, for the bucket of length `resolution` that holds it.

    The close of a day is wanted at the day's last millisecond.
    """

    token: TokenId
    ticker: str
    at: EpochMs
    resolution: int

    @property
    def bucket(self) -> EpochMs:
        """The first millisecond of the wanted bucket."""
        return bucket_of(self.at, self.resolution)


class Absence(Struct, frozen=True, kw_only=True):
    """That a wanted price was not found, and why. `resolution` ALL_TIME (and bucket 0) speaks of the token as such."""

    token: TokenId
    bucket: EpochMs
    resolution: int
    reason: Reason
    source: str
    observed_at: EpochMs


class Rate(Struct, frozen=True, kw_only=True):
    """A published reference rate: `rate` units of `currency` for one euro; `day` is the UTC day's first millisecond."""

    currency: str
    day: EpochMs
    rate: Decimal
    source: str
    observed_at: EpochMs


class Price(Struct, frozen=True, kw_only=True):
    """The price that holds for a token at an instant, and where it is from.

    `is_stale` when it was carried forward from an earlier bucket for longer than the asker tolerates.
    """

    price: Decimal
    currency: str
    bucket: EpochMs
    resolution: int
    source: str
    route: str = ""
    observed_at: EpochMs
    is_stale: bool = False

    @property
    def as_of(self) -> str:
        """The bucket's beginning for people: `2024-05-01` for a day, `2024-05-01 13:07 UTC` for what is shorter."""
        text = iso(self.bucket)
        return text[:10] if self.resolution >= DAY_MS else f"{text[:10]} {text[11:16]} UTC"


class Unpriced(Struct, frozen=True):
    """There is no price or rate; `reason` is one of REASONS. Never to be read as zero."""

    reason: Reason

    @property
    def text(self) -> str:
        """The reason for people."""
        return REASONS[self.reason]


NOT_ASKED = Unpriced("not_asked")


class Quotes:
    """Prices by the ledger's number of a token and the minute; asking for what was not looked up gives `not_asked`."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[tuple[int, EpochMs], Price | Unpriced]) -> None:
        self._found = found

    def at(self, token: int, at: EpochMs) -> Price | Unpriced:
        """The price of `token` at the instant, or why there is none."""
        return self._found.get((token, bucket_of(at, MINUTE_MS)), NOT_ASKED)


class Rates:
    """Reference rates by currency and UTC day; the euro itself is always 1."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[tuple[str, EpochMs], Decimal]) -> None:
        self._found = found

    def per_euro(self, currency: str, day: date) -> Decimal | Unpriced:
        """Units of `currency` for one euro, by the last publication on or before `day`."""
        if currency == EURO:
            return Decimal(1)
        return self._found.get((currency, start_of_day(day)), Unpriced("no_rate"))

    def convert(self, amount: Decimal, *, source: str, target: str, at: EpochMs) -> Decimal | Unpriced:
        """`amount` of currency `source` in `target` by the rates of the instant's day.

        Into euros the amount is divided (rounded to RATIO_PLACES), out of euros it is multiplied exactly.
        """
        if source == target:
            return amount
        day = day_of(at)
        from_rate, to_rate = self.per_euro(source, day), self.per_euro(target, day)
        if isinstance(from_rate, Unpriced):
            return from_rate
        if isinstance(to_rate, Unpriced):
            return to_rate
        euros = amount if source == EURO else amounts.divide(amount, from_rate, places=RATIO_PLACES)
        return amounts.product(euros, to_rate)


def bucket_of(at: EpochMs, resolution: int) -> EpochMs:
    """The first millisecond of the bucket of length `resolution` that holds the instant."""
    return EpochMs(at - at % resolution)
