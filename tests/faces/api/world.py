"""A small world behind a real API: teams, users, accounts with committed facts, prices, and a server on loopback."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from msgspec import structs
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context, EdgeKeys
from omnifolio.app.link import mark_due
from omnifolio.app.offer import Offers
from omnifolio.app.offers import DEMO, exchange_offers
from omnifolio.catalog import assets as asset_catalog
from omnifolio.faces.api.server import build_app
from omnifolio.ledger import accounts, quotes, rates
from omnifolio.ledger.commit import commit
from omnifolio.model import amounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, MINUTE_MS, SECOND_MS, EpochMs, SystemClock
from omnifolio.model.facts import Batch, Quote
from omnifolio.model.ids import AccountId, WireIds
from omnifolio.model.prices import Rate
from omnifolio.model.settings import Settings
from omnifolio.model.tokens import TokenId
from omnifolio.store.engine import Store, open_store
from omnifolio.tenancy import installation, teams, users
from omnifolio.tenancy.limits import ProcessLimits
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.teams import Team
from omnifolio.tenancy.tokens import TokenKeys
from omnifolio.vault import admin
from omnifolio.vault.keystore import KeyStore
from omnifolio.vault.roots import FileRoot, ensure_root_key, load_edge_key
from omnifolio.views.market import Market

STARTUP_S = 20.0
OPERATOR = operator("test")
HTTP = httpx.Client(verify=False, trust_env=False)
"""The tests' own client: making one anew for each request costs more than the request."""
_WAIT_S = 0.005


class Behind(SystemClock):
    """A clock that is behind, so that what it gives lives shorter for everybody else."""

    def __init__(self, behind_s: int) -> None:
        self._behind_ms = behind_s * SECOND_MS

    def now(self) -> EpochMs:
        return EpochMs(super().now() - self._behind_ms)


class World:
    """One installation. Its methods run in a loop of their own, so that blocking clients can be used beside it."""

    def __init__(self, url: str, folder: Path, **settings: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run_loop, name="world", daemon=True)
        self._thread.start()
        self.clock = SystemClock()
        self.store: Store = self.run(_open(url))
        self.settings = Settings(database=url, **{"rate_limit_per_minute": 1_000_000, **settings})
        key_file = folder / "keys" / "root.key"
        ensure_root_key(key_file, database_folder=None)
        self.keys = KeyStore(folder / "keys" / "keys.store", FileRoot(key_file, database_folder=None), database_folder=None)
        self.edge = EdgeKeys.from_edge_key(load_edge_key(key_file))
        self.installation = self.write(installation.ensure, OPERATOR)
        self.write(admin.publish, self.keys, publication_key=self.edge.publication, now=self.clock.now())
        self.context = Context(
            store=self.store,
            clock=self.clock,
            settings=self.settings,
            ids=WireIds(self.installation.wire_key),
            edge=self.edge,
            tokens=TokenKeys(self.installation.id, self.edge.token),
            limits=ProcessLimits(),
            offers=Offers([*exchange_offers(), DEMO]),
            assets=asset_catalog.load(),
            market=Market(),
            request_sync=self._request_sync,
            key_store=self.keys,
        )

    def _run_loop(self) -> None:
        amounts.install()
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def run(self, coroutine: Any) -> Any:
        """The result of a coroutine in the world's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def write(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        """One unit of work."""
        return self.run(self.store.write(op, *args, **kwargs))

    def read(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        """One reading unit of work."""
        return self.run(self.store.read(op, *args, **kwargs))

    async def _request_sync(self, principal: Principal, account: AccountId) -> None:
        await self.store.write(mark_due, principal, account, now=self.clock.now())

    def team(self, name: str = "acme", **more: Any) -> "Client":
        """A new team with a secret."""
        made: tuple[Team, Any] = self.write(
            teams.create, OPERATOR, name=name, pepper=self.edge.pepper, now=self.clock.now(), **more
        )
        return Client(self, made[0], made[1].reveal())

    def price(self, prices: Mapping[str, str], *, at: int | None = None, resolution: int = MINUTE_MS) -> None:
        """Prices in dollars by token id, now or at an instant."""
        now = self.clock.now() if at is None else EpochMs(at)
        found = [
            Quote(
                token=TokenId(token),
                currency="USD",
                bucket=EpochMs(now - now % resolution),
                resolution=resolution,
                price=Decimal(price),
                source="test",
                observed_at=now,
            )
            for token, price in prices.items()
        ]
        self.write(quotes.put, found)

    def rate(self, currency: str, rate: str, *, at: int | None = None) -> None:
        """Units of a currency for one euro, from an instant's day."""
        now = self.clock.now() if at is None else at
        day = EpochMs(now - now % DAY_MS)
        self.write(rates.put_rates, [Rate(currency=currency, day=day, rate=Decimal(rate), source="test", observed_at=day)])

    def close(self) -> None:
        """Lets everything go."""
        self.run(self.store.close())
        self.keys.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class Client:
    """A team as it uses the API."""

    def __init__(self, world: World, team: Team, secret: str) -> None:
        self.world, self.team, self.secret = world, team, secret

    def user(self, login: str) -> "Person":
        """A user of the team, made at once."""
        world = self.world

        def op(conn: Connection) -> Principal:
            who = Principal(team=self.team.id, user=None, actor="test", scopes=frozenset({"link", "read"}))
            found = users.get_or_create(conn, who, login, pepper=world.edge.pepper, now=world.clock.now())
            return Principal(team=self.team.id, user=found.id, actor="test", scopes=frozenset({"link", "read"}))

        return Person(self, login, world.write(op))


class Person:
    """A user, and what is committed for them."""

    def __init__(self, client: Client, login: str, principal: Principal) -> None:
        self.client, self.world, self.login, self.principal = client, client.world, login, principal

    def account(self, venue: str = "demo", *, name: str | None = None, mark: str = "1") -> "Link":
        """A linked and leased account."""
        world = self.world

        def op(conn: Connection) -> tuple[AccountId, int]:
            now = world.clock.now()
            made = accounts.add(
                conn, self.principal, venue=venue, fingerprint=f"{venue}/{self.login}/{mark}".encode(), now=now, name=name
            )
            fence = accounts.lease(conn, self.principal, made, owner="test", now=now, length_ms=10**9)
            assert fence is not None
            return made, fence

        made, fence = world.write(op)
        return Link(self, made, fence)


class Link:
    """An account whose facts a test commits."""

    def __init__(self, person: Person, number: AccountId, fence: int) -> None:
        self.person, self.world, self.number, self.fence = person, person.world, number, fence
        self.id = self.world.context.ids.wire("account", number)

    def commit(self, page: Batch) -> None:
        """Commits a page of facts."""
        self.world.write(commit, self.person.principal, self.number, page, fence=self.fence, now=self.world.clock.now())

    def finish(self, **columns: Any) -> None:
        """Ends the sync: everything is well, and the account is free."""
        world = self.world

        def op(conn: Connection) -> None:
            now = world.clock.now()
            progress = dict.fromkeys(("wallets", "balances", "transactions"), columns.get("status", "ok"))
            values = {"status": "ok", "synced_at": now, "next_sync_at": now + DAY_MS, **columns}
            accounts.set_state(conn, self.person.principal, self.number, now, progress=progress, **values)
            accounts.release(conn, self.number, fence=self.fence)

        world.write(op)


async def _open(url: str) -> Store:
    return open_store(url)


@contextmanager
def served(world: World, context: Context | None = None, **more: Any) -> Iterator[str]:
    """The address of a live server for the world (or for another context on it), on loopback and in the world's loop."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(build_app(context or world.context, **more), log_level="warning", lifespan="on", access_log=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    running = asyncio.run_coroutine_threadsafe(server.serve(sockets=[listener]), world.loop)
    deadline = time.monotonic() + STARTUP_S
    while not server.started and not running.done() and time.monotonic() < deadline:
        time.sleep(_WAIT_S)
    assert server.started
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        running.result(STARTUP_S)
        listener.close()


def lagging(world: World, behind_s: int) -> AbstractContextManager[str]:
    """A server of the same installation whose clock is behind."""
    return served(world, structs.replace(world.context, clock=Behind(behind_s), limits=ProcessLimits()))


def busy(world: World) -> AbstractContextManager[str]:
    """A server that lets a team ask thirty times a minute."""
    settings = structs.replace(world.settings, rate_limit_per_minute=30)
    return served(world, structs.replace(world.context, settings=settings, limits=ProcessLimits()))


def broken(world: World, folder: Path) -> AbstractContextManager[str]:
    """A server without its database."""
    store = open_store(f"sqlite:///{folder / 'none.db'}")
    world.run(store.close())
    return served(world, structs.replace(world.context, store=store))


def token_of(address: str, client: Client, login: str) -> str:
    """A user's token by the API."""
    answer = HTTP.post(
        f"{address}/v1/auth/token",
        json={"clientId": client.team.client_id, "secret": client.secret},
        headers={"loginName": login},
    )
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["token"]
    return token
