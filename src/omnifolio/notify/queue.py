"""What is to be delivered and by whom: claims on the waiting messages, and what became of each.

The waiting messages of one webhook and one user are a lane: only its first is ever sent, so a later one never overtakes it. A
claim is a lease: whoever dies between sending and recording lets it end, and the message is sent again under the same id. Several
processes may claim on one database.
"""

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, SECOND_MS, EpochMs
from omnifolio.model.happenings import WebhookFormat
from omnifolio.model.ids import DeliveryId, TeamId, WebhookId
from omnifolio.notify import endpoints
from omnifolio.notify.bodies import Event
from omnifolio.notify.schedule import next_try
from omnifolio.store import codec
from omnifolio.store.schema import attempts, deliveries, outbox, teams, webhooks
from omnifolio.transport.courier import Receipt

LEASE_MS = 60 * SECOND_MS
"""Four times what one exchange may take."""
KEPT_MS = 30 * DAY_MS
"""Events and what became of them are kept so long."""
PRUNED_MAX = 1_000
GONE = 410

_now: sa.BindParameter[int] = sa.bindparam("now")
_earlier = deliveries.alias("earlier")
_is_first = ~sa.exists().where(
    _earlier.c.webhook_id == deliveries.c.webhook_id,
    _earlier.c.user_uuid == deliveries.c.user_uuid,
    _earlier.c.state == "waiting",
    _earlier.c.id < deliveries.c.id,
)
_is_ripe = (deliveries.c.state == "waiting", deliveries.c.due_at <= _now, deliveries.c.lease_until < _now)
_ripe = (
    sa.select(deliveries.c.webhook_id)
    .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
    .join(teams, teams.c.id == webhooks.c.team_id)
    .where(*_is_ripe, webhooks.c.is_active == 1, teams.c.is_active == 1, _is_first)
    .distinct()
    .order_by(deliveries.c.webhook_id)
)
_next_due = sa.select(sa.func.min(deliveries.c.due_at)).where(deliveries.c.state == "waiting", deliveries.c.due_at > _now)
_candidates = (
    sa.select(deliveries.c.id)
    .where(*_is_ripe, deliveries.c.webhook_id == sa.bindparam("webhook"), _is_first)
    .order_by(deliveries.c.due_at, deliveries.c.id)
    .limit(sa.bindparam("count"))
    .with_for_update(skip_locked=True, of=deliveries)
)
_claim = (
    sa.update(deliveries)
    .where(deliveries.c.id.in_(sa.bindparam("chosen", expanding=True)))
    .values(lease_owner=sa.bindparam("owner"), lease_until=sa.bindparam("until_"))
)
_claimed = (
    sa.select(
        deliveries.c.id.label("delivery"), deliveries.c.tries, deliveries.c.until, webhooks.c.id.label("webhook"), webhooks.c.url,
        webhooks.c.format, webhooks.c.version, webhooks.c.earlier_until, teams.c.client_id, outbox.c.id.label("event"),
        outbox.c.team_id, outbox.c.user_uuid, outbox.c.account_id, outbox.c.seq, outbox.c.type, outbox.c.data, outbox.c.at,
    )
    .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
    .join(outbox, outbox.c.id == deliveries.c.event_id)
    .join(teams, teams.c.id == outbox.c.team_id)
    .where(deliveries.c.id.in_(sa.bindparam("chosen", expanding=True)), webhooks.c.is_active == 1)
    .order_by(deliveries.c.id)
)  # fmt: skip
_settle = (
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("delivery"),
        deliveries.c.lease_owner == sa.bindparam("owner"),
        deliveries.c.lease_until == sa.bindparam("leased"),
    )
    .values(
        state=sa.bindparam("state_"), due_at=sa.bindparam("due"), done_at=sa.bindparam("done"), tries=sa.bindparam("tries_"),
        lease_owner="", lease_until=0,
    )
)  # fmt: skip
_push_back = (
    sa.update(deliveries)
    .where(
        deliveries.c.webhook_id == sa.bindparam("webhook"),
        deliveries.c.user_uuid == sa.bindparam("user"),
        deliveries.c.state == "waiting",
        deliveries.c.due_at < sa.bindparam("due"),
    )
    .values(due_at=sa.bindparam("due"))
)
_log = sa.insert(attempts)
_waiting = sa.exists().where(deliveries.c.event_id == outbox.c.id, deliveries.c.state == "waiting")
_prune = sa.delete(outbox).where(
    outbox.c.id.in_(
        sa.select(outbox.c.id).where(outbox.c.at < sa.bindparam("before"), ~_waiting).order_by(outbox.c.at).limit(PRUNED_MAX)
    )
)


class Claim(Struct, frozen=True, kw_only=True):
    """A message that its holder is to send, before `leased`; `until` is the end of its tries."""

    delivery: DeliveryId
    webhook: WebhookId
    team: TeamId
    client_id: str
    url: str
    format: WebhookFormat
    version: int
    earlier_until: EpochMs | None
    event: Event
    tries: int
    until: EpochMs
    owner: str
    leased: EpochMs


class Ripe(Struct, frozen=True):
    """Which webhooks have something to be sent now, and when the next message is due; None when none waits."""

    webhooks: Sequence[WebhookId]
    next_at: EpochMs | None


def ripe(conn: Connection, now: EpochMs) -> Ripe:
    """What is due, webhook by webhook, so that a slow one cannot stand in the way of others."""
    found = [WebhookId(number) for number in conn.execute(_ripe, {"now": now}).scalars()]
    return Ripe(found, conn.execute(_next_due, {"now": now}).scalar_one_or_none())


def claim(conn: Connection, webhook: WebhookId, *, owner: str, count: int, now: EpochMs) -> list[Claim]:
    """Up to `count` messages of a webhook, each the first of its lane, that nobody else will send before the lease ends."""
    chosen = list(conn.execute(_candidates, {"webhook": webhook, "count": count, "now": now}).scalars())
    if not chosen:
        return []
    leased = EpochMs(now + LEASE_MS)
    conn.execute(_claim, {"chosen": chosen, "owner": owner, "until_": leased})
    return [_claim_of(row, owner, leased) for row in conn.execute(_claimed, {"chosen": chosen})]


def settle(conn: Connection, claim: Claim, receipt: Receipt, *, now: EpochMs, chance: float) -> str:
    """Records one try and what follows from it; gives the state, `off` where the webhook is switched off, "" for a lost claim."""
    is_done = receipt.status is not None and 200 <= receipt.status < 300
    tries = claim.tries + 1
    due = None if is_done else next_try(tries, now, claim.until, retry_after=receipt.retry_after, chance=chance)
    state = "delivered" if is_done else "waiting" if due is not None and receipt.status != GONE else "dead"
    values = {
        "delivery": claim.delivery,
        "owner": claim.owner,
        "leased": claim.leased,
        "state_": state,
        "due": due or now,
        "done": None if state == "waiting" else now,
        "tries_": tries,
    }
    if not conn.execute(_settle, values).rowcount:
        return ""
    outcome = {"at": now, "status": receipt.status, "outcome": receipt.outcome, "duration_ms": receipt.duration_ms}
    conn.execute(_log, {"delivery_id": claim.delivery, "answer": receipt.answer, **outcome})
    if state == "waiting":
        # The lane waits as one: what stands behind is not looked at before its first is due.
        conn.execute(_push_back, {"webhook": claim.webhook, "user": claim.event.user, "due": due})
    if receipt.status == GONE:
        worker = Principal(team=claim.team, user=None, actor="notify", scopes=frozenset({"admin"}))
        endpoints.switch_off(conn, worker, claim.webhook, now)
        return "off"
    return state


def prune(conn: Connection, now: EpochMs) -> int:
    """Forgets events that are old and settled, some at a time; gives how many."""
    return conn.execute(_prune, {"before": now - KEPT_MS}).rowcount


def _claim_of(row: Any, owner: str, leased: EpochMs) -> Claim:
    event = Event(
        id=row.event,
        user=row.user_uuid,
        account=row.account_id,
        sequence=row.seq,
        type=row.type,
        data=codec.from_json(row.data),
        at=EpochMs(row.at),
    )
    return Claim(
        delivery=DeliveryId(row.delivery),
        webhook=WebhookId(row.webhook),
        team=TeamId(row.team_id),
        client_id=row.client_id,
        url=row.url,
        format=cast(WebhookFormat, row.format),
        version=row.version,
        earlier_until=row.earlier_until,
        event=event,
        tries=row.tries,
        until=EpochMs(row.until),
        owner=owner,
        leased=leased,
    )
