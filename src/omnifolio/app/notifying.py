"""A team's webhooks: made, changed, tested and removed, each with its line in the audit; what was sent, and sending it again.

All of it is for a principal with scope admin, acts on the webhooks of the principal's own team, and knows no other:

    webhooks_of(context, principal) -> list[WebhookView]
    webhook_of(context, principal, webhook) -> WebhookView
    add(context, principal, *, url, form, types) -> tuple[WebhookView, Secret]
    change(context, principal, webhook, *, url=None, types=None, is_active=None) -> WebhookView
    rotate(context, principal, webhook, *, overlap_ms) -> tuple[WebhookView, Secret]
    secret_of(context, principal, webhook) -> Secret
    remove(context, principal, webhook) -> None
    test_fire(context, principal, webhook) -> str
    deliveries(context, principal, webhook, *, state=None, before=None, limit=50) -> list[DeliveryView]
    attempts(context, principal, webhook, delivery) -> list[Attempt]
    replay(context, principal, webhook, delivery=None) -> int

`webhook` and `delivery` are ids as they are on the wire. Every function raises NotFound for what is not the team's; Forbidden.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import EgressRefused, InvalidField
from omnifolio.model.happenings import DeliveryState, EventType, WebhookFormat
from omnifolio.model.ids import DeliveryId, WebhookId, WireIds
from omnifolio.model.secrets import Secret
from omnifolio.notify import endpoints, journal, signatures
from omnifolio.notify.bodies import message_id
from omnifolio.notify.journal import Attempt
from omnifolio.transport.courier import check_url

OVERLAP_MAX_MS = 30 * DAY_MS


class WebhookView(Struct, frozen=True, kw_only=True):
    """A webhook as it is shown. No `types` stand for all; `counts` says how many deliveries are waiting, delivered, dead.

    `off_reason` is "" while it is active, "asked", or "gone" after the receiver answered 410.
    """

    id: str
    url: str
    format: WebhookFormat
    types: tuple[EventType, ...]
    is_active: bool
    off_reason: str
    secret_version: int
    earlier_secret_until: EpochMs | None
    created_at: EpochMs
    counts: Mapping[DeliveryState, int]


class DeliveryView(Struct, frozen=True, kw_only=True):
    """One event on its way to a webhook; `message` is the header webhook-id. `due_at` is None once it is settled."""

    id: str
    message: str
    type: EventType
    user: str | None
    account: str | None
    sequence: int
    happened_at: EpochMs
    state: DeliveryState
    tries: int
    due_at: EpochMs | None
    done_at: EpochMs | None


async def webhooks_of(context: Context, principal: Principal) -> list[WebhookView]:
    """All webhooks of the team, oldest first."""

    def op(conn: Connection) -> list[WebhookView]:
        counts = journal.counts(conn, principal)
        return [_view(context.ids, found, counts.get(found.id, {})) for found in endpoints.listed(conn, principal)]

    return await context.store.read(op)


async def webhook_of(context: Context, principal: Principal, webhook: str) -> WebhookView:
    """One webhook."""
    number = _webhook(context, webhook)
    return await context.store.read(lambda conn: _shown(context, conn, principal, number))


async def add(
    context: Context, principal: Principal, *, url: str, form: WebhookFormat, types: Sequence[str]
) -> tuple[WebhookView, Secret]:
    """A webhook that is told of everything from now on, and its signing secret. Raises: InvalidField; Conflict for too many."""
    checked = _checked_url(context, url)

    def op(conn: Connection) -> WebhookView:
        made = endpoints.add(conn, principal, url=checked, form=form, types=types, now=context.clock.now())
        context.note(conn, principal, "webhook.added", context.ids.wire("webhook", made.id))
        return _view(context.ids, made, {})

    made = await context.store.write(op)
    return made, _secret(context, made)


async def change(
    context: Context,
    principal: Principal,
    webhook: str,
    *,
    url: str | None = None,
    types: Sequence[str] | None = None,
    is_active: bool | None = None,
) -> WebhookView:
    """Changes what is given. Off, it is told nothing, and what waited is dead until it is replayed. Raises: InvalidField."""
    number = _webhook(context, webhook)
    checked = None if url is None else _checked_url(context, url)

    def op(conn: Connection) -> WebhookView:
        now = context.clock.now()
        endpoints.change(conn, principal, number, url=checked, types=types, is_active=is_active, now=now)
        context.note(conn, principal, "webhook.changed", webhook)
        return _shown(context, conn, principal, number)

    return await context.store.write(op)


async def rotate(context: Context, principal: Principal, webhook: str, *, overlap_ms: int) -> tuple[WebhookView, Secret]:
    """The next signing secret; messages are signed with the one before as well for `overlap_ms` more, at most 30 days.

    Raises: Conflict while an earlier one still signs, unless the overlap is 0; InvalidField.
    """
    if not 0 <= overlap_ms <= OVERLAP_MAX_MS:
        raise InvalidField(f"overlap: expected 0 to {OVERLAP_MAX_MS // DAY_MS} days")
    number = _webhook(context, webhook)

    def op(conn: Connection) -> WebhookView:
        endpoints.rotate(conn, principal, number, overlap_ms=overlap_ms, now=context.clock.now())
        context.note(conn, principal, "webhook.secret_rotated", webhook)
        return _shown(context, conn, principal, number)

    found = await context.store.write(op)
    return found, _secret(context, found)


async def secret_of(context: Context, principal: Principal, webhook: str) -> Secret:
    """The present signing secret; that it was looked at is in the audit."""
    number = _webhook(context, webhook)

    def op(conn: Connection) -> WebhookView:
        found = _shown(context, conn, principal, number)
        context.note(conn, principal, "webhook.secret_shown", webhook)
        return found

    return _secret(context, await context.store.write(op))


async def remove(context: Context, principal: Principal, webhook: str) -> None:
    """Takes a webhook away, with all that waits for it."""
    number = _webhook(context, webhook)

    def op(conn: Connection) -> None:
        endpoints.remove(conn, principal, number)
        context.note(conn, principal, "webhook.removed", webhook)

    await context.store.write(op)


async def test_fire(context: Context, principal: Principal, webhook: str) -> str:
    """Sends a message that says nothing has happened, once; gives the delivery's id. A worker sends it within seconds."""
    number = _webhook(context, webhook)

    def op(conn: Connection) -> DeliveryId:
        made = journal.test(conn, principal, number, now=context.clock.now())
        context.note(conn, principal, "webhook.tested", webhook)
        return made

    return context.ids.wire("delivery", await context.store.write(op))


async def deliveries(
    context: Context,
    principal: Principal,
    webhook: str,
    *,
    state: DeliveryState | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[DeliveryView]:
    """What was and is to be delivered, the newest first, at most 200 at once; `before` is the last id of the page before."""
    number = _webhook(context, webhook)
    last = None if before is None else DeliveryId(context.ids.integer("delivery", before))

    def op(conn: Connection) -> list[journal.Delivery]:
        return journal.listed(conn, principal, number, state=state, before=last, limit=limit)

    return [_delivery_view(context.ids, found) for found in await context.store.read(op)]


async def attempts(context: Context, principal: Principal, webhook: str, delivery: str) -> list[Attempt]:
    """Every try of one delivery, oldest first."""
    number, of = _webhook(context, webhook), DeliveryId(context.ids.integer("delivery", delivery))
    return await context.store.read(journal.tries_of, principal, number, of)


async def replay(context: Context, principal: Principal, webhook: str, delivery: str | None = None) -> int:
    """Sends one delivery again, whatever became of it, or every dead one; gives how many. Messages keep their ids."""
    number = _webhook(context, webhook)
    of = None if delivery is None else DeliveryId(context.ids.integer("delivery", delivery))

    def op(conn: Connection) -> int:
        count = journal.replay(conn, principal, number, of, now=context.clock.now())
        context.note(conn, principal, "webhook.replayed", webhook)
        return count

    return await context.store.write(op)


def _webhook(context: Context, text: str) -> WebhookId:
    return WebhookId(context.ids.integer("webhook", text))


def _checked_url(context: Context, url: str) -> str:
    try:
        return str(check_url(url.strip(), may_be_private=context.settings.webhooks_private))
    except EgressRefused as error:
        raise InvalidField(f"url: {error.message}") from None


def _secret(context: Context, found: WebhookView) -> Secret:
    return signatures.secret_of(context.edge.webhooks, found.id, found.secret_version)


def _shown(context: Context, conn: Connection, principal: Principal, number: WebhookId) -> WebhookView:
    found = endpoints.get(conn, principal, number)
    return _view(context.ids, found, journal.counts(conn, principal).get(number, {}))


def _view(ids: WireIds, found: endpoints.Webhook, counts: Mapping[DeliveryState, int]) -> WebhookView:
    return WebhookView(
        id=ids.wire("webhook", found.id),
        url=found.url,
        format=found.format,
        types=found.types,
        is_active=found.is_active,
        off_reason=found.off_reason,
        secret_version=found.version,
        earlier_secret_until=found.earlier_until,
        created_at=found.created_at,
        counts=counts,
    )


def _delivery_view(ids: WireIds, found: journal.Delivery) -> DeliveryView:
    event = found.event
    return DeliveryView(
        id=ids.wire("delivery", found.id),
        message=message_id(event, ids),
        type=event.type,
        user=event.user or None,
        account=None if event.account is None else ids.wire("account", event.account),
        sequence=event.sequence,
        happened_at=event.at,
        state=found.state,
        tries=found.tries,
        due_at=found.due_at if found.state == "waiting" else None,
        done_at=found.done_at,
    )
