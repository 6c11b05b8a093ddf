"""Forty accounts, four of them broken in different ways: the others do not notice, and the total says which are missing."""

from collections import Counter
from typing import Any

from omnifolio.app.read import Read
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
