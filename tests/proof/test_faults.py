"""What a venue may do wrong, over the wire: nothing is zeroed, nothing lost, nothing doubled, and it heals by itself.

Each fault strikes twice: a page in the middle of the first history, and the balances of an account that is known already. In
between and afterwards the venue is sound again, and then the ledger must hold the truth.
"""

import itertools
from email.utils import formatdate
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from omnifolio.model.ids import AccountId
from omnifolio.sync.refresh import BUSY_FIRST_MS, RETRY_FIRST_MS, RETRY_LAST_MS
from tests.proof.simulation import NOW, Installation, Venues

USER = "proof"
BALANCES, LEDGER, TRADES = "/0/private/BalanceEx", "/0/private/Ledgers", "/0/private/TradesHistory"
SECOND_PAGE = 2
READ_TIMEOUT_S = 0.05
SLOW_MS = 300


class Case(Struct, frozen=True):
    """A fault as the sandbox takes it, and the error that must name it."""

    fault: dict[str, Any]
    code: str
    name: str = "TemporaryFailureError"


def effect(word: str) -> dict[str, Any]:
    return {"effect": word}


CASES = {
    "an empty object": Case(effect("empty_object"), "venue_bad_response", "UnknownConnectorError"),
    "an empty list": Case(effect("empty_list"), "venue_bad_response", "UnknownConnectorError"),
    "half an answer": Case(effect("half"), "venue_bad_response", "UnknownConnectorError"),
    "null": Case({"status": 200, "body": "null"}, "venue_bad_response", "UnknownConnectorError"),
    "a web page with 200": Case({"status": 200, "body": "<html>moved</html>"}, "venue_bad_response", "UnknownConnectorError"),
    "an error page": Case(effect("html"), "venue_unavailable"),
    "an empty body": Case({"status": 200}, "venue_bad_response", "UnknownConnectorError"),
    "a redirect": Case({"status": 302, "headers": {"Location": "/0/private/AddOrder"}}, "venue_bad_response", "UnknownConnectorError"),
    "maintenance": Case({"status": 503}, "venue_unavailable"),
    "a closed connection": Case(effect("reset"), "venue_unavailable"),
    "a gzip bomb": Case(effect("gzip_bomb"), "response_too_large", "UnknownConnectorError"),
    "no number at all": Case({"status": 200, "body": '{"error":[],"result":{"XXBT":{"balance":NaN},"count":1,"ledger":NaN}}'},
                             "venue_bad_response", "UnknownConnectorError"),
}  # fmt: skip


async def is_told_as(house: Installation, number: AccountId, case: Case, *, strained: str) -> None:
    """The account says what failed and when it is tried again; it never blames the user."""
    shown = await house.shown(number)
    assert shown.error is not None
    assert (shown.status, shown.error.code, shown.error.name) == ("retry", case.code, case.name)
    assert "last good data stay" in shown.error.action
    assert shown.error.cause
    assert shown.authorized
    assert msgspec.to_builtins(shown.status_details)[strained] == "retry"
    assert shown.next_sync_at == house.time.now() + RETRY_FIRST_MS


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
async def test_a_fault_zeroes_nothing_loses_nothing_and_heals(house: Installation, venues: Venues, case: Case) -> None:
    number = await house.link("kraken", USER)
    venues.fault({"venue": "kraken", "path": LEDGER, "nth": list(range(SECOND_PAGE, 100)), **case.fault})
    await house.work()
    truth = venues.truth(USER, "kraken")
    broken = await house.facts(number)
    assert {line for line in truth if '"balance"' in line} <= broken.keys()
    await is_told_as(house, number, case, strained="transactions")
    venues.heal()
    await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(USER, "kraken")
    ids = await house.ids(number)

    venues.pass_time(3 * DAY_MS)
    held = await house.held(number)
    venues.fault({"venue": "kraken", "path": BALANCES, **case.fault})
    await house.sync(number)
    assert await house.held(number) == held
    await is_told_as(house, number, case, strained="balances")
    venues.heal()
    await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(USER, "kraken")
    account = await house.account(number)
    assert (account.status, account.error_code, account.failures) == ("ok", None, 0)
    assert await house.problems(number) == []
    assert (await house.ids(number)).items() >= ids.items()
    assert await house.sums_agree(number)
