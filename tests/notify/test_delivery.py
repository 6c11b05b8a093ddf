"""Every event arrives, once by id and in order, whatever the receiver does; and nobody waits for somebody else's receiver."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import sqlalchemy as sa
from aiohttp import web
from sqlalchemy.engine import Connection

from omnifolio.ledger import outbox
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from omnifolio.model.errors import Conflict, Forbidden, InvalidField, NotFound, SignatureInvalid
from omnifolio.model.happenings import CHOSEN_TYPES, EventType
from omnifolio.model.ids import DeliveryId, WebhookId
from omnifolio.notify import endpoints, journal, queue
from omnifolio.notify.signatures import verify
from omnifolio.store.engine import Store
from omnifolio.store.schema import outbox as events
from omnifolio.tenancy import users
from omnifolio.transport.courier import ANSWER_BYTES_MAX, Courier
from tests.notify.stand import Receiver, SetClock, Team, answering, receiving, secret, telling, until_settled
from tests.tenancy.stand import AUDIT_KEY

ROUND: tuple[EventType, ...] = ("transactions.updated", "balances.updated", "sync.completed")


class Scene:
    """A team, its receiver and the hook between them."""

    def __init__(self, store: Store, clock: SetClock, team: Team, receiver: Receiver) -> None:
        self.store, self.clock, self.team, self.receiver = store, clock, team, receiver

    async def hook(self) -> WebhookId:
        """A hook to the receiver, which knows its secret."""
        made = await self.team.hook(self.receiver.url)
        self.receiver.secrets.append(secret(made))
        return made

    async def settle(self) -> None:
        """Lets one worker deliver until nothing waits."""
        async with telling(self.store, self.clock) as worker:
            await until_settled(self.store, self.clock, worker)

    async def deliver(self) -> None:
        """Lets one worker deliver what is due now."""
        async with telling(self.store, self.clock) as worker:
            await worker.run_until_idle()

    async def states(self, hook: WebhookId) -> list[str]:
        """The states of all deliveries, oldest first."""
        found = await self.store.read(journal.listed, self.team.admin, hook, state=None, before=None, limit=200)
        return [one.state for one in reversed(found)]

    async def newest(self, hook: WebhookId) -> journal.Delivery:
        """The newest delivery."""
        found = await self.store.read(journal.listed, self.team.admin, hook, state=None, before=None, limit=1)
        return found[0]

    async def tries(self, hook: WebhookId, delivery: DeliveryId) -> list[journal.Attempt]:
        """Its tries."""
        return await self.store.read(journal.tries_of, self.team.admin, hook, delivery)


@pytest.fixture
async def scene(store: Store) -> AsyncIterator[Scene]:
    clock = SetClock()
    async with receiving(clock) as receiver:
        yield Scene(store, clock, await Team.make(store, clock), receiver)


async def test_a_receiver_that_is_down_for_a_day_gets_everything_once_and_in_order(scene: Scene) -> None:
    await scene.hook()
    back_at = scene.clock.now_ms + DAY_MS

    async def down_for_a_day(request: web.Request, body: bytes) -> web.StreamResponse:
        if scene.clock.now_ms < back_at:
            return web.Response(status=503)
        return await scene.receiver.accept(request, body)

    scene.receiver.answering = down_for_a_day
    async with telling(scene.store, scene.clock) as worker:
        for hour in range(24):
            for login in ("alice", "bob", "carol"):
                await scene.team.happen(login, *ROUND[hour % 3 :])
            await worker.run_until_idle()
            scene.clock.now_ms += HOUR_MS
        await until_settled(scene.store, scene.clock, worker)
    arrived = scene.receiver.once()
    assert len(scene.receiver.arrived) == len(arrived) == 3 * 24 * 2
    for login in ("alice", "bob", "carol"):
        who = await scene.team.user(login)
        uuid = (await scene.store.read(users.me, who)).uuid
        told = [said["data"] for said in arrived if said["data"]["user"] == uuid]  # type: ignore[index]
        assert [data["sequence"] for data in told] == list(range(1, 49))  # type: ignore[index]
    assert len(scene.receiver.tried) - len(arrived) <= 3 * 20, "a receiver that is down is not hammered"


async def test_what_fails_is_tried_again_at_the_published_pauses(scene: Scene) -> None:
    hook = await scene.hook()
    scene.receiver.answering = answering(500, 502, 404, then=scene.receiver.accept)
    await scene.team.happen("alice", "sync.completed")
    began = scene.clock.now_ms
    await scene.settle()
    assert [at - began for at, _, _ in scene.receiver.tried] == [0, 5_000, 35_000, 155_000]
    assert len({request.headers["webhook-id"] for _, request, _ in scene.receiver.tried}) == 1
    tries = await scene.tries(hook, (await scene.newest(hook)).id)
    assert [one.status for one in tries] == [500, 502, 404, 204]


async def test_a_receiver_that_asks_for_a_pause_gets_it(scene: Scene) -> None:
    await scene.hook()
    scene.receiver.answering = answering(429, then=scene.receiver.accept, retry_after="1800")
    await scene.team.happen("alice", "sync.completed", "sync.completed")
    began = scene.clock.now_ms
    await scene.settle()
    assert [at - began for at, _, _ in scene.receiver.tried] == [0, 30 * MINUTE_MS, 30 * MINUTE_MS]


async def test_after_three_days_an_event_is_dead_and_can_be_replayed_under_its_id(scene: Scene) -> None:
    hook = await scene.hook()
    scene.receiver.answering = answering(*[500] * 1_000, then=scene.receiver.accept)
    await scene.team.happen("alice", "sync.completed", "sync.failed")
    began = scene.clock.now_ms
    await scene.settle()
    assert await scene.states(hook) == ["dead", "dead"]
    first = [at - began for at, request, _ in scene.receiver.tried if request.headers["webhook-id"] == _id(scene, 0)]
    assert first[-1] == 3 * DAY_MS
    assert 12 <= len(first) <= 16
    last = [at for at, request, _ in scene.receiver.tried if request.headers["webhook-id"] != _id(scene, 0)]
    assert len(last) == 1, "what waited behind it is tried once, too"
    scene.receiver.answering = scene.receiver.accept
    assert await scene.store.write(journal.replay, scene.team.admin, hook, None, now=scene.clock.now()) == 2
    await scene.settle()
    assert scene.receiver.types() == ["sync.completed", "sync.failed"]
    assert scene.receiver.arrived[0][0] == _id(scene, 0)
    newest = await scene.newest(hook)
    assert await scene.store.write(journal.replay, scene.team.admin, hook, newest.id, now=scene.clock.now()) == 1
    await scene.settle()
    assert len(scene.receiver.arrived) == 3
    assert len(scene.receiver.once()) == 2


def _id(scene: Scene, number: int) -> str:
    return scene.receiver.tried[number][1].headers["webhook-id"]


async def test_a_receiver_that_is_gone_is_told_nothing_more(scene: Scene) -> None:
    hook = await scene.hook()
    scene.receiver.answering = answering(410, then=scene.receiver.accept)
    await scene.team.happen("alice", "sync.completed", "sync.completed")
    await scene.settle()
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    assert len(scene.receiver.tried) == 1
    assert await scene.states(hook) == ["dead", "dead"]
    found = await scene.store.read(endpoints.get, scene.team.admin, hook)
    assert (found.is_active, found.off_reason) == (False, "gone")
    await scene.store.write(endpoints.change, scene.team.admin, hook, url=None, types=None, is_active=True, now=scene.clock.now())
    await scene.store.write(journal.replay, scene.team.admin, hook, None, now=scene.clock.now())
    await scene.settle()
    assert len(scene.receiver.arrived) == 2


async def test_a_redirect_is_not_followed(scene: Scene) -> None:
    hook = await scene.hook()
    scene.receiver.answering = answering(302, 307, then=scene.receiver.accept, location="/elsewhere")
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    assert {request.path for _, request, _ in scene.receiver.tried} == {"/hook"}
    assert await scene.states(hook) == ["delivered"]
    assert len(scene.receiver.tried) == 3


async def test_a_huge_answer_is_not_read(scene: Scene) -> None:
    hook = await scene.hook()
    sent = 0

    async def endless(request: web.Request, body: bytes) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 1 << 28:
            await response.write(b"x" * 65_536)
            sent += 65_536
        return response

    scene.receiver.answering = endless
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    assert sent < 1 << 25
    (only,) = await scene.tries(hook, (await scene.newest(hook)).id)
    assert (only.status, only.answer) == (200, "x" * ANSWER_BYTES_MAX)


async def test_an_answer_that_breaks_off_after_its_status_is_an_answer(scene: Scene) -> None:
    hook = await scene.hook()

    async def broken(request: web.Request, body: bytes) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"thank\x00s")
        assert request.transport is not None
        request.transport.close()
        return response

    scene.receiver.answering = broken
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    (only,) = await scene.tries(hook, (await scene.newest(hook)).id)
    assert (only.status, only.answer) == (200, "thank\N{REPLACEMENT CHARACTER}s")


async def test_a_receiver_that_closes_without_a_word_or_never_answers_is_tried_again(scene: Scene) -> None:
    hook = await scene.hook()
    tries = 0

    async def silent(request: web.Request, body: bytes) -> web.StreamResponse:
        nonlocal tries
        tries += 1
        if tries == 1:
            assert request.transport is not None
            request.transport.abort()
        if tries == 2:
            await asyncio.sleep(30)
        return await scene.receiver.accept(request, body)

    scene.receiver.answering = silent
    await scene.team.happen("alice", "sync.completed", "sync.completed")
    await scene.settle()
    found = await scene.store.read(journal.listed, scene.team.admin, hook, state=None, before=None, limit=9)
    assert [one.outcome for one in await scene.tries(hook, found[1].id)] == ["unreachable", "timed_out", "answered"]
    assert len(scene.receiver.once()) == 2


async def test_one_users_trouble_holds_up_nobody_else(scene: Scene) -> None:
    await scene.hook()
    alice = (await scene.store.read(users.me, await scene.team.user("alice"))).uuid

    async def refuses_alice(request: web.Request, body: bytes) -> web.StreamResponse:
        return web.Response(status=500) if alice.encode() in body else await scene.receiver.accept(request, body)

    scene.receiver.answering = refuses_alice
    for _ in range(3):
        await scene.team.happen("alice", "sync.completed")
        await scene.team.happen("bob", "sync.completed")
    await scene.deliver()
    assert len(scene.receiver.arrived) == 3
    assert len(scene.receiver.tried) == 4, "only the first of alice's is tried"


async def test_one_teams_receiver_holds_up_no_other_team(scene: Scene) -> None:
    await scene.hook()
    other = await Team.make(scene.store, scene.clock, "Other")
    release = asyncio.Event()

    async def slow(request: web.Request, body: bytes) -> web.StreamResponse:
        await release.wait()
        return await scene.receiver.accept(request, body)

    scene.receiver.answering = slow
    async with receiving(scene.clock) as theirs, telling(scene.store, scene.clock) as worker:
        await other.hook(theirs.url)
        for number in range(20):
            await scene.team.happen(f"user-{number}", "sync.completed")
        await other.happen("alice", "sync.completed")
        running = asyncio.create_task(worker.run_until_idle())
        while not theirs.arrived:
            await asyncio.sleep(0.01)
        assert not scene.receiver.arrived
        release.set()
        await running
    assert len(scene.receiver.once()) == 20


async def test_two_workers_never_send_one_message_at_once(scene: Scene) -> None:
    await scene.hook()
    sending: set[str] = set()

    async def watched(request: web.Request, body: bytes) -> web.StreamResponse:
        message = request.headers["webhook-id"]
        assert message not in sending
        sending.add(message)
        await asyncio.sleep(0.002)
        sending.discard(message)
        return await scene.receiver.accept(request, body)

    scene.receiver.answering = watched
    for number in range(12):
        await scene.team.happen(f"user-{number}", *ROUND)
    async with telling(scene.store, scene.clock) as one, telling(scene.store, scene.clock) as other:
        await asyncio.gather(one.run_until_idle(), other.run_until_idle())
        await until_settled(scene.store, scene.clock, one)
    assert len(scene.receiver.tried) == len(scene.receiver.arrived) == len(scene.receiver.once()) == 36


async def test_while_a_secret_is_changed_messages_are_signed_with_both(scene: Scene) -> None:
    hook = await scene.hook()
    who, now = scene.team.admin, scene.clock.now()
    scene.receiver.secrets.clear()
    await scene.store.write(endpoints.rotate, who, hook, overlap_ms=HOUR_MS, now=now)
    with pytest.raises(Conflict):
        await scene.store.write(endpoints.rotate, who, hook, overlap_ms=HOUR_MS, now=now)
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    scene.clock.now_ms += HOUR_MS
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    (at, both, body), (later, one, other_body) = scene.receiver.tried
    for version in (1, 2):
        assert verify(body, both.headers, secret(hook, version), now_s=at // SECOND_MS).startswith("msg_")
    assert verify(other_body, one.headers, secret(hook, 2), now_s=later // SECOND_MS)
    with pytest.raises(SignatureInvalid):
        verify(other_body, one.headers, secret(hook, 1), now_s=later // SECOND_MS)


async def test_a_webhook_is_told_of_what_it_has_chosen(scene: Scene) -> None:
    await scene.team.hook(scene.receiver.url, types=["user.erased", "balances.updated"])
    await scene.team.happen("alice", *ROUND)
    await scene.settle()
    assert scene.receiver.types() == ["balances.updated"]


async def test_vezgos_two_bodies_are_its_own_byte_for_byte(scene: Scene) -> None:
    await scene.team.hook(scene.receiver.url, form="vezgo")

    def op(conn: Connection) -> str:
        who = scene.team.users["alice"]
        for kind, data in (("sync.completed", {}), ("balances.updated", {}), ("sync.failed", {"error": "bad_credentials"})):
            outbox.note(conn, who, kind, scene.clock.now(), provider="kraken", **data)  # type: ignore[arg-type]
        return users.me(conn, who).uuid

    await scene.team.user("alice")
    uuid = await scene.store.write(op)
    await scene.settle()
    bodies = [body.decode() for _, _, body in scene.receiver.tried]
    account = '"account":{"id":"000000000000000000000000","provider":"kraken"}'
    user = f'"user":{{"id":"{uuid}","loginName":"{uuid}"}}'
    assert bodies == [
        f'{{"hook":"SyncAccount",{user},{account}}}',
        f'{{"hook":"SyncError",{user},{account},"error":"LoginFailedError"}}',
    ]
    headers = scene.receiver.tried[0][1].headers
    assert headers["x-client-id"] == scene.team.client_id
    assert headers["content-type"] == "application/json"
    assert {"webhook-id", "webhook-timestamp", "webhook-signature"} <= {name.lower() for name in headers}


async def test_a_test_message_is_tried_once(scene: Scene) -> None:
    hook = await scene.hook()
    scene.receiver.answering = answering(500, then=scene.receiver.accept)
    made = await scene.store.write(journal.test, scene.team.admin, hook, now=scene.clock.now())
    await scene.settle()
    assert [one.status for one in await scene.tries(hook, made)] == [500]
    assert json.loads(scene.receiver.tried[0][2])["type"] == "webhook.test"


async def test_of_an_erased_user_nothing_is_kept_but_that_they_are_erased(scene: Scene) -> None:
    hook = await scene.hook()
    who = await scene.team.user("alice")
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    scene.receiver.answering = answering(500, then=scene.receiver.accept)
    await scene.team.happen("alice", *ROUND)
    await scene.deliver()

    def op(conn: Connection) -> None:
        outbox.erase(conn, who, scene.clock.now())
        users.delete(conn, who, audit_key=AUDIT_KEY, now=scene.clock.now())

    await scene.store.write(op)
    await scene.settle()
    assert scene.receiver.types() == ["sync.completed", "user.erased"]
    assert await scene.states(hook) == ["delivered"]


async def test_old_events_are_forgotten_once_they_are_settled(scene: Scene) -> None:
    await scene.hook()
    await scene.team.happen("alice", "sync.completed")
    await scene.settle()
    await scene.team.happen("alice", "sync.failed")
    scene.clock.now_ms += queue.KEPT_MS + 1
    assert await scene.store.write(queue.prune, scene.clock.now()) == 1
    left = await scene.store.read(lambda conn: conn.execute(sa.select(events.c.type)).scalars().all())
    assert left == ["sync.failed"]


async def test_another_teams_webhook_is_not_there(scene: Scene) -> None:
    hook = await scene.hook()
    other = await Team.make(scene.store, scene.clock, "Other")
    await scene.team.happen("alice", "sync.completed")
    mine, now = await scene.newest(hook), scene.clock.now()
    writes: tuple[tuple[Any, dict[str, object]], ...] = (
        (endpoints.change, {"url": None, "types": None, "is_active": False, "now": now}),
        (endpoints.rotate, {"overlap_ms": 0, "now": now}),
        (endpoints.remove, {}),
        (journal.test, {"now": now}),
    )
    for op, values in writes:
        with pytest.raises(NotFound):
            await scene.store.write(op, other.admin, hook, **values)
    with pytest.raises(NotFound):
        await scene.store.write(journal.replay, other.admin, hook, mine.id, now=now)
    with pytest.raises(NotFound):
        await scene.store.read(journal.listed, other.admin, hook, state=None, before=None, limit=9)
    theirs = await other.hook(scene.receiver.url)
    with pytest.raises(NotFound):
        await scene.store.read(journal.tries_of, other.admin, theirs, mine.id)
    assert [found.id for found in await scene.store.read(endpoints.listed, other.admin)] == [theirs]
    with pytest.raises(Forbidden):
        await scene.store.read(endpoints.listed, await scene.team.user("alice"))
    await scene.settle()
    assert len(scene.receiver.arrived) == 1, "what happens to one team's users is told to nobody else"


async def test_a_team_has_few_webhooks_and_chooses_known_events(scene: Scene) -> None:
    for form, types in (("omnifolio", ["sync.begun"]), ("omnifolio", ["webhook.test"]), ("vezgo", [CHOSEN_TYPES[0]])):
        with pytest.raises(InvalidField):
            await scene.team.hook(scene.receiver.url, form=form, types=types)  # type: ignore[arg-type]
    for _ in range(endpoints.WEBHOOKS_MAX):
        await scene.hook()
    with pytest.raises(Conflict):
        await scene.hook()


async def test_a_process_that_stops_lets_go_of_what_it_is_sending(scene: Scene) -> None:
    """What was cut off is sent again by the next process, under the same id."""
    await scene.hook()
    arrived = asyncio.Event()

    async def held(request: web.Request, body: bytes) -> web.StreamResponse:
        arrived.set()
        await asyncio.sleep(60)
        return web.Response()

    scene.receiver.answering = held
    await scene.team.happen("alice", "sync.completed")
    async with telling(scene.store, scene.clock, courier=Courier(scene.clock, lambda *_: None)) as worker:
        worker.start()
        await arrived.wait()
        await worker.stop()
    scene.receiver.answering = scene.receiver.accept
    await scene.settle()
    assert len(scene.receiver.tried) == 2
    assert len({request.headers["webhook-id"] for _, request, _ in scene.receiver.tried}) == 1
