"""Kraken's public market data: prices of what Kraken lists, for Kraken's own tokens.

All tickers in one question for now; for the past only the last 720 candles of each length exist, so the finest length that still
reaches back is asked. Pairs are `XXBTZUSD` for Kraken's oldest codes and `DOTUSD` for the others.
Source: https://docs.kraken.com/api-reference/market-data (Ticker, OHLC).
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Quote
from omnifolio.model.prices import Wanted
from omnifolio.model.tokens import venue_of
from omnifolio.pricing.candles import points, settle_all
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

BASE_URL = "https://api.kraken.com"
CANDLES_MAX = 720
"""Candles that the server keeps of each length."""

_CODE = re.compile(r"[A-Z0-9]{1,20}")
_OLD_CODE = re.compile(r"X[A-Z]{3}")


class _Ticker(Struct, frozen=True):
    c: tuple[Decimal, Decimal]


class _Tickers(Struct, frozen=True):
    error: list[str] = []
    result: dict[str, _Ticker] = {}


class _Series(Struct, frozen=True):
    error: list[str] = []
    result: dict[str, Any] = {}


_Candle = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal, Decimal, int]
_tickers = msgspec.json.Decoder(_Tickers)
_series = msgspec.json.Decoder(_Series, float_hook=Decimal)


class KrakenMarket:
    """The source `kraken`."""

    id = "kraken-market"
    venue = "kraken"

    def __init__(self, *, base_url: str = BASE_URL) -> None:
        self._base = base_url.rstrip("/")

    def endpoints(self) -> Sequence[Endpoint]:
        return endpoints_of(self.id, "/0/public/Ticker", "/0/public/OHLC", base=self._base, default=BASE_URL)

    def covers(self, want: Wanted) -> bool:
        return venue_of(want.token) == self.venue and _CODE.fullmatch(_code(want)) is not None

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        asks = []
        current = tuple(want for want in wants if is_now(want, now))
        if current:
            asks.append(Ask(requests=(Request(host=self.id, url=f"{self._base}/0/public/Ticker"),), wants=current))
        grouped: dict[tuple[str, int], list[Wanted]] = {}
        for want in wants:
            interval = None if is_now(want, now) else _interval(want, now)
            if interval is not None:
                grouped.setdefault((_code(want), interval), []).append(want)
        return [*asks, *(self._ask(code, interval, group) for (code, interval), group in grouped.items())]

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        (answer,) = answers
        is_now_ask = ask.requests[0].url.endswith("/Ticker")
        found = dict(self._parse_now(ask, answer)) if is_now_ask else self._parse_past(ask, answer)
        return answer_all(ask.wants, found, source=self.id, observed_at=answer.received_at)

    def _ask(self, code: str, interval: int, group: Sequence[Wanted]) -> Ask:
        since = (min(want.at for want in group) - interval) // SECOND_MS
        url = f"{self._base}/0/public/OHLC?pair={_pair(code)}&interval={interval // MINUTE_MS}&since={since}"
        return Ask(requests=(Request(host=self.id, url=url),), wants=tuple(group))

    def _parse_now(self, ask: Ask, answer: Answer) -> Iterator[tuple[Wanted, Quote | None]]:
        body = decoded(self.id, answer, _tickers)
        _check(body.error)
        for want in ask.wants:
            pair = _pair(_code(want))
            price = usable(body.result[pair].c[0]) if pair in body.result else None
            if price is not None:
                yield (
                    want,
                    settle_now(want, price, at=answer.received_at, source=self.id, observed_at=answer.received_at, route=pair),
                )

    def _parse_past(self, ask: Ask, answer: Answer) -> dict[Wanted, Quote | None]:
        body = decoded(self.id, answer, _series)
        if any("Unknown asset pair" in error for error in body.error):
            return {}
        _check(body.error)
        pair = _pair(_code(ask.wants[0]))
        interval = int(ask.requests[0].url.partition("&interval=")[2].partition("&")[0]) * MINUTE_MS
        try:
            candles = msgspec.convert(body.result.get(pair, []), list[_Candle])
        except msgspec.ValidationError:
            raise VenueBadResponse("kraken: the candles are not what the documentation says") from None
        prices = points(((row[0] * SECOND_MS, row[4]) for row in candles), interval=interval)
        return settle_all(ask.wants, prices, source=self.id, observed_at=answer.received_at, route=pair)


def _interval(want: Wanted, now: EpochMs) -> int | None:
    """The finest candles that still reach back to the want and can answer it; None when none do."""
    reaching = (interval for interval in (MINUTE_MS, HOUR_MS, DAY_MS) if now - want.at < (CANDLES_MAX - 1) * interval)
    if want.resolution == DAY_MS:
        return DAY_MS if now - want.at < (CANDLES_MAX - 1) * DAY_MS else None
    finest = next(reaching, None)
    return None if finest == DAY_MS else finest


def _check(errors: Sequence[str]) -> None:
    """Raises what Kraken's error list means; its texts stay out of the message."""
    if any("Rate limit" in error or "Too many" in error for error in errors):
        raise VenueBusy("kraken asked us to slow down")
    if any(error.startswith("EService") for error in errors):
        raise VenueUnavailable("kraken says that its service is not available")
    if errors:
        raise VenueBadResponse("kraken refused a public question")


def _pair(code: str) -> str:
    return f"{code}ZUSD" if _OLD_CODE.fullmatch(code) else f"{code}USD"


def _code(want: Wanted) -> str:
    return want.token.rpartition("/")[2]
