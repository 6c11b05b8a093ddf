"""One page of facts into the ledger: everything that it says, its evidence and the cursor after it, or nothing at all.

The caller owns the transaction. The user's counter is taken first, so the commits of one user follow each other; the lease's
fence is checked inside, so a worker that was declared dead writes nothing.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import claims, coverage, evidence, orders, positions, snapshots
from omnifolio.ledger.place import Place
from omnifolio.ledger.sequence import stamp, take
from omnifolio.ledger.tokens import intern, wallet_ids
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import bounded
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import LeaseLost, NotFound
from omnifolio.model.facts import Batch, Gap
from omnifolio.model.ids import AccountId
from omnifolio.store.reading import Reading, Writing
from omnifolio.store.schema import accounts

_fence = Reading(
    sa.select(accounts.c.fence).where(
        accounts.c.id == sa.bindparam("account"), accounts.c.user_id == sa.bindparam("user"), accounts.c.is_deleted == 0
    )
)
_seen = (
    sa.update(accounts)
    .where(accounts.c.id == sa.bindparam("account"))
    .values(seq=sa.bindparam("seq_"), updated_at=sa.bindparam("now"))
)
_touch, _touch_moved = Writing(_seen), Writing(_seen.values(scanned_at=sa.null()))
"""A balance or a position has moved: history is to be read, whatever becomes of the worker that saw it."""


class Committed(Struct, frozen=True, kw_only=True):
    """What a page changed. `seq` is None when it said only what was known: then nothing but the cursor moved."""

    seq: int | None
    transactions: int
    balances: int
    positions: int = 0
    orders: int
    is_suspect: bool
    is_moved: bool = False
    """Whether a balance changed, or a position was opened, closed or resized: then there is history to be read."""
    proof: Sequence[int] = ()
    """The stored answers of the page; its later portions name them instead of storing them again."""


def commit(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    batch: Batch,
    *,
    fence: int,
    now: EpochMs,
    keep_bodies: bool = True,
    proof: Sequence[int] = (),
    is_last: bool = True,
) -> Committed:
    """Files one batch of an account of the principal's user.

    Of a page in `portions`, each one is given the `proof` of the one before, and only the last moves the cursor.

    Raises: LeaseLost when `fence` is no longer the account's; NotFound when the account is gone; InvalidAmount and
    VenueBadResponse for facts that cannot be true. Whatever it raises, nothing of the batch stays.
    """
    seq = take(conn, principal, now)
    _check_fence(conn, principal, account, fence)
    place = _place(conn, principal, account, batch, seq, keep_bodies=keep_bodies, proof=proof)
    changed_transactions = claims.apply(conn, place, batch)
    outcomes = [snapshots.observe(conn, place, snapshot) for snapshot in batch.snapshots]
    changed_balances = sum(outcome.changed for outcome in outcomes)
    if changed_transactions:
        changed_balances += snapshots.reconsider(conn, place)
    stands = [positions.observe(conn, place, snapshot) for snapshot in batch.positions]
    changed_positions = sum(outcome.changed for outcome in stands)
    is_moved = bool(changed_balances) or any(outcome.is_moved for outcome in stands)
    changed_orders = orders.put(conn, place, batch.orders)
    changed_coverage = coverage.mark(conn, account, seq, batch, now) if is_last else False
    is_changed = bool(changed_transactions or changed_balances or changed_positions or changed_orders or changed_coverage)
    if not is_changed:
        if not proof:
            evidence.drop_page(conn, place.evidence)
        seq_out = None
    else:
        (_touch_moved if is_moved else _touch).run(conn, account=account, seq_=seq, now=now)
        seq_out = seq
    stamp(conn, principal, seq, account, now)
    return Committed(
        seq=seq_out,
        transactions=changed_transactions,
        balances=changed_balances,
        positions=changed_positions,
        orders=changed_orders,
        is_suspect=any(outcome.is_suspect for outcome in outcomes),
        is_moved=is_moved,
        proof=place.evidence if is_changed else proof,
    )


def record_failure(conn: Connection, principal: Principal, account: AccountId, gap: Gap, *, fence: int, now: EpochMs) -> int:
    """States that a stream could not be read. Nothing that was known is touched. Raises: LeaseLost, NotFound."""
    seq = take(conn, principal, now)
    _check_fence(conn, principal, account, fence)
    coverage.fail(conn, account, seq, gap, now)
    _touch.run(conn, account=account, seq_=seq, now=now)
    stamp(conn, principal, seq, account, now)
    return seq


def _check_fence(conn: Connection, principal: Principal, account: AccountId, fence: int) -> None:
    rows = _fence.rows(conn, account=account, user=principal.data_user)
    if not rows:
        raise NotFound("no account has this id")
    if rows[0][0] != fence:
        raise LeaseLost


def _place(
    conn: Connection, principal: Principal, account: AccountId, batch: Batch, seq: int, *, keep_bodies: bool, proof: Sequence[int]
) -> Place:
    tokens, names = set(positions.tokens_in(batch)), set(positions.wallets_in(batch))
    for claim in batch.claims:
        for leg in claim.legs:
            bounded(leg.amount, where=claim.ref)
            tokens.add(leg.token)
            names.add(leg.wallet)
    for snapshot in batch.snapshots:
        names.add(snapshot.wallet)
        for balance in snapshot.balances:
            bounded(balance.amount, where=f"balance of {balance.token}")
            tokens.add(balance.token)
    for stands in batch.positions:
        positions.check(stands)
    for order in batch.orders:
        tokens.update((order.base, order.quote))
    return Place(
        user=principal.data_user,
        account=account,
        seq=seq,
        stream=batch.cursor.stream,
        tokens=intern(conn, tokens, batch.tokens),
        wallets=wallet_ids(conn, account, names, batch.wallets, seq=seq),
        evidence=proof or evidence.keep(conn, account, seq, batch.evidence, bodies=keep_bodies),
    )
