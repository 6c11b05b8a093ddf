"""One account is one worker's at a time: whoever else looks goes away, whoever was declared dead writes nothing."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts
from omnifolio.ledger.sequence import latest
from omnifolio.model.clock import MINUTE_MS, SECOND_MS, EpochMs
from omnifolio.model.ids import AccountId
from omnifolio.store.schema import accounts as table
from omnifolio.sync.refresh import LEASE_MS, RETRY_FIRST_MS
from omnifolio_sandbox.clock import machine_ms
from tests.proof.programs import LOOK_S, READY_S, Program
from tests.proof.simulation import NOW, Installation, Venues, WorldTime, installed, simulated

USER, OTHER = "proof", "neighbour"
LEDGER = "/0/private/Ledgers"
WORKERS = 16
HELD_MS = 3_000


def pages_asked(venues: Venues) -> Counter[tuple[str, str]]:
    """How often each user's account was asked, by path."""
    return Counter((call["key"], call["path"]) for call in venues.calls() if call["key"])


async def alone(url: str, folder: Path, *users: str) -> Counter[tuple[str, str]]:
    """The calls that the users' accounts cost when one process syncs them in peace."""
    with simulated() as venues:
        async with installed(url, folder, venues) as house:
            for user in users:
                await house.link("kraken", user)
            await house.work()
            return pages_asked(venues)


@pytest.fixture
async def calls_of_one(tmp_path: Path, sqlite_template: Path) -> Counter[tuple[str, str]]:
    """The calls of a first sync of both users."""
    folder = tmp_path / "alone"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "omnifolio.db").write_bytes(sqlite_template.read_bytes())
    return await alone(f"sqlite:///{folder}/data/omnifolio.db", folder / "keys", USER, OTHER)


def creep(house: Installation) -> None:
    """Lets time pass with every look at the clock, so that no two processes sign in one instant."""
    assert isinstance(house.time, WorldTime)
    house.time.creep_ms = 1


async def test_sixteen_workers_and_one_account_do_the_work_of_one(
    house: Installation, venues: Venues, calls_of_one: Counter[tuple[str, str]]
) -> None:
    number = await house.link("kraken", USER)
    async with AsyncExitStack() as stack:
        others = []
        for _ in range(WORKERS - 1):
            other = Installation(house.settings, venues)
            creep(other)
            await other.start()
            stack.push_async_callback(other.runtime.close)
            others.append(other)
        creep(house)
        while (await house.account(number)).status != "ok":
            await asyncio.gather(house.work(), *(other.work() for other in others))
    calls = pages_asked(venues)
    assert calls == Counter({who: count for who, count in calls_of_one.items() if who[0].startswith(USER)})
    assert await house.facts(number) == venues.truth(USER, "kraken")
    assert await house.sums_agree(number)


async def test_a_worker_that_was_declared_dead_writes_nothing_more(house: Installation, venues: Venues) -> None:
    """It pauses for a busy venue while its lease ends, another one does all the work, and then it wakes up."""
    number = await house.link("kraken", USER)
    other = Installation(house.settings, venues)
    await other.start()
    seqs: list[int] = []

    async def lease_ends_and_the_other_works() -> None:
        venues.heal()
        venues.pass_time(LEASE_MS + SECOND_MS)
        await other.work()
        assert await house.facts(number) == venues.truth(USER, "kraken")
        seqs.append(await house.runtime.context.store.read(latest, house.principal))
        venues.pass_time(SECOND_MS)

    venues.fault({"venue": "kraken", "path": LEDGER, "nth": 2, "status": 429, "headers": {"Retry-After": "7"}})
    assert isinstance(house.time, WorldTime)
    house.time.in_a_pause.append(lease_ends_and_the_other_works)
    venues.forget_calls()
    await house.work()
    assert pages_asked(venues)[f"{USER}/read", LEDGER]
    assert seqs == [await house.runtime.context.store.read(latest, house.principal)]
    assert (await house.account(number)).status == "ok"
    assert not (await house.account(number)).is_leased
    assert await house.facts(number) == venues.truth(USER, "kraken")
    await other.runtime.close()


async def test_an_account_that_nobody_can_read_keeps_nobody_busy(house: Installation, venues: Venues) -> None:
    poison, sound = await house.link("kraken", OTHER), await house.link("kraken", USER)
    await house.runtime.context.store.write(_spoil, poison)
    await house.work()
    assert await house.facts(sound) == venues.truth(USER, "kraken")
    due = await house.runtime.context.store.read(_next_sync, poison)
    assert due == house.time.now() + RETRY_FIRST_MS
    assert [item.account for item in await house.runtime.context.store.read(accounts.due, EpochMs(due), 10)] == [poison]


def _spoil(conn: Connection, number: AccountId) -> None:
    conn.execute(sa.update(table).where(table.c.id == number).values(certificate="no JSON at all"))


def _next_sync(conn: Connection, number: AccountId) -> int:
    return int(conn.execute(sa.select(table.c.next_sync_at).where(table.c.id == number)).scalar_one())


class Ahead:
    """The machine's clock, and more: for a process that looks at what another one left behind."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def now(self) -> EpochMs:
        return EpochMs(machine_ms() + self.ahead_ms)

    def monotonic(self) -> float:
        return self.now() / SECOND_MS

    async def sleep(self, seconds: float) -> None:
        self.ahead_ms += int(seconds * SECOND_MS) + 1
        await asyncio.sleep(0)


@pytest.fixture
async def shared(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Venues, Installation, Program]]:
    """Venues in the machine's time, an installation, and the program on the same database and keys."""
    with simulated(now=NOW, wire="real") as venues:
        program = Program(tmp_path_factory.mktemp("program"), database_url, sandbox_url=venues.url, live_sockets="0")
        async with installed(database_url, program.folder / "keys", venues, clock=Ahead()) as house:
            yield venues, house, program
        program.end()
        assert venues.violations() == []


async def until_ok(house: Installation, *numbers: AccountId) -> None:
    """Waits for other processes to finish the accounts."""
    end = time.monotonic() + READY_S
    while [account for number in numbers if (account := await house.account(number)).status != "ok"]:
        assert time.monotonic() < end, [await house.account(number) for number in numbers]
        await asyncio.sleep(LOOK_S)


async def test_two_servers_on_one_database_share_the_accounts(
    shared: tuple[Venues, Installation, Program], calls_of_one: Counter[tuple[str, str]]
) -> None:
    venues, house, program = shared
    servers = [program.serve("--workers", "2") for _ in range(2)]
    numbers = [await house.link("kraken", user) for user in (USER, OTHER)]
    await until_ok(house, *numbers)
    assert [server.stop() for server in servers] == [0, 0]
    assert pages_asked(venues) == calls_of_one
    assert await house.facts(*numbers) == venues.truth(USER, "kraken") + venues.truth(OTHER, "kraken")
    assert [await house.sums_agree(number) for number in numbers] == [True, True]


async def test_a_server_that_is_killed_in_a_sync_is_taken_over_after_its_lease(
    shared: tuple[Venues, Installation, Program],
) -> None:
    venues, house, program = shared
    venues.fault({"venue": "kraken", "path": LEDGER, "nth": 3, "delay_ms": HELD_MS})
    server = program.serve("--workers", "2")
    number = await house.link("kraken", USER)
    end = time.monotonic() + READY_S
    while pages_asked(venues)[f"{USER}/read", LEDGER] < 2 or not (await house.account(number)).is_leased:
        assert time.monotonic() < end
        await asyncio.sleep(LOOK_S)
    server.kill()
    venues.heal()
    venues.forget_calls()
    await house.work()
    assert venues.calls() == []
    assert isinstance(house.time, Ahead)
    house.time.ahead_ms = LEASE_MS + MINUTE_MS
    await house.work()
    assert await house.facts(number) == venues.truth(USER, "kraken")
    assert (await house.account(number)).status == "ok"
    asked = {path for _, path in pages_asked(venues)}
    assert LEDGER in asked
    assert not asked & {"/0/private/GetApiKeyInfo", "/0/private/BalanceEx"}, "what the dead server had read is not asked again"
