"""Delivers what the outbox holds, as long as the process runs: webhooks side by side, the events of a user one by one."""

import asyncio
import contextlib
import logging
import os
import random
from collections import Counter
from collections.abc import Callable

from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import HOUR_MS, SECOND_MS, Clock, EpochMs
from omnifolio.model.errors import StoreUnavailable
from omnifolio.model.ids import WebhookId, WireIds
from omnifolio.notify import queue
from omnifolio.notify.bodies import body_of, message_id
from omnifolio.notify.signatures import secret_of, signed
from omnifolio.store.engine import Store
from omnifolio.transport.courier import Courier

POLL_S = 2.0
"""How often the outbox is looked at, when nobody says that there is news: another process may have written."""
STORE_PAUSE_S = 5.0
STOP_WAIT_S = 3.0
"""So long a stopping process waits for what it is sending; what is cut off then is sent again."""
TOGETHER_MAX = 64
TOGETHER_PER_WEBHOOK_MAX = 8
"""Messages that one process sends at once, in all and to one webhook."""
PRUNE_EVERY_MS = HOUR_MS
OWNER_BYTES = 6

Note = Callable[[Connection, Principal, str, WebhookId], None]
"""Writes into the audit what was done with a webhook, in the transaction that does it."""

log = logging.getLogger(__name__)


class Notifier:
    """Delivers messages. One per process; several processes may work on one database."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        courier: Courier,
        ids: WireIds,
        key: bytes,
        may_be_private: bool,
        note: Note,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store, self._clock, self._courier, self._ids, self._key = store, clock, courier, ids, key
        self._may_be_private, self._note, self._chance = may_be_private, note, chance
        self._owner = os.urandom(OWNER_BYTES).hex()
        self._news = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._sending: dict[asyncio.Task[None], WebhookId] = {}
        self._pruned_at = EpochMs(0)

    def start(self) -> None:
        """Goes on delivering in the running loop."""
        self._loop = asyncio.create_task(self._keep_delivering(), name="notifier")

    def wake(self) -> None:
        """There is news: something may be due."""
        self._news.set()

    async def stop(self) -> None:
        """Begins nothing more, and waits a moment for what is on its way."""
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
        if self._sending:
            await asyncio.wait(self._sending, timeout=STOP_WAIT_S)
        left = list(self._sending)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    async def run_until_idle(self) -> None:
        """Delivers until nothing is due at this moment: for one-shot commands and tests."""
        while True:
            await self._begin()
            if not self._sending:
                return
            await asyncio.wait(list(self._sending), return_when=asyncio.FIRST_COMPLETED)

    async def _keep_delivering(self) -> None:
        while True:
            self._news.clear()
            pause_s = STORE_PAUSE_S
            try:
                next_at = await self._begin()
                await self._prune()
                left_s = POLL_S if next_at is None else (next_at - self._clock.now()) / SECOND_MS
                pause_s = max(0.0, min(POLL_S, left_s))
            except StoreUnavailable as error:
                log.warning("notifier_paused reason=%s", error.code)
            except Exception:
                # The loop of all webhooks must outlive one surprise; what was claimed is found again when its lease ends.
                log.exception("notifier_failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), pause_s)

    async def _begin(self) -> EpochMs | None:
        """Begins to send what is due and has room; gives when the next message is due."""
        found = await self._store.read(queue.ripe, self._clock.now())
        busy = Counter(self._sending.values())
        for webhook in found.webhooks:
            room = min(TOGETHER_PER_WEBHOOK_MAX - busy[webhook], TOGETHER_MAX - len(self._sending))
            if room <= 0:
                continue
            claims = await self._store.write_sync(queue.claim, webhook, owner=self._owner, count=room, now=self._clock.now())
            for claim in claims:
                task = asyncio.create_task(self._send(claim), name=f"deliver-{claim.delivery}")
                self._sending[task] = webhook
                task.add_done_callback(self._sent)
        return found.next_at

    def _sent(self, task: asyncio.Task[None]) -> None:
        del self._sending[task]
        self._news.set()

    async def _send(self, claim: queue.Claim) -> None:
        """One try: sign, send, record."""
        body = body_of(claim.event, claim.format, self._ids)
        receipt = await self._courier.deliver(
            claim.url, headers=self._headers(claim, body), body=body, may_be_private=self._may_be_private
        )

        def record(conn: Connection) -> str:
            state = queue.settle(conn, claim, receipt, now=self._clock.now(), chance=self._chance())
            if state == "off":
                worker = Principal(team=claim.team, user=None, actor="notify", scopes=frozenset({"admin"}))
                self._note(conn, worker, "webhook.switched_off", claim.webhook)
            return state

        try:
            state = await self._store.write_sync(record)
        except StoreUnavailable as error:
            log.warning("delivery_unrecorded delivery=%s code=%s", claim.delivery, error.code)
            return
        log.info("delivery_tried delivery=%s state=%s status=%s", claim.delivery, state, receipt.status)

    def _headers(self, claim: queue.Claim, body: bytes) -> dict[str, str]:
        now = self._clock.now()
        webhook = self._ids.wire("webhook", claim.webhook)
        versions = [claim.version]
        if claim.earlier_until is not None and claim.earlier_until > now:
            versions.append(claim.version - 1)
        secrets = [secret_of(self._key, webhook, version) for version in versions]
        return {
            "content-type": "application/json",
            "user-agent": "Omnifolio-Webhooks/1",
            "accept-encoding": "identity",
            "x-client-id": claim.client_id,
            **signed(secrets, message=message_id(claim.event, self._ids), at_s=now // SECOND_MS, body=body),
        }

    async def _prune(self) -> None:
        now = self._clock.now()
        if now - self._pruned_at >= PRUNE_EVERY_MS:
            forgotten = await self._store.write_sync(queue.prune, now)
            if forgotten < queue.PRUNED_MAX:
                self._pruned_at = now
