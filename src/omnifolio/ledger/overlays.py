"""What a person decided: a label, a note, that something is spam, a price. Who, when and why stand beside it.

Overlays are never mixed into facts. They hang on ids that outlive every re-sync and re-decoding; when two transactions turn
out to be one, the younger's overlays move to the older one. Prices are written through `ledger.overrides`, which checks them.
"""

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection

from omnifolio.ledger.sequence import stamp, take
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.store.schema import overlays, past, transactions

OverlayKind = Literal["label", "note", "spam", "price"]

VALUE_LENGTH_MAX = 4_000
REASON_LENGTH_MAX = 1_000

_columns: dict[str, sa.BindParameter[Any]] = {
    name: sa.bindparam(name) for name in ("user_id", "kind", "target", "value", "author", "reason", "at", "seq")
}
_changed = ("value", "author", "reason", "at", "seq")
_user: sa.BindParameter[int] = sa.bindparam("user")
_of_user = sa.select(overlays).where(overlays.c.user_id == _user).order_by(overlays.c.id)
_one = sa.select(overlays).where(
    overlays.c.user_id == _user, overlays.c.kind == sa.bindparam("of_kind"), overlays.c.target == sa.bindparam("of_target")
)
_owns = sa.select(transactions.c.id).where(transactions.c.id == sa.bindparam("number"), transactions.c.user_id == _user)
_drop = sa.delete(overlays).where(overlays.c.id == sa.bindparam("overlay"))
_remember = sa.insert(past)


class Overlay(Struct, frozen=True, kw_only=True):
    """One decision. `target` is a transaction's integer as text, or what `ledger.overrides` makes of a token."""

    kind: OverlayKind
    target: str
    value: str
    author: str
    reason: str
    at: EpochMs
    seq: int


def put(
    conn: Connection,
    principal: Principal,
    *,
    kind: OverlayKind,
    target: str,
    value: str,
    now: EpochMs,
    reason: str = "",
) -> Overlay:
    """Sets a decision; an earlier one of the same kind and target stays in the past.

    Raises: NotFound when the transaction is not the user's; InvalidField for a value that is too long.
    """
    if len(value) > VALUE_LENGTH_MAX or len(reason) > REASON_LENGTH_MAX:
        raise InvalidField(f"{kind}: a value has at most {VALUE_LENGTH_MAX} characters, a reason {REASON_LENGTH_MAX}")
    seq = take(conn, principal, now)
    if kind != "price":
        _check_target(conn, principal, target)
    _keep_past(conn, principal, kind, target, seq)
    made = Overlay(kind=kind, target=target, value=value, author=principal.actor, reason=reason, at=now, seq=seq)
    values = {
        "user_id": principal.data_user, "kind": kind, "target": target, "value": value, "author": made.author,
        "reason": reason, "at": now, "seq": seq,
    }  # fmt: skip
    conn.execute(_upsert[conn.dialect.name], values)
    stamp(conn, principal, seq, None, now)
    return made


def drop(conn: Connection, principal: Principal, *, kind: OverlayKind, target: str, now: EpochMs) -> None:
    """Takes a decision back. Raises: NotFound when there is none."""
    seq = take(conn, principal, now)
    row = _keep_past(conn, principal, kind, target, seq)
    if row is None:
        raise NotFound(f"there is no {kind} to take back")
    conn.execute(_drop, {"overlay": row.id})
    stamp(conn, principal, seq, None, now)


def listed(conn: Connection, principal: Principal) -> Sequence[Overlay]:
    """All decisions of the user, oldest first."""
    return [
        Overlay(
            kind=row.kind,
            target=row.target,
            value=row.value,
            author=row.author,
            reason=row.reason,
            at=row.at,
            seq=row.seq,
        )
        for row in conn.execute(_of_user, {"user": principal.data_user})
    ]


def _check_target(conn: Connection, principal: Principal, target: str) -> None:
    if not target.isdigit() or conn.execute(_owns, {"number": int(target), "user": principal.data_user}).first() is None:
        raise NotFound("no transaction has this id")


def _keep_past(conn: Connection, principal: Principal, kind: str, target: str, seq: int) -> Any:
    row = conn.execute(_one, {"user": principal.data_user, "of_kind": kind, "of_target": target}).one_or_none()
    if row is not None:
        values = {
            "user_id": principal.data_user, "kind": "overlay", "fact_id": row.id, "since": row.seq, "until": seq,
            "payload": f"{row.kind}\n{row.target}\n{row.author}\n{row.value}".encode(),
        }  # fmt: skip
        conn.execute(_remember, values)
    return row


def _upserting(insert: Any) -> sa.Insert:
    statement = insert(overlays).values(_columns)
    made: sa.Insert = statement.on_conflict_do_update(
        index_elements=[overlays.c.user_id, overlays.c.kind, overlays.c.target],
        set_={name: statement.excluded[name] for name in _changed},
    )
    return made


_upsert = {"sqlite": _upserting(sqlite_insert), "postgresql": _upserting(pg_insert)}
