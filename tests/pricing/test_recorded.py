"""Recorded answers of price sources from outside the repository: the prices in them come out to the last digit."""

from decimal import Decimal

import msgspec
import pytest
from msgspec import Struct
from tests import fixtures

from omnifolio.catalog import assets as catalog
from omnifolio.catalog.assets import Assets
from omnifolio.model.amounts import canonical, product
from omnifolio.model.clock import HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.prices import Wanted
from omnifolio.model.tokens import TokenId
from omnifolio.pricing.contract import PriceSource
from omnifolio.pricing.sources.coingecko import CoinGecko
from omnifolio.pricing.sources.defillama import DefiLlama
from omnifolio.transport.egress import Answer


class Recorded(Struct):
    """One recorded request; the answer is kept as it was, digit for digit."""

    response: msgspec.Raw


class Check(Struct):
    """What a case asserts of its prices."""

    equals: dict[str, str] | str | int


class Case(Struct):
    """A recorded conversation and what must come out of it."""

    requests: list[Recorded]
    checks: list[Check]


def recorded(name: str) -> Case:
    """One case, skipped where it is not there."""
    found = [path for path in fixtures.require("other") if path.stem == name]
    if not found:
        pytest.skip(f"no recorded case {name} beside this repository")
    return msgspec.json.decode(found[0].read_bytes(), type=Case)


def price_in(source: PriceSource, token: str, request: Recorded, *, at: int, now: int) -> str:
    """The price that the source reads for the token out of one recorded answer."""
    want = Wanted(token=TokenId(token), ticker="X", at=EpochMs(at), resolution=MINUTE_MS)
    (ask,) = source.plan([want], now=EpochMs(now))
    answer = Answer(status=200, headers={}, body=bytes(request.response), received_at=EpochMs(now))
    (quote,) = source.parse(ask, [answer]).quotes
    return canonical(quote.price)


def own_asset(coingecko: str, *, token: str) -> Assets:
    return catalog.read(f'[x]\nticker = "X"\nname = "X"\ncoingecko = "{coingecko}"\ntokens = ["{token}"]\n')


def test_many_current_prices_at_once() -> None:
    case = recorded("prices__defillama__query_multiple_current_prices")
    dollars, ether = case.requests
    source = DefiLlama(assets=catalog.load())
    now = 1741276620_000
    rate = msgspec.json.decode(ether.response, type=dict[str, Decimal])["ETH"]
    prices = [price_in(source, f"venue:kraken/{code}", dollars, at=now, now=now) for code in ("ARB", "DAI", "LINK")]
    expected = case.checks[0].equals
    assert isinstance(expected, dict)
    assert [canonical(product(Decimal(price), rate)) for price in prices] == list(expected.values())


def test_prices_with_a_paid_key_now_and_in_the_past() -> None:
    case = recorded("prices__defillama_with_api_key")
    now, past = case.requests
    source = DefiLlama(assets=catalog.load(), base_url="https://pro-api.llama.fi/<key>/coins")
    current = price_in(source, "venue:kraken/XETH", now, at=1728559494_000, now=1728559494_000)
    assert canonical(product(Decimal(current), Decimal("1.5"))) == case.checks[0].equals, "recorded at 1.5 units a dollar"
    then = price_in(source, "venue:kraken/DAI", past, at=1597024800_000, now=1597024800_000 + 24 * HOUR_MS)
    assert then == case.checks[1].equals


def test_contracts_and_coins_of_a_protocol() -> None:
    case = recorded("prices__find_stakedao_gauge_price")
    llama, gecko = case.requests[2:]
    pool = "eip155:1/erc20:0xcc7d5785ad5755b6164e21495e07adb0ff11c2a8"
    now = 1752084528_000
    assert price_in(DefiLlama(assets=catalog.load()), pool, llama, at=now, now=now) == case.checks[0].equals
    coin = CoinGecko(assets=own_asset("stake-dao-crv", token=pool))
    assert price_in(coin, pool, gecko, at=now, now=now) == case.checks[1].equals


def test_prices_come_from_two_questions() -> None:
    case = recorded("prices__query_multiple_current_prices_handles_exceptions_and_chunking")
    source = DefiLlama(assets=catalog.load())
    now = 1753079340_000
    first, second = case.requests
    prices = [price_in(source, f"venue:kraken/{code}", first, at=now, now=now) for code in ("ARB", "LINK")]
    prices += [price_in(source, f"venue:kraken/{code}", second, at=now, now=now) for code in ("USDC", "USDT")]
    assert len(prices) == case.checks[0].equals
    assert prices == ["0.495782", "19.83", "0.999803", "1"]
