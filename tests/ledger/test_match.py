"""Events of a file and of the ledger are one when the same moved at the same time; where that would be a guess, they are not."""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from omnifolio.ledger.match import Moved, moved, pair
from omnifolio.model.clock import MINUTE_MS, SECOND_MS, EpochMs


def one(number: int, text: str, *, at: int = 0) -> Moved:
    """An event from "1 BTC, -0.1 BTC fee" at so many milliseconds."""
    parts = [part.split() for part in text.split(", ")]
    return moved(number, EpochMs(600_000 + at), [(p[1], Decimal(p[0]), "fee" if p[2:] else "principal") for p in parts])


def paired(told: list[Moved], seen: list[Moved], *, resolution_ms: int = SECOND_MS) -> Mapping[int, int]:
    return pair(told, seen, resolution_ms=resolution_ms).found


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ("1 BTC", "1.0 BTC"),
        ("1 btc", "1 BTC"),
        ("-1.1 BTC", "-1 BTC, -0.1 BTC fee"),
        ("-1 BTC, -0.1 BTC fee", "-1.1 BTC"),
        ("-1 BTC", "-1 BTC, -0.1 BTC fee"),
        ("-1 BTC, -0.1 BTC fee", "-1 BTC"),
        ("-9 USD, 1 BTC", "1 BTC, -9 USD, -0.5 BNB fee"),
        ("1 ETH, -1 ETH", "-1 ETH, 1 ETH"),
    ],
)
def test_a_fee_may_stand_apart_inside_or_nowhere(told: str, seen: str) -> None:
    assert paired([one(1, told)], [one(7, seen)]) == {1: 7}


@pytest.mark.parametrize("seen", ["2 BTC", "-1 BTC", "1 ETH", "1 BTC, 1 ETH"])
def test_what_moved_otherwise_is_another_event(seen: str) -> None:
    assert paired([one(1, "1 BTC")], [one(7, seen)]) == {}


@pytest.mark.parametrize(
    ("resolution_ms", "apart_ms", "is_one"),
    [
        (SECOND_MS, 999, True),
        (SECOND_MS, -1_000, True),
        (SECOND_MS, 1_999, True),
        (SECOND_MS, 2_000, False),
        (MINUTE_MS, 59_999, True),
        (MINUTE_MS, 60_000, False),
        (MINUTE_MS, -1, False),
    ],
)
def test_time_is_compared_as_exactly_as_the_file_tells_it(resolution_ms: int, apart_ms: int, *, is_one: bool) -> None:
    assert bool(paired([one(1, "1 BTC")], [one(7, "1 BTC", at=apart_ms)], resolution_ms=resolution_ms)) is is_one


def test_counts_matter_and_the_nearest_is_taken() -> None:
    seen = [one(7, "1 BTC", at=100), one(8, "1 BTC", at=900), one(9, "1 BTC", at=1_500)]
    assert paired([one(1, "1 BTC", at=1_000)], seen) == {1: 9}
    assert paired([one(1, "1 BTC"), one(2, "1 BTC")], seen) == {1: 7, 2: 8}
    assert len(paired([one(n, "1 BTC") for n in range(5)], seen)) == 3


def test_an_equal_event_is_taken_before_one_that_differs_by_its_fee() -> None:
    told = [one(1, "-1 BTC"), one(2, "-1 BTC, -0.1 BTC fee")]
    assert paired(told, [one(7, "-1 BTC, -0.1 BTC fee"), one(8, "-1 BTC")]) == {1: 8, 2: 7}


def test_unlike_lines_for_one_event_are_not_chosen_from() -> None:
    told = [one(1, "-1 BTC, -0.1 BTC fee"), one(2, "-1 BTC, -0.2 BTC fee")]
    found = pair(told, [one(7, "-1 BTC, -0.3 BTC fee")], resolution_ms=SECOND_MS)
    assert not found.found
    assert found.ambiguous == {1, 2}


def test_lines_that_follow_each_other_may_be_one_event_together() -> None:
    told = [one(1, "5 DOGE"), one(2, "-1 BTC, 20 USD"), one(3, "-2 ETH, 10 USD"), one(4, "3 DOGE")]
    assert paired(told, [one(7, "-1 BTC, -2 ETH, 30 USD")]) == {2: 7, 3: 7}
