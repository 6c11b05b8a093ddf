"""The sandbox's own feed: exact prices by minute and exchange rates by day of the simulated world.

It knows the simulated venues' tokens by their ids, so two tokens of one ticker are never mixed up; other tokens are asked by
their asset's ticker. What it does not price is absent from its answer.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import msgspec
from msgspec import Struct

from omnifolio.catalog.assets import Assets
from omnifolio.model.clock import DAY_MS, MINUTE_MS, EpochMs, day_of, start_of_day
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.prices import Rate, Wanted, bucket_of
from omnifolio.model.tokens import venue_of
from omnifolio.pricing.contract import Ask, Endpoint, Found, Request, answer_all, decoded, quote, usable
from omnifolio.transport.egress import Answer

ITEMS_MAX = 1_000
"""Prices in one question."""
DAYS_MAX = 3_600
"""Days of rates in one question."""


class _Price(Struct, frozen=True):
    ticker: str
    at: int
    price: Decimal


class _Prices(Struct, frozen=True):
    currency: str
    prices: list[_Price]


class _Days(Struct, frozen=True):
    base: str
    rates: dict[str, dict[str, Decimal]]


_prices = msgspec.json.Decoder(_Prices)
_days = msgspec.json.Decoder(_Days)


class SandboxFeed:
    """The source `sandbox`, of prices and of rates."""

    id = "sandbox"

    def __init__(self, *, assets: Assets, base_url: str) -> None:
        self._assets = assets
        self._base = base_url.rstrip("/")

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            Endpoint(host=self.id, method="POST", url=f"{self._base}/feed/prices", is_configured=True),
            Endpoint(host=self.id, method="GET", url=f"{self._base}/feed/fx", is_configured=True),
        )

    def covers(self, want: Wanted) -> bool:
        return bool(self._name(want))

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        return [self._ask(wants[start : start + ITEMS_MAX]) for start in range(0, len(wants), ITEMS_MAX)]

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        (answer,) = answers
        body = decoded(self.id, answer, _prices)
        if body.currency != "USD":
            raise VenueBadResponse("sandbox: prices are expected in USD")
        prices = {(item.ticker, item.at): price for item in body.prices if (price := usable(item.price)) is not None}
        found = {
            want: quote(want, price, source=self.id, observed_at=answer.received_at, resolution=want.resolution)
            for want in ask.wants
            if (price := prices.get((self._name(want), bucket_of(want.at, MINUTE_MS)))) is not None
        }
        return answer_all(ask.wants, found, source=self.id, observed_at=answer.received_at)

    def plan_rates(self, first: EpochMs, last: EpochMs, *, now: EpochMs) -> Ask:
        starts = range(first, last + 1, DAYS_MAX * DAY_MS)
        spans = [(start, min(last, EpochMs(start + (DAYS_MAX - 1) * DAY_MS))) for start in starts]
        return Ask(
            requests=tuple(
                Request(
                    host=self.id,
                    url=f"{self._base}/feed/fx?from={day_of(EpochMs(start)).isoformat()}&to={day_of(EpochMs(end)).isoformat()}",
                )
                for start, end in spans
            ),
            wants=(),
        )

    def parse_rates(self, ask: Ask, answers: Sequence[Answer]) -> Sequence[Rate]:
        rates = []
        for answer in answers:
            body = decoded(self.id, answer, _days)
            if body.base != "EUR":
                raise VenueBadResponse("sandbox: rates are expected for one euro")
            for text, currencies in body.rates.items():
                day = _day(text)
                for currency, raw in currencies.items():
                    rate = usable(raw)
                    if rate is None:
                        raise VenueBadResponse("sandbox: a rate is not positive")
                    rates.append(Rate(currency=currency, day=day, rate=rate, source=self.id, observed_at=answer.received_at))
        return rates

    def _ask(self, wants: Sequence[Wanted]) -> Ask:
        items = {(self._name(want), bucket_of(want.at, MINUTE_MS)): None for want in wants}
        body = msgspec.json.encode({"items": [{"ticker": name, "at": at} for name, at in items]})
        request = Request(
            host=self.id,
            method="POST",
            url=f"{self._base}/feed/prices",
            headers={"content-type": "application/json"},
            body=body,
        )
        return Ask(requests=(request,), wants=tuple(wants))

    def _name(self, want: Wanted) -> str:
        """The feed's name of a token: a simulated venue's own id, or the ticker of the asset it belongs to."""
        if venue_of(want.token) is not None:
            return want.token
        asset = self._assets.of(want.token, want.at)
        return "" if asset is None else asset.ticker


def _day(text: str) -> EpochMs:
    try:
        return start_of_day(date.fromisoformat(text))
    except ValueError:
        raise VenueBadResponse("sandbox: a day is not a date") from None
