"""Forty accounts, four of them broken in different ways, or one of two venues busy: the others do not notice, and the total says
which are missing."""

from collections import Counter
from typing import Any

from omnifolio.app.read import Read
from omnifolio.model.clock import MINUTE_MS, SECOND_MS
from omnifolio.model.ids import AccountId
from omnifolio.transport.retries import ATTEMPTS_MAX
from tests.proof.simulation import Installation, Venues

VENUES = ("kraken", "binance")
HEALTHY, BROKEN = 36, 4
FAULTS: dict[str, tuple[str, dict[str, Any], str]] = {
    "broken-0": ("kraken", {"effect": "html"}, "venue_unavailable"),
    "broken-1": ("kraken", {"effect": "half"}, "venue_bad_response"),
    "broken-2": ("binance", {"status": 401, "body": '{"code":-2015,"msg":"Invalid API-key"}'}, "bad_credentials"),
    "broken-3": ("binance", {"effect": "rate_limit"}, "venue_busy"),
}
CALLS_OF_A_BROKEN_ACCOUNT_MAX = 4 * ATTEMPTS_MAX
"""Rights, balances and the first of the history, each given up after so many attempts."""

PAUSE_MS = 30 * MINUTE_MS


async def test_four_broken_accounts_cost_the_other_thirty_six_nothing(house: Installation, venues: Venues) -> None:
    for user, (venue, fault, _) in FAULTS.items():
        venues.fault({"venue": venue, "path": "*", "user": user, **fault})
    healthy = [await house.link(VENUES[n % 2], f"small-{100 + n // 2}") for n in range(HEALTHY)]
    broken = {user: await house.link(venue, user) for user, (venue, _, _) in FAULTS.items()}
    venues.forget_calls()
    await house.work()

    assert Counter([(await house.account(number)).status for number in healthy]) == {"ok": HEALTHY}
    for user, (_, _, code) in FAULTS.items():
        account = await house.account(broken[user])
        assert (account.status in ("retry", "error"), account.error_code) == (True, code), user
    found, _, _ = await Read(house.runtime.context).portfolio(house.principal, fiat="USD")
    assert found.is_partial
    assert {item.account.id for item in found.unread} == set(broken.values())
    assert all(item.text for item in found.unread)
    assert len(found.accounts) == HEALTHY + BROKEN

    labels = Counter(call["key"] for call in venues.calls() if str(call["key"] or "").startswith("broken-"))
    assert max(labels.values()) <= CALLS_OF_A_BROKEN_ACCOUNT_MAX, labels


async def of_two_venues(house: Installation, venues: Venues, count: int, **fault: Any) -> tuple[list[AccountId], list[AccountId]]:
    """So many accounts of each venue: those of kraken, and those of binance, which is busy for everyone from the beginning."""
    venues.fault({"venue": "binance", "path": "*", **fault})
    calm = [await house.link("kraken", f"small-{100 + n}") for n in range(count)]
    busy = [await house.link("binance", f"small-{100 + n}") for n in range(count)]
    venues.forget_calls()
    return calm, busy


def asked_at(venues: Venues, venue: str) -> list[int]:
    """When the venue was called, in order."""
    return sorted(call["at"] for call in venues.calls() if call["venue"] == venue)


async def test_a_busy_venue_is_left_alone_by_all_its_accounts_and_costs_no_other(house: Installation, venues: Venues) -> None:
    """One answer is enough for every key of the address, whoever asks for a refresh in between."""
    calm, busy = await of_two_venues(house, venues, 5, status=429, headers={"Retry-After": str(PAUSE_MS // SECOND_MS)})
    began = house.time.now()
    await house.work()
    assert Counter([(await house.account(number)).status for number in calm]) == {"ok": len(calm)}
    for number in busy:
        account = await house.account(number)
        assert (account.status, account.error_code) == ("retry", "venue_busy")
        assert account.next_sync_at is not None
        assert account.next_sync_at >= began + PAUSE_MS
    # A second worker may have been on its way when the first was refused.
    assert len(asked_at(venues, "binance")) <= house.settings.workers
    found, _, _ = await Read(house.runtime.context).portfolio(house.principal, fiat="USD")
    assert {item.account.id for item in found.unread} == set(busy)

    venues.forget_calls()
    for _ in range(2):
        venues.pass_time(PAUSE_MS // 3)
        await house.sync()
    assert asked_at(venues, "binance") == []
    assert asked_at(venues, "kraken") != []
    venues.heal()
    venues.pass_time(PAUSE_MS)
    await house.work()
    assert Counter([(await house.account(number)).status for number in (*calm, *busy)]) == {"ok": len(calm) + len(busy)}


async def test_a_venue_that_wants_short_pauses_gets_them_from_all_its_accounts(house: Installation, venues: Venues) -> None:
    """Whoever waits for the pause does not come all at once when it is over: each refusal begins another one."""
    calm, busy = await of_two_venues(house, venues, 4, status=429, headers={"Retry-After": "7"})
    await house.work()
    assert Counter([(await house.account(number)).status for number in calm]) == {"ok": len(calm)}
    assert Counter([(await house.account(number)).error_code for number in busy]) == {"venue_busy": len(busy)}
    asked = asked_at(venues, "binance")
    assert len(asked) > len(busy)
    pauses = [later - earlier for earlier, later in zip(asked, asked[house.settings.workers :], strict=False)]
    assert min(pauses) >= 7 * SECOND_MS
