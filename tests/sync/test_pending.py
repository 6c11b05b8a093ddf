"""How events are gathered: one look for a burst, and never a long wait."""

import asyncio
from itertools import pairwise

from tests.stage import StageTime

from omnifolio.sync.pending import LONGEST_S, QUIET_S, STEP_S, Pending
from omnifolio.venues.exchanges.streams.contract import Want

BALANCES, TRADES, LEDGER = Want("balances"), Want("trades", "ETHUSDT"), Want("ledger")


async def looks(pending: Pending, time: StageTime, count: int) -> list[tuple[float, tuple[Want, ...]]]:
    """The first looks: when, and at what."""
    found = []
    for _ in range(count):
        wants = await pending.take()
        found.append((round(time.elapsed_s, 3), wants))
    return found


async def test_a_burst_is_one_look_a_moment_after_its_last_event() -> None:
    time = StageTime()
    pending = Pending(time, time.sleep)

    async def events() -> None:
        for wants in ((BALANCES, TRADES), (BALANCES,), (BALANCES, LEDGER)):
            pending.add(wants)
            await time.sleep(0.1)

    found, _ = await time.play(looks(pending, time, 1), events())
    assert isinstance(found, list)
    ((at_s, wants),) = found
    assert wants == (BALANCES, TRADES, LEDGER)
    assert 0.2 + QUIET_S <= at_s <= 0.2 + QUIET_S + STEP_S


async def test_events_without_end_are_looked_at_every_second() -> None:
    time = StageTime()
    pending = Pending(time, time.sleep)

    async def events() -> None:
        for _ in range(40):
            pending.add((BALANCES,))
            await time.sleep(0.1)

    found, _ = await time.play(looks(pending, time, 3), events())
    assert isinstance(found, list)
    times = [at_s for at_s, _ in found]
    assert times[0] <= LONGEST_S + STEP_S
    assert all(later - earlier <= LONGEST_S + 2 * STEP_S for earlier, later in pairwise(times))


async def test_a_look_that_brought_nothing_is_repeated_later_but_with_the_next_event_at_once() -> None:
    time = StageTime()
    pending = Pending(time, time.sleep)
    pending.add((BALANCES, TRADES))

    async def story() -> list[tuple[float, int]]:
        seen = []
        await pending.take()
        pending.put_back((BALANCES, TRADES), after_s=2.0)
        pending.attempt, pending.moved = 1, True
        await pending.take()
        seen.append((round(time.elapsed_s, 1), pending.attempt))
        pending.put_back((BALANCES, TRADES), after_s=4.0)
        taking = asyncio.ensure_future(pending.take())
        await time.sleep(0.3)
        pending.add((LEDGER,))
        assert await taking == (BALANCES, TRADES, LEDGER)
        seen.append((round(time.elapsed_s, 1), pending.attempt))
        assert not pending.moved, "what is looked for together with a new event is looked for afresh"
        return seen

    (seen,) = await time.play(story())
    assert isinstance(seen, list)
    (first_s, first), (second_s, second) = seen
    assert (first, second) == (1, 0)
    assert first_s >= 2.0
    assert second_s - first_s <= 0.3 + QUIET_S + 2 * STEP_S
