"""CoinGecko: prices of now for many coins at once, and of the past as one coin's series over a range of time.

The public plan reaches back 365 days; a base URL of another plan has no such limit here. Series are five-minutely for the
last day, hourly up to 90 days, daily (00:00 UTC) beyond.
Source: https://docs.coingecko.com (simple/price, market_chart/range).
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from omnifolio.catalog.assets import Assets
from omnifolio.model.clock import DAY_MS, HOUR_MS, SECOND_MS, EpochMs
from omnifolio.model.facts import Quote
from omnifolio.model.prices import Wanted
from omnifolio.pricing.contract import (
    Ask,
    Endpoint,
    Found,
    Request,
    answer_all,
    decoded,
    endpoints_of,
    is_now,
    settle,
    settle_now,
    usable,
)
from omnifolio.transport.egress import Answer

BASE_URL = "https://api.coingecko.com/api/v3"
COINS_MAX = 200
"""Coins in one question about now."""
HOURLY_SPAN_MS = 80 * DAY_MS
"""The longest range asked for minutes and hours: beyond 90 days the series becomes daily."""
DAILY_SPAN_MS = 360 * DAY_MS
"""The longest range asked for days."""
PUBLIC_AGE_MS = 364 * DAY_MS
"""The public plan answers nothing older."""


class _Now(Struct, frozen=True):
    usd: Decimal | None = None
    last_updated_at: int | None = None


class _Series(Struct, frozen=True):
    prices: list[tuple[Decimal, Decimal | None]]


_now = msgspec.json.Decoder(dict[str, _Now])
_series = msgspec.json.Decoder(_Series)


class CoinGecko:
    """The source `coingecko`."""

    id = "coingecko"

    def __init__(self, *, assets: Assets, base_url: str = BASE_URL) -> None:
        self._assets = assets
        self._base = base_url.rstrip("/")

    def endpoints(self) -> Sequence[Endpoint]:
        return endpoints_of(self.id, "/simple/price", "/coins/{coin}/market_chart/range", base=self._base, default=BASE_URL)

    def covers(self, want: Wanted) -> bool:
        return bool(self._coin(want))

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        oldest = now - PUBLIC_AGE_MS if self._base == BASE_URL else 0
        past = [want for want in wants if not is_now(want, now) and want.at >= oldest]
        return [
            *self._plan_now([want for want in wants if is_now(want, now)]),
            *self._plan_past([want for want in past if want.resolution == DAY_MS], span_ms=DAILY_SPAN_MS),
            *self._plan_past([want for want in past if want.resolution != DAY_MS], span_ms=HOURLY_SPAN_MS),
        ]

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        (answer,) = answers
        if "/market_chart/range?" not in ask.requests[0].url:
            found = self._parse_now(ask, answer)
        elif answer.status == 404:  # the coin was taken off the list
            found = {}
        else:
            found = self._parse_past(ask, answer)
        return answer_all(ask.wants, found, source=self.id, observed_at=answer.received_at)

    def _coin(self, want: Wanted) -> str:
        asset = self._assets.of(want.token, want.at)
        return "" if asset is None else asset.coingecko

    def _by_coin(self, wants: Sequence[Wanted]) -> dict[str, list[Wanted]]:
        grouped: dict[str, list[Wanted]] = {}
        for want in sorted(wants, key=lambda item: item.at):
            grouped.setdefault(self._coin(want), []).append(want)
        return grouped

    def _plan_now(self, wants: Sequence[Wanted]) -> Iterator[Ask]:
        grouped = list(self._by_coin(wants).items())
        for start in range(0, len(grouped), COINS_MAX):
            chunk = grouped[start : start + COINS_MAX]
            question = {
                "ids": ",".join(coin for coin, _ in chunk),
                "vs_currencies": "usd",
                "include_last_updated_at": "true",
                "precision": "full",
            }
            url = f"{self._base}/simple/price?{urlencode(question, safe=',')}"
            yield Ask(requests=(Request(host=self.id, url=url),), wants=tuple(want for _, group in chunk for want in group))

    def _plan_past(self, wants: Sequence[Wanted], *, span_ms: int) -> Iterator[Ask]:
        for coin, group in self._by_coin(wants).items():
            start = 0
            for end in range(1, len(group) + 1):
                if end == len(group) or group[end].at - group[start].at > span_ms:
                    yield self._ask_past(coin, group[start:end])
                    start = end

    def _ask_past(self, coin: str, group: Sequence[Wanted]) -> Ask:
        question = {
            "vs_currency": "usd",
            "from": (group[0].at - HOUR_MS) // SECOND_MS,
            "to": (group[-1].at + HOUR_MS) // SECOND_MS,
            "precision": "full",
        }
        url = f"{self._base}/coins/{coin}/market_chart/range?{urlencode(question)}"
        return Ask(requests=(Request(host=self.id, url=url),), wants=tuple(group))

    def _parse_now(self, ask: Ask, answer: Answer) -> dict[Wanted, Quote | None]:
        coins = decoded(self.id, answer, _now)
        found: dict[Wanted, Quote | None] = {}
        for want in ask.wants:
            item = coins.get(self._coin(want))
            price = None if item is None else usable(item.usd)
            if item is not None and price is not None:
                at = answer.received_at if item.last_updated_at is None else EpochMs(item.last_updated_at * SECOND_MS)
                found[want] = settle_now(want, price, at=at, source=self.id, observed_at=answer.received_at)
        return found

    def _parse_past(self, ask: Ask, answer: Answer) -> dict[Wanted, Quote | None]:
        points = sorted(
            (EpochMs(int(at)), price)
            for at, raw in decoded(self.id, answer, _series).prices
            if (price := usable(raw)) is not None and usable(at) is not None
        )
        return {want: settle(want, points, source=self.id, observed_at=answer.received_at) for want in ask.wants}
