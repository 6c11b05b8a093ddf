"""Every event arrives, once by id and in order, whatever the receiver does; and nobody waits for somebody else's receiver."""

import asyncio

from aiohttp import web

from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS
from omnifolio.notify import endpoints, journal
from omnifolio.tenancy import users
from omnifolio.transport.courier import ANSWER_BYTES_MAX, Courier
from tests.notify.scene import ROUND, Scene
from tests.notify.stand import Team, answering, receiving, telling, until_settled


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
