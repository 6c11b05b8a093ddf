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

from omnifolio.ledger import names, overlays
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
from omnifolio.store.schema import claims, transactions

Key = tuple[str, str, str]
"""(ref, book, origin): what identifies a claim within its account."""

_account: sa.BindParameter[int] = sa.bindparam("account")
_of_transactions = sa.select(
    claims.c.transaction_id, claims.c.payload, claims.c.id, claims.c.ref, claims.c.book, claims.c.origin, claims.c.is_withdrawn
).where(claims.c.account_id == _account, any_of(claims.c.transaction_id, "ids"))
_all = Reading(_of_transactions)
_standing = Reading(_of_transactions.where(claims.c.is_withdrawn == 0))
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
    sa.update(claims)
    .where(claims.c.account_id == _account, claims.c.transaction_id == sa.bindparam("younger"))
    .values(transaction_id=sa.bindparam("older"))
)
_mark_merged = (
    sa.update(transactions).where(transactions.c.id == sa.bindparam("younger")).values(merged_into=sa.bindparam("older"))
)

_CLAIM_COLUMNS = ("origin", "book", "ref", "transaction_id", "payload", "evidence_id", "height", "finality")
_ONE_BYTE_END, _NOTHING = 128, codec.pack(None)
"""MessagePack writes a number below this one in one byte."""
decode_claim = codec.decoder(Claim).decode


class Said(Struct, gc=False):
    """A claim on its way into the table. `keys` are of what identifies it, and of its event's names."""

    claim: Claim
    payload: bytes
    evidence: int | None
    keys: tuple[str, ...]
    number: int | None = None
    transaction: int | None = None

    @property
    def own(self) -> str:
        """The key of what identifies it."""
        return self.keys[0]

    @property
    def names(self) -> Sequence[str]:
        """The keys of its event's names."""
        return self.keys[1:]


class _Group(Struct, gc=False):
    """Claims and transactions that turned out to be one event."""

    said: list[Said]
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
    known = names.leads(conn, place.account, [name for item in said.values() for name in item.keys])
    withdrawn = _taken_back(conn, place, batch)
    restated = _recognised(conn, place.account, said, known) if known else {}
    changed = [item for key, item in said.items() if restated.get(key) != (item.payload, False)]
    standing = {item.number for item in said.values()}
    gone = {number: transaction for number, transaction in withdrawn.items() if number not in standing}
    return write(conn, place, changed, known, gone) if changed or gone else 0


def write(conn: Connection, place: Place, changed: Sequence[Said], known: Mapping[str, int], gone: Mapping[int, int]) -> int:
    """Files new or changed claims, takes back the `gone` ones (claim id → transaction), folds every event that this touches.

    `known` says where those keys of the changed claims lead that were seen before.
    """
    if gone:
        conn.execute(_withdraw, {"ids": sorted(gone)})
    touched: set[int] = set(gone.values())
    if known or not _are_apart(changed):
        events = _joined_events(conn, place, changed, known, touched)
    else:
        # A page of new events, each told by one claim: there is nothing to join.
        events = {number: [item] for number, item in zip(numbers.mint(conn, transactions, len(changed)), changed, strict=True)}
    new: dict[str, int] = {}
    for number, group in events.items():
        for item in group:
            item.transaction = number
            for key in item.keys:
                new[key] = number
    for key in known:
        new.pop(key, None)
    _file_claims(conn, place, changed)
    names.file(conn, place.account, new)
    told = _told(conn, place.account, touched)
    place = _with_tokens_of(conn, place, told)
    for number, group in events.items():
        if number not in touched:
            told[number] = [item.claim for item in group]
    return file_events(conn, place, told, stored_events(conn, touched), corrections_of(conn, place.user, touched))


def _are_apart(changed: Sequence[Said]) -> bool:
    """No two of the claims share a name."""
    return len({name for item in changed for name in item.names}) == sum(len(item.names) for item in changed)


def _joined_events(
    conn: Connection, place: Place, changed: Sequence[Said], known: Mapping[str, int], touched: set[int]
) -> dict[int, list[Said]]:
    """The claims by their transactions; what turned out to be one is merged. Adds to `touched` those that were there before."""
    groups = _grouped(changed, known)
    minted = iter(numbers.mint(conn, transactions, sum(1 for group in groups if not group.transactions)))
    events: dict[int, list[Said]] = {}
    for group in groups:
        older = min(group.transactions) if group.transactions else next(minted)
        touched |= group.transactions
        for younger in sorted(group.transactions - {older}):
            if not _merge(conn, place, older=older, younger=younger):
                touched.discard(younger)
        events[older] = group.said
    return events


def refold(conn: Connection, place: Place, touched: Iterable[int]) -> int:
    """Concludes again what the claims of these transactions amount to, after a person's word on them; gives how many changed."""
    told = _told(conn, place.account, touched)
    place = _with_tokens_of(conn, place, told)
    return file_events(conn, place, told, stored_events(conn, told), corrections_of(conn, place.user, told))


def _said(batch: Batch, evidence: Sequence[int]) -> dict[Key, Said]:
    found: dict[Key, Said] = {}
    for claim in batch.claims:
        ref, book, origin, place = claim.ref, claim.book, claim.origin, claim.evidence
        proof = evidence[place] if place is not None and evidence else None
        keys = (names.own_key(ref, book, origin), *names.keys(claim.refs))
        found[ref, book, origin] = Said(claim, said_by(claim), proof, keys)
    return found


def said_by(claim: Claim) -> bytes:
    """What a claim says, without the place of its proof among the page's answers."""
    place = claim.evidence
    if place is not None and 0 <= place < _ONE_BYTE_END:
        # The place is the last field and one byte: to replace it there costs a tenth of a copy of the claim.
        return codec.pack(claim)[:-1] + _NOTHING
    return codec.pack(claim if place is None else structs.replace(claim, evidence=None))


def _recognised(
    conn: Connection, account: AccountId, said: Mapping[Key, Said], known: Mapping[str, int]
) -> dict[Key, tuple[bytes, bool]]:
    """Of the claims that are stored already: what they say there, and whether that was taken back. They get their numbers."""
    homes = sorted({known[item.own] for item in said.values() if item.own in known})
    found: dict[Key, tuple[bytes, bool]] = {}
    for transaction, payload, number, ref, book, origin, is_withdrawn in stored_claims(conn, account, homes):
        item = said.get((ref, book, origin))
        if item is not None:
            item.number, item.transaction = number, transaction
            found[ref, book, origin] = payload, bool(is_withdrawn)
    return found


def stored_claims(conn: Connection, account: AccountId, numbers: Sequence[int]) -> Sequence[Sequence[Any]]:
    """Every claim of those transactions, taken back or not: transaction, what it says, id, ref, book, origin, whether it is
    withdrawn."""
    return _all.rows(conn, account=account, ids=given(conn, numbers)) if numbers else ()


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


def _grouped(changed: Sequence[Said], known: Mapping[str, int]) -> list[_Group]:
    """Claims by event: linked through a common name, or through a transaction that both lead to."""
    group_of: dict[str | int, _Group] = {}
    for item in changed:
        own = item.names
        if item.transaction is None and known.keys().isdisjoint(own) and group_of.keys().isdisjoint(own):
            # The common case: names that nobody has used lead nowhere else.
            group_of.update(dict.fromkeys(own, _Group([item], set(own), set())))
            continue
        found = {known[name] for name in own if name in known}
        if item.transaction is not None:
            found.add(item.transaction)
        links: list[str | int] = [*own, *found]
        met = {id(group): group for link in links if (group := group_of.get(link)) is not None}
        if not met:
            group = _Group([item], set(own), found)
        else:
            group = _joined(list(met.values()), group_of)
            group.said.append(item)
            group.names.update(own)
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


def _merge(conn: Connection, place: Place, *, older: int, younger: int) -> bool:
    """Lets the younger transaction lead to the older; false when nothing is left of it but its names."""
    conn.execute(_move_claims, {"account": place.account, "older": older, "younger": younger})
    overlays.merge(conn, place.user, older=older, younger=younger, seq=place.seq)
    # The legs go with the younger row's version in `file_events`: it has no claims any more and is marked there.
    if conn.execute(_mark_merged, {"older": older, "younger": younger}).rowcount:
        return True
    names.move(conn, place.account, younger=younger, older=older)
    return False


def _file_claims(conn: Connection, place: Place, changed: Sequence[Said]) -> None:
    new: list[tuple[object, ...]] = []
    known: list[tuple[object, ...]] = []
    for item in changed:
        claim, number = item.claim, item.number
        row = (
            claim.origin, claim.book, claim.ref, item.transaction, item.payload, item.evidence, claim.height, claim.finality,
        )  # fmt: skip
        if number is None:
            new.append(row)
        else:
            known.append((*row, place.stream, number))
    bulk.insert(conn, claims, _CLAIM_COLUMNS, new, same={"account_id": place.account, "stream": place.stream})
    if known:
        marks = bulk.placeholders(conn.dialect.name, len(_CLAIM_COLUMNS) + 2)
        pairs = ", ".join(f'"{name}" = {mark}' for name, mark in zip((*_CLAIM_COLUMNS, "stream"), marks, strict=False))
        bulk.run(conn, f"UPDATE claims SET {pairs}, is_withdrawn = 0 WHERE id = {marks[-1]}", known)


def _told(conn: Connection, account: AccountId, touched: Iterable[int]) -> dict[int, list[Claim]]:
    """Every claim that stands for each touched transaction; a transaction without any has an empty list."""
    ids = sorted(touched)
    found: dict[int, list[Claim]] = {number: [] for number in ids}
    if ids:
        for row in _standing.rows(conn, account=account, ids=given(conn, ids)):
            found[row[0]].append(decode_claim(row[1]))
    return found


def _with_tokens_of(conn: Connection, place: Place, told: Mapping[int, Sequence[Claim]]) -> Place:
    """The place with the tokens of claims that were stored earlier."""
    missing = {leg.token for list_ in told.values() for claim in list_ for leg in claim.legs} - place.tokens.keys()
    return structs.replace(place, tokens={**place.tokens, **intern(conn, missing, ())}) if missing else place
