"""The history and the open positions derived again from their evidence, with equal ids: a better decoder needs no second fetch.

Every kept page is decoded anew, oldest first. A claim follows the last page that stated it; claims that were taken back stay
taken back; claims that no kept page states any more are taken back now. Open positions are those of the last kept page that tells
their (wallet, scope). Ids live in the names under which events were seen,
so overlays keep hanging where they hung.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import claims, evidence, links, positions
from omnifolio.ledger.place import Place
from omnifolio.ledger.sequence import stamp, take
from omnifolio.ledger.tokens import intern, wallet_ids
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Claim, Evidence, PositionSnapshot
from omnifolio.model.ids import AccountId
from omnifolio.store.schema import accounts
from omnifolio.store.schema import claims as claim_table
from omnifolio.store.schema import evidence as evidence_table

Decode = Callable[[str, Sequence[Evidence]], Batch]
"""(stream, answers) → the facts of the page."""

_account: sa.BindParameter[int] = sa.bindparam("account")
_stated = (
    sa.select(
        claim_table.c.id,
        claim_table.c.ref,
        claim_table.c.book,
        claim_table.c.origin,
        claim_table.c.transaction_id,
        claim_table.c.is_withdrawn,
        evidence_table.c.page,
    )
    .join(evidence_table, evidence_table.c.id == claim_table.c.evidence_id)
    .where(claim_table.c.account_id == _account)
)
_touch = sa.update(accounts).where(accounts.c.id == _account).values(seq=sa.bindparam("seq_"), updated_at=sa.bindparam("now"))


class Rebuilt(Struct, frozen=True, kw_only=True):
    """What a rebuild did."""

    pages: int
    changed: int
    taken_back: int


def rebuild(conn: Connection, principal: Principal, account: AccountId, decode: Decode, *, now: EpochMs) -> Rebuilt:
    """Derives the account's transactions again, in the caller's transaction.

    Raises: NotFound; VenueBadResponse when a kept page cannot be decoded, in which case nothing changes.
    """
    seq = take(conn, principal, now)
    stated = {(row.ref, row.book, row.origin): row for row in conn.execute(_stated, {"account": account})}
    seen: set[claims.Key] = set()
    stands: dict[tuple[str, str], tuple[PositionSnapshot, Batch, Sequence[int]]] = {}
    pages = changed = 0
    for page in evidence.pages(conn, account):
        pages += 1
        batch = decode(page.answers[0].stream, page.answers)
        kept = tuple(claim for claim in batch.claims if _is_last_word(stated, claim, page.number))
        seen.update((claim.ref, claim.book, claim.origin) for claim in batch.claims)
        stands |= {(told.wallet, told.scope): (told, batch, page.ids) for told in batch.positions}
        if kept:
            stripped = structs.replace(batch, claims=kept, snapshots=(), positions=(), orders=())
            place = _place(conn, principal, account, stripped, seq=seq, ids=page.ids)
            changed += claims.apply(conn, place, stripped)
    lost = {row.id: row.transaction_id for key, row in stated.items() if key not in seen and not row.is_withdrawn}
    if lost:
        empty = Place(
            user=principal.data_user, account=account, seq=seq, stream="", tokens={},
            wallets=wallet_ids(conn, account, (), (), seq=seq), evidence=(),
        )  # fmt: skip
        changed += claims.write(conn, empty, [], {}, lost)
    for told, batch, ids in stands.values():
        positions.check(told)
        place = _place(conn, principal, account, structs.replace(batch, claims=(), positions=(told,)), seq=seq, ids=ids)
        changed += positions.observe(conn, place, told).changed
    links.relink(conn, principal.data_user, seq)
    if changed:
        conn.execute(_touch, {"account": account, "seq_": seq, "now": now})
    stamp(conn, principal, seq, account, now)
    return Rebuilt(pages=pages, changed=changed, taken_back=len(lost))


def _is_last_word(stated: Mapping[claims.Key, Any], claim: Claim, page: int) -> bool:
    row = stated.get((claim.ref, claim.book, claim.origin))
    return row is None or (row.page == page and not row.is_withdrawn)


def _place(conn: Connection, principal: Principal, account: AccountId, batch: Batch, *, seq: int, ids: Sequence[int]) -> Place:
    return Place(
        user=principal.data_user,
        account=account,
        seq=seq,
        stream=batch.cursor.stream,
        tokens=intern(conn, {*claims.tokens_in(batch), *positions.tokens_in(batch)}, batch.tokens),
        wallets=wallet_ids(conn, account, {*claims.wallets_in(batch), *positions.wallets_in(batch)}, batch.wallets, seq=seq),
        evidence=ids,
    )
