"""What a venue may do wrong, over the wire: nothing is zeroed, nothing lost, nothing doubled, and it heals by itself.

Each fault strikes twice: a page in the middle of the first history, and the balances of an account that is known already. In
between and afterwards the venue is sound again, and then the ledger must hold the truth.
"""

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from omnifolio.ledger.guard import SECOND_LOOK_MS
from omnifolio.model.clock import DAY_MS, MINUTE_MS, SECOND_MS
from omnifolio.model.ids import AccountId
from omnifolio.sync.refresh import RETRY_FIRST_MS
from tests.proof.forgetting import holds_all_that_was_ever_told
from tests.proof.simulation import NOW, Installation, Venues

USER, SMALL = "proof", "small-100"
BALANCES, LEDGER, TRADES = "/0/private/BalanceEx", "/0/private/Ledgers", "/0/private/TradesHistory"
VENUES = {
    "kraken": (LEDGER, BALANCES),
    "bybit": ("/v5/account/transaction-log", "/v5/account/wallet-balance"),
    "okx": ("/api/v5/asset/bills-history", "/api/v5/account/balance"),
}
"""Venue → the call of a long history, and one of balances."""
FULL_WALK_MS = {"bybit": 181 * DAY_MS}
"""After this much a history is walked from its beginning, where that is not a month."""
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
    "a redirect": Case({"status": 302, "headers": {"Location": "/0/private/AddOrder"}},
                       "venue_bad_response", "UnknownConnectorError"),
    "maintenance": Case({"status": 503}, "venue_unavailable"),
    "a closed connection": Case(effect("reset"), "venue_unavailable"),
    "a gzip bomb": Case(effect("gzip_bomb"), "response_too_large", "UnknownConnectorError"),
    "no number at all": Case({"status": 200, "body": '{"error":[],"result":{"XXBT":{"balance":NaN},"count":1,"ledger":NaN}}'},
                             "venue_bad_response", "UnknownConnectorError"),
}  # fmt: skip

LONG_HISTORY_CASES = ("an empty object", "half an answer", "an error page", "a closed connection")
"""Bybit's history takes hundreds of questions."""


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


@pytest.mark.parametrize(
    ("venue", "name"),
    [(venue, name) for venue in VENUES for name in CASES if venue != "bybit" or name in LONG_HISTORY_CASES],
)
async def test_a_fault_zeroes_nothing_loses_nothing_and_heals(house: Installation, venues: Venues, venue: str, name: str) -> None:
    case = CASES[name]
    history, balances = VENUES[venue]
    number = await house.link(venue, USER)
    venues.fault({"venue": venue, "path": history, "nth": list(range(SECOND_PAGE, 100)), **case.fault})
    await house.work()
    truth = venues.truth(USER, venue)
    broken = await house.facts(number)
    assert {line for line in truth if '"balance"' in line} <= broken.keys()
    await is_told_as(house, number, case, strained="transactions")
    venues.heal()
    await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(USER, venue)
    ids = await house.ids(number)

    venues.pass_time(3 * DAY_MS)
    held = await house.held(number)
    venues.fault({"venue": venue, "path": balances, **case.fault})
    await house.sync(number)
    assert await house.held(number) == held
    await is_told_as(house, number, case, strained="balances")
    venues.heal()
    await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(USER, venue)
    account = await house.account(number)
    assert (account.status, account.error_code, account.failures) == ("ok", None, 0)
    assert await house.problems(number) == []
    assert (await house.ids(number)).items() >= ids.items()
    assert await house.sums_agree(number)


async def test_a_slow_venue_costs_its_time_limit_and_no_more(
    house: Installation, venues: Venues, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is lowered to a twentieth of a second, so that nobody waits for its twenty."""
    number = await house.link("kraken", USER)
    await house.work()
    held = await house.held(number)
    venues.pass_time(2 * DAY_MS)
    monkeypatch.setattr("omnifolio.transport.http.READ_TIMEOUT_S", READ_TIMEOUT_S)
    venues.fault({"venue": "kraken", "path": BALANCES, "delay_ms": SLOW_MS})
    await house.sync(number)
    monkeypatch.undo()
    assert await house.held(number) == held
    await is_told_as(house, number, Case({}, "venue_unavailable"), strained="balances")
    venues.heal()
    await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(USER, "kraken")


@pytest.mark.parametrize(
    ("venue", "skew_ms"),
    [
        ("coinbase", 5 * MINUTE_MS),
        ("coinbase", -5 * MINUTE_MS),
        ("binance", 5 * MINUTE_MS),
        ("bybit", 5 * MINUTE_MS),
        ("okx", 5 * MINUTE_MS),
        ("okx", -5 * MINUTE_MS),
        pytest.param("binance", -5 * MINUTE_MS, marks=pytest.mark.soak),
    ],
)
async def test_a_clock_that_is_five_minutes_off_is_learnt_and_nobody_notices(
    house: Installation, venues: Venues, venue: str, skew_ms: int
) -> None:
    venues.fault({"venue": venue, "skew_ms": skew_ms})
    number = await house.link(venue, SMALL)
    await house.work()
    assert await house.facts(number) == venues.truth(SMALL, venue)
    assert ((await house.account(number)).status, await house.problems(number)) == ("ok", [])


@pytest.mark.parametrize(
    ("venue", "path", "coin", "arrives"),
    [
        ("binance", "/sapi/v1/simple-earn/locked/position", "LINK", "spot/spot/LINK"),
        ("bybit", "/v5/earn/position", "SOL", "funding/funding/SOL"),
        ("okx", "/api/v5/finance/savings/balance", "SOL", "funding/funding/SOL"),
    ],
)
async def test_one_product_that_fails_leaves_the_others_current_and_itself_as_it_was(
    house: Installation, venues: Venues, venue: str, path: str, coin: str, arrives: str
) -> None:
    """What is put to earn is down while a deposit arrives beside it: that moves, earn stays, and the account says so."""
    number = await house.link(venue, SMALL)
    await house.work()
    before = await house.held(number)
    assert any(place.startswith("earn/") for place in before)
    venues.deposit(SMALL, venue, coin, "12.5")
    venues.fault({"venue": venue, "path": path, "status": 500})
    await house.sync(number)
    after = await house.held(number)
    assert {place: amount for place, amount in before.items() if place not in after} == {}
    assert {place for place in after if after[place] != before.get(place)} == {arrives}
    await is_told_as(house, number, Case({}, "venue_unavailable"), strained="balances")
    assert not (await house.shown(number)).complete
    venues.heal()
    await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(SMALL, venue)
    assert ((await house.account(number)).status, await house.problems(number)) == ("ok", [])


async def test_a_page_that_contradicts_its_own_count_is_not_believed(house: Installation, venues: Venues) -> None:
    number = await house.link("kraken", USER)
    venues.fault({"venue": "kraken", "path": LEDGER, "nth": 2, "effect": "drop_page"})
    await house.work()
    await is_told_as(house, number, CASES["an empty object"], strained="transactions")
    await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(USER, "kraken")


@pytest.mark.parametrize(
    ("venue", "paths", "coin"),
    [
        ("kraken", (LEDGER, TRADES, "/0/private/DepositStatus"), "LINK"),
        ("coinbase", ("/v2/accounts/*",), "LINK"),
        ("bybit", ("/v5/asset/fundinghistory", "/v5/asset/deposit/query-record"), "SOL"),
        ("okx", ("/api/v5/asset/bills-history", "/api/v5/asset/deposit-history"), "SOL"),
    ],
)
async def test_a_row_that_was_missing_is_found_by_the_next_full_walk(
    house: Installation, venues: Venues, venue: str, paths: tuple[str, ...], coin: str
) -> None:
    """The last page of a walk came without its rows, and nothing in it says so."""
    number = await house.link(venue, USER)
    await house.work()
    first = venues.truth(USER, venue)
    venues.pass_time(DAY_MS)
    ref = venues.deposit(USER, venue, coin, "3")
    for path in paths:
        venues.fault({"venue": venue, "path": path, "effect": "drop_page", "nth": 1})
    await house.sync(number)
    venues.heal()
    if ref not in await house.ids(number):
        venues.pass_time(FULL_WALK_MS.get(venue, 31 * DAY_MS))
        await house.sync(number)
    assert ref in await house.ids(number)
    await holds_all_that_was_ever_told(house, number, venues.truth(USER, venue), first)


@pytest.mark.parametrize(
    ("venue", "coin"),
    [
        ("kraken", "LINK"),
        pytest.param("binance", "LINK", marks=pytest.mark.soak),
        ("coinbase", "LINK"),
        ("bybit", "SOL"),
        ("okx", "SOL"),
    ],
)
async def test_a_row_that_appears_under_an_old_date_is_found_by_the_next_full_walk(
    house: Installation, venues: Venues, venue: str, coin: str
) -> None:
    """Forty days back: beyond every overlap. The balance is right at once, the history when it is walked anew."""
    number = await house.link(venue, SMALL)
    await house.work()
    first, ids = venues.truth(SMALL, venue), await house.ids(number)
    when = {"at": NOW - 40 * DAY_MS, "visible_at": NOW + DAY_MS}
    ref = venues.deposit(SMALL, venue, coin, "7.25", **when)
    venues.pass_time(2 * DAY_MS)
    await house.sync(number)
    told = {line for line in venues.truth(SMALL, venue) if '"balance"' in line}
    assert told <= (await house.facts(number)).keys()
    second = venues.truth(SMALL, venue)
    venues.pass_time(FULL_WALK_MS.get(venue, 31 * DAY_MS))
    await house.sync(number)
    assert ref in await house.ids(number)
    await holds_all_that_was_ever_told(house, number, venues.truth(SMALL, venue), first, second)
    assert (await house.ids(number)).items() >= ids.items()


@pytest.mark.parametrize(
    ("venue", "wallet", "body"),
    [
        ("kraken", "", {"error": [], "result": {}}),
        ("bybit", "unified/", {"retCode": 0, "retMsg": "OK", "result": {"list": [{"accountType": "UNIFIED", "coin": []}]}}),
        ("okx", "trading/", {"code": "0", "msg": "", "data": [{"details": []}]}),
    ],
)
async def test_a_venue_that_says_there_is_nothing_is_doubted(
    house: Installation, venues: Venues, venue: str, wallet: str, body: dict[str, Any]
) -> None:
    """Nothing at all, or nothing in one of its accounts."""
    number = await house.link(venue, USER)
    await house.work()
    held = await house.held(number)
    venues.fault({"venue": venue, "path": VENUES[venue][1], "status": 200, "body": body})
    await house.sync(number)
    assert any(place.startswith(wallet) for place in held)
    assert await house.held(number) == {
        place: f"{amount}?" if place.startswith(wallet) else amount for place, amount in held.items()
    }
    account = await house.account(number)
    assert account.next_sync_at is not None
    assert account.next_sync_at - house.time.now() == SECOND_LOOK_MS + SECOND_MS
    venues.heal()
    await house.wait_and_work(number)
    assert await house.held(number) == held
    assert await house.facts(number) == venues.truth(USER, venue)


@pytest.mark.parametrize("is_history_down", [False, True], ids=["explained", "second look"])
async def test_a_genuine_sell_off_is_accepted(house: Installation, venues: Venues, *, is_history_down: bool) -> None:
    """Most of the value leaves: believed at once where withdrawals explain it, at a second look where the history is down."""
    venues.deposit(USER, "kraken", "BTC", "5")
    number = await house.link("kraken", USER)
    await house.work()
    await house.runtime.prices.bring()
    held = await house.held(number)
    gone = [ticker for ticker in ("BTC", "ETH", "SOL", "USDC", "LINK", "QNOVA", "ORB") if f"spot/spot/{ticker}" in held]
    venues.pass_time(MINUTE_MS)
    for ticker in gone:
        venues.deposit(USER, "kraken", ticker, f"-{held[f'spot/spot/{ticker}']}")
    if is_history_down:
        for path in (LEDGER, "/0/private/WithdrawStatus", TRADES):
            venues.fault({"venue": "kraken", "path": path, "status": 500})
    await house.sync(number)
    if is_history_down:
        doubted = {place for place, amount in (await house.held(number)).items() if amount.endswith("?")}
        assert doubted == {f"spot/spot/{ticker}" for ticker in gone}
        venues.pass_time(SECOND_LOOK_MS + SECOND_MS)
        await house.work()
        assert not [amount for amount in (await house.held(number)).values() if amount.endswith("?")]
        venues.heal()
        await house.wait_and_work(number)
    assert await house.facts(number) == venues.truth(USER, "kraken")
    assert (await house.account(number)).status == "ok"


@pytest.mark.parametrize(
    ("venue", "path", "stream", "refused"),
    [
        ("kraken", TRADES, "trades", {"status": 200, "body": {"error": ["EGeneral:Permission denied"]}}),
        ("bybit", "/v5/execution/list", "trades", {"status": 200, "body": {"retCode": 10005, "retMsg": "Permission denied"}}),
        ("okx", "/api/v5/asset/deposit-history", "deposits", {"status": 403, "body": {"code": "50120", "msg": "", "data": []}}),
    ],
)
async def test_a_history_that_the_key_may_not_read_costs_that_history_alone(
    house: Installation, venues: Venues, venue: str, path: str, stream: str, refused: dict[str, Any]
) -> None:
    number = await house.link(venue, SMALL)
    venues.fault({"venue": venue, "path": path, **refused})
    await house.work()
    account = await house.account(number)
    assert (account.status, account.error_code) == ("retry", "missing_permission")
    assert {gap.stream.partition("/")[0] for gap in await house.gaps(number) if gap.is_failure} == {stream}
    assert await house.transactions(number)
    venues.heal()
    await house.sync(number)
    assert (await house.account(number)).status == "ok"
    assert await house.facts(number) == venues.truth(SMALL, venue)
