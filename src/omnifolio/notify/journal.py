"""What became of each message, try by try; and sending one again."""

from typing import Any, cast

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.outbox import TRIED_MS
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.happenings import DeliveryState
from omnifolio.model.ids import DeliveryId, WebhookId
from omnifolio.notify import endpoints
from omnifolio.notify.bodies import Event
from omnifolio.store import codec
from omnifolio.store.schema import attempts, deliveries, outbox

PAGE_MAX = 200

_delivery: sa.BindParameter[int] = sa.bindparam("delivery")
_webhook: sa.BindParameter[int] = sa.bindparam("webhook")
_rows = (
    sa.select(
        deliveries.c.id.label("delivery"), deliveries.c.state, deliveries.c.due_at, deliveries.c.done_at, deliveries.c.tries,
        outbox.c.id.label("event"), outbox.c.user_uuid, outbox.c.account_id, outbox.c.seq, outbox.c.type, outbox.c.data,
        outbox.c.at,
    )
    .join(outbox, outbox.c.id == deliveries.c.event_id)
    .where(deliveries.c.webhook_id == _webhook, deliveries.c.id < sa.bindparam("before"))
    .order_by(deliveries.c.id.desc())
    .limit(sa.bindparam("count"))
)  # fmt: skip
_rows_in = _rows.where(deliveries.c.state == sa.bindparam("state_"))
_tries = sa.select(attempts).where(attempts.c.delivery_id == _delivery).order_by(attempts.c.id)
_again = (
    sa.update(deliveries)
    .where(deliveries.c.webhook_id == _webhook)
    .values(state="waiting", due_at=sa.bindparam("now"), until=sa.bindparam("until_"), tries=0, done_at=sa.null())
)
_again_one = _again.where(deliveries.c.id == _delivery)
_again_dead = _again.where(deliveries.c.state == "dead")
_hurry = (
    sa.update(deliveries)
    .where(deliveries.c.webhook_id == _webhook, deliveries.c.state == "waiting", deliveries.c.due_at > sa.bindparam("now"))
    .values(due_at=sa.bindparam("now"))
)
_test = sa.insert(outbox).returning(outbox.c.id)
_send = sa.insert(deliveries).returning(deliveries.c.id)
_counts = (
    sa.select(deliveries.c.webhook_id, deliveries.c.state, sa.func.count())
    .where(deliveries.c.webhook_id.in_(sa.bindparam("webhooks", expanding=True)))
    .group_by(deliveries.c.webhook_id, deliveries.c.state)
)
_LAST = 2**62
"""Above every id."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One event on its way to one webhook. `due_at` counts while it waits; `done_at` is None until then."""

    id: DeliveryId
    event: Event
    state: DeliveryState
    due_at: EpochMs
    done_at: EpochMs | None
    tries: int


class Attempt(Struct, frozen=True, kw_only=True):
    """One try. `status` is None where nothing answered; `answer` is the beginning of what did."""

    at: EpochMs
    status: int | None
    outcome: str
    duration_ms: int
    answer: str


def listed(
    conn: Connection,
    principal: Principal,
    webhook: WebhookId,
    *,
    state: DeliveryState | None,
    before: DeliveryId | None,
    limit: int,
) -> list[Delivery]:
    """The deliveries of a webhook, the newest first, those with a smaller id than `before`. Raises: NotFound; Forbidden."""
    endpoints.get(conn, principal, webhook)
    values: dict[str, object] = {"webhook": webhook, "before": before or _LAST, "count": min(limit, PAGE_MAX)}
    rows = conn.execute(_rows, values) if state is None else conn.execute(_rows_in, {**values, "state_": state})
    return [_of(row) for row in rows]


def tries_of(conn: Connection, principal: Principal, webhook: WebhookId, delivery: DeliveryId) -> list[Attempt]:
    """Every try of a delivery, oldest first. Raises: NotFound; Forbidden."""
    find(conn, principal, webhook, delivery)
    return [
        Attempt(at=EpochMs(row.at), status=row.status, outcome=row.outcome, duration_ms=row.duration_ms, answer=row.answer)
        for row in conn.execute(_tries, {"delivery": delivery})
    ]


def find(conn: Connection, principal: Principal, webhook: WebhookId, delivery: DeliveryId) -> Delivery:
    """One delivery of a webhook of the principal's team. Raises: NotFound; Forbidden."""
    endpoints.get(conn, principal, webhook)
    row = conn.execute(_rows, {"webhook": webhook, "before": delivery + 1, "count": 1}).first()
    if row is None or row.delivery != delivery:
        raise NotFound("this webhook has no such delivery")
    return _of(row)


def counts(conn: Connection, principal: Principal) -> dict[WebhookId, dict[DeliveryState, int]]:
    """How many deliveries of each webhook of the team are waiting, delivered and dead. Raises: Forbidden."""
    found: dict[WebhookId, dict[DeliveryState, int]] = {hook.id: {} for hook in endpoints.listed(conn, principal)}
    for webhook, state, count in conn.execute(_counts, {"webhooks": list(found)}):
        found[webhook][cast(DeliveryState, state)] = count
    return found


def replay(conn: Connection, principal: Principal, webhook: WebhookId, delivery: DeliveryId | None, *, now: EpochMs) -> int:
    """Lets one delivery, whatever its state, or every dead one wait again from now on; gives how many. What waits already is due.

    Messages keep their ids. Raises: NotFound; Forbidden.
    """
    endpoints.get(conn, principal, webhook)
    values = {"webhook": webhook, "now": now, "until_": now + TRIED_MS}
    if delivery is not None:
        find(conn, principal, webhook, delivery)
        return conn.execute(_again_one, {**values, "delivery": delivery}).rowcount
    conn.execute(_hurry, {"webhook": webhook, "now": now})
    return conn.execute(_again_dead, values).rowcount


def test(conn: Connection, principal: Principal, webhook: WebhookId, *, now: EpochMs) -> DeliveryId:
    """A message that says nothing has happened, tried once. Raises: NotFound; Forbidden."""
    endpoints.get(conn, principal, webhook)
    event = conn.execute(
        _test, {"team_id": principal.team, "user_uuid": "", "seq": 0, "type": "webhook.test", "data": "{}", "at": now}
    ).scalar_one()
    values = {"webhook_id": webhook, "event_id": event, "user_uuid": "", "due_at": now, "until": now}
    return DeliveryId(conn.execute(_send, values).scalar_one())


def _of(row: Any) -> Delivery:
    event = Event(
        id=row.event,
        user=row.user_uuid,
        account=row.account_id,
        sequence=row.seq,
        type=row.type,
        data=codec.from_json(row.data),
        at=EpochMs(row.at),
    )
    return Delivery(
        id=DeliveryId(row.delivery),
        event=event,
        state=cast(DeliveryState, row.state),
        due_at=EpochMs(row.due_at),
        done_at=None if row.done_at is None else EpochMs(row.done_at),
        tries=row.tries,
    )
