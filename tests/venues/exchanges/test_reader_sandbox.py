"""Every exchange through the real transport against its simulated venue: truth, faults, rights, calls of an unchanged sync."""

import json
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from tests.venues.exchanges import world

from omnifolio.model.errors import BadCredentials, MissingPermission, OmnifolioError, VenueError
from omnifolio.model.secrets import Secret
from omnifolio.venues.exchanges.reader import ExchangeReader

VENUES = world.SIMULATED
BALANCE_PATHS = {
    "binance": ("/api/v3/account", "/sapi/v1/asset/get-funding-asset", "/sapi/v1/simple-earn/locked/position"),
    "coinbase": ("/v2/accounts",),
    "kraken": ("/0/private/BalanceEx",),
}
HISTORY = {"binance": "deposits/all", "coinbase": "accounts/all", "kraken": "ledger/all"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with world.serve() as base:
        yield base


@pytest.fixture(autouse=True)
def _no_faults_left(url: str) -> Iterator[None]:
    yield
    control(url, "DELETE", "/faults")


def control(url: str, method: str, path: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}/_sandbox{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def account(url: str, venue: str, permission: str = "read") -> world.Account:
    return world.Account(ExchangeReader(), venue, f"{url}/{venue}", world.credentials("ada", venue, permission))


@pytest.mark.parametrize("venue", VENUES)
async def test_balances_and_history_equal_the_truth(url: str, venue: str) -> None:
    ada = account(url, venue)
    await ada.sync()
    balances, transactions = world.truth(url, "ada", venue)
    assert world.comparable(ada.balances()) == world.comparable(balances)
    assert world.comparable(ada.transactions()) == world.comparable(transactions)
    assert not ada.gaps


@pytest.mark.parametrize("venue", VENUES)
async def test_unchanged_balances_take_at_most_three_calls(url: str, venue: str) -> None:
    ada = account(url, venue)
    await ada.read("balances/all")
    control(url, "DELETE", "/calls")
    await ada.read("balances/all")
    assert control(url, "GET", "/calls")["total"] <= 3


@pytest.mark.parametrize(("venue", "path"), [(venue, path) for venue in VENUES for path in BALANCE_PATHS[venue]])
@pytest.mark.parametrize("effect", ["empty_object", "empty_list", "html", "reset"])
async def test_a_spoilt_balance_answer_empties_nothing(url: str, venue: str, path: str, effect: str) -> None:
    """Nothing is written of the products that the answer tells, and that is said; the others stay readable."""
    if (path, effect) == ("/sapi/v1/asset/get-funding-asset", "empty_list"):
        # An empty list is how this one says that the wallet is empty: the ledger's guard judges that.
        return
    ada = account(url, venue)
    await ada.read("balances/all")
    before = ada.balances()
    control(url, "POST", "/faults", {"venue": venue, "path": path, "effect": effect})
    try:
        await ada.read("balances/all")
    except VenueError:
        pass
    else:
        assert ada.gaps
    assert ada.balances() == before


@pytest.mark.parametrize("venue", VENUES)
async def test_a_sync_goes_on_after_every_failing_call(url: str, venue: str) -> None:
    """The venue fails at the second call; the next sync ends with every row, and none twice."""
    ada = account(url, venue)
    control(url, "POST", "/faults", {"venue": venue, "path": "*", "nth": [2, 5], "status": 500, "body": {}})
    for _ in range(4):
        try:
            await ada.read(HISTORY[venue])
        except OmnifolioError:
            continue
    control(url, "DELETE", "/faults")
    await ada.read(HISTORY[venue])
    fresh = account(url, venue)
    await fresh.read(HISTORY[venue])
    assert set(ada.claims) == set(fresh.claims)


@pytest.mark.parametrize(("permission", "state"), [("read", "read_only"), ("trade", "can_trade"), ("withdraw", "can_withdraw")])
@pytest.mark.parametrize("venue", VENUES)
async def test_the_certificate_tells_what_the_key_may_do(url: str, venue: str, permission: str, state: str) -> None:
    ada = account(url, venue, permission)
    found = await ada.reader.certificate(ada.access(ada.egress()))
    assert found.state == state


@pytest.mark.parametrize("venue", VENUES)
async def test_an_unknown_right_counts_as_dangerous(url: str, venue: str) -> None:
    ada = account(url, venue, "unknown-flag")
    assert (await ada.reader.certificate(ada.access(ada.egress()))).state == "can_withdraw"


async def test_a_key_without_history_is_the_users_to_mend(url: str) -> None:
    ada = account(url, "kraken", "no-history")
    await ada.read("balances/all")
    with pytest.raises(MissingPermission):
        await ada.read("ledger/all")
    assert (await ada.reader.certificate(ada.access(ada.egress()))).missing == ("query-ledger",)


async def test_a_wrong_secret_is_the_users_to_mend(url: str) -> None:
    ada = account(url, "binance")
    ada.secrets = {**ada.secrets, "secret": Secret("00" * 32)}
    with pytest.raises(BadCredentials):
        await ada.read("balances/all")


@pytest.mark.parametrize("venue", VENUES)
async def test_a_second_round_asks_little_and_changes_nothing(url: str, venue: str) -> None:
    ada = account(url, venue)
    await ada.read(HISTORY[venue])
    first, pages = dict(ada.claims), len(ada.batches)
    await ada.read(HISTORY[venue])
    assert ada.claims == first
    assert len(ada.batches) - pages <= 3


@pytest.mark.parametrize("venue", VENUES)
async def test_evidence_decodes_again_to_the_same_facts(url: str, venue: str) -> None:
    """A rebuild has nothing but the evidence."""
    ada = account(url, venue)
    await ada.read("balances/all")
    await ada.read(HISTORY[venue])
    for batch in ada.batches:
        if batch.evidence:
            again = ada.reader.decode(venue, batch.cursor.stream, batch.evidence)
            assert (again.claims, again.snapshots, again.tokens) == (batch.claims, batch.snapshots, batch.tokens)
            assert all(secret.reveal() not in repr(batch.evidence) for secret in ada.secrets.values())


@pytest.mark.parametrize("venue", ["binance", "kraken"])
async def test_orders_explain_the_fills(url: str, venue: str) -> None:
    """Every filled quantity of the orders is what the fills of that token add up to, and the resting order is open."""
    ada = account(url, venue)
    await ada.sync()
    await ada.sync(only=[name for name in ada.streams() if name.startswith("orders/")])
    fills: dict[str, Decimal] = defaultdict(Decimal)
    for claim in ada.claims.values():
        if claim.book == "trades":
            base = next(leg for leg in claim.legs if leg.key == "base")
            fills[base.token] += abs(base.amount)
    filled: dict[str, Decimal] = defaultdict(Decimal)
    for order in ada.orders.values():
        filled[order.base] += order.filled_quantity
    assert {token: amount for token, amount in filled.items() if amount} == fills
    assert "open" in {order.status for order in ada.orders.values()}
    assert not ada.gaps
