"""Each source by itself: what it asks, and what it makes of answers in the shapes that its documentation states."""

import json
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from tests.pricing.shelf import (
    ASSETS,
    BINANCE,
    COINBASE,
    FEED,
    GECKO,
    KRAKEN,
    LLAMA,
    NOW,
    PAST,
    USDC,
    answer,
    close,
    kline,
    parsed,
    prices,
    want,
)

from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs
from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.prices import bucket_of
from omnifolio.pricing.contract import PriceSource, settle
from omnifolio.pricing.sources.coinbase import CANDLES_MAX
from omnifolio.pricing.sources.coingecko import CoinGecko
from omnifolio.pricing.sources.defillama import CHAINS, DefiLlama
from omnifolio.pricing.sources.ecb import Ecb

# DefiLlama ---------------------------------------------------------------------------------------------------------


def test_defillama_asks_contracts_by_address_and_coins_by_id() -> None:
    (ask,) = LLAMA.plan([want("venue:kraken/XXBT", NOW), want(USDC, NOW), want("venue:binance/BTC", NOW)], now=NOW)
    path = unquote(urlsplit(ask.requests[0].url).path)
    assert path == "/prices/current/coingecko:bitcoin,ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    assert len(ask.wants) == 3


def test_defillama_reads_numbers_exactly_and_serves_two_tokens_of_one_asset() -> None:
    wants = [want("venue:kraken/XXBT", NOW), want("venue:binance/BTC", NOW)]
    body = '{"coins":{"coingecko:bitcoin":{"symbol":"BTC","price":87123.12345678901234567,"timestamp":1740999990}}}'
    assert prices(parsed(LLAMA, wants, body)) == [
        ("venue:kraken/XXBT", MINUTE_MS, "87123.12345678901234567"),
        ("venue:binance/BTC", MINUTE_MS, "87123.12345678901234567"),
    ]


def test_defillama_asks_many_instants_at_once_and_takes_each_from_the_nearest() -> None:
    wants = [want("venue:kraken/XXBT"), want("venue:kraken/XXBT", PAST + 7_200_000), close("venue:kraken/XXBT")]
    (ask,) = LLAMA.plan(wants, now=NOW)
    question = parse_qs(urlsplit(ask.requests[0].url).query)
    assert json.loads(question["coins"][0]) == {"coingecko:bitcoin": sorted(item.at // 1000 for item in wants)}
    second = PAST // 1000
    body = {
        "coins": {
            "coingecko:bitcoin": {
                "symbol": "BTC",
                "prices": [
                    {"timestamp": second + 20, "price": 58000.5, "confidence": 0.99},
                    {"timestamp": second + 7_200 + 900, "price": 58100, "confidence": 0.99},
                    {"timestamp": wants[2].at // 1000 + 60, "price": 58200, "confidence": 0.99},
                ],
            }
        }
    }
    found = LLAMA.parse(ask, [answer(body)])
    assert sorted(prices(found), key=lambda item: item[1]) == [
        ("venue:kraken/XXBT", MINUTE_MS, "58000.5"),
        ("venue:kraken/XXBT", HOUR_MS, "58100"),
        ("venue:kraken/XXBT", DAY_MS, "58200"),
    ]


def test_defillama_prices_that_it_doubts_itself_are_not_taken() -> None:
    body = {"coins": {"coingecko:bitcoin": {"price": 1, "timestamp": 1740999990, "confidence": 0.5}}}
    found = parsed(LLAMA, [want("venue:kraken/XXBT", NOW)], body)
    assert found.quotes == ()
    assert [item.reason for item in found.absences] == ["no_source"]


def test_defillama_splits_its_questions_below_the_limits_of_an_address() -> None:
    tokens = [f"eip155:{chain}/erc20:0x{number:040x}" for number in range(60) for chain in list(CHAINS)[:3]]
    now = LLAMA.plan([want(token, NOW) for token in tokens], now=NOW)
    past = LLAMA.plan([want(token, PAST + n * MINUTE_MS) for token in tokens[:2] for n in range(400)], now=NOW)
    assert all(len(urlsplit(ask.requests[0].url).path) < 2_000 for ask in now)
    assert all(len(ask.requests[0].url) < 4_000 for ask in past)
    assert sum(len(ask.wants) for ask in now) == len(tokens)
    assert sum(len(ask.wants) for ask in past) == 800


def test_defillama_takes_a_paid_key_as_part_of_the_base_url() -> None:
    paid = DefiLlama(assets=ASSETS, base_url="https://pro-api.llama.fi/KEY/coins")
    (ask,) = paid.plan([want("venue:kraken/XXBT", NOW)], now=NOW)
    assert ask.requests[0].url == "https://pro-api.llama.fi/KEY/coins/prices/current/coingecko:bitcoin"
    assert all(endpoint.is_configured for endpoint in paid.endpoints())


# CoinGecko ---------------------------------------------------------------------------------------------------------


def test_coingecko_gives_now_for_many_coins() -> None:
    wants = [want("venue:kraken/XXBT", NOW), want("venue:kraken/XETH", NOW)]
    bitcoin, ether = '{"usd":87000.123456789012345,"last_updated_at":1740999900}', '{"usd":2.1e3,"last_updated_at":1700000000}'
    body = f'{{"bitcoin":{bitcoin},"ethereum":{ether}}}'
    assert prices(parsed(GECKO, wants, body)) == [("venue:kraken/XXBT", MINUTE_MS, "87000.123456789012345")]


def test_coingecko_gives_the_past_as_hours_and_closes() -> None:
    hourly = [[PAST + n * HOUR_MS - 1_830_000, 58_000 + n] for n in range(4)]
    found = parsed(GECKO, [want("venue:kraken/XXBT", PAST + n * HOUR_MS) for n in (0, 2)], {"prices": hourly})
    assert prices(found) == [("venue:kraken/XXBT", HOUR_MS, "58001"), ("venue:kraken/XXBT", HOUR_MS, "58003")]
    midnights = [[bucket_of(PAST, DAY_MS) + n * DAY_MS, 100 + n] for n in range(3)]
    assert prices(parsed(GECKO, [close("venue:kraken/XXBT")], {"prices": midnights})) == [("venue:kraken/XXBT", DAY_MS, "101")]


def test_coingecko_knows_how_far_its_public_plan_reaches() -> None:
    public = CoinGecko(assets=ASSETS)
    assert public.plan([want("venue:kraken/XXBT", NOW - 400 * DAY_MS)], now=NOW) == []
    assert len(public.plan([want("venue:kraken/XXBT", NOW - 300 * DAY_MS)], now=NOW)) == 1
    assert len(GECKO.plan([want("venue:kraken/XXBT", NOW - 400 * DAY_MS)], now=NOW)) == 1


def test_coingecko_coins_that_are_gone_are_absent() -> None:
    found = parsed(GECKO, [want("venue:kraken/XXBT")], answer({"error": "coin not found"}, status=404))
    assert [item.reason for item in found.absences] == ["no_source"]


# The markets -------------------------------------------------------------------------------------------------------


def test_a_market_knows_the_tokens_of_its_own_venue_alone() -> None:
    sources: list[tuple[PriceSource, str]] = [(COINBASE, "coinbase"), (KRAKEN, "kraken"), (BINANCE, "binance")]
    for source, venue in sources:
        covered = [name for _, name in sources if source.covers(want(f"venue:{name}/ORB"))]
        assert covered == [venue]
        assert not source.covers(want(USDC))
        assert not source.covers(want(f"venue:{venue}/../x?y"))


def test_coinbase_gives_now_from_the_ticker_and_the_past_from_candles() -> None:
    now = parsed(COINBASE, [want("venue:coinbase/ORB", NOW)], {"price": "0.8412", "time": "2025-03-03T11:06:40Z"})
    assert prices(now) == [("venue:coinbase/ORB", MINUTE_MS, "0.8412")]
    start = bucket_of(PAST, MINUTE_MS) // 1000
    body = f"[[{start + 60},1,2,1.5,1.7,10],[{start},0.8,0.9,0.85,0.8123456789,5]]"
    assert prices(parsed(COINBASE, [want("venue:coinbase/ORB")], body)) == [("venue:coinbase/ORB", MINUTE_MS, "0.8123456789")]
    day = bucket_of(PAST, DAY_MS) // 1000
    assert prices(parsed(COINBASE, [close("venue:coinbase/ORB")], f"[[{day},1,2,1.5,1.75,10]]")) == [
        ("venue:coinbase/ORB", DAY_MS, "1.75")
    ]


def test_coinbase_products_that_are_not_there_are_absent() -> None:
    found = parsed(COINBASE, [want("venue:coinbase/QNOVA", NOW)], answer({"message": "NotFound"}, status=404))
    assert [(item.token, item.reason) for item in found.absences] == [("venue:coinbase/QNOVA", "no_source")]


def test_candles_are_asked_in_spans_that_the_server_allows() -> None:
    asks = COINBASE.plan([close("venue:coinbase/ORB", PAST - n * DAY_MS) for n in range(1_000)], now=NOW)
    assert sum(len(ask.wants) for ask in asks) == 1_000
    for ask in asks:
        days = {item.bucket for item in ask.wants}
        assert (max(days) - min(days)) // DAY_MS + 1 <= CANDLES_MAX


def test_kraken_gives_now_from_all_tickers_and_the_past_from_what_it_keeps() -> None:
    wants = [want("venue:kraken/XXBT", NOW), want("venue:kraken/DOT", NOW), want("venue:kraken/QNOVA", NOW)]
    body = {"error": [], "result": {"XXBTZUSD": {"c": ["87000.1", "0.1"]}, "DOTUSD": {"c": ["4.5012", "7"], "a": []}}}
    found = parsed(KRAKEN, wants, body)
    assert prices(found) == [("venue:kraken/XXBT", MINUTE_MS, "87000.1"), ("venue:kraken/DOT", MINUTE_MS, "4.5012")]
    assert [item.token for item in found.absences] == ["venue:kraken/QNOVA"]


@pytest.mark.parametrize(
    ("age_ms", "interval"), [(2 * HOUR_MS, "1"), (12 * HOUR_MS, "60"), (29 * DAY_MS, "60"), (31 * DAY_MS, None)]
)
def test_kraken_asks_the_finest_candles_that_reach_back(age_ms: int, interval: str | None) -> None:
    asks = KRAKEN.plan([want("venue:kraken/DOT", NOW - age_ms)], now=NOW)
    assert [parse_qs(urlsplit(ask.requests[0].url).query)["interval"][0] for ask in asks] == ([interval] if interval else [])


def test_kraken_candles_close_the_day() -> None:
    yesterday = close("venue:kraken/XXBT", NOW - DAY_MS)
    candle = [yesterday.bucket // 1000, "85000", "88000", "84000", "87654.3", "86000.1", "1234.5", 9876]
    found = parsed(KRAKEN, [yesterday], {"error": [], "result": {"XXBTZUSD": [candle], "last": 1}})
    assert prices(found) == [("venue:kraken/XXBT", DAY_MS, "87654.3")]


def test_kraken_errors_are_named() -> None:
    yesterday = [close("venue:kraken/DOT", NOW - DAY_MS)]
    gone = parsed(KRAKEN, yesterday, {"error": ["EQuery:Unknown asset pair"]})
    assert [item.reason for item in gone.absences] == ["no_source"]
    for error, kind in (
        ("EGeneral:Too many requests", VenueBusy),
        ("EService:Unavailable", VenueUnavailable),
        ("EGeneral:Invalid arguments", VenueBadResponse),
    ):
        with pytest.raises(kind):
            parsed(KRAKEN, yesterday, {"error": [error]})


def test_binance_goes_over_the_dollar_price_of_usdt() -> None:
    minute = bucket_of(PAST, MINUTE_MS)
    found = parsed(
        BINANCE,
        [want("venue:binance/FET")],
        [kline(minute, "2.0005"), kline(minute + MINUTE_MS, "3")],
        f"[[{minute // 1000},1,1,1,0.9998,5]]",
    )
    assert prices(found) == [("venue:binance/FET", MINUTE_MS, "2.00009990")]
    assert found.quotes[0].route == "FETUSDT x USDT-USD"


def test_binance_gives_no_price_where_the_dollar_hop_is_missing() -> None:
    found = parsed(BINANCE, [want("venue:binance/FET")], [kline(bucket_of(PAST, MINUTE_MS), "2.0005")], "[]")
    assert found.quotes == ()


def test_binance_prices_usdt_by_the_dollar_market_alone() -> None:
    found = parsed(BINANCE, [want("venue:binance/USDT")], f"[[{bucket_of(PAST, MINUTE_MS) // 1000},1,1,1,0.9998,5]]")
    assert prices(found) == [("venue:binance/USDT", MINUTE_MS, "0.9998")]


def test_binance_markets_that_are_not_there_are_absent() -> None:
    refusal = answer({"code": -1121, "msg": "Invalid symbol."}, status=400)
    found = parsed(BINANCE, [want("venue:binance/QNOVA")], refusal, "[]")
    assert [item.reason for item in found.absences] == ["no_source"]


# The sandbox's feed ------------------------------------------------------------------------------------------------


def test_the_feed_is_asked_by_token_so_that_equal_tickers_are_never_mixed_up() -> None:
    wants = [want("venue:coinbase/ORB", ticker="ORB"), want("venue:kraken/ORB", ticker="ORB"), want(USDC, ticker="FAKE")]
    (ask,) = FEED.plan(wants, now=NOW)
    items = json.loads(ask.requests[0].body or b"")["items"]
    assert [item["ticker"] for item in items] == ["venue:coinbase/ORB", "venue:kraken/ORB", "USDC"]
    assert not FEED.covers(want("eip155:1/erc20:0x" + "1" * 40, ticker="USDC"))
    body = {"currency": "USD", "prices": [{"ticker": "venue:coinbase/ORB", "at": bucket_of(PAST, MINUTE_MS), "price": "0.84"}]}
    found = FEED.parse(ask, [answer(body)])
    assert prices(found) == [("venue:coinbase/ORB", MINUTE_MS, "0.84")]


# The European Central Bank -----------------------------------------------------------------------------------------

ECB_FILE = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time="2024-05-03">
<Cube currency="USD" rate="1.0758"/><Cube currency="JPY" rate="164.83"/><Cube currency="RUB" rate="N/A"/>
</Cube><Cube time="2024-05-02"><Cube currency="USD" rate="1.0698"/></Cube></Cube></gesmes:Envelope>"""


def test_the_ecb_file_is_read_by_day_and_currency() -> None:
    ask = Ecb().plan_rates(EpochMs(NOW - 30 * DAY_MS), NOW, now=NOW)
    assert ask.requests[0].url.endswith("/eurofxref-hist-90d.xml")
    assert Ecb().plan_rates(PAST, NOW, now=NOW).requests[0].url.endswith("/eurofxref-hist.xml")
    rates = Ecb().parse_rates(ask, [answer(ECB_FILE)])
    assert [(item.currency, str(item.rate)) for item in rates] == [("USD", "1.0758"), ("JPY", "164.83"), ("USD", "1.0698")]
    assert (rates[0].day - rates[2].day, rates[0].day % DAY_MS) == (DAY_MS, 0)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not xml",
        "<Envelope/>",
        ECB_FILE.replace("1.0758", "abc"),
        ECB_FILE.replace("1.0758", "-1"),
        ECB_FILE.replace("2024-05-03", "yesterday"),
        ECB_FILE.replace("1.0758", "1e999"),
        ECB_FILE.replace("<gesmes:Envelope", '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gesmes:Envelope', 1),
        ECB_FILE.replace("<gesmes:Envelope", '<!DOCTYPE x SYSTEM "file:///etc/passwd"><gesmes:Envelope', 1),
        '<Cube><Cube currency="USD" rate="1"/></Cube>',
    ],
)
def test_an_ecb_file_that_is_not_one_is_refused(body: str) -> None:
    with pytest.raises(VenueBadResponse):
        Ecb().parse_rates(Ecb().plan_rates(PAST, NOW, now=NOW), [answer(body)])


# Which price makes which quote ----------------------------------------------------------------------------------------


def test_a_price_from_elsewhere_in_the_day_is_no_close_and_no_minute() -> None:
    minute, day = want("venue:kraken/XXBT"), close("venue:kraken/XXBT")
    points = [(EpochMs(PAST + 2 * HOUR_MS), Decimal(1))]
    assert settle(minute, points, source="x", observed_at=NOW) is None
    assert settle(day, [(EpochMs(day.bucket + HOUR_MS), Decimal(1))], source="x", observed_at=NOW) is None
    assert settle(day, [], source="x", observed_at=NOW) is None
