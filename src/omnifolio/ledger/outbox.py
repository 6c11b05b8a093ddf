"""The outbox: what happened, written in the transaction in which it happened, for the webhooks that want to know.

A team without a webhook costs one look at a small index for each thing that could be told, never for a page, and no row.
Whoever writes has taken the user's counter, so the events of a user get their ids in the order of their commits.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger.sequence import take
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.happenings import EventType
from omnifolio.model.ids import AccountId
from omnifolio.store import bulk, codec
from omnifolio.store.reading import Reading
from omnifolio.store.schema import (
    accounts,
    deliveries,
    outbox,
    position_snapshots,
    snapshots,
    teams,
    transactions,
    users,
    wallets,
    webhooks,
)

TRIED_MS = 3 * DAY_MS
"""How long an event is tried, counted from when it happened; once in any case."""

_user: sa.BindParameter[int] = sa.bindparam("user")
_account: sa.BindParameter[int] = sa.bindparam("account")
_since: sa.BindParameter[int] = sa.bindparam("since")
_listening = Reading(
    sa.select(webhooks.c.id, webhooks.c.types, webhooks.c.format, users.c.uuid, users.c.seq)
    .join(teams, teams.c.id == webhooks.c.team_id)
    .join(users, users.c.team_id == webhooks.c.team_id)
    .where(webhooks.c.team_id == sa.bindparam("team"), webhooks.c.is_active == 1, teams.c.is_active == 1, users.c.id == _user)
    .order_by(webhooks.c.id)
)
_add = sa.insert(outbox).returning(outbox.c.id)
_venue = Reading(sa.select(accounts.c.venue).where(accounts.c.id == _account))
_told = Reading(
    sa.select(outbox.c.type, sa.func.max(outbox.c.seq)).where(outbox.c.account_id == _account).group_by(outbox.c.type)
)
_moved = Reading(
    sa.select(transactions.c.id)
    .where(transactions.c.user_id == _user, transactions.c.seq > _since, transactions.c.account_id == _account)
    .limit(1)
)
_held = tuple(
    Reading(
        sa.select(table.c.seq)
        .join(wallets, wallets.c.id == table.c.wallet_id)
        .where(wallets.c.account_id == _account, table.c.seq > _since)
        .limit(1)
    )
    for table in (snapshots, position_snapshots)
)
_uuid = Reading(sa.select(users.c.uuid).where(users.c.id == _user))
_sending = (
    sa.select(sa.func.max(deliveries.c.lease_until))
    .join(outbox, outbox.c.id == deliveries.c.event_id)
    .where(outbox.c.user_uuid == sa.bindparam("uuid"), deliveries.c.state == "waiting")
)
_forget = sa.delete(outbox).where(outbox.c.user_uuid == sa.bindparam("uuid"))

VEZGO_TYPES: frozenset[EventType] = frozenset({"sync.completed", "sync.failed"})
"""The two that have a body in Vezgo's form; a webhook of that form is told of no others."""


class Happened(Struct, frozen=True):
    """One thing that happened: to an account, or to the user where it is None; and what is said of it beside ids."""

    type: EventType
    account: AccountId | None
    data: Mapping[str, object]


def note(
    conn: Connection,
    principal: Principal,
    kind: EventType,
    now: EpochMs,
    *,
    account: AccountId | None = None,
    after: EpochMs | None = None,
    **data: object,
) -> None:
    """Tells the webhooks of the principal's team that something happened to the user or to one of their accounts.

    `data` is what the event says beside ids; nothing is sent before `after`. The caller has taken the user's counter.
    """
    if who := _who_listens(conn, principal):
        _tell(conn, principal, who, Happened(kind, account, data), now, after=after)


def note_round(
    conn: Connection, principal: Principal, account: AccountId, now: EpochMs, *, error: str | None, is_over: bool
) -> None:
    """Tells how a round of an account ended, and first what it changed: history, balances.

    `error` is the code of what went wrong; `is_over` says that nothing is read any more until somebody acts.
    """
    who = _who_listens(conn, principal)
    if not who:
        return
    last = _last_told(conn, account)
    kinds = _changes(conn, principal, account, last)
    if error is None:
        if last.get("connection.needs_action", 0) > last.get("connection.fixed", 0):
            kinds.append("connection.fixed")
        kinds.append("sync.completed")
    else:
        kinds.append("sync.failed")
        if is_over:
            kinds.append("connection.needs_action")
    for kind in kinds:
        data = {"error": error} if kind in ("sync.failed", "connection.needs_action") else {}
        _tell(conn, principal, who, Happened(kind, account, data), now)


def note_glance(conn: Connection, principal: Principal, account: AccountId, now: EpochMs) -> None:
    """Tells what was changed between two rounds, where a venue's private stream made it worth a look."""
    if who := _who_listens(conn, principal):
        for kind in _changes(conn, principal, account, _last_told(conn, account)):
            _tell(conn, principal, who, Happened(kind, account, {}), now)


def erase(conn: Connection, principal: Principal, now: EpochMs) -> None:
    """Forgets every event of the principal's user and tells that the user is erased: the last that is said of them.

    Raises: NotFound when the user is gone already.
    """
    take(conn, principal, now)
    uuid = _uuid.rows(conn, user=principal.data_user)[0][0]
    sent_until = conn.execute(_sending, {"uuid": uuid}).scalar_one_or_none() or 0
    conn.execute(_forget, {"uuid": uuid})
    # What is being sent at this moment has arrived, or has failed for ever, before the last word is said.
    note(conn, principal, "user.erased", now, after=EpochMs(sent_until))


def _who_listens(conn: Connection, principal: Principal) -> Sequence[Sequence[Any]]:
    return _listening.rows(conn, team=principal.team, user=principal.data_user)


def _last_told(conn: Connection, account: AccountId) -> Mapping[str, int]:
    """The sequence at which each type of event was last told of the account."""
    return {str(kind): int(seq) for kind, seq in _told.rows(conn, account=account)}


def _changes(conn: Connection, principal: Principal, account: AccountId, last: Mapping[str, int]) -> list[EventType]:
    """What is stored of the account and was changed after it was last told."""
    found: list[EventType] = []
    if _moved.rows(conn, user=principal.data_user, account=account, since=last.get("transactions.updated", 0)):
        found.append("transactions.updated")
    since = last.get("balances.updated", 0)
    if any(statement.rows(conn, account=account, since=since) for statement in _held):
        found.append("balances.updated")
    return found


def _tell(
    conn: Connection,
    principal: Principal,
    who: Sequence[Sequence[Any]],
    happened: Happened,
    now: EpochMs,
    *,
    after: EpochMs | None = None,
) -> None:
    data = happened.data
    if happened.account is not None and "provider" not in data:
        data = {**data, "provider": _venue.rows(conn, account=happened.account)[0][0]}
    *_, uuid, seq = who[0]
    # Stored also where no webhook wants this type: the account's next round compares with what was told last.
    values = {
        "team_id": principal.team,
        "user_uuid": uuid,
        "account_id": happened.account,
        "seq": seq,
        "type": happened.type,
        "data": codec.to_json(data),
        "at": now,
    }
    event = conn.execute(_add, values).scalar_one()
    same = {"event_id": event, "user_uuid": uuid, "due_at": max(now, after or now), "until": now + TRIED_MS}
    wanting = [(number,) for number, types, form, _uuid, _seq in who if _wants(types, form, happened.type)]
    bulk.insert(conn, deliveries, ("webhook_id",), wanting, same=same)


def _wants(types: str, form: str, kind: EventType) -> bool:
    if form == "vezgo":
        return kind in VEZGO_TYPES
    return types == "[]" or kind in codec.from_json(types)
