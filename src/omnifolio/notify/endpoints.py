"""The webhooks of a team: where it wants to be told, of what, and which version of the signing secret is valid."""

from collections.abc import Sequence
from typing import Any, cast

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection, Row

from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import Conflict, InvalidField, NotFound
from omnifolio.model.happenings import CHOSEN_TYPES, EventType, WebhookFormat
from omnifolio.model.ids import WebhookId
from omnifolio.store import codec
from omnifolio.store.schema import deliveries, teams, webhooks
from omnifolio.tenancy.principals import require

WEBHOOKS_MAX = 10
"""Webhooks of a team: each event is stored once for every one that wants it."""

_ours = (webhooks.c.id == sa.bindparam("webhook")) & (webhooks.c.team_id == sa.bindparam("team"))
_one = sa.select(webhooks).where(_ours)
_all = sa.select(webhooks).where(webhooks.c.team_id == sa.bindparam("team")).order_by(webhooks.c.id)
_lock_team = sa.select(teams.c.id).where(teams.c.id == sa.bindparam("team")).with_for_update(key_share=True)
_add = sa.insert(webhooks).returning(webhooks.c.id)
_change = (
    sa.update(webhooks)
    .where(_ours)
    .values({name: sa.bindparam(f"{name}_") for name in ("url", "types", "is_active", "off_reason", "version", "earlier_until")})
)
_remove = sa.delete(webhooks).where(_ours)
_bury = (
    sa.update(deliveries)
    .where(deliveries.c.webhook_id == sa.bindparam("webhook"), deliveries.c.state == "waiting")
    .values(state="dead", done_at=sa.bindparam("now"))
)


class Webhook(Struct, frozen=True, kw_only=True):
    """A webhook as it is stored. No `types` stand for all; `off_reason` is "" unless it was switched off, "gone" after a 410.

    `version` counts the signing secrets; the one before is valid until `earlier_until`, None where there is none.
    """

    id: WebhookId
    url: str
    format: WebhookFormat
    types: tuple[EventType, ...]
    is_active: bool
    off_reason: str
    version: int
    earlier_until: EpochMs | None
    created_at: EpochMs


def listed(conn: Connection, principal: Principal) -> list[Webhook]:
    """All webhooks of the principal's team, oldest first. Raises: Forbidden without scope admin."""
    require(principal, "admin")
    return [_webhook(row) for row in conn.execute(_all, {"team": principal.team})]


def get(conn: Connection, principal: Principal, webhook: WebhookId) -> Webhook:
    """One webhook of the principal's team. Raises: NotFound; Forbidden."""
    require(principal, "admin")
    row = conn.execute(_one, {"webhook": webhook, "team": principal.team}).first()
    if row is None:
        raise NotFound("this team has no such webhook")
    return _webhook(row)


def add(conn: Connection, principal: Principal, *, url: str, form: WebhookFormat, types: Sequence[str], now: EpochMs) -> Webhook:
    """A new webhook, told of everything from now on. The URL has been checked. Raises: InvalidField, Conflict; Forbidden."""
    require(principal, "admin")
    if conn.execute(_lock_team, {"team": principal.team}).first() is None:
        raise NotFound("there is no such team")
    if len(listed(conn, principal)) >= WEBHOOKS_MAX:
        raise Conflict(f"a team has at most {WEBHOOKS_MAX} webhooks; remove one first")
    chosen = checked_types(form, types)
    values = {"team_id": principal.team, "url": url, "format": form, "types": codec.to_json(chosen), "created_at": now}
    return get(conn, principal, WebhookId(conn.execute(_add, values).scalar_one()))


def change(
    conn: Connection,
    principal: Principal,
    webhook: WebhookId,
    *,
    url: str | None,
    types: Sequence[str] | None,
    is_active: bool | None,
    now: EpochMs,
) -> Webhook:
    """Changes what is given. Switched off, it is told nothing, and what waited for it is dead and can be replayed.

    Raises: InvalidField; NotFound; Forbidden.
    """
    found = get(conn, principal, webhook)
    goes_off = is_active is False and found.is_active
    _write(
        conn,
        principal,
        found,
        url=found.url if url is None else url,
        types=codec.to_json(list(found.types) if types is None else checked_types(found.format, types)),
        is_active=int(found.is_active if is_active is None else is_active),
        off_reason="asked" if goes_off else "" if is_active else found.off_reason,
    )
    if goes_off:
        conn.execute(_bury, {"webhook": webhook, "now": now})
    return get(conn, principal, webhook)


def switch_off(conn: Connection, principal: Principal, webhook: WebhookId, now: EpochMs) -> None:
    """Tells a webhook nothing more: its receiver said that it is gone. Raises: NotFound; Forbidden."""
    found = get(conn, principal, webhook)
    _write(conn, principal, found, is_active=0, off_reason="gone")
    conn.execute(_bury, {"webhook": webhook, "now": now})


def rotate(conn: Connection, principal: Principal, webhook: WebhookId, *, overlap_ms: int, now: EpochMs) -> Webhook:
    """The next secret; the present one signs beside it for `overlap_ms` more, 0 ends it at once.

    Raises: Conflict while an earlier one still signs, unless the overlap is 0; NotFound; Forbidden.
    """
    found = get(conn, principal, webhook)
    if overlap_ms and found.earlier_until is not None and found.earlier_until > now:
        raise Conflict("the secret before this one is still valid; wait for its end, or rotate without overlap")
    until = now + overlap_ms if overlap_ms else None
    _write(conn, principal, found, version=found.version + 1, earlier_until=until)
    return get(conn, principal, webhook)


def remove(conn: Connection, principal: Principal, webhook: WebhookId) -> None:
    """Takes a webhook away with its deliveries. Raises: NotFound; Forbidden."""
    get(conn, principal, webhook)
    conn.execute(_remove, {"webhook": webhook, "team": principal.team})


def checked_types(form: WebhookFormat, types: Sequence[str]) -> list[EventType]:
    """The chosen types in the order of the list, () for all. Raises: InvalidField."""
    if types and form == "vezgo":
        raise InvalidField("events: a webhook of the format vezgo is told of SyncAccount and SyncError, and chooses nothing")
    for name in types:
        if name not in CHOSEN_TYPES:
            raise InvalidField(f"events: there is no event {name[:40]!r}; expected {', '.join(CHOSEN_TYPES)}")
    return [name for name in CHOSEN_TYPES if name in types]


def _write(conn: Connection, principal: Principal, found: Webhook, **changed: object) -> None:
    values: dict[str, object] = {
        "url": found.url,
        "types": codec.to_json(list(found.types)),
        "is_active": int(found.is_active),
        "off_reason": found.off_reason,
        "version": found.version,
        "earlier_until": found.earlier_until,
        **changed,
    }
    named = {f"{name}_": value for name, value in values.items()}
    conn.execute(_change, {"webhook": found.id, "team": principal.team, **named})


def _webhook(row: Row[Any]) -> Webhook:
    return Webhook(
        id=WebhookId(row.id),
        url=row.url,
        format=cast(WebhookFormat, row.format),
        types=tuple(codec.from_json(row.types)),
        is_active=bool(row.is_active),
        off_reason=row.off_reason,
        version=row.version,
        earlier_until=row.earlier_until,
        created_at=EpochMs(row.created_at),
    )
