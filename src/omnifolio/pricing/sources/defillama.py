"""DefiLlama's coins API: prices of now and of any past instant, for contracts by chain and address and for coins by CoinGecko id.

Free and without a key; a paid key is part of the base URL (`https://pro-api.llama.fi/KEY/coins`). Every price comes with the
instant it is from and a confidence. Source: https://api-docs.defillama.com (coins).
"""

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from urllib.parse import quote as percent

import msgspec
from msgspec import Struct

from omnifolio.catalog.assets import Assets
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.facts import Quote
from omnifolio.model.prices import NOW_INTERVAL_MS, Wanted
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
    usable,
)
from omnifolio.transport.egress import Answer

BASE_URL = "https://coins.llama.fi"
COINS_LENGTH_MAX = 1_500
"""Characters of all coins in one question about now, which stand in the path."""
POINTS_MAX = 150
"""Instants in one question about the past; keeps the address below the server's limit."""
SEARCH_WIDTH_S = 3_600
"""How far from the wanted instant the server looks for a price."""
CONFIDENCE_MIN = Decimal("0.8")
"""Prices that the source itself doubts more than this are not taken."""

PATHS = ("/prices/current/{coins}", "/prices/historical/{at}/{coins}", "/batchHistorical")
"""Prices of now; of several coins at one instant; of each coin at instants of its own."""

CHAINS = {
    "1": "ethereum",
    "10": "optimism",
    "25": "cronos",
    "56": "bsc",
    "100": "xdai",
    "137": "polygon",
    "250": "fantom",
    "324": "era",
    "1101": "polygon_zkevm",
    "1284": "moonbeam",
    "5000": "mantle",
    "8453": "base",
    "34443": "mode",
    "42161": "arbitrum",
    "42220": "celo",
    "43114": "avax",
    "59144": "linea",
    "81457": "blast",
    "534352": "scroll",
}
"""The source's names of EVM chains by chain id."""
_SOLANA = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:"


class _Price(Struct, frozen=True):
    price: Decimal | None = None
    timestamp: int = 0
    confidence: Decimal | None = None


class _Now(Struct, frozen=True):
    coins: dict[str, _Price]


class _History(Struct, frozen=True):
    prices: list[_Price] = []


class _Past(Struct, frozen=True):
    coins: dict[str, _History]


_now = msgspec.json.Decoder(_Now)
_past = msgspec.json.Decoder(_Past)


class DefiLlama:
    """The source `defillama`."""

    id = "defillama"

    def __init__(self, *, assets: Assets, base_url: str = BASE_URL) -> None:
        self._assets = assets
        self._base = base_url.rstrip("/")

    def endpoints(self) -> Sequence[Endpoint]:
        return endpoints_of(self.id, *PATHS, base=self._base, default=BASE_URL)

    def covers(self, want: Wanted) -> bool:
        return self._coin(want) is not None

    def plan(self, wants: Sequence[Wanted], *, now: EpochMs) -> Sequence[Ask]:
        return [
            *self._plan_now([want for want in wants if is_now(want, now)]),
            *self._plan_past([want for want in wants if not is_now(want, now)]),
        ]

    def parse(self, ask: Ask, answers: Sequence[Answer]) -> Found:
        (answer,) = answers
        url = ask.requests[0].url
        if "/batchHistorical?" in url:
            found = self._parse_batch(ask, answer)
        else:
            found = self._parse_coins(ask, answer, is_current="/prices/current/" in url)
        return answer_all(ask.wants, found, source=self.id, observed_at=answer.received_at)

    def _coin(self, want: Wanted) -> str | None:
        """The source's id: the contract where the token is one, else the reviewed coin."""
        chain, _, rest = want.token.partition("/")
        if chain.startswith("eip155:") and rest.startswith("erc20:"):
            name = CHAINS.get(chain.removeprefix("eip155:"))
            return f"{name}:{rest.removeprefix('erc20:')}" if name else None
        if want.token.startswith(_SOLANA):
            return "solana:" + want.token.removeprefix(_SOLANA)
        asset = self._assets.of(want.token, want.at)
        return f"coingecko:{asset.coingecko}" if asset is not None and asset.coingecko else None

    def _by_coin(self, wants: Sequence[Wanted]) -> dict[str, list[Wanted]]:
        grouped: dict[str, list[Wanted]] = {}
        for want in wants:
            coin = self._coin(want)
            if coin is not None:
                grouped.setdefault(coin, []).append(want)
        return grouped

    def _plan_now(self, wants: Sequence[Wanted]) -> Iterator[Ask]:
        chunk: dict[str, list[Wanted]] = {}
        for coin, group in self._by_coin(wants).items():
            if chunk and sum(map(len, chunk)) + len(chunk) + len(coin) > COINS_LENGTH_MAX:
                yield self._ask_now(chunk)
                chunk = {}
            chunk[coin] = group
        if chunk:
            yield self._ask_now(chunk)

    def _ask_now(self, chunk: dict[str, list[Wanted]]) -> Ask:
        url = f"{self._base}/prices/current/{percent(','.join(chunk), safe=':,')}"
        return Ask(requests=(Request(host=self.id, url=url),), wants=tuple(want for group in chunk.values() for want in group))

    def _plan_past(self, wants: Sequence[Wanted]) -> Iterator[Ask]:
        chunk: dict[str, list[Wanted]] = {}
        count = 0
        for coin, group in self._by_coin(wants).items():
            for want in sorted(group, key=lambda item: item.at):
                chunk.setdefault(coin, []).append(want)
                count += 1
                if count == POINTS_MAX:
                    yield self._ask_past(chunk)
                    chunk, count = {}, 0
        if chunk:
            yield self._ask_past(chunk)

    def _ask_past(self, chunk: dict[str, list[Wanted]]) -> Ask:
        instants = {coin: sorted({want.at // SECOND_MS for want in group}) for coin, group in chunk.items()}
        together = {instant for group in instants.values() for instant in group}
        if len(together) == 1 and sum(map(len, chunk)) + len(chunk) <= COINS_LENGTH_MAX:
            path = f"/prices/historical/{together.pop()}/{percent(','.join(chunk), safe=':,')}?"
        else:
            path = f"/batchHistorical?coins={percent(json.dumps(instants, separators=(',', ':')), safe=':,')}&"
        url = f"{self._base}{path}searchWidth={SEARCH_WIDTH_S}"
        return Ask(requests=(Request(host=self.id, url=url),), wants=tuple(want for group in chunk.values() for want in group))

    def _parse_coins(self, ask: Ask, answer: Answer, *, is_current: bool) -> dict[Wanted, Quote | None]:
        coins = {_folded(coin): item for coin, item in decoded(self.id, answer, _now).coins.items()}
        found: dict[Wanted, Quote | None] = {}
        for want in ask.wants:
            coin = self._coin(want) or ""
            point = _point(coins[_folded(coin)]) if _folded(coin) in coins else None
            if point is None:
                continue
            at = want.at if is_current and abs(point[0] - want.at) <= NOW_INTERVAL_MS else point[0]
            found[want] = settle(want, [(at, point[1])], source=self.id, observed_at=answer.received_at, route=coin)
        return found

    def _parse_batch(self, ask: Ask, answer: Answer) -> dict[Wanted, Quote | None]:
        coins = decoded(self.id, answer, _past).coins
        points = {
            _folded(coin): sorted(point for item in history.prices if (point := _point(item)) is not None)
            for coin, history in coins.items()
        }
        found: dict[Wanted, Quote | None] = {}
        for want in ask.wants:
            coin = self._coin(want) or ""
            found[want] = settle(want, points.get(_folded(coin), []), source=self.id, observed_at=answer.received_at, route=coin)
        return found


def _folded(coin: str) -> str:
    """The id without the capitals of an EVM checksum; Solana's ids differ by case."""
    return coin if coin.startswith("solana:") else coin.lower()


def _point(item: _Price) -> tuple[EpochMs, Decimal] | None:
    """One price with its instant; None for what is no price or is doubted by the source itself."""
    price = usable(item.price)
    if price is None or item.timestamp <= 0:
        return None
    if item.confidence is not None and not item.confidence >= CONFIDENCE_MIN:
        return None
    return EpochMs(item.timestamp * SECOND_MS), price
