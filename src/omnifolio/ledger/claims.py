"""Identity: which claims are one event, what its id is, and what changes when claims come, change or are taken back.

What must hold
  * a ref leads to the same transaction for ever; two transactions that turn out to be one keep the older id, and the younger
    becomes a tombstone that redirects;
  * claims in any order, page by page or all at once, end in the same transactions;
  * a claim that says what it said before writes nothing;
  * the sums per (wallet, token) move by exactly the legs that come and go.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger.fold import Event, fold
from omnifolio.ledger.tokens import TokenRow, intern
from omnifolio.model.amounts import EXACT, ZERO, canonical
from omnifolio.model.facts import Batch, Claim
from omnifolio.model.ids import AccountId, UserId, WalletId
from omnifolio.model.tokens import TokenId
from omnifolio.store import bulk, codec, numbers
from omnifolio.store.lists import any_of
from omnifolio.store.schema import claims, legs, overlays, past, refs, sums, transactions

DIGEST_BYTES = 16

Key = tuple[str, str, str]
"""(ref, book, origin): what identifies a claim within its account."""

_account: sa.BindParameter[int] = sa.bindparam("account")
_existing = sa.select(
    claims.c.id, claims.c.ref, claims.c.book, claims.c.origin, claims.c.digest, claims.c.transaction_id, claims.c.is_withdrawn
).where(claims.c.account_id == _account, any_of(claims.c.ref, "refs"))
_known_refs = sa.select(refs.c.ref, refs.c.transaction_id).where(refs.c.account_id == _account, any_of(refs.c.ref, "refs"))
_of_transactions = sa.select(
    claims.c.id, claims.c.ref, claims.c.book, claims.c.origin, claims.c.transaction_id, claims.c.payload
).where(any_of(claims.c.transaction_id, "ids"), claims.c.is_withdrawn == 0)
_unsettled = sa.select(claims.c.ref, claims.c.book, claims.c.origin, claims.c.id, claims.c.transaction_id).where(
    claims.c.account_id == _account,
    claims.c.stream == sa.bindparam("stream"),
    claims.c.finality != "final",
    claims.c.is_withdrawn == 0,
)
_above = _unsettled.where(claims.c.height > sa.bindparam("height"))
_pending = _unsettled.where(claims.c.finality == "pending")
_rows = sa.select(transactions).where(any_of(transactions.c.id, "ids"))
_legs = sa.select(
    legs.c.transaction_id, legs.c.key, legs.c.wallet_id, legs.c.token_id, legs.c.amount, legs.c.role, legs.c.counterparty
).where(any_of(legs.c.transaction_id, "ids"))
_drop_legs = sa.delete(legs).where(any_of(legs.c.transaction_id, "ids"))
_sums = sa.select(sums.c.wallet_id, sums.c.token_id, sums.c.amount).where(
    any_of(sums.c.wallet_id, "wallets"), any_of(sums.c.token_id, "tokens")
)
_withdraw = sa.update(claims).where(any_of(claims.c.id, "ids")).values(is_withdrawn=1)
_move_claims = (
    sa.update(claims).where(claims.c.transaction_id == sa.bindparam("younger")).values(transaction_id=sa.bindparam("older"))
)
_move_refs = (
    sa.update(refs)
    .where(refs.c.account_id == _account, refs.c.transaction_id == sa.bindparam("younger"))
    .values(transaction_id=sa.bindparam("older"))
)
_kept = overlays.alias("kept")
_move_overlays = (
    sa.update(overlays)
    .where(
        overlays.c.user_id == sa.bindparam("user"),
        overlays.c.target == sa.bindparam("younger_target"),
        ~sa.exists().where(
            _kept.c.user_id == overlays.c.user_id,
            _kept.c.kind == overlays.c.kind,
            _kept.c.target == sa.bindparam("older_target"),
        ),
    )
    .values(target=sa.bindparam("older_target"))
)
_mark_merged = (
    sa.update(transactions).where(transactions.c.id == sa.bindparam("younger")).values(merged_into=sa.bindparam("older"))
)

_CLAIM_COLUMNS = (
    "account_id", "origin", "book", "ref", "transaction_id", "stream", "digest", "payload", "evidence_id", "height", "finality",
)  # fmt: skip
_TRANSACTION_COLUMNS = (
    "id", "account_id", "user_id", "seq", "since", "state", "merged_into", "at", "type", "subtype", "status", "name", "label",
    "event", "confirmed_at", "height", "finality",
)  # fmt: skip
_LEG_COLUMNS = ("transaction_id", "key", "account_id", "wallet_id", "token_id", "amount", "role", "counterparty", "at")

decode_claim = codec.decoder(Claim).decode


class Place(Struct, frozen=True, kw_only=True):
    """Where a batch is written: whose account, under which sequence, with which integers."""

    user: UserId
    account: AccountId
    seq: int
    stream: str
    tokens: Mapping[TokenId, TokenRow]
    wallets: Mapping[str, WalletId]
    evidence: Sequence[int]

    def is_fiat(self, token: TokenId) -> bool:
        """Government money, as the token's first facts said."""
        return self.tokens[token].kind == "fiat"


class _Said(Struct):
    """A claim on its way into the table."""

    claim: Claim
    payload: bytes
    digest: bytes
    evidence: int | None
    number: int | None = None
    transaction: int | None = None


class _Group(Struct):
    """Claims and transactions that turned out to be one event."""

    said: list[_Said]
    names: set[str]
    transactions: set[int]


class LegRow(Struct, frozen=True, array_like=True):
    """A leg by integers, as it is stored and kept in versions."""

    key: str
    wallet: int
    token: int
    amount: str
    role: str
    counterparty: str | None


class Version(Struct, frozen=True, array_like=True):
    """A transaction as it was between two sequences."""

    state: str
    merged_into: int | None
    at: int
    type: str
    subtype: str | None
    status: str
    name: str
    label: str
    event: str | None
    confirmed_at: int | None
    height: int | None
    finality: str
    legs: tuple[LegRow, ...]
    account: int = 0


def tokens_in(batch: Batch) -> Iterable[TokenId]:
    """Every token that the batch's claims move."""
    return {leg.token for claim in batch.claims for leg in claim.legs}


def wallets_in(batch: Batch) -> Iterable[str]:
    """Every wallet that the batch's claims touch."""
    return {leg.wallet for claim in batch.claims for leg in claim.legs}


def apply(conn: Connection, place: Place, batch: Batch) -> int:
    """Writes the batch's claims and what follows from them; gives the number of transactions that changed."""
    said = _said(batch, place.evidence)
    existing = _existing_claims(conn, place.account, said.values())
    withdrawn = _taken_back(conn, place, batch)
    changed: list[_Said] = []
    restated: set[int] = set()
    for key, item in said.items():
        row = existing.get(key)
        if row is not None:
            item.number, item.transaction = row.id, row.transaction_id
            restated.add(row.id)
            if row.digest == item.digest and not row.is_withdrawn:
                continue
        changed.append(item)
    gone = {number: transaction for number, transaction in withdrawn.items() if number not in restated}
    return write(conn, place, changed, gone) if changed or gone else 0


def write(conn: Connection, place: Place, changed: Sequence[_Said], gone: Mapping[int, int]) -> int:
    """Files new or changed claims, takes back the `gone` ones (claim id → transaction), folds every event that this touches."""
    if gone:
        conn.execute(_withdraw, {"ids": sorted(gone)})
    groups = _grouped(changed, _known(conn, place.account, changed))
    minted = iter(numbers.mint(conn, transactions, sum(1 for group in groups if not group.transactions)))
    events: dict[int, list[Claim]] = {}
    touched: set[int] = set(gone.values())
    for group in groups:
        older = min(group.transactions) if group.transactions else next(minted)
        for younger in sorted(group.transactions - {older}):
            _merge(conn, place, older=older, younger=younger)
        if group.transactions:
            touched |= group.transactions
        else:
            events[older] = [item.claim for item in group.said]
        for item in group.said:
            item.transaction = older
    _file_claims(conn, place, changed)
    _file_refs(conn, place, groups)
    told = _told(conn, touched)
    place = _with_tokens_of(conn, place, told)
    events |= told
    current = _current(conn, touched)
    return _file_events(conn, place, events, current)


def _said(batch: Batch, evidence: Sequence[int]) -> dict[Key, _Said]:
    found: dict[Key, _Said] = {}
    for claim in batch.claims:
        plain = claim if claim.evidence is None else structs.replace(claim, evidence=None)
        payload = codec.pack(plain)
        found[claim.ref, claim.book, claim.origin] = _Said(
            claim=plain,
            payload=payload,
            digest=hashlib.blake2b(payload, digest_size=DIGEST_BYTES).digest(),
            evidence=evidence[claim.evidence] if claim.evidence is not None and evidence else None,
        )
    return found


def _existing_claims(conn: Connection, account: AccountId, said: Iterable[_Said]) -> dict[Key, Any]:
    wanted = sorted({item.claim.ref for item in said})
    if not wanted:
        return {}
    rows = conn.execute(_existing, {"account": account, "refs": wanted})
    return {(row.ref, row.book, row.origin): row for row in rows}


def _taken_back(conn: Connection, place: Place, batch: Batch) -> dict[int, int]:
    found: dict[int, int] = {}
    if batch.rewind is not None:
        values = {"account": place.account, "stream": batch.rewind.stream, "height": batch.rewind.height}
        found |= {row.id: row.transaction_id for row in conn.execute(_above, values)}
    if batch.pending_complete:
        found |= {
            row.id: row.transaction_id for row in conn.execute(_pending, {"account": place.account, "stream": place.stream})
        }
    return found


def _known(conn: Connection, account: AccountId, changed: Sequence[_Said]) -> dict[str, int]:
    wanted = sorted({name for item in changed for name in item.claim.refs})
    rows = conn.execute(_known_refs, {"account": account, "refs": wanted}) if wanted else ()
    return {row[0]: row[1] for row in rows}


def _grouped(changed: Sequence[_Said], known: Mapping[str, int]) -> list[_Group]:
    """Claims by event: linked through a common name, or through a transaction that both lead to."""
    group_of: dict[str | int, _Group] = {}
    for item in changed:
        links: list[str | int] = list(item.claim.refs)
        found = {known[name] for name in item.claim.refs if name in known}
        if item.transaction is not None:
            found.add(item.transaction)
        links.extend(found)
        met = {id(group): group for link in links if (group := group_of.get(link)) is not None}
        group = _joined(list(met.values()), group_of) if met else _Group([], set(), set())
        group.said.append(item)
        group.names.update(item.claim.refs)
        group.transactions.update(found)
        for link in links:
            group_of[link] = group
    return list({id(group): group for group in group_of.values()}.values())


def _joined(met: Sequence[_Group], group_of: dict[str | int, _Group]) -> _Group:
    first, *others = met
    for other in others:
        first.said.extend(other.said)
        first.names |= other.names
        first.transactions |= other.transactions
        group_of.update(dict.fromkeys(other.names, first))
        group_of.update(dict.fromkeys(other.transactions, first))
    return first


def _merge(conn: Connection, place: Place, *, older: int, younger: int) -> None:
    conn.execute(_move_claims, {"older": older, "younger": younger})
    conn.execute(_move_refs, {"account": place.account, "older": older, "younger": younger})
    conn.execute(_move_overlays, {"user": place.user, "older_target": str(older), "younger_target": str(younger)})
    # The legs go with the younger row's version in `_file_events`: it has no claims any more and is marked there.
    conn.execute(_mark_merged, {"older": older, "younger": younger})


def _file_claims(conn: Connection, place: Place, changed: Sequence[_Said]) -> None:
    rows = [
        (
            place.account, item.claim.origin, item.claim.book, item.claim.ref, item.transaction, place.stream, item.digest,
            item.payload, item.evidence, item.claim.height, item.claim.finality, item.number,
        )
        for item in changed
    ]  # fmt: skip
    bulk.insert(conn, claims, _CLAIM_COLUMNS, [row[:-1] for row in rows if row[-1] is None])
    known = [row for row in rows if row[-1] is not None]
    if known:
        marks = bulk.placeholders(conn.dialect.name, len(_CLAIM_COLUMNS) + 1)
        pairs = ", ".join(f'"{name}" = {mark}' for name, mark in zip(_CLAIM_COLUMNS, marks, strict=False))
        bulk.run(conn, f"UPDATE claims SET {pairs}, is_withdrawn = 0 WHERE id = {marks[-1]}", known)


def _file_refs(conn: Connection, place: Place, groups: Sequence[_Group]) -> None:
    rows = [
        (place.account, name, item.transaction)
        for group in groups
        for item in group.said[:1]
        for name in group.names
    ]  # fmt: skip
    bulk.insert(conn, refs, ("account_id", "ref", "transaction_id"), rows, or_replace=True)


def _told(conn: Connection, touched: Iterable[int]) -> dict[int, list[Claim]]:
    """Every claim that stands for each touched transaction; a transaction without any has an empty list."""
    ids = sorted(touched)
    found: dict[int, list[Claim]] = {number: [] for number in ids}
    if ids:
        for row in conn.execute(_of_transactions, {"ids": ids}):
            found[row.transaction_id].append(decode_claim(row.payload))
    return found


def _with_tokens_of(conn: Connection, place: Place, told: Mapping[int, Sequence[Claim]]) -> Place:
    """The place with the tokens of claims that were stored earlier."""
    missing = {leg.token for list_ in told.values() for claim in list_ for leg in claim.legs} - place.tokens.keys()
    return structs.replace(place, tokens={**place.tokens, **intern(conn, missing, ())}) if missing else place


def _current(conn: Connection, touched: Iterable[int]) -> dict[int, tuple[Any, Version]]:
    """The stored row of each touched transaction, and the same as a version."""
    ids = sorted(touched)
    if not ids:
        return {}
    legs_of: dict[int, list[LegRow]] = defaultdict(list)
    for row in conn.execute(_legs, {"ids": ids}):
        legs_of[row[0]].append(LegRow(*row[1:]))
    return {row.id: (row, version_of(row, legs_of[row.id])) for row in conn.execute(_rows, {"ids": ids})}


def version_of(row: Any, rows: Iterable[LegRow]) -> Version:
    """A stored transaction row and its legs as one value; legs in the order of their keys."""
    return Version(
        row.state, row.merged_into, row.at, row.type, row.subtype, row.status, row.name, row.label, row.event,
        row.confirmed_at, row.height, row.finality, tuple(sorted(rows, key=lambda leg: leg.key)), row.account_id,
    )  # fmt: skip


def _file_events(
    conn: Connection, place: Place, events: Mapping[int, Sequence[Claim]], current: Mapping[int, tuple[Any, Version]]
) -> int:
    rows: list[tuple[object, ...]] = []
    leg_rows: list[tuple[object, ...]] = []
    versions: list[tuple[object, ...]] = []
    moved: dict[tuple[int, int], Decimal] = {}
    replaced: list[int] = []
    for number, told in events.items():
        stored = current.get(number)
        new = _version(place, told, None if stored is None else stored[1])
        if stored is not None:
            row, old = stored
            if new == structs.replace(old, merged_into=new.merged_into) and old.state == new.state:
                continue
            _move(moved, old.legs, EXACT.subtract)
            replaced.append(number)
            before = structs.replace(old, merged_into=None) if old.state == "live" else old
            versions.append((place.user, "transaction", number, row.since, place.seq, codec.pack(before)))
        _move(moved, new.legs, EXACT.add)
        rows.append(
            (
                number, place.account, place.user, place.seq, place.seq, new.state, new.merged_into, new.at, new.type,
                new.subtype, new.status, new.name, new.label, new.event, new.confirmed_at, new.height, new.finality,
            )
        )  # fmt: skip
        leg_rows.extend(
            (number, leg.key, place.account, leg.wallet, leg.token, leg.amount, leg.role, leg.counterparty, new.at)
            for leg in new.legs
        )
    if replaced:
        conn.execute(_drop_legs, {"ids": replaced})
    bulk.insert(conn, past, ("user_id", "kind", "fact_id", "since", "until", "payload"), versions)
    bulk.insert(conn, transactions, _TRANSACTION_COLUMNS, rows, or_replace=bool(replaced))
    bulk.insert(conn, legs, _LEG_COLUMNS, leg_rows)
    _file_sums(conn, moved)
    return len(rows)


def _version(place: Place, told: Sequence[Claim], old: Version | None) -> Version:
    if told:
        event = fold(told, place.is_fiat)
        # What failed and moved nothing is no transaction; it was one while it was pending, so its id is kept.
        state = "gone" if not event.legs and event.status in ("failed", "cancelled") else "live"
        return Version(
            state, None, event.at, event.type, event.subtype, event.status, event.name, event.label, event.event,
            event.confirmed_at, event.height, event.finality, _leg_rows(place, event), place.account,
        )  # fmt: skip
    assert old is not None, "a transaction without claims was stored before"
    # A transaction that merged away keeps saying where it went; one whose claims were all taken back is gone.
    state = "gone" if old.merged_into is None else "merged"
    return structs.replace(old, state=state, legs=())


def _leg_rows(place: Place, event: Event) -> tuple[LegRow, ...]:
    return tuple(
        LegRow(
            key,
            place.wallets[leg.wallet],
            place.tokens[leg.token].number,
            canonical(leg.amount),
            leg.role,
            leg.counterparty,
        )
        for key, leg in sorted(event.legs.items())
    )


def _move(
    moved: dict[tuple[int, int], Decimal], rows: Iterable[LegRow], operation: Callable[[Decimal, Decimal], Decimal]
) -> None:
    for leg in rows:
        place = leg.wallet, leg.token
        moved[place] = operation(moved.get(place, ZERO), Decimal(leg.amount))


def _file_sums(conn: Connection, moved: Mapping[tuple[int, int], Decimal]) -> None:
    changes = {place: change for place, change in moved.items() if change}
    if not changes:
        return
    values = {"wallets": sorted({w for w, _ in changes}), "tokens": sorted({t for _, t in changes})}
    stored = {(row.wallet_id, row.token_id): Decimal(row.amount) for row in conn.execute(_sums, values)}
    rows = [
        (wallet, token, canonical(EXACT.add(stored.get((wallet, token), ZERO), change)))
        for (wallet, token), change in changes.items()
    ]
    bulk.insert(conn, sums, ("wallet_id", "token_id", "amount"), rows, or_replace=True)
