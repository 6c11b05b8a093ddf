"""How what another service handed on joins what the venue itself tells, once the account is connected to it again.

Both tell of the same events under names of their own. An event that was handed on is the venue's where the venue's own id or hash
of it is the same and something of the same kind moved; else as a file's lines are matched (`ledger.match`): one for one by what
moved and when. From then on it is one transaction, under the older id, and the venue's word alone says what moved. What the venue
tells in several parts is taken back as a whole. What it does not tell (any more) stays as it was handed on.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import claims, match, snapshots
from omnifolio.ledger.commit import check_fence
from omnifolio.ledger.match import Moved
from omnifolio.ledger.place import Place
from omnifolio.ledger.sequence import stamp, take
from omnifolio.ledger.tokens import intern, wallet_ids
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import ZERO
from omnifolio.model.clock import DAY_MS, SECOND_MS, EpochMs
from omnifolio.model.facts import HANDED_ON_RANK, Balance, Batch, Claim, Cursor, Snapshot
from omnifolio.model.ids import AccountId
from omnifolio.model.tokens import TokenId
from omnifolio.store.schema import accounts, evidence, observations, tokens, transactions, wallets
from omnifolio.store.schema import claims as claim_table
from omnifolio.store.schema import snapshots as snapshot_table

PARTS_MAX = 50
"""Parts in which a venue may tell what was handed on as one."""

_account: sa.BindParameter[int] = sa.bindparam("account")
_book: sa.BindParameter[str] = sa.bindparam("book")
_handed_on = sa.select(claim_table.c.id, claim_table.c.transaction_id, claim_table.c.payload, claim_table.c.evidence_id).where(
    claim_table.c.account_id == _account, claim_table.c.book == _book, claim_table.c.is_withdrawn == 0
)
_others = (
    sa.select(claim_table.c.transaction_id)
    .where(claim_table.c.account_id == _account, claim_table.c.book != _book, claim_table.c.is_withdrawn == 0)
    .distinct()
)
_named = sa.select(transactions.c.id, transactions.c.name, transactions.c.event).where(
    transactions.c.account_id == _account, transactions.c.state == "live"
)
_stale = (
    sa.select(wallets.c.key, snapshot_table.c.product, tokens.c.token)
    .join(wallets, wallets.c.id == snapshot_table.c.wallet_id)
    .join(
        observations,
        (observations.c.wallet_id == snapshot_table.c.wallet_id)
        & (observations.c.product == snapshot_table.c.product)
        & observations.c.until.is_(None),
    )
    .join(evidence, evidence.c.id == observations.c.evidence_id)
    .join(tokens, tokens.c.id == observations.c.token_id)
    .where(
        wallets.c.account_id == _account,
        snapshot_table.c.last_seen < sa.bindparam("before"),
        evidence.c.stream == sa.bindparam("stream"),
    )
)
_touch = sa.update(accounts).where(accounts.c.id == _account).values(seq=sa.bindparam("seq_"), updated_at=sa.bindparam("now"))


class Joined(Struct, frozen=True, kw_only=True):
    """What became of the events that were handed on: joined by name or by what moved, taken back for parts, or left alone."""

    by_name: int
    by_moves: int
    in_parts: int
    left: int


class _Handed(Struct, frozen=True):
    """A claim that was handed on, as it is stored."""

    number: int
    claim: Claim
    evidence: int | None


def join(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    *,
    book: str,
    fence: int,
    now: EpochMs,
    is_whole: bool,
) -> Joined:
    """Joins what `book` handed on with what the venue tells, in the caller's transaction.

    Only when the venue's history `is_whole` is what moved compared: an event of which a part is still to come is like another.
    Raises: LeaseLost, NotFound.
    """
    seq = take(conn, principal, now)
    check_fence(conn, principal, account, fence)
    handed = _all_handed_on(conn, account, book)
    told = {row[0] for row in conn.execute(_others, {"account": account, "book": book})}
    alone = {number: items for number, items in handed.items() if number not in told}
    free = told - handed.keys()
    if not alone or not free:
        return Joined(by_name=0, by_moves=0, in_parts=0, left=len(alone))
    events = _events(conn, principal, account, alone)
    by_name = _by_name(conn, account, alone, free, events)
    pairs = dict(by_name)
    gone: dict[int, int] = {}
    if is_whole:
        mine = [events[number] for number in sorted(alone.keys() - pairs.keys()) if number in events]
        seen = [events[number] for number in sorted(free - set(pairs.values())) if number in events]
        pairs |= match.pair(mine, seen, resolution_ms=SECOND_MS).found
        mine = [event for event in mine if event.id not in pairs]
        seen = [event for event in seen if event.id not in set(pairs.values())]
        gone = {item.number: event.id for event in _in_parts(mine, seen) for item in alone[event.id]}
    names = match.names_of(conn, account, pairs.values())
    renamed = [(item, names[target]) for number, target in pairs.items() if target in names for item in alone[number]]
    if renamed or gone:
        _write(conn, principal, account, seq=seq, renamed=renamed, gone=gone)
        conn.execute(_touch, {"account": account, "seq_": seq, "now": now})
    stamp(conn, principal, seq, account, now)
    in_parts = len(set(gone.values()))
    return Joined(
        by_name=len(by_name), by_moves=len(pairs) - len(by_name), in_parts=in_parts, left=len(alone) - len(pairs) - in_parts
    )


def end_balances(
    conn: Connection, principal: Principal, account: AccountId, *, stream: str, before: EpochMs, fence: int, now: EpochMs
) -> int:
    """Ends the balances that were handed on by `stream` where the venue, read since `before`, has told no such wallet or product.

    Gives how many wallets and products that were. Raises: LeaseLost, NotFound.
    """
    seq = take(conn, principal, now)
    check_fence(conn, principal, account, fence)
    held: dict[tuple[str, str], list[TokenId]] = defaultdict(list)
    for key, product, token in conn.execute(_stale, {"account": account, "stream": stream, "before": before}):
        held[key, product].append(TokenId(token))
    for (key, product), found in held.items():
        # Zeros that are stated: an absence alone would have to be seen twice.
        ended = Snapshot(wallet=key, product=product, at=now, balances=tuple(Balance(token, ZERO) for token in sorted(found)))  # type: ignore[arg-type]  # as stored
        place = _place(conn, principal, account, seq, wanted=found, wallets_wanted=[key], proof=())
        snapshots.observe(conn, place, ended)
    if held:
        conn.execute(_touch, {"account": account, "seq_": seq, "now": now})
    stamp(conn, principal, seq, account, now)
    return len(held)


def _all_handed_on(conn: Connection, account: AccountId, book: str) -> dict[int, list[_Handed]]:
    found: dict[int, list[_Handed]] = defaultdict(list)
    for row in conn.execute(_handed_on, {"account": account, "book": book}):
        claim = claims.decode_claim(row.payload)
        assert claim.rank == HANDED_ON_RANK, "what was handed on has the last rank"
        found[row.transaction_id].append(_Handed(row.id, claim, row.evidence_id))
    return found


def _events(
    conn: Connection, principal: Principal, account: AccountId, alone: Mapping[int, Sequence[_Handed]]
) -> Mapping[int, Moved]:
    """All events of the account around those times, by what they moved."""
    times = [item.claim.at for items in alone.values() for item in items]
    start, end = EpochMs(min(times) - DAY_MS), EpochMs(max(times) + DAY_MS)
    return {event.id: event for event in match.between(conn, principal, account, start=start, end=end)}


def _by_name(
    conn: Connection,
    account: AccountId,
    alone: Mapping[int, Sequence[_Handed]],
    free: set[int],
    events: Mapping[int, Moved],
) -> dict[int, int]:
    """Events that bear the venue's own id or hash, each with the venue's nearest in time of that name."""
    by_name: dict[str, list[int]] = defaultdict(list)
    for number, name, event in conn.execute(_named, {"account": account}):
        if number in free and number in events:
            for value in {name, (event or "").rpartition(":")[2]} - {""}:
                by_name[value].append(number)
    found: dict[int, int] = {}
    taken: set[int] = set()
    for number in sorted(alone.keys() & events.keys()):
        mine = events[number]
        values = {value for item in alone[number] for value in _names(item.claim)}
        fitting = [
            events[other]
            for value in values
            for other in by_name.get(value, ())
            if other not in taken and _is_alike(mine, events[other])
        ]
        if fitting:
            nearest = min(fitting, key=lambda event: (abs(event.at - mine.at), event.id))
            found[number] = nearest.id
            taken.add(nearest.id)
    return found


def _names(claim: Claim) -> Iterator[str]:
    if claim.name:
        yield claim.name
    if claim.event:
        yield claim.event.rpartition(":")[2]


def _is_alike(one: Moved, other: Moved) -> bool:
    """Whether the two moved something of the same ticker in the same direction; inside the account, something the same."""
    return bool(_ways(one) & _ways(other))


def _ways(event: Moved) -> set[tuple[str, bool]]:
    return {(ticker, Decimal(amount) > 0) for ticker, amount in (*event.total, *event.principal, *event.inside)}


def _in_parts(mine: Sequence[Moved], seen: Sequence[Moved]) -> list[Moved]:
    """Those that the venue tells as several events of the same second, which together moved the same."""
    by_second: dict[int, list[Moved]] = defaultdict(list)
    for event in seen:
        by_second[event.at // SECOND_MS].append(event)
    found: list[Moved] = []
    for event in mine:
        near = [other for second in (-1, 0, 1) for other in by_second.get(event.at // SECOND_MS + second, ())]
        parts = _run(event, near[:PARTS_MAX])
        if parts:
            found.append(event)
            for other in parts:
                by_second[other.at // SECOND_MS].remove(other)
    return found


def _run(event: Moved, near: Sequence[Moved]) -> Sequence[Moved]:
    """Neighbours that together moved what the event did."""
    for first in range(len(near)):
        for last in range(first + 2, len(near) + 1):
            if event.total and match.together(near[first:last]) == event.total:
                return near[first:last]
    return ()


def _write(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    *,
    seq: int,
    renamed: Sequence[tuple[_Handed, str]],
    gone: Mapping[int, int],
) -> None:
    """States the joined claims again with the name of the venue's event beside their own, and takes the `gone` ones back."""
    proof = sorted({item.evidence for item, _ in renamed if item.evidence is not None})
    stated = tuple(
        structs.replace(
            item.claim,
            refs=(*item.claim.refs, name),
            evidence=None if item.evidence is None else proof.index(item.evidence),
        )
        for item, name in renamed
    )
    batch = Batch(cursor=Cursor(""), observed_at=EpochMs(0), claims=stated)
    place = _place(
        conn, principal, account, seq, wanted=claims.tokens_in(batch), wallets_wanted=claims.wallets_in(batch), proof=proof
    )
    claims.apply(conn, place, batch)
    if gone:
        claims.write(conn, place, [], {}, gone)


def _place(
    conn: Connection,
    principal: Principal,
    account: AccountId,
    seq: int,
    *,
    wanted: Iterable[TokenId],
    wallets_wanted: Iterable[str],
    proof: Sequence[int],
) -> Place:
    return Place(
        user=principal.data_user,
        account=account,
        seq=seq,
        stream="",
        tokens=intern(conn, wanted, ()),
        wallets=wallet_ids(conn, account, wallets_wanted, (), seq=seq),
        evidence=proof,
    )
