"""Pacing under random streams of requests: never more than a venue allows, first come first served, pauses obeyed."""

from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.stage import START_MS, StageTime

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBanned, VenueBusy
from omnifolio.transport.pacing import RETRY_AFTER_MAX_S, Budget, Pacer, http_date_ms, retry_after_s

NOW = EpochMs(START_MS)


class Doorman:
    """A venue's own account of its budget, by a token bucket written independently: it notes every overdraft."""

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.spent: list[tuple[float, float]] = []

    def arrives(self, at_s: float, cost: float) -> None:
        self.spent.append((at_s, cost))

    def overdraft(self) -> float:
        """The most by which any span of time held more than burst + rate x span."""
        worst = 0.0
        for first in range(len(self.spent)):
            total = 0.0
            for at_s, cost in self.spent[first:]:
                total += cost
                worst = max(worst, total - self.budget.burst - self.budget.per_s * (at_s - self.spent[first][0]))
        return worst


requests = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 20), st.integers(1, 10)), min_size=1, max_size=25
)  # key, arrival, cost
budgets = st.tuples(st.integers(10, 30), st.integers(1, 10)).map(lambda pair: Budget(burst=pair[0], per_s=pair[1]))


@settings(max_examples=120, deadline=None)
@given(stream=requests, address=budgets, key=budgets)
async def test_no_stream_of_requests_exceeds_any_budget(
    stream: list[tuple[str, float, int]], address: Budget, key: Budget
) -> None:
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.limit("venue", address=address, key=key)
    doors: dict[str, Doorman] = defaultdict(lambda: Doorman(key))
    house = Doorman(address)

    async def one(label: str, at_s: float, cost: int) -> None:
        await time.sleep(at_s)
        await pacer.admit("venue", key_label=label, cost=cost, patience_s=1e9)
        doors[label].arrives(time.monotonic(), cost)
        house.arrives(time.monotonic(), cost)

    outcomes = await time.play(*(one(*request) for request in stream))
    assert outcomes == [None] * len(stream)
    assert house.overdraft() < 1e-6
    assert max(door.overdraft() for door in doors.values()) < 1e-6


@settings(max_examples=60, deadline=None)
@given(stream=requests, pauses=st.lists(st.tuples(st.floats(0, 30), st.floats(0, 30)), min_size=1, max_size=4))
async def test_nothing_is_sent_while_a_venue_wants_silence(
    stream: list[tuple[str, float, int]], pauses: list[tuple[float, float]]
) -> None:
    """And a shorter pause never cuts a longer one."""
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.limit("venue", address=Budget(burst=20, per_s=5), key=None)
    silent: list[tuple[float, float]] = []
    sent: list[float] = []

    async def one(label: str, at_s: float, cost: int) -> None:
        await time.sleep(at_s)
        await pacer.admit("venue", key_label=label, cost=cost, patience_s=1e9)
        sent.append(time.monotonic())

    async def pause(at_s: float, seconds: float) -> None:
        await time.sleep(at_s)
        silent.append((time.monotonic(), time.monotonic() + seconds))
        pacer.slow_down("venue", key_label="a", seconds=seconds)

    await time.play(*(one(*request) for request in stream), *(pause(*span) for span in pauses))
    assert len(sent) == len(stream)
    assert not [at for at in sent for start, end in silent if start + 1e-9 < at < end - 1e-9]


async def test_who_comes_first_is_served_first() -> None:
    """A cheap request does not overtake a dear one that waits."""
    time, order = StageTime(), list[str]()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.limit("venue", address=Budget(burst=10, per_s=1), key=None)

    async def one(name: str, at_s: float, cost: int) -> None:
        await time.sleep(at_s)
        await pacer.admit("venue", key_label=name, cost=cost)
        order.append(name)

    await time.play(one("first", 0, 10), one("dear", 1, 10), one("cheap", 2, 1))
    assert order == ["first", "dear", "cheap"]


async def test_a_busy_key_does_not_hold_up_another_key() -> None:
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.limit("venue", address=Budget(burst=100, per_s=10), key=Budget(burst=10, per_s=1))
    done: dict[str, float] = {}

    async def one(name: str, label: str) -> None:
        await pacer.admit("venue", key_label=label, cost=10)
        done[name] = time.monotonic()

    await time.play(one("a1", "a"), one("a2", "a"), one("b1", "b"))
    assert done == {"a1": 0.0, "a2": 10.0, "b1": 0.0}


async def test_a_cost_beyond_the_burst_waits_for_a_full_bucket_and_is_paid_back() -> None:
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.limit("venue", address=Budget(burst=10, per_s=1), key=None)
    moments = []

    async def twice() -> None:
        for _ in range(2):
            await pacer.admit("venue", key_label="", cost=25)
            moments.append(time.monotonic())

    await time.play(twice())
    assert moments == [0.0, 25.0]


async def test_a_long_wait_is_an_error_that_says_how_long() -> None:
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.observe("venue", key_label="", status=418, headers={"retry-after": "600"}, now=NOW)
    (banned,) = await time.play(pacer.admit("venue", key_label="other", cost=1))
    assert isinstance(banned, VenueBanned)
    assert banned.retry_after_s == pytest.approx(600)
    time.elapsed_s = 600.0
    assert await time.play(pacer.admit("venue", key_label="other", cost=1)) == [None]


async def test_a_ban_is_not_shortened_by_a_later_smaller_one() -> None:
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.observe("venue", key_label="", status=418, headers={"retry-after": "900"}, now=NOW)
    pacer.observe("venue", key_label="", status=429, headers={"retry-after": "1"}, now=NOW)
    (busy,) = await time.play(pacer.admit("venue", key_label="", cost=1))
    assert isinstance(busy, VenueBusy)
    assert busy.retry_after_s == pytest.approx(900)


async def test_stated_use_lowers_the_level_and_never_raises_it() -> None:
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.limit("venue", address=Budget(burst=100, per_s=1), key=None, used_headers={"x-used": 1000})
    pacer.observe("venue", key_label="", status=200, headers={"x-used": "900"}, now=NOW)
    await time.play(pacer.admit("venue", key_label="", cost=30))
    assert time.elapsed_s == pytest.approx(20)
    pacer.observe("venue", key_label="", status=200, headers={"x-used": "0"}, now=NOW)
    await time.play(pacer.admit("venue", key_label="", cost=10))
    assert time.elapsed_s == pytest.approx(30)


async def test_a_used_up_minute_is_waited_out() -> None:
    time = StageTime()
    pacer = Pacer(clock=time, sleep=time.sleep)
    pacer.limit("venue", address=Budget(burst=100, per_s=100), key=None, used_headers={"x-used": 1000})
    at = EpochMs(START_MS - START_MS % 60_000 + 45_000)
    pacer.observe("venue", key_label="", status=200, headers={"x-used": "1200"}, now=at)
    await time.play(pacer.admit("venue", key_label="", cost=1))
    assert time.elapsed_s == pytest.approx(15)


@pytest.mark.parametrize(
    ("raw", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("", 0.0),
        ("-5", 0.0),
        ("soon", 0.0),
        ("nan", 0.0),
        ("inf", 0.0),
        ("99999999999", RETRY_AFTER_MAX_S),
        ("9" * 400, RETRY_AFTER_MAX_S),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2000 22:13:50 GMT", 0.0),
        ("Tue, 14 Nov 9999 22:13:50 GMT", RETRY_AFTER_MAX_S),
    ],
)
def test_retry_after_is_read_in_every_form_and_capped(raw: str, seconds: float) -> None:
    assert retry_after_s({"retry-after": raw}, now=NOW) == pytest.approx(seconds)


def test_http_dates_are_read() -> None:
    assert http_date_ms("Tue, 14 Nov 2023 22:13:20 GMT") == START_MS
    assert http_date_ms("yesterday") is None
