"""Observed balances as intervals: what a wallet held, from when to when, and which observation is not believed yet.

What must hold
  * an unchanged snapshot moves one row's `last_seen` and nothing else;
  * the balances of one (wallet, product) change together, in the transaction that brings them;
  * a token is never taken away by an observation that the guard doubts: it stays, marked suspect, until a second look, legs
    that explain it, or its reappearance.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import guard
from omnifolio.ledger.place import Place
from omnifolio.meaning.classify import TYPE_NUMBERS
from omnifolio.model.amounts import ZERO, canonical, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Snapshot
from omnifolio.model.ids import AccountId
from omnifolio.store import bulk, codec
from omnifolio.store.lists import any_of
from omnifolio.store.reading import Reading
from omnifolio.store.schema import legs, observations, quotes, snapshots, sums, wallets

_wallet: sa.BindParameter[int] = sa.bindparam("wallet")
_product: sa.BindParameter[str] = sa.bindparam("product")
_open = sa.select(observations.c.id, observations.c.token_id, observations.c.amount).where(
    observations.c.wallet_id == _wallet, observations.c.product == _product, observations.c.until.is_(None)
)
_snapshot = sa.select(snapshots).where(snapshots.c.wallet_id == _wallet, snapshots.c.product == _product)
_doubted_here = (
    snapshots.c.suspect.is_not(None),
    snapshots.c.wallet_id.in_(sa.select(wallets.c.id).where(wallets.c.account_id == sa.bindparam("account"))),
)
_suspects = sa.select(snapshots).where(*_doubted_here)
_any_suspect = Reading(sa.select(snapshots.c.wallet_id).where(*_doubted_here).limit(1))
_close = (
    sa.update(observations)
    .where(any_of(observations.c.id, "ids"))
    .values(until=sa.bindparam("seq"), last_seen=sa.bindparam("seen"))
)
_seen = (
    sa.update(snapshots)
    .where(snapshots.c.wallet_id == _wallet, snapshots.c.product == sa.bindparam("of_product"))
    .values(last_seen=sa.bindparam("at"))
)
_legs_since = sa.select(legs.c.token_id, legs.c.amount, legs.c.at).where(
    legs.c.wallet_id == _wallet,
    any_of(legs.c.token_id, "tokens"),
    legs.c.type_number.in_([sa.literal_column(str(number)) for number in TYPE_NUMBERS.values()]),
    legs.c.at >= sa.bindparam("since"),
)
_wholes = sa.select(sums.c.token_id, sums.c.amount).where(sums.c.wallet_id == _wallet, any_of(sums.c.token_id, "tokens"))
_latest = sa.select(quotes.c.token_id, sa.func.max(quotes.c.bucket).label("bucket")).where(
    any_of(quotes.c.token_id, "tokens"), quotes.c.currency == "USD", quotes.c.price.is_not(None), quotes.c.reason == ""
).group_by(quotes.c.token_id).subquery()  # fmt: skip
_prices = sa.select(quotes.c.token_id, quotes.c.price).join(
    _latest, (quotes.c.token_id == _latest.c.token_id) & (quotes.c.bucket == _latest.c.bucket) & (quotes.c.currency == "USD")
).where(quotes.c.price.is_not(None), quotes.c.reason == "")  # fmt: skip

_OBSERVATION_COLUMNS = ("wallet_id", "product", "token_id", "amount", "first_seen", "since", "evidence_id")
_SNAPSHOT_COLUMNS = ("wallet_id", "product", "first_seen", "last_seen", "seq", "suspect", "suspect_since", "since")


class Doubt(Struct, frozen=True, array_like=True):
    """The tokens whose absence is not believed yet."""

    tokens: tuple[int, ...]


_decode_doubt = codec.decoder(Doubt).decode


class Outcome(Struct, frozen=True):
    """What a snapshot did: how many balances changed, and whether an absence is doubted."""

    changed: int
    is_suspect: bool


def observe(conn: Connection, place: Place, snapshot: Snapshot) -> Outcome:
    """Files one snapshot. Raises: VenueBadResponse when it names a token twice."""
    wallet = place.wallets[snapshot.wallet]
    new = _amounts(place, snapshot)
    row = conn.execute(_snapshot, {"wallet": wallet, "product": snapshot.product}).one_or_none()
    held = _held(conn, wallet, snapshot.product)
    absent = frozenset(token for token in held if token not in new)
    before = doubted_tokens(row.suspect) if row is not None and row.suspect is not None else frozenset[int]()
    doubted = frozenset[int]()
    if row is not None and absent:
        amounts = {token: amount for token, (_, amount) in held.items()}
        doubted = _doubted(conn, row, before, held=amounts, absent=absent, at=snapshot.at)
    gone = [token for token in absent if token not in doubted]
    differing = [token for token, amount in new.items() if amount != held.get(token, (0, ZERO))[1]]
    if row is not None and not gone and not differing and doubted == before:
        if not doubted:
            conn.execute(_seen, {"wallet": wallet, "of_product": snapshot.product, "at": snapshot.at})
        return Outcome(0, bool(doubted))
    closing = [held[token][0] for token in (*gone, *differing) if token in held]
    seen = row.last_seen if row is not None else snapshot.at
    if closing:
        conn.execute(_close, {"ids": closing, "seq": place.seq, "seen": seen})
    evidence = place.evidence[snapshot.evidence] if snapshot.evidence is not None and place.evidence else None
    bulk.insert(
        conn,
        observations,
        _OBSERVATION_COLUMNS,
        [
            (wallet, snapshot.product, token, canonical(new[token]), snapshot.at, place.seq, evidence)
            for token in differing
            if new[token]
        ],
    )
    doubt = codec.pack(Doubt(tuple(sorted(doubted)))) if doubted else None
    # A doubt that grows begins again: what is missing since this look only was seen missing once.
    doubted_at = row.suspect_since if row is not None and before and doubted <= before else snapshot.at
    since = doubted_at if doubted else None
    first = row.first_seen if row is not None else snapshot.at
    last = seen if doubted else snapshot.at
    began = row.since if row is not None else place.seq
    bulk.insert(
        conn,
        snapshots,
        _SNAPSHOT_COLUMNS,
        [(wallet, snapshot.product, first, last, place.seq, doubt, since, began)],
        or_replace=True,
    )
    return Outcome(len(gone) + len(differing) + (doubted != before), bool(doubted))


def reconsider(conn: Connection, place: Place) -> int:
    """After new legs: takes away doubted balances whose going the legs now explain. Gives how many."""
    changed = 0
    if not has_suspects(conn, place.account):
        return changed
    for row in conn.execute(_suspects, {"account": place.account}).all():
        doubted = _decode_doubt(row.suspect).tokens
        held = _held(conn, row.wallet_id, row.product)
        amounts = {token: held[token][1] for token in doubted if token in held}
        explained = sorted(_explained(conn, row, amounts))
        if not explained:
            continue
        conn.execute(_close, {"ids": [held[t][0] for t in explained], "seq": place.seq, "seen": row.last_seen})
        left = tuple(token for token in amounts if token not in explained)
        values = (
            row.wallet_id, row.product, row.first_seen, row.last_seen, place.seq,
            codec.pack(Doubt(left)) if left else None, row.suspect_since if left else None, row.since,
        )  # fmt: skip
        bulk.insert(conn, snapshots, _SNAPSHOT_COLUMNS, [values], or_replace=True)
        changed += len(explained)
    return changed


def has_suspects(conn: Connection, account: AccountId) -> bool:
    """True while an absence in one of the account's wallets is doubted."""
    return bool(_any_suspect.rows(conn, account=account))


def doubted_tokens(stored: bytes) -> frozenset[int]:
    """The tokens of a stored doubt."""
    return frozenset(_decode_doubt(stored).tokens)


def _amounts(place: Place, snapshot: Snapshot) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for balance in snapshot.balances:
        token = place.tokens[balance.token].number
        if token in found:
            raise VenueBadResponse(f"the balances of {snapshot.wallet}/{snapshot.product} name {balance.token} twice")
        found[token] = balance.amount
    return found


def _held(conn: Connection, wallet: int, product: str) -> dict[int, tuple[int, Decimal]]:
    rows = conn.execute(_open, {"wallet": wallet, "product": product})
    return {row.token_id: (row.id, Decimal(row.amount)) for row in rows}


def _explained(conn: Connection, row: Any, held: Mapping[int, Decimal]) -> frozenset[int]:
    """Those of the held tokens whose going legs show, seen from the last good observation."""
    values = {"wallet": row.wallet_id, "since": row.last_seen - guard.EXPLAINING_SLACK_MS, "tokens": sorted(held)}
    moved: dict[int, list[Decimal]] = {}
    left: set[int] = set()
    for leg in conn.execute(_legs_since, values):
        amount = Decimal(leg.amount)
        if leg.at > row.last_seen:
            moved.setdefault(leg.token_id, []).append(amount)
        if (amount > 0) != (held[leg.token_id] > 0):
            left.add(leg.token_id)
    whole = {found.token_id: Decimal(found.amount) for found in conn.execute(_wholes, values)} if left else {}
    return frozenset(
        token
        for token, amount in held.items()
        if guard.is_explained(
            held=amount, moved=total(moved.get(token, ())), whole=whole.get(token, ZERO), has_left=token in left
        )
    )


def _doubted(
    conn: Connection,
    row: Any,
    before: frozenset[int],
    *,
    held: Mapping[int, Decimal],
    absent: frozenset[int],
    at: EpochMs,
) -> frozenset[int]:
    """The absent tokens that are not believed gone; empty when the absence is accepted. `before` are those of the last look."""
    unexplained = absent - _explained(conn, row, {token: held[token] for token in absent})
    prices = {r.token_id: Decimal(r.price) for r in conn.execute(_prices, {"tokens": sorted(held)})}
    is_late = bool(before) and guard.is_confirmed(suspect_since=row.suspect_since, at=at)
    if not guard.is_suspect(held=held, unexplained=unexplained, prices=prices):
        # Too little to be doubted by itself; what was doubted waits for its second look although the rest came back.
        return frozenset() if is_late else unexplained & before
    return frozenset() if is_late and unexplained <= before else unexplained
