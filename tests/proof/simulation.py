"""The product against simulated venues in one time: a sandbox in this process, its controls over the wire, and installations.

The simulated world's clock is the only one. The product's clock reads it and the product's pauses move it, so no test waits, and
what a venue calls now is what the product calls now unless a fault says otherwise.
"""

import asyncio
import http.client
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import msgspec
from sqlalchemy.engine import Connection

from omnifolio.app import link as linking
from omnifolio.app.facts import account_facts
from omnifolio.app.link import mark_due
from omnifolio.app.read import Read
from omnifolio.app.runtime import Runtime, open_runtime
from omnifolio.faces.api.account_shape import AccountShape
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.faces.api.wire import AccountOut
from omnifolio.faces.cli.session import session_of
from omnifolio.ledger import accounts, coverage, feed, read
from omnifolio.ledger.tokens import by_number
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import ZERO, canonical, total
from omnifolio.model.clock import MINUTE_MS, SECOND_MS, EpochMs
from omnifolio.model.facts import Cursor
from omnifolio.model.ids import AccountId
from omnifolio.model.settings import Settings
from omnifolio.sync.pages import commit_page
from omnifolio.sync.refresh import LEASE_MS
from omnifolio.venues.contract import Access
from omnifolio.venues.registry import reader_for
from omnifolio_sandbox import credentials
from omnifolio_sandbox.clock import Clock, Wire
from omnifolio_sandbox.server import running
from omnifolio_sandbox.state import Limits, State
from omnifolio_sandbox.world.world import World
from tests.proof import power

NOW = 1_740_830_400_000
"""2025-03-01T12:00:00Z: every story has had its hard cases by then, and many events are still to come."""
GENEROUS = 1_000_000
CONTROL_TIMEOUT_S = 60
MOMENT_MS = SECOND_MS
RESTART_MS = SECOND_MS
"""What a restart takes: a nonce is a time, so a new process begins above the old one's last."""

Line = dict[str, Any]
Facts = Counter[str]


class PowerCut(BaseException):
    """The process is dead: nothing that it still tries reaches the database."""


class Venues:
    """The simulated venues: what is told to their controls goes over the wire like everything else."""

    def __init__(self, url: str, state: State) -> None:
        self.url = url
        self.clock = state.clock
        self._address = urlsplit(url).netloc

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """One call of the sandbox's controls; AssertionError when it is refused."""
        return json.loads(self._raw(method, path, body, query))

    def _raw(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> bytes:
        connection = http.client.HTTPConnection(self._address, timeout=CONTROL_TIMEOUT_S)
        try:
            asked = f"/_sandbox{path}" + (f"?{urlencode(query)}" if query else "")
            connection.request(method, asked, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        assert answer.status == 200, content
        return content

    def fault(self, *faults: Line) -> None:
        """Adds faults to the script."""
        self.ask("POST", "/faults", list(faults))

    def heal(self) -> None:
        """Ends every fault and forgets spent limits and bans."""
        self.ask("DELETE", "/faults")
        self.ask("POST", "/limits")

    def pass_time(self, milliseconds: int) -> None:
        """Moves the time of world and product."""
        self.ask("POST", "/clock", {"advance_ms": milliseconds})

    def deposit(self, user: str, venue: str, ticker: str, amount: str, **more: int) -> str:
        """Scripts a deposit, or a withdrawal where the amount is negative; gives its ref."""
        asked = {"user": user, "venue": venue, "ticker": ticker, "amount": amount, "at": self.clock.world_ms, **more}
        ref: str = self.ask("POST", "/events", asked)["ref"]
        return ref

    def truth(self, user: str, *venues: str) -> Facts:
        """What is true now, as lines that can be counted."""
        return counted(self.ask_truth(user, *venues))

    def ask_truth(self, user: str, *venues: str) -> list[Line]:
        """What is true now, line by line."""
        raw = self._raw("GET", "/truth", None, {"user": user, "venue": ",".join(venues)})
        return [json.loads(line) for line in raw.splitlines()]

    def violations(self) -> list[Line]:
        """Attempts to write, since the sandbox began."""
        found: list[Line] = self.ask("GET", "/violations")["violations"]
        return found

    def calls(self) -> list[Line]:
        """The calls since the log was emptied."""
        found: list[Line] = self.ask("GET", "/calls")["calls"]
        return found

    def forget_calls(self) -> None:
        """Empties the call log."""
        self.ask("DELETE", "/calls")


class Time(Protocol):
    """A clock that comes with its pauses."""

    def now(self) -> EpochMs: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class WorldTime:
    """The product's clock: the simulated world's. A pause is over at once, and the world is that much older."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.creep_ms = 0
        """How much time passes with each look at the clock, where several processes must not meet in one instant."""
        self.in_a_pause: list[Callable[[], Awaitable[None]]] = []
        """What others do while this process pauses, one after another."""

    def now(self) -> EpochMs:
        self._clock.advance(self.creep_ms)
        return EpochMs(self._clock.world_ms)

    def monotonic(self) -> float:
        return self._clock.world_ms / SECOND_MS

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(-(-int(seconds * 1_000_000) // 1_000))
        await asyncio.sleep(0)
        if self.in_a_pause:
            await self.in_a_pause.pop(0)()


@contextmanager
def simulated(*, now: int = NOW, wire: Wire = "world") -> Iterator[Venues]:
    """Simulated venues for the length of the block, in a thread of this process. On the `real` wire the machine's time counts."""
    state = State(Clock(now_ms=now, wire=wire), World(), Limits(GENEROUS))
    with running(state) as url:
        yield Venues(url, state)


class Installation:
    """One installation with one user, in front of the simulated venues. `crash` drops the process, the database stays."""

    def __init__(self, settings: Settings, venues: Venues, *, clock: Time | None = None) -> None:
        self.settings = settings
        self.venues = venues
        self.time = clock or WorldTime(venues.clock)
        self.runtime: Runtime
        self.principal: Principal

    async def start(self) -> None:
        """Opens the process."""
        self.runtime = await open_runtime(self.settings, with_workers=True, clock=self.time, sleep=self.time.sleep)
        self.principal = (await session_of(self.runtime)).owner.principal

    async def restart(self) -> None:
        """Ends the process and begins another one on the same database."""
        await self.runtime.close()
        self.venues.clock.advance(RESTART_MS)
        await self.start()

    async def crash(self, after: int, work: Callable[[], Awaitable[None]]) -> bool:
        """Runs `work` with the power cut after so many statements and starts again; true when it died of that."""
        # Both kinds of store have an engine.
        mend = power.cut(self.runtime.context.store.engine, after, PowerCut)  # type: ignore[attr-defined]
        is_dead = False
        try:
            await work()
        except PowerCut:
            is_dead = True
        finally:
            mend()
        await self.restart()
        if is_dead:
            self.venues.clock.advance(LEASE_MS + SECOND_MS)
        return is_dead

    async def read_file(self, number: AccountId, content: str) -> None:
        """Reads an export into an account, page by page under a lease, as a slice does."""
        context, reader = self.runtime.context, reader_for("", "file/")
        now = self.time.now()
        fence = await context.store.write(accounts.lease, self.principal, number, owner="file", now=now, length_ms=LEASE_MS)
        assert fence is not None
        account = await self.account(number)
        access = Access(
            venue=account.venue, egress=self.runtime.egress, clock=self.time, key_label="file", fields={"content": content}
        )
        for stream in reader.streams(access):
            token = await context.store.read(coverage.cursor_of, number, stream.name)
            async for page in reader.read(access, Cursor(stream.name, token)):
                await commit_page(context.store, self.principal, number, page, fence=fence, now=self.time.now())
        await context.store.write(accounts.release, number, fence=fence)

    async def link(self, venue: str, user: str, *, permission: str = "read") -> AccountId:
        """Links a simulated user's account."""
        names = {"apiKey": "key"}
        fields = credentials.of_user(user, permission)[venue]
        return await self.enter(venue, {names.get(name, name): value for name, value in fields.items()})

    async def enter(self, venue: str, fields: Mapping[str, str]) -> AccountId:
        """Links an account with these fields."""
        context = self.runtime.context
        return await linking.link(context, self.principal, provider=venue, entered=fields, name=None, options={})

    async def sync(self, *chosen: AccountId) -> None:
        """A sync that is asked for a moment later, worked on until nothing is due."""
        context = self.runtime.context
        self.venues.clock.advance(MOMENT_MS)

        def mark(conn: Connection) -> None:
            found = chosen or [account.id for account in accounts.listed(conn, self.principal, context.clock.now())]
            for number in found:
                mark_due(conn, self.principal, number, now=context.clock.now())

        await context.store.write(mark)
        await self.work()

    async def work(self) -> None:
        """Works on what is due by itself."""
        assert self.runtime.workers is not None
        await self.runtime.workers.run_until_idle()

    async def wait_and_work(self, account: AccountId) -> None:
        """Lets the time pass until the account is due by itself, and works."""
        due = (await self.account(account)).next_sync_at
        assert due is not None
        self.venues.pass_time(max(0, due - self.venues.clock.world_ms))
        await self.work()

    async def account(self, number: AccountId) -> accounts.Account:
        """The account as it stands."""
        context = self.runtime.context
        return await context.store.read(accounts.get, self.principal, number, context.clock.now())

    async def shown(self, number: AccountId) -> AccountOut:
        """The account as the API shows it."""
        context = self.runtime.context
        view = await Read(context).account(self.principal, number, fiat="USD")
        providers = Providers(context.offers, currencies=["USD"], clock=context.clock)
        return AccountShape(context.ids, providers, context.assets).account(view, now=self.time.now())

    async def lines(self, number: AccountId) -> list[Line]:
        """Everything that the ledger holds of the account."""
        return await self.runtime.context.store.read(account_facts, self.principal, number)

    async def facts(self, *numbers: AccountId) -> Facts:
        """Balances and transactions as lines that can be counted."""
        found = [line for number in numbers for line in await self.lines(number)]
        return counted(line for line in found if line["kind"] != "problem")

    async def problems(self, number: AccountId) -> list[Line]:
        """What could not be read."""
        return [line for line in await self.lines(number) if line["kind"] == "problem"]

    async def ids(self, number: AccountId) -> dict[str, int]:
        """The id of every live transaction by its name."""
        return {row.name: row.id for row in await self.transactions(number)}

    async def transactions(self, number: AccountId) -> list[read.StoredTransaction]:
        """All live transactions, oldest first."""

        def op(conn: Connection) -> list[read.StoredTransaction]:
            found: list[read.StoredTransaction] = []
            while True:
                last = found[-1].id if found else None
                wanted = read.Filter(start=EpochMs(0), end=EpochMs(2**53), limit=read.PAGE_MAX, is_ascending=True, last=last)
                page = read.page(conn, self.principal, number, wanted)
                found += page
                if len(page) < read.PAGE_MAX:
                    return found

        return await self.runtime.context.store.read(op)

    async def sums_agree(self, number: AccountId) -> bool:
        """Whether the sums that commits keep are the sums of the legs that stand."""
        rows = await self.transactions(number)
        wanted: dict[tuple[int, int], Any] = {}
        for row in rows:
            for leg in row.legs:
                place = leg.wallet, leg.token
                wanted[place] = total((wanted.get(place, ZERO), leg.amount))

        def op(conn: Connection) -> dict[tuple[int, int], Any]:
            states = read.wallet_states(conn, self.principal, number)
            return {(state.wallet.id, token): Decimal(text) for state in states for token, text in state.sums.items()}

        kept = await self.runtime.context.store.read(op)
        return {p: a for p, a in kept.items() if a} == {p: a for p, a in wanted.items() if a}

    async def held(self, number: AccountId) -> dict[str, str]:
        """Balances by `wallet/product/ticker`, doubted ones with a question mark."""

        def op(conn: Connection) -> dict[str, str]:
            keys = {w.id: w.key for w in read.wallets_of(conn, self.principal) if w.account == number}
            rows = [row for row in read.balances(conn, self.principal) if row.wallet in keys]
            names = by_number(conn, [row.token for row in rows])
            return {
                f"{keys[r.wallet]}/{r.product}/{names[r.token].ticker}": canonical(r.amount) + ("?" if r.is_suspect else "")
                for r in rows
            }

        return await self.runtime.context.store.read(op)

    async def gaps(self, number: AccountId) -> Sequence[coverage.StoredGap]:
        """What is known to be missing."""
        return await self.runtime.context.store.read(coverage.gaps_of, number)

    async def books_at(self, seq: int) -> bytes:
        """The books as known at a sequence, as bytes."""

        def op(conn: Connection) -> bytes:
            books = feed.known_at(conn, self.principal, seq)
            balances = [(*place, canonical(amount)) for place, amount in books.balances.items()]
            return msgspec.json.encode([list(books.transactions.items()), balances])

        return await self.runtime.context.store.read(op)


@asynccontextmanager
async def installed(
    url: str, folder: Path, venues: Venues, *, clock: Time | None = None, **settings: Any
) -> AsyncIterator[Installation]:
    """A fresh installation on a database, with its keys in a folder of their own."""
    chosen = {"workers": 2, "sandbox_url": venues.url, **settings}
    made = Installation(Settings(database=url, key_file=str(folder / "root.key"), **chosen), venues, clock=clock)
    await made.start()
    try:
        yield made
    finally:
        await made.runtime.close()


def counted(lines: Iterable[Line]) -> Facts:
    """Lines without values, their legs in one order, as texts that can be counted."""
    return Counter(plain(line) for line in lines if line["kind"] != "account")


def plain(line: Line) -> str:
    """One line as text."""
    kept = {name: value for name, value in line.items() if name != "value"}
    if "legs" in kept:
        legs = [{name: value for name, value in leg.items() if name != "value"} for leg in kept["legs"]]
        kept["legs"] = sorted(json.dumps(leg, sort_keys=True) for leg in legs)
    return json.dumps(kept, sort_keys=True)


__all__ = ["MINUTE_MS", "NOW", "Facts", "Installation", "Line", "Venues", "WorldTime", "counted", "installed", "simulated"]
