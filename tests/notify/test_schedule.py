"""When a message is tried again."""

import pytest

from omnifolio.model.clock import DAY_MS, HOUR_MS, SECOND_MS, EpochMs
from omnifolio.notify.schedule import DELAYS_MS, asked_pause, next_try

NOW = EpochMs(1_700_000_000_000)
UNTIL = EpochMs(NOW + 3 * DAY_MS)


def pause(tries: int, *, chance: float, retry_after: str = "") -> int:
    found = next_try(tries, NOW, UNTIL, retry_after=retry_after, chance=chance)
    assert found is not None
    return found - NOW


@pytest.mark.parametrize("tries", range(1, len(DELAYS_MS) + 3))
def test_a_pause_is_the_published_one_give_or_take_a_fifth(tries: int) -> None:
    published = DELAYS_MS[min(tries, len(DELAYS_MS)) - 1]
    assert [pause(tries, chance=chance) for chance in (0.0, 0.5, 1.0)] == [
        published * 8 // 10, published, published * 12 // 10,
    ]  # fmt: skip


def test_the_last_try_falls_on_the_end_and_then_it_is_over() -> None:
    late = EpochMs(UNTIL - 1)
    assert next_try(12, late, UNTIL, retry_after="", chance=0.5) == UNTIL
    assert next_try(13, UNTIL, UNTIL, retry_after="", chance=0.5) is None


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("120", 120 * SECOND_MS),
        (" 7 ", 7 * SECOND_MS),
        ("Tue, 14 Nov 2023 23:13:20 GMT", HOUR_MS),
        ("Mon, 13 Nov 2023 22:13:20 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("1.5", 0),
        ("٣", 0),
        ("Tue, 99 Nov 2023 99:99:99 GMT", 0),
    ],
)
def test_what_a_receiver_asks_for(text: str, expected_ms: int) -> None:
    assert asked_pause(text, NOW) == expected_ms


def test_a_receivers_pause_counts_where_it_is_longer_and_never_more_than_a_day() -> None:
    assert pause(1, chance=0.5, retry_after="1") == DELAYS_MS[0]
    assert pause(1, chance=0.5, retry_after="600") == 600 * SECOND_MS
    assert pause(1, chance=0.5, retry_after="9" * 30) == DAY_MS
