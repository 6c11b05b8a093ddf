"""Webhooks as faces use them: ids of the wire, secrets that are stored nowhere, an audit that names what was done."""

from pathlib import Path
from typing import Any

import pytest

from omnifolio.app import administer, notifying
from omnifolio.app.runtime import Runtime, open_runtime
from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.settings import Settings
from omnifolio.notify.signatures import verify
from omnifolio.tenancy import audit, teams, users
from omnifolio.tenancy.principals import operator
from tests.notify.stand import SetClock, answering, receiving
from tests.tenancy.stand import PEPPER, admin_of


class Office:
    """A runtime and two teams."""

    def __init__(self, runtime: Runtime, clock: SetClock, admins: list[Principal]) -> None:
        self.runtime, self.context, self.clock = runtime, runtime.context, clock
        self.admin, self.other = admins

    async def actions(self) -> list[str]:
        """The audit of the first team about webhooks."""
        found = await self.context.store.read(audit.entries, self.admin)
        return [entry.action for entry in found if entry.action.startswith("webhook.")]


async def opened(url: str, folder: Path, clock: SetClock, **settings: Any) -> Office:
    """An office on that database."""
    chosen = {"webhooks_private": True, **settings}
    runtime = await open_runtime(
        Settings(database=url, key_file=str(folder.with_name(f"{folder.name}-keys") / "root.key"), **chosen),
        with_workers=False,
        clock=clock,
    )
    made = []
    for name in ("Acme", "Other"):
        team, _ = await runtime.context.store.write(teams.create, operator("test"), name=name, pepper=PEPPER, now=clock.now())
        made.append(admin_of(team))
    return Office(runtime, clock, made)


async def test_a_webhook_from_its_making_to_its_end(database_url: str, tmp_path: Path) -> None:
    clock = SetClock()
    office = await opened(database_url, tmp_path, clock)
    context, admin = office.context, office.admin
    async with receiving(clock) as receiver:
        made, secret = await notifying.add(context, admin, url=receiver.url, form="omnifolio", types=["connection.created"])
        assert secret == await notifying.secret_of(context, admin, made.id)
        delivery = await notifying.test_fire(context, admin, made.id)
        await office.runtime.notifier.run_until_idle()
        ((at, request, body),) = receiver.tried
        assert verify(body, request.headers, secret.reveal(), now_s=at // 1000)
        (tried,) = await notifying.attempts(context, admin, made.id, delivery)
        assert (tried.status, tried.outcome) == (204, "answered")
        found, newer = await notifying.rotate(context, admin, made.id, overlap_ms=1000)
        assert (found.secret_version, newer == secret) == (2, False)
        changed = await notifying.change(context, admin, made.id, types=[], is_active=False)
        assert (changed.types, changed.is_active, changed.off_reason) == ((), False, "asked")
        assert (await notifying.webhooks_of(context, admin))[0].counts == {"delivered": 1}
        (listed,) = await notifying.deliveries(context, admin, made.id)
        assert (listed.id, listed.type, listed.state, listed.user) == (delivery, "webhook.test", "delivered", None)
        assert listed.message == request.headers["webhook-id"]
        assert await notifying.replay(context, admin, made.id) == 0
        await notifying.remove(context, admin, made.id)
        with pytest.raises(NotFound):
            await notifying.webhook_of(context, admin, made.id)
    assert await office.actions() == [
        "webhook.added", "webhook.secret_shown", "webhook.tested", "webhook.secret_rotated", "webhook.changed",
        "webhook.replayed", "webhook.removed",
    ]  # fmt: skip
    await office.runtime.close()


async def test_a_receiver_that_is_gone_is_in_the_audit(database_url: str, tmp_path: Path) -> None:
    clock = SetClock()
    office = await opened(database_url, tmp_path, clock)
    async with receiving(clock) as receiver:
        receiver.answering = answering(410, then=receiver.accept)
        made, _ = await notifying.add(office.context, office.admin, url=receiver.url, form="vezgo", types=[])
        await notifying.test_fire(office.context, office.admin, made.id)
        await office.runtime.notifier.run_until_idle()
    assert (await notifying.webhook_of(office.context, office.admin, made.id)).off_reason == "gone"
    assert (await office.actions())[-1] == "webhook.switched_off"
    await office.runtime.close()


async def test_an_erased_user_is_told_last(database_url: str, tmp_path: Path) -> None:
    clock = SetClock()
    office = await opened(database_url, tmp_path, clock)
    store = office.context.store
    user = await store.write(users.get_or_create, office.admin, "alice", pepper=PEPPER, now=clock.now())
    who = Principal(team=user.team, user=user.id, actor="test", scopes=frozenset({"read", "link"}))
    async with receiving(clock) as receiver:
        await notifying.add(office.context, office.admin, url=receiver.url, form="omnifolio", types=[])
        await store.write(accounts.add, who, venue="demo", fingerprint=b"a", now=clock.now())
        await office.runtime.notifier.run_until_idle()
        await administer.remove_user(office.context, who)
        await office.runtime.notifier.run_until_idle()
    created, erased = receiver.once()
    assert created["type"] == "connection.created"
    assert erased == {"type": "user.erased", "timestamp": erased["timestamp"], "data": {"user": user.uuid, "sequence": 2}}
    await office.runtime.close()


async def test_no_id_of_another_team_opens_anything(database_url: str, tmp_path: Path) -> None:
    clock = SetClock()
    office = await opened(database_url, tmp_path, clock)
    context, other = office.context, office.other
    made, _ = await notifying.add(context, office.admin, url="http://127.0.0.1:9/", form="omnifolio", types=[])
    delivery = await notifying.test_fire(context, office.admin, made.id)
    theirs, _ = await notifying.add(context, other, url="http://127.0.0.1:9/", form="omnifolio", types=[])
    for call in (
        notifying.webhook_of(context, other, made.id),
        notifying.change(context, other, made.id, is_active=False),
        notifying.rotate(context, other, made.id, overlap_ms=0),
        notifying.secret_of(context, other, made.id),
        notifying.remove(context, other, made.id),
        notifying.test_fire(context, other, made.id),
        notifying.deliveries(context, other, made.id),
        notifying.attempts(context, other, made.id, delivery),
        notifying.attempts(context, other, theirs.id, delivery),
        notifying.replay(context, other, made.id),
        notifying.replay(context, other, theirs.id, delivery),
        notifying.webhook_of(context, other, context.ids.wire("account", 1)),
        notifying.webhook_of(context, other, "no id"),
    ):
        with pytest.raises(NotFound):
            await call
    assert [found.id for found in await notifying.webhooks_of(context, other)] == [theirs.id]
    await office.runtime.close()


async def test_private_urls_are_for_operators_who_allow_them(sqlite_url: str, tmp_path: Path) -> None:
    office = await opened(sqlite_url, tmp_path, SetClock(), webhooks_private=False)
    for url in ("http://example.com/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "https://localhost/", "nonsense"):
        with pytest.raises(InvalidField):
            await notifying.add(office.context, office.admin, url=url, form="omnifolio", types=[])
    made, _ = await notifying.add(office.context, office.admin, url="https://example.com/hook", form="omnifolio", types=[])
    assert made.url == "https://example.com/hook"
    await office.runtime.close()


async def test_a_signing_secret_is_in_no_file_and_no_log(
    sqlite_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    clock = SetClock()
    office = await opened(sqlite_url, tmp_path, clock)
    async with receiving(clock) as receiver:
        made, secret = await notifying.add(office.context, office.admin, url=receiver.url, form="omnifolio", types=[])
        _, newer = await notifying.rotate(office.context, office.admin, made.id, overlap_ms=1000)
        await notifying.test_fire(office.context, office.admin, made.id)
        await office.runtime.notifier.run_until_idle()
        assert len(receiver.tried) == 1
    await office.runtime.close()
    written = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()) + caplog.text.encode()
    assert b"webhook.secret_rotated" in written
    for found in (secret, newer):
        assert found.reveal().removeprefix("whsec_").encode() not in written
    assert b"whsec_" not in written
