"""Binance's public market data: prices of what Binance lists, for Binance's own tokens.

Binance trades in USDT, not in dollars, so every price goes over a second market: Coinbase's USDT-USD at the same candle. USDT is
never taken for a dollar. Source: https://developers.binance.com/docs/binance-spot-api-docs (klines).
"""

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec

from omnifolio.model import amounts
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Quote
from omnifolio.model.prices import Wanted
from omnifolio.model.tokens import venue_of
from omnifolio.pricing.candles import crossed, interval_of, points, settle_all, windows
from omnifolio.pricing.contract import Ask, Endpoint, Found, Request, answer_all, decoded, endpoints_of
from omnifolio.pricing.sources import coinbase
from omnifolio.transport.egress import Answer

BASE_URL = "https://api.binance.com"
CANDLES_MAX = coinbase.CANDLES_MAX
"""Candles in one question: as many as the market of the second hop gives at once."""
DOLLAR_PRODUCT = "USDT-USD"

_CODE = re.compile(r"[A-Z0-9]{1,20}")
_INTERVALS = {60_000: "1m", 86_400_000: "1d"}
_UNKNOWN_SYMBOL = -1121

_Kline = tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal, int, Decimal, int, Decimal, Decimal, Decimal]
_klines = msgspec.json.Decoder(list[_Kline])


class _Refusal(msgspec.Struct, frozen=True):
    code: int


_refusal = msgspec.json.Decoder(_Refusal)


class BinanceMarket:
    """The source `binance`."""

    id = "binance-market"
    venue = "binance"

    def __init__(self, *, base_url: str = BASE_URL, coinbase_url: str = coinbase.BASE_URL) -> None:
        self._base = base_url.rstrip("/")
        self._coinbase = coinbase_url.rstrip("/")

    def endpoints(self) -> Sequence[Endpoint]:
        return (
            *endpoints_of(self.id, "/api/v3/klines", base=self._base, default=BASE_URL),
            coinbase.candles_endpoint(self._coinbase),
        )

    def covers(self, want: Wanted) -> bool:
        return venue_of(want.token) == self.venue and _CODE.fullmatch(_code(want)) is not None

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        grouped: dict[tuple[str, int], list[Wanted]] = {}
        for want in wants:
            if want.at <= now:
                grouped.setdefault((_code(want), interval_of(want)), []).append(want)
        return [ask for (code, interval), group in grouped.items() for ask in self._asks(code, interval, group)]

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        observed_at = EpochMs(max(answer.received_at for answer in answers))
        found: dict[Wanted, Quote | None] = {}
        if not _is_unknown(answers[0]):
            interval = interval_of(ask.wants[0])
            dollars = coinbase.candle_points(answers[-1], interval=interval)
            route = DOLLAR_PRODUCT
            prices = dollars
            if len(answers) == 2:
                rows = decoded(self.id, answers[0], _klines)
                own = points(((row[0], row[4]) for row in rows), interval=interval)
                prices = crossed(own, dollars, amounts.product)
                route = f"{_code(ask.wants[0])}USDT x {DOLLAR_PRODUCT}"
            found = settle_all(ask.wants, prices, source=self.id, observed_at=observed_at, route=route)
        return answer_all(ask.wants, found, source=self.id, observed_at=observed_at)

    def _asks(self, code: str, interval: int, group: Sequence[Wanted]) -> Iterator[Ask]:
        for first, last, wants in windows(group, interval=interval, candles_max=CANDLES_MAX):
            hop = coinbase.candles_request(self._coinbase, DOLLAR_PRODUCT, interval=interval, first=first, last=last)
            own = Request(
                host=self.id,
                url=f"{self._base}/api/v3/klines?symbol={code}USDT&interval={_INTERVALS[interval]}"
                f"&startTime={first}&endTime={last}&limit={CANDLES_MAX}",
                cost=2,
            )
            yield Ask(requests=(hop,) if code == "USDT" else (own, hop), wants=tuple(wants))


def _is_unknown(answer: Answer) -> bool:
    """Whether Binance says that there is no such market."""
    if answer.status != 400:
        return False
    try:
        return _refusal.decode(answer.body).code == _UNKNOWN_SYMBOL
    except msgspec.DecodeError:
        return False


def _code(want: Wanted) -> str:
    return want.token.rpartition("/")[2]
