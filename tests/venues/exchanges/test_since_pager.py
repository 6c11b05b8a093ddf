"""A walk by `since` claims no more than the venue's pages prove, whichever end of a history it gives first."""

import json
from collections.abc import Callable, Sequence

import pytest

from omnifolio.catalog.streams import StreamRow
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Interval
from omnifolio.venues.exchanges.answers import Seen
from omnifolio.venues.exchanges.paging import Step, pager_for

PAGE = 20
FLOOR_MS = 1_000
NOW = EpochMs(100_000)
ROUND_PAGES_MAX = 50

Rows = Sequence[int]
Give = Callable[[Rows, int], Rows]


def forward(rows: Rows, since: int) -> Rows:
    return [at for at in rows if at >= since][:PAGE]


def newest(rows: Rows, since: int) -> Rows:
    return [at for at in rows if at >= since][-PAGE:]


def row(start_param: str = "since") -> StreamRow:
    shape = {"kind": "trades", "calls": ("fetch_my_trades",), "paths": ("/x",), "overlap_ms": 500, "floor_ms": FLOOR_MS}
    return StreamRow(pager="since", start_param=start_param, limit_param="limit", page_rows=PAGE, **shape)  # type: ignore[arg-type]  # by name


def walk(
    rows: Rows, give: Give, token: str = "", *, now: EpochMs = NOW, start_param: str = "since"
) -> tuple[set[int], list[Step]]:
    """What one round brings, the pager made anew from its token at each page, as after a crash."""
    found: set[int] = set()
    steps: list[Step] = []
    for _ in range(ROUND_PAGES_MAX):
        pager = pager_for(row(start_param), token, now)
        page = give(rows, int(pager.question().get(start_param or "since", 0)))
        found |= set(page)
        times = [EpochMs(at) for at in page]
        step = pager.step(Seen(rows=len(page), oldest=min(times, default=None), newest=max(times, default=None)))
        token = step.token
        steps.append(step)
        if step.is_done:
            return found, steps
    raise AssertionError("the round does not end")


def test_a_venue_that_goes_forward_is_read_whole() -> None:
    rows = range(2_000, 90_000, 1_000)
    found, steps = walk(rows, forward)
    assert found == set(rows)
    assert not [step for step in steps if step.lost]
    assert steps[-1].covered == (Interval(EpochMs(2_000), NOW),)


def test_a_venue_that_gives_only_the_newest_says_what_is_lost() -> None:
    rows = range(2_000, 90_000, 1_000)
    found, steps = walk(rows, newest)
    assert found == set(rows[-PAGE:])
    assert steps[-1].lost == Interval(EpochMs(FLOOR_MS), EpochMs(rows[-PAGE]))
    assert steps[-1].covered == (Interval(EpochMs(rows[-PAGE]), NOW),)


def test_a_fill_that_arrives_meanwhile_proves_no_direction() -> None:
    rows = [*range(2_000, 90_000, 1_000), NOW + 5]
    late = [list(rows[:-1]), rows]
    _, steps = walk(rows, lambda _, since: newest(late.pop(0) if late else rows, since))
    assert steps[-1].lost is not None


def test_a_few_rows_are_all_there_are() -> None:
    found, steps = walk([5_000, 6_000], forward)
    assert found == {5_000, 6_000}
    assert (len(steps), steps[-1].lost) == (1, None)
    assert steps[-1].covered == (Interval(EpochMs(5_000), NOW),)


def test_no_rows_cover_nothing() -> None:
    _, steps = walk([], forward)
    assert (steps[-1].covered, steps[-1].lost, steps[-1].is_done) == ((), None, True)
    assert json.loads(steps[-1].token)["since"] == FLOOR_MS


def test_without_a_start_a_full_page_loses_what_is_older() -> None:
    rows = range(2_000, 90_000, 1_000)
    _, steps = walk(rows, newest, start_param="")
    assert len(steps) == 1
    assert steps[-1].lost == Interval(EpochMs(FLOOR_MS), EpochMs(rows[-PAGE]))


@pytest.mark.parametrize("give", [forward, newest])
def test_the_next_round_begins_an_overlap_before_now(give: Give) -> None:
    rows = list(range(2_000, 90_000, 1_000))
    _, steps = walk(rows, give)
    later = EpochMs(NOW + 60_000)
    more = [*rows, NOW - 100, NOW + 1_000]
    found, steps = walk(more, give, steps[-1].token, now=later)
    assert found == {NOW - 100, NOW + 1_000}
    assert steps[-1].lost is None
