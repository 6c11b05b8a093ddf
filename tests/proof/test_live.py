"""Private streams end to end: what happens at a venue is in the ledger a moment later, whatever happens to the sockets.

Real sockets and real signatures. Tests wait until something is so, and time nothing; how fast it is, `make bench
ARGS="live_purchase_visible"` measures.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.app import link as linking
from omnifolio.ledger import accounts, coverage
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import NotFound
from omnifolio.model.ids import AccountId
from omnifolio.store.schema import accounts as table
from omnifolio.sync import live as live_module
from omnifolio_sandbox import credentials
from omnifolio_sandbox.clock import machine_ms
from tests.proof.simulation import Installation, Venues, installed, simulated

USER, OTHER = "live-060", "quiet-004"
PATIENCE_S = 90.0
LOOK_S = 0.05
MARKETS = {"kraken": "USD", "binance": "USDT"}
HISTORY = {"kraken": "/0/private/Ledgers", "binance": "/api/v3/myTrades"}


class Machine(SystemClock):
    """The machine's time with real pauses."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
def venues() -> Iterator[Venues]:
    """Venues in the machine's time; nothing but reads, logins, subscriptions and pings may have come."""
    with simulated(now=machine_ms() // 60_000 * 60_000, wire="real") as found:
        yield found
        assert found.violations() == []


@asynccontextmanager
async def listening(url: str, folder: Path, venues: Venues, **settings: Any) -> AsyncIterator[Installation]:
    """An installation whose workers and listeners run."""
    async with installed(url, folder, venues, clock=Machine(), **settings) as made:
        made.runtime.start()
        yield made


@pytest.fixture
async def house(database_url: str, tmp_path_factory: pytest.TempPathFactory, venues: Venues) -> AsyncIterator[Installation]:
    """One on each kind of database."""
    async with listening(database_url, tmp_path_factory.mktemp("keys"), venues) as made:
        yield made


async def until(is_so: Callable[[], Awaitable[object]], what: str = "") -> None:
    """Waits until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not await is_so():
        assert time.monotonic() < end, what or is_so
        await asyncio.sleep(LOOK_S)


def lines(venues: Venues, *, venue: str | None = None) -> list[dict[str, Any]]:
    """Streams that are subscribed to."""
    shown = venues.ask("GET", "/sockets")["sockets"]
    return [line for line in shown if line["channels"] and venue in (None, line["venue"])]


async def heard(house: Installation, number: AccountId) -> None:
    """Waits until the account is listened to, and the round after that is over."""

    async def is_so() -> bool:
        account = await house.account(number)
        synced = account.synced_at or 0
        return (
            account.live_since is not None and account.status == "ok" and synced >= account.live_since and not account.is_leased
        )

    await until(is_so, "the account is not listened to")


async def connected(house: Installation, venue: str, user: str = USER) -> AccountId:
    number = await house.link(venue, user)
    house.runtime.workers.wake()  # type: ignore[union-attr]
    await heard(house, number)
    return number


def buy(house: Installation, venue: str, amount: str = "0.0021", **more: int) -> dict[str, Any]:
    """A purchase that happens now."""
    house.venues.pass_time(1_000)
    asked = {"user": USER, "venue": venue, "base": "ETH", "quote": MARKETS[venue], "amount": amount, **more}
    found: dict[str, Any] = house.venues.ask("POST", "/purchases", asked)
    return found


async def is_true(house: Installation, number: AccountId, venue: str) -> bool:
    """Whether the ledger holds exactly what the venue says is true: every transaction and every balance."""
    return await house.facts(number) == house.venues.truth(USER, venue)


@pytest.mark.parametrize("venue", MARKETS)
async def test_a_purchase_and_a_deposit_are_in_the_ledger_without_a_round(house: Installation, venue: str) -> None:
    number = await connected(house, venue)
    synced_at = (await house.account(number)).synced_at
    assert buy(house, venue)["told"] == 1
    await until(lambda: is_true(house, number, venue), "the purchase is not in the ledger")
    house.venues.deposit(USER, venue, "ETH", "0.5")
    await until(lambda: is_true(house, number, venue), "the deposit is not in the ledger")
    account = await house.account(number)
    assert account.synced_at == synced_at, "no round was needed"
    assert account.live_heard_at is not None
    assert account.status == "ok"


async def test_only_what_the_event_names_is_asked(house: Installation) -> None:
    number = await connected(house, "binance")
    house.venues.forget_calls()
    buy(house, "binance")
    await until(lambda: is_true(house, number, "binance"))
    asked = Counter(call["path"] for call in house.venues.calls())
    assert asked["/api/v3/myTrades"] == asked["/api/v3/account"] <= 2, "the trades of one symbol; once more to see that it is all"
    assert not {path for path in asked if "earn/flexible" in path or "deposit" in path or "convert" in path}
    assert "/sapi/v1/account/apiRestrictions" not in asked, "what the key may do is a round's question"


async def test_a_token_that_was_never_held_is_found(house: Installation) -> None:
    """Its symbol has no cursor yet: the look finds it once the balance has made the token known."""
    number = await connected(house, "binance", OTHER)
    cursors = {mark.stream for mark in await house.runtime.context.store.read(coverage.bookmarks, number)}
    assert "trades/LINK-USDT" not in cursors
    house.venues.pass_time(1_000)
    asked = {"user": OTHER, "venue": "binance", "base": "LINK", "quote": "USDT", "amount": "0.3"}
    assert house.venues.ask("POST", "/purchases", asked)["told"] == 1

    async def is_known() -> bool:
        return await house.facts(number) == house.venues.truth(OTHER, "binance")

    await until(is_known, "the purchase is not in the ledger")


@pytest.mark.parametrize("venue", MARKETS)
async def test_what_happened_while_the_stream_was_cut_is_found_after_it(house: Installation, venue: str) -> None:
    number = await connected(house, venue)
    path = {"kraken": "/v2", "binance": "/ws-api/v3"}[venue]
    house.venues.fault({"venue": venue, "path": path, "status": 503})
    assert house.venues.ask("POST", "/sockets", {"do": "drop"})["hit"] == 1

    async def is_lost() -> bool:
        return (await house.account(number)).live_since is None

    await until(is_lost)
    assert buy(house, venue)["told"] == 0, "nobody hears it"
    assert not await is_true(house, number, venue)
    house.venues.heal()
    await until(lambda: is_true(house, number, venue), "the missed purchase is not in the ledger")
    await heard(house, number)
    assert (await house.account(number)).live_problem is None


def looks(house: Installation) -> int:
    """How often Binance was asked for balances."""
    return Counter(call["path"] for call in house.venues.calls())["/api/v3/account"]


async def is_looked_at(house: Installation, count: int) -> bool:
    return looks(house) >= count


async def test_an_event_that_is_told_again_and_again_is_looked_at_once(house: Installation) -> None:
    number = await connected(house, "binance")
    house.venues.forget_calls()
    buy(house, "binance")
    await until(lambda: is_true(house, number, "binance"))
    await until(lambda: is_looked_at(house, 2))
    for _ in range(5):
        house.venues.ask("POST", "/sockets", {"do": "repeat"})
    house.venues.ask("POST", "/sockets", {"do": "say", "text": '{"subscriptionId":0,"event":{"e":"news","E":1}}'})
    buy(house, "binance", "0.0034")
    await until(lambda: is_true(house, number, "binance"))
    await until(lambda: is_looked_at(house, 4))
    assert looks(house) == 4, "two purchases, and for each a look and one that sees that it was all"


@pytest.mark.parametrize("venue", MARKETS)
async def test_an_event_that_is_ahead_of_the_venues_own_answers_is_looked_for_again(house: Installation, venue: str) -> None:
    number = await connected(house, venue)
    before = await house.facts(number)
    house.venues.forget_calls()
    later = house.venues.clock.world_ms + 5_000
    assert buy(house, venue, visible_at=later)["told"] == 1

    async def has_looked() -> bool:
        return any(call["path"] == HISTORY[venue] for call in house.venues.calls())

    await until(has_looked)
    assert await house.facts(number) == before
    house.venues.pass_time(10_000)
    await until(lambda: is_true(house, number, venue), "the late purchase is not in the ledger")


async def test_a_key_that_is_refused_is_told_and_a_new_one_is_listened_with(house: Installation) -> None:
    number = await connected(house, "kraken")
    house.venues.fault({"venue": "kraken", "path": "/0/private/*", "status": 200, "body": {"error": ["EAPI:Invalid key"]}})
    house.venues.ask("POST", "/sockets", {"do": "drop"})

    async def is_told() -> bool:
        account = await house.account(number)
        return account.status == "error" and account.live_problem is not None

    await until(is_told, "the account does not know that its key is refused")
    shown = await house.shown(number)
    assert shown.error is not None
    assert shown.error.code == "bad_credentials"
    assert shown.live is not None
    assert shown.live.since is None
    assert shown.live.problem
    assert lines(house.venues) == []
    house.venues.heal()
    fields = credentials.of_user(USER, "trade")["kraken"]
    entered = {"key": fields["apiKey"], "secret": fields["secret"]}
    await linking.relink(house.runtime.context, house.principal, number, entered)
    await heard(house, number)
    buy(house, "kraken")
    await until(lambda: is_true(house, number, "kraken"))


async def test_a_changed_credential_and_a_deleted_account_end_their_streams(house: Installation) -> None:
    number = await connected(house, "kraken")
    opened = house.venues.ask("GET", "/sockets")["opened"]
    fields = credentials.of_user(USER, "trade")["kraken"]
    entered = {"key": fields["apiKey"], "secret": fields["secret"]}
    await linking.relink(house.runtime.context, house.principal, number, entered)
    await heard(house, number)
    assert house.venues.ask("GET", "/sockets")["opened"] > opened
    await linking.unlink(house.runtime.context, house.principal, number)

    async def is_silent() -> bool:
        return lines(house.venues) == []

    await until(is_silent, "a deleted account is still listened to")
    with pytest.raises(NotFound):
        await house.account(number)


async def test_a_connection_is_renewed_before_its_day_is_over(house: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days are short here; what happens between two connections is found by the round after the second."""
    monkeypatch.setattr(live_module, "renewal_s", lambda _: 0.5)
    number = await connected(house, "kraken")

    async def is_renewed() -> bool:
        return bool(house.venues.ask("GET", "/sockets")["opened"] >= 4)

    await until(is_renewed, "the connection is not renewed")
    monkeypatch.undo()
    await heard(house, number)
    buy(house, "kraken")
    await until(lambda: is_true(house, number, "kraken"))
    assert (await house.account(number)).live_problem is None, "a renewal is no fault"


async def test_a_cap_on_sockets_is_kept_and_nought_turns_listening_off(
    sqlite_url: str, tmp_path_factory: pytest.TempPathFactory, venues: Venues
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    async with listening(sqlite_url, folder, venues, live_sockets=1) as house:
        first = await connected(house, "kraken")
        second = await house.link("binance", USER)
        house.runtime.workers.wake()  # type: ignore[union-attr]

        async def is_read() -> bool:
            return (await house.account(second)).status == "ok"

        await until(is_read)
        await linking.unlink(house.runtime.context, house.principal, first)
        await heard(house, second)
        assert [line["venue"] for line in lines(venues)] == ["binance"]
    async with listening(sqlite_url, folder, venues, live_sockets=0) as house:
        assert house.runtime.live is None


async def test_who_ends_in_order_leaves_its_accounts_to_others_at_once(house: Installation) -> None:
    await connected(house, "kraken")
    live = house.runtime.live
    assert live is not None
    await live.stop()
    assert lines(house.venues) == []
    owners = await house.runtime.context.store.read(_owners)
    assert owners == [""]


def _owners(conn: Connection) -> list[str]:
    return list(conn.execute(sa.select(table.c.live_owner)).scalars())


async def test_what_moved_under_an_open_round_is_read_by_the_next_one(house: Installation) -> None:
    """A round has read its balances; then an event's look finds them moved. History that was read before knows nothing of it."""
    number = await connected(house, "binance")
    house.venues.pass_time(1_000)
    buy(house, "binance")
    await until(lambda: is_true(house, number, "binance"))

    def open_round(conn: Connection) -> None:
        now = house.time.now()
        accounts.change(conn, house.principal, number, now, round_at=now, scanned_at=now)

    await house.runtime.context.store.write(open_round)
    buy(house, "binance", "0.0055")
    await until(lambda: is_true(house, number, "binance"))

    async def is_marked() -> bool:
        return (await house.account(number)).scanned_at == 0

    await until(is_marked, "the open round does not know that a balance moved")
