"""Prices and rates in all their forms come from the one price function that truth uses."""

import json
from decimal import Decimal
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest
import requests
from tests.sandbox.conftest import Running

from omnifolio_sandbox.feed.own import ITEMS_MAX
from omnifolio_sandbox.world.prices import ticker_price

AT = 1_750_000_123_456
MINUTE = AT // 60_000


def get(sandbox: Running, path: str, **params: str) -> Any:
    """A JSON answer whose numbers keep their digits."""
    answer = requests.get(sandbox.url + path, params=params, timeout=10)
    assert answer.status_code == 200, answer.text
    return json.loads(answer.content, parse_float=Decimal)


def test_the_feed_prices_tickers_and_tokens_at_a_minute(sandbox: Running) -> None:
    names = ["BTC", "USD", "NOPE", "QNOVA", "ORB", "venue:kraken/XXBT", "venue:coinbase/ORB", "venue:kraken/ORB"]
    found = get(sandbox, "/feed/prices", tickers=",".join(names), at=str(AT))
    assert found["at"] == MINUTE * 60_000
    assert found["prices"].keys() == {"BTC", "USD", "venue:kraken/XXBT", "venue:coinbase/ORB"}
    assert Decimal(found["prices"]["BTC"]) == ticker_price("BTC", MINUTE)


def test_the_feed_answers_batches_up_to_its_limit(sandbox: Running) -> None:
    items: list[Any] = [{"ticker": "ETH", "at": AT}, {"ticker": "NOPE", "at": AT}]
    url = f"{sandbox.url}/feed/prices"
    found = requests.post(url, json={"items": items}, timeout=10).json()["prices"]
    assert found == [{"ticker": "ETH", "at": AT, "price": format(ticker_price("ETH", MINUTE), "f")}]
    too_many = requests.post(url, json={"items": items[:1] * (ITEMS_MAX + 1)}, timeout=10)
    assert too_many.status_code == 400


def test_the_feed_has_rates_on_working_days_only(sandbox: Running) -> None:
    found = get(sandbox, "/feed/fx", **{"from": "2024-03-28", "to": "2024-04-02"})["rates"]
    assert list(found) == ["2024-03-28", "2024-04-02"]
    assert found["2024-04-02"].keys() == {"USD", "GBP", "CHF", "JPY", "CAD", "AUD"}


def test_the_central_banks_file_says_the_same_rates(sandbox: Running) -> None:
    body = requests.get(f"{sandbox.url}/ecb/stats/eurofxref/eurofxref-hist.xml", timeout=10).text
    space = {"e": "http://www.ecb.int/vocabulary/2002-08-01/eurofxref"}
    days = ElementTree.fromstring(body).findall("e:Cube/e:Cube", space)
    rates = {str(day.get("time")): {one.get("currency"): one.get("rate") for one in day} for day in days}
    assert [day.get("time") for day in days] == sorted(rates, reverse=True)
    found = get(sandbox, "/feed/fx", **{"from": "2024-01-01", "to": "2024-12-31"})["rates"]
    assert found == {day: rates[day] for day in found}


def test_defillama_forms_say_the_same_prices(sandbox: Running) -> None:
    usdc = "ethereum:0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"
    coins = get(sandbox, f"/llama/prices/historical/{AT // 1000}/coingecko:bitcoin,{usdc},coingecko:nope")["coins"]
    assert coins.keys() == {"coingecko:bitcoin", usdc}
    assert coins["coingecko:bitcoin"]["price"] == ticker_price("BTC", MINUTE)
    assert coins["coingecko:bitcoin"]["timestamp"] == MINUTE * 60
    asked = json.dumps({"coingecko:bitcoin": [AT // 1000]})
    batch = get(sandbox, "/llama/batchHistorical", coins=asked)["coins"]["coingecko:bitcoin"]
    assert batch["prices"][0]["price"] == ticker_price("BTC", MINUTE)
    assert get(sandbox, "/llama/prices/current/coingecko:ethereum")["coins"]["coingecko:ethereum"]["symbol"] == "ETH"


@pytest.mark.parametrize(("span_s", "step_ms"), [(3600, 300_000), (40 * 86_400, 3_600_000), (200 * 86_400, 86_400_000)])
def test_coingecko_charts_get_coarser_with_their_span(sandbox: Running, span_s: int, step_ms: int) -> None:
    start = AT // 1000
    asked = {"vs_currency": "usd", "from": str(start), "to": str(start + span_s)}
    points = get(sandbox, "/gecko/api/v3/coins/bitcoin/market_chart/range", **asked)["prices"]
    assert {after[0] - before[0] for before, after in pairwise(points)} == {step_ms}
    assert points[0][1] == ticker_price("BTC", points[0][0] // 60_000)


def test_coingecko_lists_two_coins_of_one_symbol(sandbox: Running) -> None:
    listed = get(sandbox, "/gecko/api/v3/coins/list")
    assert len([coin for coin in listed if coin["symbol"] == "orb"]) == 2
    asked = {"ids": "bitcoin,orb-protocol,orb-classic", "vs_currencies": "usd,eur"}
    simple = get(sandbox, "/gecko/api/v3/simple/price", **asked)
    assert simple.keys() == {"bitcoin", "orb-protocol"}
    assert simple["bitcoin"]["usd"] > simple["bitcoin"]["eur"]
