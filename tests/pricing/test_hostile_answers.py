"""Answers that are late, broken, huge or hostile: every source gives a price, a named absence or a typed error, nothing else."""

import json
import random
from collections.abc import Callable
from decimal import Decimal

import pytest
from tests.pricing.shelf import BINANCE, COINBASE, FEED, GECKO, KRAKEN, LLAMA, NOW, PAST, answer, kline, parsed, want

from omnifolio.model.clock import HOUR_MS, MINUTE_MS
from omnifolio.model.errors import OmnifolioError, ResponseTooLarge, VenueBadResponse, VenueBusy, VenueError, VenueUnavailable
from omnifolio.model.prices import Wanted, bucket_of
from omnifolio.pricing import contract
from omnifolio.pricing.contract import PriceSource
from omnifolio.transport.egress import Answer

SHAPES: list[tuple[PriceSource, list[Wanted], list[str]]] = [
    (
        LLAMA,
        [want("venue:kraken/XXBT", NOW)],
        ['{"coins":{"coingecko:bitcoin":{"price":1.5,"timestamp":1740999990,"confidence":0.9}}}'],
    ),
    (LLAMA, [want("venue:kraken/XXBT")], ['{"coins":{"coingecko:bitcoin":{"price":1.5,"timestamp":1714564825}}}']),
    (
        LLAMA,
        [want("venue:kraken/XXBT"), want("venue:kraken/XXBT", PAST - 9 * HOUR_MS)],
        ['{"coins":{"coingecko:bitcoin":{"prices":[{"timestamp":1714564830,"price":1.5,"confidence":0.9}]}}}'],
    ),
    (GECKO, [want("venue:kraken/XXBT", NOW)], ['{"bitcoin":{"usd":1.5,"last_updated_at":1740999990}}']),
    (GECKO, [want("venue:kraken/XXBT")], ['{"prices":[[1714564830000,1.5]],"market_caps":[],"total_volumes":[]}']),
    (COINBASE, [want("venue:coinbase/BTC", NOW)], ['{"price":"1.5"}']),
    (COINBASE, [want("venue:coinbase/BTC")], ["[[1714564800,1,1,1,1.5,5]]"]),
    (KRAKEN, [want("venue:kraken/XXBT", NOW)], ['{"error":[],"result":{"XXBTZUSD":{"c":["1.5","1"]}}}']),
    (
        KRAKEN,
        [want("venue:kraken/XXBT", NOW - HOUR_MS)],
        ['{"error":[],"result":{"XXBTZUSD":[[1740996360,"1","1","1","1.5","1","1",1]],"last":1}}'],
    ),
    (
        BINANCE,
        [want("venue:binance/BTC")],
        [json.dumps([kline(bucket_of(PAST, MINUTE_MS), "1.5")]), f"[[{bucket_of(PAST, MINUTE_MS) // 1000},1,1,1,1,5]]"],
    ),
    (
        FEED,
        [want("venue:kraken/XXBT")],
        ['{"currency":"USD","prices":[{"ticker":"venue:kraken/XXBT","at":1714564800000,"price":"1.5"}]}'],
    ),
]


@pytest.mark.parametrize(("source", "wants", "bodies"), SHAPES)
def test_every_shape_gives_its_price(source: PriceSource, wants: list[Wanted], bodies: list[str]) -> None:
    assert [item.price for item in parsed(source, wants, *bodies).quotes] == [Decimal("1.5")]


@pytest.mark.parametrize(("source", "wants", "bodies"), SHAPES)
@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (lambda body: answer(body, status=429, headers={"retry-after": "7"}), VenueBusy),
        (lambda body: answer(body, status=418), VenueBusy),
        (lambda body: answer(body, status=503), VenueUnavailable),
        (lambda body: answer(body, status=301), VenueBadResponse),
        (lambda body: answer("<html>"), VenueBadResponse),
        (lambda body: answer("[" * 100_000), VenueBadResponse),
        (lambda body: answer(b"\xff\xfe"), VenueBadResponse),
    ],
)
def test_a_failing_source_fails_with_a_typed_error(
    source: PriceSource, wants: list[Wanted], bodies: list[str], broken: Callable[[str], Answer], kind: type[OmnifolioError]
) -> None:
    with pytest.raises(kind):
        parsed(source, wants, broken(bodies[0]), *bodies[1:])


def test_an_answer_beyond_the_size_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract, "ANSWER_BYTES_MAX", 20)
    source, wants, bodies = SHAPES[0]
    with pytest.raises(ResponseTooLarge):
        parsed(source, wants, *bodies)


@pytest.mark.parametrize(("source", "wants", "bodies"), SHAPES)
@pytest.mark.parametrize("price", ["0", "-1", "1e400", "1e-90", "NaN", "Infinity"])
def test_what_can_be_no_price_is_never_stored(source: PriceSource, wants: list[Wanted], bodies: list[str], price: str) -> None:
    spoilt = [body.replace("1.5", price) if price[0] not in "NI" or '"1.5"' in body else "[" for body in bodies]
    try:
        found = parsed(source, wants, *spoilt)
    except VenueBadResponse:
        return
    assert found.quotes == ()
    assert len(found.absences) == len(wants)


@pytest.mark.parametrize(("source", "wants", "bodies"), SHAPES)
def test_mutated_answers_give_a_price_an_absence_or_a_typed_error(
    source: PriceSource, wants: list[Wanted], bodies: list[str]
) -> None:
    """1,000 random mutations of each recorded shape: nothing but typed errors, and never a price that is none."""
    dice = random.Random(42)
    (ask,) = source.plan(wants, now=NOW)
    for _ in range(1_000):
        raw = bytearray(bodies[0].encode())
        for _ in range(dice.randrange(1, 4)):
            place = dice.randrange(len(raw))
            way = dice.randrange(3)
            if way == 0:
                raw[place] = dice.randrange(256)
            elif way == 1:
                del raw[place : place + dice.randrange(1, 6)]
            else:
                raw[place:place] = dice.choice([b"null", b"{}", b"[]", b"-", b"9" * 40, b'"', b"1e9999", b"true"])
        try:
            found = source.parse(ask, [answer(bytes(raw)), *(answer(body) for body in bodies[1:])])
        except VenueError:
            continue
        assert len(found.quotes) + len(found.absences) == len(wants)
        assert all(item.price > 0 for item in found.quotes)
