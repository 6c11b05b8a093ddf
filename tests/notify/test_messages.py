"""What a message says and with which secrets, of whom nothing is kept, and whose webhooks are nobody else's."""

import json
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger import outbox
from omnifolio.model.clock import HOUR_MS, SECOND_MS
from omnifolio.model.errors import Conflict, Forbidden, InvalidField, NotFound, SignatureInvalid
from omnifolio.model.happenings import CHOSEN_TYPES
from omnifolio.notify import endpoints, journal, queue
from omnifolio.notify.signatures import verify
from omnifolio.store.schema import outbox as events
from omnifolio.tenancy import users
from tests.notify.scene import ROUND, Scene
from tests.notify.stand import Team, answering, secret
from tests.tenancy.stand import AUDIT_KEY


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
