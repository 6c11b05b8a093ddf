"""A venue that is down, busy, or has banned us: it is asked less and less, as it wishes, and by no other account in between."""

from email.utils import formatdate
from typing import Any

import pytest

from omnifolio.model.clock import HOUR_MS, MINUTE_MS, SECOND_MS
from omnifolio.sync.refresh import BUSY_FIRST_MS, BUSY_LAST_MS, RETRY_FIRST_MS, RETRY_LAST_MS
from omnifolio.transport.retries import ATTEMPTS_MAX
from tests.proof.simulation import NOW, Installation, Venues

USER = "proof"
BALANCES = "/0/private/BalanceEx"
CALLS_OF_A_ROUND_MAX = 4 * 6


async def test_a_venue_that_stays_down_is_asked_less_and_less(house: Installation, venues: Venues) -> None:
    number = await house.link("kraken", USER)
    await house.work()
    venues.fault({"venue": "kraken", "status": 503})
    await house.sync(number)
    waits = []
    for _ in range(12):
        account = await house.account(number)
        assert account.next_sync_at is not None
        waits.append(account.next_sync_at - house.time.now())
        venues.forget_calls()
        await house.wait_and_work(number)
        assert len(venues.calls()) <= CALLS_OF_A_ROUND_MAX
    assert waits[:3] == [RETRY_FIRST_MS, 2 * RETRY_FIRST_MS, 4 * RETRY_FIRST_MS]
    assert waits == sorted(waits)
    assert waits[-1] == RETRY_LAST_MS


@pytest.mark.parametrize(
    ("header", "wait_ms", "calls"),
    [
        ("7", BUSY_FIRST_MS, ATTEMPTS_MAX),
        ("1800", 30 * MINUTE_MS, 1),
        ("date", 40 * MINUTE_MS, 1),
        (None, BUSY_FIRST_MS, ATTEMPTS_MAX),
        ("-5", BUSY_FIRST_MS, ATTEMPTS_MAX),
        ("soon", BUSY_FIRST_MS, ATTEMPTS_MAX),
        ("99999999999", 6 * HOUR_MS, 1),
    ],
)
async def test_retry_after_is_obeyed(house: Installation, venues: Venues, header: str | None, wait_ms: int, calls: int) -> None:
    number = await house.link("kraken", USER)
    await house.work()
    held = await house.held(number)
    value = formatdate((NOW + 40 * MINUTE_MS) / SECOND_MS, usegmt=True) if header == "date" else header
    venues.fault({"venue": "kraken", "path": BALANCES, "status": 429, "headers": {"Retry-After": value} if value else {}})
    venues.forget_calls()
    began = house.time.now()
    await house.sync(number)
    assert [call["path"] for call in venues.calls()].count(BALANCES) == calls
    account, shown = await house.account(number), await house.shown(number)
    assert account.next_sync_at is not None
    waited_until = began + wait_ms if calls == 1 else house.time.now() + wait_ms
    # A second is what the key's own question took before, and the pause ends with the next whole millisecond.
    assert 0 <= account.next_sync_at - waited_until <= SECOND_MS + 1
    if header == "7":
        assert house.time.now() - began >= (calls - 1) * 7 * SECOND_MS
    assert shown.error is not None
    assert (shown.status, shown.error.name, shown.error.code) == ("retry", "TemporaryFailureError", "venue_busy")
    assert await house.held(number) == held
    venues.heal()
    await house.wait_and_work(number)
    assert (await house.account(number)).status == "ok"
    assert await house.facts(number) == venues.truth(USER, "kraken")


async def test_a_venue_that_is_always_busy_is_asked_less_and_less(house: Installation, venues: Venues) -> None:
    number = await house.link("kraken", USER)
    await house.work()
    venues.fault({"venue": "kraken", "effect": "rate_limit"})
    await house.sync(number)
    waits = []
    for _ in range(14):
        account = await house.account(number)
        assert account.next_sync_at is not None
        waits.append(account.next_sync_at - house.time.now())
        await house.wait_and_work(number)
    assert waits == sorted(waits)
    assert waits[0] == BUSY_FIRST_MS
    assert waits[-1] == BUSY_LAST_MS
    venues.heal()
    await house.wait_and_work(number)
    account = await house.account(number)
    assert (account.status, account.failures) == ("ok", 0)


BANS = [("kraken", {"status": 418, "headers": {"Retry-After": "7200"}}, 7200), ("kraken", {"effect": "ban"}, 900),
        ("bybit", {"effect": "ban"}, 600)]  # fmt: skip


@pytest.mark.parametrize(("venue", "fault", "pause_s"), BANS, ids=["418", "lockout", "403"])
async def test_a_ban_is_sat_out_by_every_account_of_the_address(
    house: Installation, venues: Venues, venue: str, fault: dict[str, Any], pause_s: int
) -> None:
    one, other = await house.link(venue, USER), await house.link(venue, "neighbour")
    await house.work()
    venues.fault({"venue": venue, "nth": 1, **fault})
    venues.forget_calls()
    began = house.time.now()
    await house.sync(one)
    await house.sync(other)
    assert len(venues.calls()) == 1
    for number in (one, other):
        account, shown = await house.account(number), await house.shown(number)
        assert shown.error is not None
        assert (shown.status, shown.error.name, shown.error.code) == ("retry", "TemporaryFailureError", "venue_banned")
        assert account.next_sync_at is not None
        assert account.next_sync_at - began >= pause_s * SECOND_MS - SECOND_MS
    await house.wait_and_work(one)
    await house.wait_and_work(other)
    assert await house.facts(one, other) == venues.truth(USER, venue) + venues.truth("neighbour", venue)
    assert [(await house.account(number)).status for number in (one, other)] == ["ok", "ok"]
