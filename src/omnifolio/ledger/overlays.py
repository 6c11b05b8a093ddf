"""What a person decided: a label, a note, a type, that something is spam, a link, a price. Who, when and why stand beside it.

Overlays are never mixed into facts. They hang on ids that outlive every re-sync and re-decoding; when two transactions turn
out to be one, what was said of the younger is said of the older one, and of two words on one thing the later holds. Here is how
they are kept; `ledger.decisions` checks them and lets the ledger follow, prices are written through `ledger.overrides`.
"""

from collections.abc import Iterable, Mapping, Sequence
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
from omnifolio.model.ids import AccountId, UserId
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import overlays, past, transactions

OverlayKind = Literal["label", "note", "spam", "type", "link", "price"]
KINDS: tuple[OverlayKind, ...] = ("label", "note", "spam", "type", "link", "price")

VALUE_LENGTH_MAX = 4_000
REASON_LENGTH_MAX = 1_000
PAIR = 2

_columns: dict[str, sa.BindParameter[Any]] = {
    name: sa.bindparam(name) for name in ("user_id", "kind", "target", "value", "author", "reason", "at", "seq")
}
_changed = ("value", "author", "reason", "at", "seq")
_user: sa.BindParameter[int] = sa.bindparam("user")
_of_user = sa.select(overlays).where(overlays.c.user_id == _user).order_by(overlays.c.id)
_one = sa.select(overlays).where(
    overlays.c.user_id == _user, overlays.c.kind == sa.bindparam("of_kind"), overlays.c.target == sa.bindparam("of_target")
)
_by_id = sa.select(overlays).where(overlays.c.user_id == _user, overlays.c.id == sa.bindparam("overlay"))
_said_of = Reading(
    sa.select(overlays.c.kind, overlays.c.target, overlays.c.value).where(
        overlays.c.user_id == _user, any_of(overlays.c.kind, "kinds"), any_of(overlays.c.target, "targets")
    )
)
_all_of_kind = Reading(
    sa.select(overlays.c.target, overlays.c.value).where(overlays.c.user_id == _user, overlays.c.kind == sa.bindparam("of_kind"))
)
_on_transaction = sa.select(overlays).where(
    overlays.c.user_id == _user,
    sa.or_(
        overlays.c.target == sa.bindparam("alone"),
        overlays.c.target.like(sa.bindparam("first")),
        overlays.c.target.like(sa.bindparam("second")),
    ),
)
_owns = sa.select(transactions.c.id).where(transactions.c.id == sa.bindparam("number"), transactions.c.user_id == _user)
_of_account = sa.select(transactions.c.id).where(
    any_of(transactions.c.id, "ids"), transactions.c.account_id == sa.bindparam("account")
)
_drop = sa.delete(overlays).where(overlays.c.id == sa.bindparam("overlay"))
_move = sa.update(overlays).where(overlays.c.id == sa.bindparam("overlay")).values(target=sa.bindparam("to"))
_remember = sa.insert(past)


class Overlay(Struct, frozen=True, kw_only=True):
    """One decision. `target` is what it is about: a transaction's integer as text, two of them as `pair_of` writes them, a
    token's id, `address:` and an address, or what `ledger.overrides` makes of a token's price."""

    id: int
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
    for number in transactions_in(target):
        if conn.execute(_owns, {"number": number, "user": principal.data_user}).first() is None:
            raise NotFound("no transaction has this id")
    _keep_past(conn, principal, kind, target, seq)
    values = {
        "user_id": principal.data_user, "kind": kind, "target": target, "value": value, "author": principal.actor,
        "reason": reason, "at": now, "seq": seq,
    }  # fmt: skip
    conn.execute(_upsert[conn.dialect.name], values)
    stamp(conn, principal, seq, None, now)
    return _overlay(conn.execute(_one, {"user": principal.data_user, "of_kind": kind, "of_target": target}).one())


def drop(conn: Connection, principal: Principal, *, kind: OverlayKind, target: str, now: EpochMs) -> int:
    """Takes a decision back; gives the sequence of that. Raises: NotFound when there is none."""
    seq = take(conn, principal, now)
    row = _keep_past(conn, principal, kind, target, seq)
    if row is None:
        raise NotFound(f"there is no {kind} to take back")
    conn.execute(_drop, {"overlay": row.id})
    stamp(conn, principal, seq, None, now)
    return seq


def listed(conn: Connection, principal: Principal) -> Sequence[Overlay]:
    """All decisions of the user, oldest first."""
    return [_overlay(row) for row in conn.execute(_of_user, {"user": principal.data_user})]


def get(conn: Connection, principal: Principal, number: int) -> Overlay:
    """One decision of the user. Raises: NotFound."""
    row = conn.execute(_by_id, {"user": principal.data_user, "overlay": number}).one_or_none()
    if row is None:
        raise NotFound("no decision has this id")
    return _overlay(row)


def said_of(
    conn: Connection, user: UserId, kinds: Iterable[OverlayKind], targets: Iterable[str]
) -> Mapping[tuple[str, str], str]:
    """What the user decided of these targets: (kind, target) → value."""
    wanted = sorted(set(targets))
    if not wanted:
        return {}
    rows = _said_of.rows(conn, user=user, kinds=given(conn, sorted(kinds)), targets=given(conn, wanted))
    return {(row[0], row[1]): row[2] for row in rows}


def all_of(conn: Connection, user: UserId, kind: OverlayKind) -> Mapping[str, str]:
    """Every decision of one kind: target → value."""
    return {row[0]: row[1] for row in _all_of_kind.rows(conn, user=user, of_kind=kind)}


def pair_of(one: int, two: int) -> str:
    """Two transactions as one target, whichever is named first."""
    return f"{min(one, two)}-{max(one, two)}"


def transactions_in(target: str) -> tuple[int, ...]:
    """The transactions that a target names: one, two, or none where it is about something else."""
    words = target.split("-")
    return tuple(map(int, words)) if len(words) <= PAIR and all(word.isascii() and word.isdigit() for word in words) else ()


def merge(conn: Connection, user: UserId, *, older: int, younger: int, seq: int) -> None:
    """What was said of the younger transaction is said of the older one from now on; of two words the later one holds."""
    values = {"user": user, "alone": str(younger), "first": f"{younger}-%", "second": f"%-{younger}"}
    for row in conn.execute(_on_transaction, values).all():
        numbers = {older if number == younger else number for number in transactions_in(row.target)}
        if not numbers:
            continue
        target = pair_of(*numbers) if len(numbers) == PAIR else str(*numbers)
        there = conn.execute(_one, {"user": user, "of_kind": row.kind, "of_target": target}).one_or_none()
        is_pointless = row.kind == "link" and len(numbers) < PAIR
        if is_pointless or (there is not None and there.seq > row.seq):
            _end(conn, user, row, seq)
        else:
            if there is not None:
                _end(conn, user, there, seq)
            conn.execute(_move, {"overlay": row.id, "to": target})


def forget(conn: Connection, user: UserId, account: AccountId) -> None:
    """Takes away what was said of the transactions of an account that is about to go."""
    rows = conn.execute(_of_user, {"user": user}).all()
    named = {number for row in rows for number in transactions_in(row.target)}
    gone = {row[0] for row in conn.execute(_of_account, {"ids": sorted(named), "account": account})}
    for row in rows:
        if gone.intersection(transactions_in(row.target)):
            conn.execute(_drop, {"overlay": row.id})


def _end(conn: Connection, user: UserId, row: Any, seq: int) -> None:
    conn.execute(_remember, _past_of(user, row, seq))
    conn.execute(_drop, {"overlay": row.id})


def _overlay(row: Any) -> Overlay:
    return Overlay(
        id=row.id,
        kind=row.kind,
        target=row.target,
        value=row.value,
        author=row.author,
        reason=row.reason,
        at=row.at,
        seq=row.seq,
    )


def _keep_past(conn: Connection, principal: Principal, kind: str, target: str, seq: int) -> Any:
    row = conn.execute(_one, {"user": principal.data_user, "of_kind": kind, "of_target": target}).one_or_none()
    if row is not None:
        conn.execute(_remember, _past_of(principal.data_user, row, seq))
    return row


def _past_of(user: UserId, row: Any, seq: int) -> dict[str, object]:
    return {
        "user_id": user, "kind": "overlay", "fact_id": row.id, "since": row.seq, "until": seq,
        "payload": f"{row.kind}\n{row.target}\n{row.author}\n{row.value}".encode(),
    }  # fmt: skip


def _upserting(insert: Any) -> sa.Insert:
    statement = insert(overlays).values(_columns)
    made: sa.Insert = statement.on_conflict_do_update(
        index_elements=[overlays.c.user_id, overlays.c.kind, overlays.c.target],
        set_={name: statement.excluded[name] for name in _changed},
    )
    return made


_upsert = {"sqlite": _upserting(sqlite_insert), "postgresql": _upserting(pg_insert)}
