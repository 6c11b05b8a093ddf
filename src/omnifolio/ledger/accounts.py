"""Accounts: a user's links to venues, their state, and the lease that lets one worker at a time write to them."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import links, overlays
from omnifolio.ledger.sequence import stamp, take
from omnifolio.model.accounts import AccountStatus, Certificate, Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import AlreadyConnected, LeaseLost, NotFound
from omnifolio.model.ids import AccountId, TeamId, UserId
from omnifolio.store import codec
from omnifolio.store.reading import Reading
from omnifolio.store.schema import accounts, users

_account: sa.BindParameter[int] = sa.bindparam("account")
_user: sa.BindParameter[int] = sa.bindparam("user")
_ours = (accounts.c.id == _account) & (accounts.c.user_id == _user) & (accounts.c.is_deleted == 0)
COLUMNS: tuple[sa.Column[Any], ...] = (
    accounts.c.id,
    accounts.c.user_id,
    accounts.c.venue,
    accounts.c.name,
    accounts.c.fields,
    accounts.c.options,
    accounts.c.fingerprint,
    accounts.c.key_hint,
    accounts.c.status,
    accounts.c.progress,
    accounts.c.error_code,
    accounts.c.error_text,
    accounts.c.certificate,
    accounts.c.created_at,
    accounts.c.updated_at,
    accounts.c.seq,
    accounts.c.calls,
    accounts.c.synced_at,
    accounts.c.round_at,
    accounts.c.scanned_at,
    accounts.c.failures,
    accounts.c.next_sync_at,
    accounts.c.lease_until,
    accounts.c.fence,
    accounts.c.live_since,
    accounts.c.live_heard_at,
    accounts.c.live_problem,
)
"""What `account_of` takes."""
_document = msgspec.json.Decoder().decode
_certificate = msgspec.json.Decoder(Certificate).decode
_one = Reading(sa.select(*COLUMNS).where(_ours))
_all = Reading(sa.select(*COLUMNS).where(accounts.c.user_id == _user, accounts.c.is_deleted == 0).order_by(accounts.c.id))
_same = sa.select(accounts.c.id, accounts.c.is_deleted).where(
    accounts.c.user_id == _user, accounts.c.fingerprint == sa.bindparam("print")
)
_add = sa.insert(accounts).returning(accounts.c.id)
_began = sa.select(accounts.c.since).where(accounts.c.id == _account)
_look = sa.update(accounts).where(accounts.c.id == _account).values(certificate=sa.bindparam("text"))
_postpone = sa.update(accounts).where(accounts.c.id == _account).values(next_sync_at=sa.bindparam("until"))
_due = (
    sa.select(accounts.c.id, accounts.c.user_id, users.c.team_id)
    .join(users, users.c.id == accounts.c.user_id)
    .where(
        accounts.c.next_sync_at <= sa.bindparam("now"), accounts.c.lease_until < sa.bindparam("now"), accounts.c.is_deleted == 0
    )
    .order_by(accounts.c.next_sync_at)
    .limit(sa.bindparam("count"))
)
_lease = (
    sa.update(accounts)
    .where(_ours, sa.or_(accounts.c.lease_until < sa.bindparam("now"), accounts.c.lease_owner == sa.bindparam("owner")))
    .values(fence=accounts.c.fence + 1, lease_owner=sa.bindparam("owner"), lease_until=sa.bindparam("until"))
    .returning(accounts.c.fence)
)
_extend = (
    sa.update(accounts)
    .where(accounts.c.id == _account, accounts.c.fence == sa.bindparam("fence_"))
    .values(lease_until=sa.bindparam("until"))
)
_release = (
    sa.update(accounts)
    .where(accounts.c.id == _account, accounts.c.fence == sa.bindparam("fence_"))
    .values(lease_until=0, lease_owner="")
)
_count_calls = sa.update(accounts).where(accounts.c.id == _account).values(calls=accounts.c.calls + sa.bindparam("count"))


class Account(Struct, frozen=True, kw_only=True):
    """A link as it is stored. `progress` is wallets, balances and transactions by status; `v` the sequence of its last change."""

    id: AccountId
    user: UserId
    venue: str
    name: str | None
    fields: Mapping[str, str]
    options: Mapping[str, bool]
    key_hint: str
    key_label: str
    """Names the credential or address without revealing it: the same one has the same label for every user."""
    status: AccountStatus
    progress: Mapping[str, AccountStatus]
    error_code: str | None
    error_text: str | None
    certificate: Certificate | None
    created_at: EpochMs
    updated_at: EpochMs
    v: int
    calls: int
    synced_at: EpochMs | None
    round_at: EpochMs | None
    scanned_at: EpochMs | None
    failures: int
    next_sync_at: EpochMs | None
    is_leased: bool
    fence: int
    live_since: EpochMs | None
    """Since when the venue's private stream is listened to; None while it is not."""
    live_heard_at: EpochMs | None
    """When its last event came that was worth a look."""
    live_problem: str | None
    """Why it is not listened to, where the venue or the key stands against it."""


class Due(Struct, frozen=True):
    """An account whose time has come."""

    account: AccountId
    user: UserId
    team: TeamId


def add(
    conn: Connection,
    principal: Principal,
    *,
    venue: str,
    fingerprint: bytes,
    now: EpochMs,
    name: str | None = None,
    fields: Mapping[str, str] | None = None,
    options: Mapping[str, bool] | None = None,
    key_hint: str = "",
) -> AccountId:
    """Files a new link that is due at once. Raises: AlreadyConnected (with `existing`) when this user has linked the same."""
    seq = take(conn, principal, now)
    same = linked(conn, principal, fingerprint)
    if same is not None:
        raise AlreadyConnected(existing=same)
    values = {
        "user_id": principal.data_user,
        "venue": venue,
        "name": name,
        "fields": codec.to_json(dict(fields or {})),
        "options": codec.to_json(dict(options or {})),
        "fingerprint": fingerprint,
        "key_hint": key_hint,
        "created_at": now,
        "updated_at": now,
        "seq": seq,
        "since": seq,
        "next_sync_at": now,
    }
    account = AccountId(conn.execute(_add, values).scalar_one())
    stamp(conn, principal, seq, account, now)
    return account


def get(conn: Connection, principal: Principal, account: AccountId, now: EpochMs) -> Account:
    """One account of the principal's user. Raises: NotFound."""
    rows = _one.rows(conn, account=account, user=principal.data_user)
    if not rows:
        raise NotFound("no account has this id")
    return account_of(rows[0], now)


def listed(conn: Connection, principal: Principal, now: EpochMs) -> Sequence[Account]:
    """All accounts of the principal's user, oldest first."""
    return [account_of(row, now) for row in _all.rows(conn, user=principal.data_user)]


def linked(conn: Connection, principal: Principal, fingerprint: bytes) -> AccountId | None:
    """The account that the user has already linked with the same credential or address."""
    same = conn.execute(_same, {"user": principal.data_user, "print": fingerprint}).first()
    return None if same is None else AccountId(same.id)


def change(conn: Connection, /, principal: Principal, account: AccountId, now: EpochMs, **columns: object) -> int:
    """Changes columns of an account as one step of the change log; gives its sequence. Raises: NotFound."""
    seq = take(conn, principal, now)
    get(conn, principal, account, now)
    conn.execute(_changing(tuple(columns)), {"account": account, "seq_": seq, "now": now, **_values(columns)})
    stamp(conn, principal, seq, account, now)
    return seq


@cache
def _changing(names: tuple[str, ...]) -> sa.Update:
    """The statement that changes these columns, whose parameters are called as `_values` calls them."""
    values = {name: sa.bindparam(f"{name}_", type_=accounts.c[name].type) for name in names}
    return (
        sa.update(accounts)
        .where(accounts.c.id == _account)
        .values(seq=sa.bindparam("seq_"), updated_at=sa.bindparam("now"), **values)
    )


def _values(columns: Mapping[str, object]) -> dict[str, object]:
    return {f"{name}_": value for name, value in columns.items()}


def set_state(
    conn: Connection,
    /,
    principal: Principal,
    account: AccountId,
    now: EpochMs,
    *,
    status: AccountStatus,
    progress: Mapping[str, AccountStatus],
    error_code: str | None = None,
    error_text: str | None = None,
    **columns: object,
) -> int:
    """The account's status as people and the wire see it. Raises: NotFound."""
    return change(
        conn,
        principal,
        account,
        now,
        status=status,
        progress=codec.to_json(dict(progress)),
        error_code=error_code,
        error_text=error_text,
        **columns,
    )


def certify(
    conn: Connection, principal: Principal, account: AccountId, certificate: Certificate, now: EpochMs, *, is_news: bool
) -> None:
    """Stores what the venue says the key may do; that it said nothing new moves the time of the look and no change log."""
    text = msgspec.json.encode(certificate).decode()
    if is_news:
        change(conn, principal, account, now, certificate=text)
    else:
        conn.execute(_look, {"account": account, "text": text})


def delete(conn: Connection, principal: Principal, account: AccountId, now: EpochMs) -> None:
    """Takes an account and all its facts away and leaves a tombstone in the change log. Raises: NotFound."""
    seq = take(conn, principal, now)
    get(conn, principal, account, now)
    since = conn.execute(_began, {"account": account}).scalar_one()
    overlays.forget(conn, principal.data_user, account)
    links.leave(conn, principal.data_user, account, seq)
    conn.execute(sa.delete(accounts).where(accounts.c.id == _account), {"account": account})
    conn.execute(
        sa.insert(accounts).values(
            id=account, user_id=principal.data_user, venue="", fingerprint=f"deleted:{account}".encode(), status="ok",
            created_at=now, updated_at=now, seq=seq, since=since, is_deleted=1,
        )
    )  # fmt: skip
    stamp(conn, principal, seq, account, now)


def due(conn: Connection, now: EpochMs, count: int) -> Sequence[Due]:
    """The accounts whose next sync has come and that nobody holds, the longest overdue first."""
    return [Due(*row) for row in conn.execute(_due, {"now": now, "count": count})]


def lease(conn: Connection, principal: Principal, account: AccountId, *, owner: str, now: EpochMs, length_ms: int) -> int | None:
    """Takes the account for a slice; gives the fence that its commits must show, or None when another worker has it."""
    values = {"account": account, "user": principal.data_user, "now": now, "owner": owner, "until": now + length_ms}
    return conn.execute(_lease, values).scalar_one_or_none()


def extend(conn: Connection, account: AccountId, *, fence: int, until: EpochMs) -> None:
    """Keeps a lease for longer. Raises: LeaseLost."""
    if not conn.execute(_extend, {"account": account, "fence_": fence, "until": until}).rowcount:
        raise LeaseLost


def release(conn: Connection, account: AccountId, *, fence: int) -> None:
    """Gives the account back; a lease that was lost already is left to its new holder."""
    conn.execute(_release, {"account": account, "fence_": fence})


def postpone(conn: Connection, account: AccountId, *, until: EpochMs) -> None:
    """Lets an account be due later, without a word in the change log."""
    conn.execute(_postpone, {"account": account, "until": until})


def count_calls(conn: Connection, account: AccountId, count: int) -> None:
    """Adds to the number of requests that this account has cost its venue."""
    conn.execute(_count_calls, {"account": account, "count": count})


def account_of(row: Sequence[Any], now: EpochMs) -> Account:
    """The account that a row of `COLUMNS` says."""
    # Taken apart at once: asking a row for its columns by name costs more than everything else here.
    (
        number, user, venue, name, fields, options, fingerprint, key_hint, status, progress, error_code, error_text, certificate,
        created_at, updated_at, v, calls, synced_at, round_at, scanned_at, failures, next_sync_at, lease_until, fence, live_since,
        heard_at, problem,
    ) = row  # fmt: skip
    return Account(
        id=AccountId(number),
        user=UserId(user),
        venue=venue,
        name=name,
        fields=_document(fields),
        options=_document(options),
        key_hint=key_hint,
        key_label=f"{venue}:{bytes(fingerprint).hex()[:16]}",
        status=status,
        progress=_document(progress),
        error_code=error_code,
        error_text=error_text,
        certificate=_certificate(certificate) if certificate else None,
        created_at=created_at,
        updated_at=updated_at,
        v=v,
        calls=calls,
        synced_at=synced_at,
        round_at=round_at,
        scanned_at=scanned_at,
        failures=failures,
        next_sync_at=next_sync_at,
        is_leased=lease_until >= now,
        fence=fence,
        live_since=live_since,
        live_heard_at=heard_at,
        live_problem=problem,
    )
