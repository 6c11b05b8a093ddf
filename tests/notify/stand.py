"""A team with users and webhooks, a clock that is set by hand, receivers on loopback, and the worker that tells them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.engine import Connection

from omnifolio.ledger import outbox
from omnifolio.ledger.sequence import take
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, SECOND_MS, EpochMs
from omnifolio.model.happenings import EventType, WebhookFormat
from omnifolio.model.ids import WebhookId, WireIds
from omnifolio.notify import endpoints, queue
from omnifolio.notify.dispatch import Notifier
from omnifolio.notify.signatures import secret_of, verify
from omnifolio.store.engine import Store
from omnifolio.store.schema import deliveries
from omnifolio.tenancy import users
from omnifolio.transport.courier import Courier
from tests.stage import loopback
from tests.tenancy import stand as tenancy

KEY = b"k" * 32
IDS = WireIds(b"w" * 32)
STEPS_MAX = 2_000
_CLAIMED = sa.select(sa.func.min(deliveries.c.lease_until)).where(deliveries.c.lease_until >= sa.bindparam("now"))
_COUNT = sa.select(sa.func.count()).where(deliveries.c.state == "waiting")
Answering = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]


class SetClock:
    """Time that moves when it is told to."""

    def __init__(self) -> None:
        self.now_ms = int(tenancy.NOW)

    def now(self) -> EpochMs:
        return EpochMs(self.now_ms)

    def monotonic(self) -> float:
        return self.now_ms / SECOND_MS


class Team:
    """One team; `happen` lets things happen to its users."""

    def __init__(self, store: Store, clock: SetClock, admin: Principal, client_id: str) -> None:
        self.store, self.clock, self.admin, self.client_id = store, clock, admin, client_id
        self.users: dict[str, Principal] = {}

    @classmethod
    async def make(cls, store: Store, clock: SetClock, name: str = "Acme") -> "Team":
        team, _secret = await store.write(tenancy.team, name)
        return cls(store, clock, tenancy.admin_of(team), team.client_id)

    async def user(self, login: str) -> Principal:
        """The team's user of that name."""
        if login not in self.users:

            def op(conn: Connection) -> Principal:
                found = users.get_or_create(conn, self.admin, login, pepper=tenancy.PEPPER, now=self.clock.now())
                return tenancy.principal(found)

            self.users[login] = await self.store.write(op)
        return self.users[login]

    async def hook(self, url: str, *, form: WebhookFormat = "omnifolio", types: Sequence[str] = ()) -> WebhookId:
        """A new webhook."""
        made = await self.store.write(endpoints.add, self.admin, url=url, form=form, types=types, now=self.clock.now())
        return made.id

    async def happen(self, login: str, *kinds: EventType) -> None:
        """One thing after another happens to a user, each in a transaction of its own."""
        who = await self.user(login)
        for kind in kinds:

            def op(conn: Connection, kind: EventType = kind) -> None:
                take(conn, who, self.clock.now())
                outbox.note(conn, who, kind, self.clock.now(), error="bad_credentials" if kind == "sync.failed" else None)

            await self.store.write_sync(op)


class Receiver:
    """Checks each message as an integrator would, and keeps it; `answering` says what it answers."""

    def __init__(self, clock: SetClock) -> None:
        self._clock = clock
        self.answering: Answering = self.accept
        self.secrets: list[str] = []
        self.arrived: list[tuple[str, bytes]] = []
        """Every message whose answer was 2xx, repetitions too."""
        self.tried: list[tuple[EpochMs, web.Request, bytes]] = []
        self.url = ""

    async def accept(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Takes the message."""
        if self.secrets:
            verify(body, request.headers, *self.secrets, now_s=self._clock.now_ms // SECOND_MS)
        self.arrived.append((request.headers["webhook-id"], body))
        return web.Response(status=204)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Notes the try, and answers."""
        body = await request.read()
        self.tried.append((self._clock.now(), request, body))
        return await self.answering(request, body)

    def once(self) -> list[dict[str, object]]:
        """What arrived, each message once, in the order of its first arrival."""
        bodies: dict[str, bytes] = {}
        for message, body in self.arrived:
            assert bodies.setdefault(message, body) == body, "a repetition says the same"
        return [json.loads(body) for body in bodies.values()]

    def types(self) -> list[str]:
        """The types of what arrived."""
        return [str(said["type"]) for said in self.once()]


def answering(*statuses: int, then: Answering, **headers: str) -> Answering:
    """Answers these statuses in turn, then as `then` does."""
    left = list(statuses)

    async def answer(request: web.Request, body: bytes) -> web.StreamResponse:
        if left:
            return web.Response(status=left.pop(0), headers={name.replace("_", "-"): value for name, value in headers.items()})
        return await then(request, body)

    return answer


@asynccontextmanager
async def receiving(clock: SetClock) -> AsyncIterator[Receiver]:
    """A receiver on loopback."""
    made = Receiver(clock)
    async with loopback(made.handle) as url:
        made.url = f"{url}/hook"
        yield made


def secret(hook: WebhookId, version: int = 1) -> str:
    """The signing secret that the team was told."""
    return secret_of(KEY, IDS.wire("webhook", hook), version).reveal()


def no_note(_conn: Connection, _who: Principal, _action: str, _hook: WebhookId) -> None:
    """Nobody keeps the audit here."""


@asynccontextmanager
async def telling(store: Store, clock: SetClock, *, courier: Courier | None = None) -> AsyncIterator[Notifier]:
    """A worker that may deliver to this machine."""
    sends = courier or Courier(clock, lambda *_: None, timeout_s=1.0)
    yield Notifier(
        store=store, clock=clock, courier=sends, ids=IDS, key=KEY, may_be_private=True, note=no_note, chance=lambda: 0.5
    )
    await sends.close()


async def until_settled(store: Store, clock: SetClock, *workers: Notifier, days: int = 10) -> None:
    """Lets the workers deliver, and the time pass to the next try, until nothing waits any more."""
    end = clock.now_ms + days * DAY_MS
    for _ in range(STEPS_MAX):
        await asyncio.gather(*(worker.run_until_idle() for worker in workers))
        if not await store.read(lambda conn: conn.execute(_COUNT).scalar_one()):
            return
        now = clock.now()
        due = (await store.read(queue.ripe, now)).next_at
        claimed = await store.read(lambda conn: conn.execute(_CLAIMED, {"now": now}).scalar_one_or_none())  # noqa: B023
        clock.now_ms = min(at for at in (due, None if claimed is None else claimed + 1) if at is not None)
        assert clock.now_ms <= end, "something waits for ever"
    raise AssertionError("it does not end")
