"""Lives that not everybody leads: debts, contracts, one pair's margin, a sub-account. What is stored equals the truth exactly,
and months later, when the venue has forgotten, nothing of it is lost or told twice."""

import pytest

from omnifolio.model.clock import DAY_MS
from tests.proof.forgetting import holds_all_that_was_ever_told
from tests.proof.simulation import Installation, Venues

LIVES = [
    ("binance", "margin-ada-300", {"margin/margin", "margin/debt", "usdm/collateral"}),
    ("binance", "isolated-ada-300", {"isolated/margin", "isolated/debt", "coinm/collateral"}),
    ("bybit", "small-300", {"unified/debt"}),
    ("okx", "small-300", {"sub/vault/funding/funding"}),
]
"""Venue, user, and the places where something must lie, so that the case is one."""
FORGOTTEN_MS = 50 * DAY_MS
"""Half of what was told is older than three months by then, and nothing new was missed."""


@pytest.mark.parametrize(
    ("venue", "user", "places"), LIVES, ids=["cross and USD-M", "isolated and COIN-M", "debt", "sub-account"]
)
async def test_what_is_stored_is_the_truth_and_stays_when_the_venue_forgets(
    house: Installation, venues: Venues, venue: str, user: str, places: set[str]
) -> None:
    number = await house.link(venue, user)
    await house.work()
    first = venues.truth(user, venue)
    assert await house.facts(number) == first
    assert {place.rpartition("/")[0] for place in await house.held(number)} >= places
    assert ((await house.account(number)).status, await house.problems(number)) == ("ok", [])
    venues.pass_time(FORGOTTEN_MS)
    await house.sync(number)
    await holds_all_that_was_ever_told(house, number, venues.truth(user, venue), first)
    assert (await house.account(number)).status == "ok"
