"""Every source through the real way out, against servers on loopback: the simulated services, and markets as documented."""

from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web
from yarl import URL

from omnifolio.catalog import assets as catalog
from omnifolio.model.clock import DAY_MS, MINUTE_MS, EpochMs, day_of
from omnifolio.model.errors import EgressRefused, VenueUnavailable
from omnifolio.model.facts import Quote
from omnifolio.model.prices import Wanted, bucket_of
from omnifolio.model.tokens import TokenId
from omnifolio.pricing.contract import Ask
from omnifolio.pricing.registry import Sources, build
from omnifolio.transport.egress import Answer, Egress
from omnifolio.transport.policy import Policy
from omnifolio_sandbox.clock import Clock as WorldClock
from omnifolio_sandbox.server import running
from omnifolio_sandbox.state import State
from omnifolio_sandbox.world.prices import published_rate, ticker_price
from omnifolio_sandbox.world.world import World

NOW = EpochMs(1_741_000_000_000)  # 2025-03-03 11:06:40 UTC
ASSETS = catalog.load()


class Still:
    """A clock that stands at NOW."""

    def now(self) -> EpochMs:
        return NOW

    def monotonic(self) -> float:
        return 0.0


@pytest.fixture(scope="module")
def simulated() -> Iterator[str]:
    """The base URL of a running sandbox whose time stands at NOW."""
    with running(State(clock=WorldClock(now_ms=NOW, wire="world"), world=World())) as url:
        yield url


@pytest.fixture
async def markets() -> AsyncIterator[str]:
    """The base URL of a server that answers as the three exchanges' public markets do."""
    app = web.Application()
    app.router.add_get("/products/{product}/ticker", _coinbase_ticker)
    app.router.add_get("/products/{product}/candles", _coinbase_candles)
    app.router.add_get("/0/public/Ticker", _kraken_ticker)
    app.router.add_get("/0/public/OHLC", _kraken_candles)
    app.router.add_get("/api/v3/klines", _binance_candles)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def _coinbase_ticker(request: web.Request) -> web.Response:
    if request.match_info["product"] != "ORB-USD":
        return web.json_response({"message": "NotFound"}, status=404)
    return web.json_response({"trade_id": 1, "price": "0.8412", "size": "1", "time": "2025-03-03T11:06:39.000000Z"})


async def _coinbase_candles(request: web.Request) -> web.Response:
    assert int(request.query["granularity"]) in {60, 300, 900, 3600, 21600, 86400}
    step = int(request.query["granularity"])
    first, last = (int(_seconds(request.query[name])) for name in ("start", "end"))
    assert (last - first) // step < 300, "the server refuses more than 300 candles"
    return web.json_response([[at, 0.5, 2, 1, 0.9991, 7] for at in range(last, first - 1, -step)])


def _seconds(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


async def _kraken_ticker(request: web.Request) -> web.Response:
    pair = {"a": ["1", "1", "1"], "c": ["4.5012", "7"], "v": ["1", "2"]}
    return web.json_response({"error": [], "result": {"DOTUSD": pair, "XXBTZUSD": {**pair, "c": ["87000.1", "1"]}}})


async def _kraken_candles(request: web.Request) -> web.Response:
    if request.query["pair"] != "DOTUSD":
        return web.json_response({"error": ["EQuery:Unknown asset pair"]})
    step = int(request.query["interval"]) * 60
    start = int(request.query["since"]) // step * step + step
    rows = [[at, "4", "5", "3", "4.25", "4", "9", 3] for at in range(start, NOW // 1000, step)][-720:]
    return web.json_response({"error": [], "result": {"DOTUSD": rows, "last": start}})


async def _binance_candles(request: web.Request) -> web.Response:
    if request.query["symbol"] != "FETUSDT":
        return web.json_response({"code": -1121, "msg": "Invalid symbol."}, status=400)
    step = {"1m": 60_000, "1d": 86_400_000}[request.query["interval"]]
    rows = [
        [at, "1", "1", "1", "2.0005", "1", at + step - 1, "1", 5, "1", "1", "0"]
        for at in range(int(request.query["startTime"]), int(request.query["endTime"]) + 1, step)
    ]
    return web.json_response(rows[: int(request.query["limit"])])


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    async def at_once(seconds: float) -> None:
        """No test waits for a pause between two attempts."""

    opened = Egress(clock=Still(), sleep=at_once)
    yield opened
    await opened.close()


async def answers(egress: Egress, ask: Ask) -> list[Answer]:
    return [
        await egress.request(venue=one.host, method=one.method, url=one.url, headers=one.headers, body=one.body, cost=one.cost)
        for one in ask.requests
    ]


async def quotes_of(egress: Egress, sources: Sources, name: str, *wants: Wanted) -> dict[Wanted, str]:
    """The price of every want that one of the sources has, through the allow-list that the sources state."""
    sources.open_way(egress)
    source = next(item for item in sources.prices if item.id == name)
    found: list[Quote] = []
    for ask in source.plan(wants, now=NOW):
        found += source.parse(ask, await answers(egress, ask)).quotes
    by_slot = {(item.token, item.resolution, item.bucket): str(item.price) for item in found}
    slots = {want: (want.token, want.resolution, want.bucket) for want in wants}
    return {want: by_slot[slot] for want, slot in slots.items() if slot in by_slot}


def want(token: str, at: int, *, resolution: int = MINUTE_MS) -> Wanted:
    return Wanted(token=TokenId(token), ticker="X", at=EpochMs(at), resolution=resolution)


def close(token: str, at: int) -> Wanted:
    return want(token, bucket_of(EpochMs(at), DAY_MS) + DAY_MS - 1, resolution=DAY_MS)


def sources(url: str, simulated: str = "") -> Sources:
    base = {
        "defillama": f"{simulated}/llama",
        "coingecko": f"{simulated}/gecko/api/v3",
        "ecb": f"{simulated}/ecb",
        "coinbase-market": url,
        "kraken-market": url,
        "binance-market": url,
    }
    return build(chosen=(), base_urls=base, sandbox_url="", assets=ASSETS)


async def test_defillama_over_the_wire(egress: Egress, simulated: str) -> None:
    old = NOW - 500 * DAY_MS
    usdc = "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    wants = [
        want("venue:kraken/XXBT", NOW),
        want("venue:kraken/XXBT", old),
        want(usdc, old + DAY_MS),
        close("venue:demo/ADA", old),
    ]
    found = await quotes_of(egress, sources("http://127.0.0.1:1", simulated), "defillama", *wants)
    tickers = ["BTC", "BTC", "USDC", "ADA"]
    assert found == {item: str(ticker_price(ticker, item.at // MINUTE_MS)) for item, ticker in zip(wants, tickers, strict=True)}


async def test_coingecko_over_the_wire(egress: Egress, simulated: str) -> None:
    old = bucket_of(EpochMs(NOW - 500 * DAY_MS), DAY_MS)
    wants = [want("venue:kraken/XETH", NOW), want("venue:kraken/XETH", old), close("venue:kraken/XETH", old)]
    found = await quotes_of(egress, sources("http://127.0.0.1:1", simulated), "coingecko", *wants)
    assert found == {
        wants[0]: str(ticker_price("ETH", NOW // MINUTE_MS)),
        wants[1]: str(ticker_price("ETH", old // MINUTE_MS)),
        wants[2]: str(ticker_price("ETH", (old + DAY_MS) // MINUTE_MS)),
    }


async def test_ecb_over_the_wire(egress: Egress, simulated: str) -> None:
    every = sources("http://127.0.0.1:1", simulated)
    every.open_way(egress)
    rates = every.rates
    for first in (NOW - 30 * DAY_MS, NOW - 900 * DAY_MS):
        ask = rates.plan_rates(EpochMs(first), NOW, now=NOW)
        found = rates.parse_rates(ask, await answers(egress, ask))
        dollars = [item for item in found if item.currency == "USD"]
        assert len(dollars) > 15
        assert all(item.rate == published_rate("USD", day_of(item.day)) for item in dollars)


@pytest.mark.parametrize(
    ("name", "wants", "prices"),
    [
        (
            "coinbase-market",
            [want("venue:coinbase/ORB", NOW), want("venue:coinbase/ORB", NOW - DAY_MS), want("venue:coinbase/GONE", NOW)],
            ["0.8412", "0.9991"],
        ),
        (
            "kraken-market",
            [
                want("venue:kraken/DOT", NOW),
                want("venue:kraken/DOT", NOW - 3_600_000),
                close("venue:kraken/DOT", NOW - 3 * DAY_MS),
                want("venue:kraken/GONE", NOW - 3_600_000),
            ],
            ["4.5012", "4.25", "4.25"],
        ),
        (
            "binance-market",
            [
                want("venue:binance/FET", NOW - DAY_MS),
                close("venue:binance/FET", NOW - 300 * DAY_MS),
                want("venue:binance/GONE", NOW),
            ],
            ["1.99869955", "1.99869955"],
        ),
    ],
)
async def test_markets_over_the_wire(egress: Egress, markets: str, name: str, wants: list[Wanted], prices: list[str]) -> None:
    found = await quotes_of(egress, sources(markets, "http://127.0.0.1:1"), name, *wants)
    assert list(found.values()) == prices


def test_nothing_but_the_sources_own_questions_may_leave() -> None:
    """What the sources plan is on the list that they state; the list of the public servers names https hosts alone."""
    every = build(chosen=(), base_urls={}, sandbox_url="", assets=ASSETS)
    egress = Egress(clock=Still())
    every.open_way(egress)
    assert egress.hosts() == (
        "api.binance.com",
        "api.coingecko.com",
        "api.exchange.coinbase.com",
        "api.kraken.com",
        "coins.llama.fi",
        "www.ecb.europa.eu",
    )
    policy = Policy()
    for host, rules in egress.rules().items():
        policy.allow(host, rules)
    wants = [
        item
        for venue, code in (("kraken", "XXBT"), ("binance", "BTC"), ("coinbase", "BTC"))
        for item in (
            want(f"venue:{venue}/{code}", NOW),
            want(f"venue:{venue}/{code}", NOW - DAY_MS),
            want(f"venue:{venue}/{code}", NOW - 2 * DAY_MS),
            close(f"venue:{venue}/{code}", NOW - DAY_MS),
        )
    ]
    asks = [ask for one in every.prices for ask in one.plan([item for item in wants if one.covers(item)], now=NOW)]
    asks += every.prices[0].plan(wants[:2], now=NOW)
    asks.append(every.rates.plan_rates(NOW, NOW, now=NOW))
    requests = [request for ask in asks for request in ask.requests]
    assert {request.host for request in requests} == {*(one.id for one in every.prices), "ecb"}
    for request in requests:
        policy.check(request.host, request.method, URL(request.url, encoded=True))
    with pytest.raises(EgressRefused):
        policy.check("kraken-market", "POST", URL("https://api.kraken.com/0/private/Withdraw"))


async def test_a_server_that_is_not_there_is_a_typed_error(egress: Egress) -> None:
    every = sources("http://127.0.0.1:1", "http://127.0.0.1:1")
    every.open_way(egress)
    (ask,) = every.prices[0].plan([want("venue:kraken/XXBT", NOW)], now=NOW)
    with pytest.raises(VenueUnavailable):
        await answers(egress, ask)
