"""One installation with one account on a database in memory, and the ways in which its process dies.

Every unit of work runs as it does on disk: one function, one transaction. Here it runs at once, on one connection, so that
ten thousand histories cost minutes; a fresh copy of a prepared database begins each of them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import StaticPool

from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.ids import TeamId, UserId
from omnifolio.model.secrets import Secret
from omnifolio.store.engine import Store
from omnifolio.store.migrate import prepare
from omnifolio.store.schema import teams, users
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.refresh import LEASE_MS, Refresher
from omnifolio.transport.egress import Egress
from omnifolio.transport.http import Wire
from omnifolio.venues.contract import Access, Known, Reader
from omnifolio.venues.exchanges.reader import ExchangeReader
from tests.proof.seeds.lean import LeanConnection

INTERVAL_MS = 3_600_000
STATEMENTS_KEPT = 1_000
"""The driver's own number is 128, and there are more: it would parse them again and again."""
SECRETS = {name: Secret(f"{name}-of-a-simulation") for name in ("key", "secret", "memo")}


CutWhere = Literal["before", "inside", "after"]
"""Where the power goes: before a unit of work, before its COMMIT, after it."""


class PowerCut(BaseException):
    """The process is dead: nothing that it still tries reaches the database."""


class Clock:
    """The one time of product and venue. A pause is over at once, and everything is that much older."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def now(self) -> EpochMs:
        return EpochMs(self.now_ms)

    def monotonic(self) -> float:
        return self.now_ms / SECOND_MS

    def advance(self, milliseconds: int) -> None:
        """Lets time pass."""
        self.now_ms += milliseconds

    async def sleep(self, seconds: float) -> None:
        self.now_ms += int(seconds * SECOND_MS) + 1


class MemoryStore(Store):
    """A database in memory. `cut` counts down the writes until the power goes, `interlude` those until another worker comes."""

    dialect = "sqlite"

    def __init__(self) -> None:
        arguments = {"cached_statements": STATEMENTS_KEPT}
        self._engine = sa.create_engine("sqlite://", poolclass=StaticPool, hide_parameters=True, connect_args=arguments)
        event.listen(self._engine, "connect", _configured)
        event.listen(self._engine, "begin", lambda conn: conn.connection.driver_connection.execute("BEGIN"))
        self._behind = self._engine.connect()
        self.raw: Any = self._behind.connection.driver_connection
        """The driver's connection."""
        self._lean: LeanConnection | None = None
        self.cut: int | None = None
        self.cut_where: CutWhere = "before"
        self.interlude: int | None = None
        self.meanwhile: Callable[[], Awaitable[None]]

    def choose(self, *, is_lean: bool) -> None:
        """Whether units of work run by the driver alone."""
        self._lean = LeanConnection(self._behind) if is_lean else None

    async def read(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        return self.look(op, *args, **kwargs)

    async def write(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        return self._run(op, *args, **kwargs)

    async def write_sync(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        if self.interlude is not None:
            self.interlude -= 1
            if self.interlude < 0:
                self.interlude = None
                await self.meanwhile()
        return self._run(op, *args, **kwargs)

    def _run(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        if self.cut is None:
            return self.at_once(op, *args, **kwargs)

        def endangered(conn: Any) -> Any:
            result = op(conn, *args, **kwargs)
            self._die(at="inside")
            return result

        self.cut -= 1
        self._die(at="before")
        result = self.at_once(endangered)
        self._die(at="after")
        return result

    def _die(self, *, at: CutWhere) -> None:
        if self.cut is not None and self.cut < 0 and self.cut_where == at:
            self.cut_where = "before"
            raise PowerCut

    def look(self, op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Runs a reading unit of work. By the driver alone it needs no transaction: nobody writes in between."""
        return self.at_once(op, *args, **kwargs) if self._lean is None else op(self._lean, *args, **kwargs)

    def at_once(self, op: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Runs a unit of work that nothing disturbs."""
        if self._lean is None:
            with self._behind.begin():
                return op(self._behind, *args, **kwargs)
        self.raw.execute("BEGIN")
        try:
            result = op(self._lean, *args, **kwargs)
        except BaseException:
            self.raw.execute("ROLLBACK")
            raise
        self.raw.execute("COMMIT")
        return result

    async def close(self) -> None:
        self._behind.close()
        self._engine.dispose()


def _configured(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None
    dbapi.execute("PRAGMA foreign_keys=ON")


@cache
def _memory() -> MemoryStore:
    """This process's database; there is one at a time."""
    return MemoryStore()


@cache
def _prepared(venue: str, now: int) -> MemoryStore:
    """A database with one account of this venue, to be copied."""

    def found(conn: Connection) -> None:
        prepare(conn)
        team = conn.execute(sa.insert(teams).values(client_id="c", name="t", created_at=1).returning(teams.c.id)).scalar_one()
        user = conn.execute(sa.insert(users).values(team_id=team, uuid="u", created_at=1).returning(users.c.id)).scalar_one()
        who = Principal(team=TeamId(team), user=UserId(user), actor="test")
        accounts.add(conn, who, venue=venue, fingerprint=b"one", now=EpochMs(now))

    made = MemoryStore()
    made.at_once(found)
    return made


class Door(Doorkeeper):
    """Opens the account without a vault: the credential is no secret."""

    def __init__(self, clock: Clock, egress: Egress) -> None:
        self._clock, self._egress = clock, egress

    @asynccontextmanager
    async def open(self, principal: Principal, account: accounts.Account, known: Known) -> AsyncIterator[tuple[Reader, Access]]:
        yield (
            ExchangeReader(),
            Access(
                venue=account.venue,
                egress=self._egress,
                clock=self._clock,
                key_label=account.key_label,
                secrets=SECRETS,
                known=known,
            ),
        )


class House:
    """One account and the process that keeps it up to date."""

    def __init__(self, venue: str, clock: Clock, wire: Wire, chance: Callable[[], float], *, is_lean: bool) -> None:
        self.clock, self._wire, self._chance, self._keep_bodies = clock, wire, chance, not is_lean
        self.store = _memory()
        self.store.choose(is_lean=is_lean)
        template = _prepared(venue, clock.now_ms)
        template.raw.backup(self.store.raw)
        self.store.cut = self.store.interlude = None
        (due,) = self._due()
        self.account, self.principal = due.account, Principal(team=due.team, user=due.user, actor="test")
        self.start()

    def start(self) -> None:
        """Begins a process."""
        egress = Egress(clock=self.clock, sleep=self.clock.sleep, chance=self._chance, wire=self._wire)
        self._refresher = Refresher(
            store=self.store,
            clock=self.clock,
            doorkeeper=Door(self.clock, egress),
            interval_ms=INTERVAL_MS,
            keep_bodies=self._keep_bodies,
        )

    def look(self, op: Callable[..., Any], *args: Any) -> Any:
        """What a reading unit of work gives."""
        return self.store.look(op, *args)

    def _due(self) -> Sequence[accounts.Due]:
        found: Sequence[accounts.Due] = self.look(accounts.due, self.clock.now(), 1)
        return found

    def state(self) -> accounts.Account:
        """The account as it stands."""
        found: accounts.Account = self.look(accounts.get, self.principal, self.account, self.clock.now())
        return found

    async def slice(self, owner: str = "worker") -> bool | None:
        """One slice, if the account is due: whether its round is complete. None when there is nothing to do."""
        due = self._due()
        return await self._refresher.slice(due[0], owner=owner) if due else None

    def ask(self) -> None:
        """Makes the account due, as a person does who presses the button a moment later."""
        self.clock.advance(SECOND_MS)
        self.store.at_once(partial(accounts.postpone, until=self.clock.now()), self.account)

    def restart(self) -> None:
        """Another process on the same database, after the lease of the dead one is over."""
        self.store.cut = self.store.interlude = None
        self.outlive_lease()
        self.start()

    def outlive_lease(self) -> None:
        """Lets so much time pass that whoever holds the account is taken for dead."""
        self.clock.advance(LEASE_MS + SECOND_MS)


def rows(conn: Connection, sql: str, account: int) -> Sequence[Any]:
    """Rows of a statement about one account."""
    found: Sequence[Any] = conn.exec_driver_sql(sql, (account,)).fetchall()
    return found
