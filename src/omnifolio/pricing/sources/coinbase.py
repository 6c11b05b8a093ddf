"""Coinbase Exchange's public market data: prices of what Coinbase lists, for Coinbase's own tokens.

One ticker per product for now, candles of up to 300 for the past, both without a key. Products are `<code>-USD`.
Source: https://docs.cdp.coinbase.com/api-reference/exchange-api (products/{id}/ticker, products/{id}/candles).
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
from msgspec import Struct

from omnifolio.model.clock import SECOND_MS, EpochMs, iso
from omnifolio.model.facts import Quote
from omnifolio.model.prices import Wanted
from omnifolio.model.tokens import venue_of
from omnifolio.pricing.candles import Point, interval_of, points, settle_all, windows
from omnifolio.pricing.contract import (
    Ask,
    Endpoint,
    Found,
    Request,
    answer_all,
    decoded,
    endpoints_of,
    is_now,
    settle_now,
    usable,
)
from omnifolio.transport.egress import Answer

BASE_URL = "https://api.exchange.coinbase.com"
CANDLES_MAX = 290
"""Candles in one question; the server refuses more than 300."""

_CODE = re.compile(r"[A-Z0-9]{1,20}")


class _Ticker(Struct, frozen=True):
    price: Decimal | None = None


_ticker = msgspec.json.Decoder(_Ticker)
_candles = msgspec.json.Decoder(list[tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]])


class CoinbaseMarket:
    """The source `coinbase`."""

    id = "coinbase-market"
    venue = "coinbase"

    def __init__(self, *, base_url: str = BASE_URL) -> None:
        self._base = base_url.rstrip("/")

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            *endpoints_of(self.id, "/products/{product}/ticker", base=self._base, default=BASE_URL),
            candles_endpoint(self._base),
        )

    def covers(self, want: Wanted) -> bool:
        return venue_of(want.token) == self.venue and _CODE.fullmatch(_code(want)) is not None

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        asks = []
        grouped: dict[tuple[str, int], list[Wanted]] = {}
        for want in wants:
            if is_now(want, now):
                url = f"{self._base}/products/{_code(want)}-USD/ticker"
                asks.append(Ask(requests=(Request(host=self.id, url=url),), wants=(want,)))
            else:
                grouped.setdefault((_code(want), interval_of(want)), []).append(want)
        for (code, interval), group in grouped.items():
            asks.extend(self._asks(code, interval, group))
        return asks

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        (answer,) = answers
        found: dict[Wanted, Quote | None] = {}
        if answer.status == 404:  # no such product
            pass
        elif ask.requests[0].url.endswith("/ticker"):
            price = usable(decoded(self.id, answer, _ticker).price)
            for want in ask.wants if price is not None else ():
                assert price is not None
                found[want] = settle_now(
                    want, price, at=answer.received_at, source=self.id, observed_at=answer.received_at, route=f"{_code(want)}-USD"
                )
        else:
            prices = candle_points(answer, interval=interval_of(ask.wants[0]))
            route = f"{_code(ask.wants[0])}-USD"
            found = settle_all(ask.wants, prices, source=self.id, observed_at=answer.received_at, route=route)
        return answer_all(ask.wants, found, source=self.id, observed_at=answer.received_at)

    def _asks(self, code: str, interval: int, group: Sequence[Wanted]) -> Iterator[Ask]:
        for first, last, wants in windows(group, interval=interval, candles_max=CANDLES_MAX):
            yield Ask(
                requests=(candles_request(self._base, f"{code}-USD", interval=interval, first=first, last=last),),
                wants=tuple(wants),
            )


def candles_endpoint(base: str) -> Endpoint:
    """The kind of request that `candles_request` makes."""
    return endpoints_of(CoinbaseMarket.id, "/products/{product}/candles", base=base, default=BASE_URL)[0]


def candles_request(base: str, product: str, *, interval: int, first: EpochMs, last: EpochMs) -> Request:
    """The question for a product's candles; both instants are the beginnings of candles and included."""
    url = f"{base}/products/{product}/candles?granularity={interval // SECOND_MS}&start={iso(first)}&end={iso(last)}"
    return Request(host=CoinbaseMarket.id, url=url)


def candle_points(answer: Answer, *, interval: int) -> list[Point]:
    """The prices of an answer of candles. Raises: VenueError and its kin."""
    rows = decoded(CoinbaseMarket.id, answer, _candles)
    return points(((row[0] * SECOND_MS, row[4]) for row in rows), interval=interval)


def _code(want: Wanted) -> str:
    return want.token.rpartition("/")[2]
