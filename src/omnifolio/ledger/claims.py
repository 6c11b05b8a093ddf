"""Identity: which claims are one event, what its id is, whatever comes, changes or is taken back.

What must hold
  * a ref leads to the same transaction for ever; two transactions that turn out to be one keep the older id, and the younger
    becomes a tombstone that redirects;
  * claims in any order, page by page or all at once, end in the same transactions;
  * a claim that says what it said before writes nothing.

What an event amounts to in the tables is told in `events`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import overlays
from omnifolio.ledger.corrections import corrections_of
from omnifolio.ledger.events import file_events, stored_events
from omnifolio.ledger.place import Place
from omnifolio.ledger.tokens import intern
from omnifolio.model.facts import Batch, Claim
from omnifolio.model.ids import AccountId
from omnifolio.model.tokens import TokenId
from omnifolio.store import bulk, codec, numbers
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import claims, refs, transactions

Key = tuple[str, str, str]
"""(ref, book, origin): what identifies a claim within its account."""

_account: sa.BindParameter[int] = sa.bindparam("account")
_existing = Reading(
    sa.select(
        claims.c.ref,
        claims.c.book,
        claims.c.origin,
        claims.c.id,
        claims.c.transaction_id,
        claims.c.is_withdrawn,
        claims.c.payload,
    ).where(claims.c.account_id == _account, any_of(claims.c.ref, "refs"))
)
_known_refs = Reading(
    sa.select(refs.c.ref, refs.c.transaction_id).where(refs.c.account_id == _account, any_of(refs.c.ref, "refs"))
)
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
_withdraw = sa.update(claims).where(any_of(claims.c.id, "ids")).values(is_withdrawn=1)
_move_claims = (
    sa.update(claims).where(claims.c.transaction_id == sa.bindparam("younger")).values(transaction_id=sa.bindparam("older"))
)
_move_refs = (
    sa.update(refs)
    .where(refs.c.account_id == _account, refs.c.transaction_id == sa.bindparam("younger"))
    .values(transaction_id=sa.bindparam("older"))
)
_mark_merged = (
    sa.update(transactions).where(transactions.c.id == sa.bindparam("younger")).values(merged_into=sa.bindparam("older"))
)

_CLAIM_COLUMNS = (
    "account_id", "origin", "book", "ref", "transaction_id", "stream", "payload", "evidence_id", "height", "finality",
)  # fmt: skip
decode_claim = codec.decoder(Claim).decode


class _Said(Struct, gc=False):
    """A claim on its way into the table."""

    claim: Claim
    payload: bytes
    evidence: int | None
    number: int | None = None
    transaction: int | None = None


class _Group(Struct, gc=False):
    """Claims and transactions that turned out to be one event."""

    said: list[_Said]
    names: set[str]
    transactions: set[int]


def tokens_in(batch: Batch) -> Iterable[TokenId]:
    """Every token that the batch's claims move."""
    return {leg.token for claim in batch.claims for leg in claim.legs}


def wallets_in(batch: Batch) -> Iterable[str]:
    """Every wallet that the batch's claims touch."""
    return {leg.wallet for claim in batch.claims for leg in claim.legs}


def apply(conn: Connection, place: Place, batch: Batch) -> int:
    """Writes the batch's claims and what follows from them; gives the number of transactions that changed."""
    said = _said(batch, place.evidence)
    existing = _existing_claims(conn, place.account, said)
    withdrawn = _taken_back(conn, place, batch)
    changed: list[_Said] = []
    restated: set[int] = set()
    for key, item in said.items():
        row = existing.get(key)
        if row is not None:
            item.number, item.transaction, is_withdrawn, payload = row
            restated.add(row[0])
            if payload == item.payload and not is_withdrawn:
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
    return file_events(conn, place, events, stored_events(conn, touched), corrections_of(conn, place.user, touched))


def refold(conn: Connection, place: Place, touched: Iterable[int]) -> int:
    """Concludes again what the claims of these transactions amount to, after a person's word on them; gives how many changed."""
    told = _told(conn, touched)
    place = _with_tokens_of(conn, place, told)
    return file_events(conn, place, told, stored_events(conn, told), corrections_of(conn, place.user, told))


def _said(batch: Batch, evidence: Sequence[int]) -> dict[Key, _Said]:
    found: dict[Key, _Said] = {}
    for claim in batch.claims:
        plain = claim if claim.evidence is None else structs.replace(claim, evidence=None)
        found[claim.ref, claim.book, claim.origin] = _Said(
            claim=plain,
            payload=codec.pack(plain),
            evidence=evidence[claim.evidence] if claim.evidence is not None and evidence else None,
        )
    return found


def _existing_claims(conn: Connection, account: AccountId, said: Mapping[Key, _Said]) -> dict[Key, Sequence[Any]]:
    """The stored claims of those names, each as its id, its transaction, whether it was taken back, and what it says."""
    if not said:
        return {}
    wanted = sorted({ref for ref, _book, _origin in said})
    rows = _existing.rows(conn, account=account, refs=given(conn, wanted))
    return {(row[0], row[1], row[2]): row[3:] for row in rows}


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
    return {row[0]: row[1] for row in _known_refs.rows(conn, account=account, refs=given(conn, wanted))} if wanted else {}


def _grouped(changed: Sequence[_Said], known: Mapping[str, int]) -> list[_Group]:
    """Claims by event: linked through a common name, or through a transaction that both lead to."""
    group_of: dict[str | int, _Group] = {}
    for item in changed:
        names = item.claim.refs
        if item.transaction is None and known.keys().isdisjoint(names) and group_of.keys().isdisjoint(names):
            # The common case: names that nobody has used lead nowhere else.
            group_of.update(dict.fromkeys(names, _Group([item], set(names), set())))
            continue
        links: list[str | int] = list(names)
        found = {known[name] for name in item.claim.refs if name in known}
        if item.transaction is not None:
            found.add(item.transaction)
        links.extend(found)
        met = {id(group): group for link in links if (group := group_of.get(link)) is not None}
        if not met:
            group = _Group([item], set(item.claim.refs), found)
        else:
            group = _joined(list(met.values()), group_of)
            group.said.append(item)
            group.names.update(item.claim.refs)
            group.transactions |= found
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
    overlays.merge(conn, place.user, older=older, younger=younger, seq=place.seq)
    # The legs go with the younger row's version in `_file_events`: it has no claims any more and is marked there.
    conn.execute(_mark_merged, {"older": older, "younger": younger})


def _file_claims(conn: Connection, place: Place, changed: Sequence[_Said]) -> None:
    rows = [
        (
            place.account, item.claim.origin, item.claim.book, item.claim.ref, item.transaction, place.stream, item.payload,
            item.evidence, item.claim.height, item.claim.finality, item.number,
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
