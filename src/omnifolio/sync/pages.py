"""A page on its way into the ledger: portion by portion, so that requests get their turn with the writer in between."""

from collections.abc import Sequence

from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts
from omnifolio.ledger.commit import Committed, commit
from omnifolio.ledger.portions import portions
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import Store


async def commit_page(
    store: Store,
    principal: Principal,
    account: AccountId,
    page: Batch,
    *,
    fence: int,
    now: EpochMs,
    keep_bodies: bool = True,
    lease_until: EpochMs | None = None,
) -> Committed:
    """Files a page and tells what it changed as a whole; with each portion the lease is kept until `lease_until`, if given.

    Raises: what `commit` raises.

    After an error earlier portions may stay, and the cursor has not moved: reading the page again files the rest, nothing twice.
    """
    parts = portions(page)
    transactions = balances = 0
    is_moved = False
    proof: Sequence[int] = ()
    seq: int | None = None

    def op(conn: Connection, part: Batch) -> Committed:
        is_last = part is parts[-1]
        done = commit(conn, principal, account, part, fence=fence, now=now, keep_bodies=keep_bodies, proof=proof, is_last=is_last)
        if lease_until is not None:
            # In the same transaction: one of its own would cost as much as a small page.
            accounts.extend(conn, account, fence=fence, until=lease_until)
        return done

    for part in parts:
        done = await store.write_sync(op, part)
        transactions += done.transactions
        balances += done.balances
        is_moved |= done.is_moved
        proof, seq = done.proof, done.seq if done.seq is not None else seq
    return Committed(
        seq=seq,
        transactions=transactions,
        balances=balances,
        positions=done.positions,
        orders=done.orders,
        is_suspect=done.is_suspect,
        is_moved=is_moved,
        proof=proof,
    )
