"""Open positions as intervals: what a wallet stood in, from when to when.

What must hold
  * an unchanged snapshot moves one row's `last_seen` and nothing else;
  * the positions of one (wallet, scope) change together, in the transaction that brings them;
  * a version that gave way stays, with the sequences between which it held.

An empty answer is believed at once, unlike one without balances: to close all positions is an ordinary act, often the venue's own
(expiry, liquidation), and what was locked behind them shows in the balances, which the guard watches. An answer that is not whole
never comes here: its page has a gap and no snapshot.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger.place import Place
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import bounded
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Batch, Position, PositionSnapshot
from omnifolio.model.ids import AccountId, WalletId
from omnifolio.model.tokens import TokenId
from omnifolio.store import bulk, codec, numbers
from omnifolio.store.lists import any_of
from omnifolio.store.schema import accounts, position_snapshots, position_tokens, positions, wallets

_wallet: sa.BindParameter[int] = sa.bindparam("wallet")
_scope: sa.BindParameter[str] = sa.bindparam("of_scope")
_user: sa.BindParameter[int] = sa.bindparam("user")
_snapshot = sa.select(position_snapshots).where(position_snapshots.c.wallet_id == _wallet, position_snapshots.c.scope == _scope)
_open = sa.select(positions.c.id, positions.c.key, positions.c.payload).where(
    positions.c.wallet_id == _wallet, positions.c.scope == _scope, positions.c.until.is_(None)
)
_close = (
    sa.update(positions).where(any_of(positions.c.id, "ids")).values(until=sa.bindparam("seq"), last_seen=sa.bindparam("seen"))
)
_drop_tokens = sa.delete(position_tokens).where(any_of(position_tokens.c.position_id, "ids"))
_seen = (
    sa.update(position_snapshots)
    .where(position_snapshots.c.wallet_id == _wallet, position_snapshots.c.scope == _scope)
    .values(last_seen=sa.bindparam("at"))
)
_of_user = (
    sa.select(wallets.c.account_id, positions.c.wallet_id, positions.c.scope, positions.c.payload, position_snapshots.c.last_seen)
    .join(wallets, wallets.c.id == positions.c.wallet_id)
    .join(accounts, accounts.c.id == wallets.c.account_id)
    .join(
        position_snapshots,
        (position_snapshots.c.wallet_id == positions.c.wallet_id) & (position_snapshots.c.scope == positions.c.scope),
    )
    .where(accounts.c.user_id == _user, accounts.c.is_deleted == 0)
    .order_by(wallets.c.account_id, positions.c.wallet_id, positions.c.scope, positions.c.key)
)
_held = _of_user.where(positions.c.until.is_(None))
_held_by = _held.where(wallets.c.account_id == sa.bindparam("account"))
_known_at = _of_user.where(
    positions.c.since <= sa.bindparam("at_seq"),
    sa.or_(positions.c.until.is_(None), positions.c.until > sa.bindparam("at_seq")),
)

_COLUMNS = ("id", "wallet_id", "scope", "key", "payload", "first_seen", "since", "evidence_id")
_SNAPSHOT_COLUMNS = ("wallet_id", "scope", "first_seen", "last_seen", "seq", "since")
_decode = codec.decoder(Position).decode


class Outcome(Struct, frozen=True):
    """What a snapshot did: how many positions changed, and whether one was opened, closed or resized: then something happened."""

    changed: int
    is_moved: bool


class HeldPosition(Struct, frozen=True, kw_only=True):
    """A position, where it is held, and when it was last seen so."""

    account: AccountId
    wallet: WalletId
    scope: str
    position: Position
    last_seen: EpochMs


def check(snapshot: PositionSnapshot) -> None:
    """Raises: InvalidAmount for a number that is none or beyond all bounds; VenueBadResponse when a key is told twice."""
    for position in snapshot.positions:
        told = [position, *position.components]
        for part in told:
            for field in structs.fields(part):
                value = getattr(part, field.name)
                if isinstance(value, Decimal):
                    bounded(value, where=f"{field.name} of {position.key}")
    if len({position.key for position in snapshot.positions}) < len(snapshot.positions):
        raise VenueBadResponse(f"the positions of {snapshot.wallet}/{snapshot.scope} name one twice")


def tokens_in(batch: Batch) -> Iterable[TokenId]:
    """Every token that the batch's positions name."""
    return {token for snapshot in batch.positions for position in snapshot.positions for token in position.tokens}


def wallets_in(batch: Batch) -> Iterable[str]:
    """Every wallet that holds one of the batch's positions, or holds none any more."""
    return {snapshot.wallet for snapshot in batch.positions}


def observe(conn: Connection, place: Place, snapshot: PositionSnapshot) -> Outcome:
    """Files one snapshot that was checked. One that is older than the last look, as a rebuild reads it, moves no instant back."""
    wallet = place.wallets[snapshot.wallet]
    where = {"wallet": wallet, "of_scope": snapshot.scope}
    new = {position.key: position for position in snapshot.positions}
    row = conn.execute(_snapshot, where).one_or_none()
    held = {key: (number, _decode(payload)) for number, key, payload in conn.execute(_open, where)}
    gone = [key for key in held if key not in new]
    differing = [key for key, position in new.items() if key not in held or held[key][1] != position]
    at = snapshot.at if row is None else max(snapshot.at, EpochMs(row.last_seen))
    if row is not None and not gone and not differing:
        conn.execute(_seen, {**where, "at": at})
        return Outcome(0, is_moved=False)
    closing = [held[key][0] for key in (*gone, *differing) if key in held]
    if closing:
        conn.execute(_close, {"ids": closing, "seq": place.seq, "seen": at if row is None else row.last_seen})
        conn.execute(_drop_tokens, {"ids": closing})
    _add(conn, place, wallet, snapshot, [new[key] for key in differing])
    first, began = (at, place.seq) if row is None else (row.first_seen, row.since)
    bulk.insert(
        conn,
        position_snapshots,
        _SNAPSHOT_COLUMNS,
        [(wallet, snapshot.scope, first, at, place.seq, began)],
        or_replace=True,
    )
    resized = any(key not in held or held[key][1].size != new[key].size for key in differing)
    return Outcome(len(gone) + len(differing), is_moved=bool(gone) or resized)


def held(conn: Connection, principal: Principal, account: AccountId | None = None) -> list[HeldPosition]:
    """The open positions of the user, or of one account: by account, wallet, scope and key."""
    values: dict[str, object] = {"user": principal.data_user}
    if account is None:
        return _all(conn, _held, values)
    return _all(conn, _held_by, values | {"account": account})


def known_at(conn: Connection, principal: Principal, seq: int) -> list[HeldPosition]:
    """The positions as they were known right after the commit with that sequence. `last_seen` is that of today's knowledge."""
    return _all(conn, _known_at, {"user": principal.data_user, "at_seq": seq})


def _all(conn: Connection, statement: sa.Select[Any], values: Mapping[str, object]) -> list[HeldPosition]:
    return [
        HeldPosition(
            account=AccountId(account), wallet=WalletId(wallet), scope=scope, position=_decode(payload), last_seen=last_seen
        )
        for account, wallet, scope, payload, last_seen in conn.execute(statement, dict(values))
    ]


def _add(conn: Connection, place: Place, wallet: int, snapshot: PositionSnapshot, found: Sequence[Position]) -> None:
    evidence = place.evidence[snapshot.evidence] if snapshot.evidence is not None and place.evidence else None
    ids = numbers.mint(conn, positions, len(found))
    rows = [
        (number, wallet, snapshot.scope, position.key, codec.pack(position), snapshot.at, place.seq, evidence)
        for number, position in zip(ids, found, strict=True)
    ]
    bulk.insert(conn, positions, _COLUMNS, rows)
    worths = [
        (number, token)
        for number, position in zip(ids, found, strict=True)
        for token in sorted({place.tokens[part.token].number for part in position.components})
    ]
    bulk.insert(conn, position_tokens, ("position_id", "token_id"), worths)
