"""A user's decisions as a document: what they are about is named so that it is found again, here or in another installation.

A transaction is told by its venue, its account's label and every name under which its sources know it; addresses and tokens are
their own names. What is not found is counted and told, never guessed.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, overlays
from omnifolio.ledger.decisions import ADDRESS, decide, of_address, of_pair, of_transaction
from omnifolio.ledger.overlays import Overlay, OverlayKind, transactions_in
from omnifolio.ledger.overrides import OVERLAY_KIND, restate
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import CallerError, InvalidField
from omnifolio.model.ids import AccountId, TransactionId
from omnifolio.store.lists import any_of
from omnifolio.store.schema import accounts as account_table
from omnifolio.store.schema import refs, transactions

FORMAT: Literal["omnifolio-decisions/1"] = "omnifolio-decisions/1"
DECISIONS_MAX = 10_000
NAMES_MAX = 100
"""Names of one transaction that are written: one of them is enough to find it."""

_names = (
    sa.select(refs.c.transaction_id, refs.c.ref, refs.c.account_id)
    .join(account_table, account_table.c.id == refs.c.account_id)
    .where(any_of(refs.c.transaction_id, "ids"), account_table.c.user_id == sa.bindparam("user"))
    .order_by(refs.c.transaction_id, refs.c.ref)
)
_found = (
    sa.select(refs.c.account_id, refs.c.transaction_id)
    .distinct()
    .join(transactions, transactions.c.id == refs.c.transaction_id)
    .where(any_of(refs.c.account_id, "accounts"), any_of(refs.c.ref, "names"), transactions.c.user_id == sa.bindparam("user"))
)


class Named(Struct, frozen=True, kw_only=True):
    """A transaction by what its sources call it. `account` tells two accounts at one venue apart, within one installation."""

    venue: str
    account: str
    names: tuple[str, ...]


class Carried(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision, about exactly one of: a transaction, two of them, an address, a token (a price on one `day` or always)."""

    kind: OverlayKind
    value: str
    reason: str = ""
    author: str = ""
    at: EpochMs = EpochMs(0)
    transaction: Named | None = None
    other: Named | None = None
    address: str | None = None
    token: str | None = None
    day: str | None = None


class Document(Struct, frozen=True, kw_only=True):
    """All decisions of one user, oldest first."""

    format: Literal["omnifolio-decisions/1"] = FORMAT
    decisions: tuple[Carried, ...]


class Unfound(Struct, frozen=True):
    """A decision that was not taken over: its place in the document, and why."""

    place: int
    why: str


class Loaded(Struct, frozen=True, kw_only=True):
    """What became of a document: decisions that are `made` now, that stood already, that an own later word outweighs, and those
    that were not taken over."""

    made: int
    same: int
    outweighed: int
    unfound: Sequence[Unfound]


def unload(conn: Connection, principal: Principal, now: EpochMs) -> Document:
    """Every decision of the user that is about something that still exists."""
    found = overlays.listed(conn, principal)
    names = _named(conn, principal, {number for item in found for number in transactions_in(item.target)}, now)
    return Document(decisions=tuple(told for item in found if (told := _carried(item, names)) is not None))


def load(conn: Connection, principal: Principal, document: Document, now: EpochMs) -> Loaded:
    """Takes the decisions of a document over, each under a sequence of its own. Raises: InvalidField for too many."""
    if len(document.decisions) > DECISIONS_MAX:
        raise InvalidField(f"decisions: at most {DECISIONS_MAX} at once")
    stands = {(item.kind, item.target): item for item in overlays.listed(conn, principal)}
    owned = accounts.listed(conn, principal, now)
    made = same = outweighed = 0
    unfound = []
    for place, item in enumerate(document.decisions):
        try:
            target = _target(conn, principal, item, owned)
            stand = stands.get((item.kind, target))
            if stand is not None and stand.value == item.value:
                same += 1
            elif stand is not None and stand.at > item.at:
                outweighed += 1
            else:
                _make(conn, principal, item, target, now)
                made += 1
        except CallerError as error:
            unfound.append(Unfound(place, error.message))
    return Loaded(made=made, same=same, outweighed=outweighed, unfound=unfound)


def _make(conn: Connection, principal: Principal, item: Carried, target: str, now: EpochMs) -> None:
    if item.kind == OVERLAY_KIND:
        restate(conn, principal, target, item.value, now=now, reason=item.reason)
    else:
        decide(conn, principal, kind=item.kind, target=target, value=item.value, now=now, reason=item.reason)


def _carried(item: Overlay, names: Mapping[int, Named]) -> Carried | None:
    numbers = transactions_in(item.target)
    if not all(number in names for number in numbers):
        return None
    told = Carried(kind=item.kind, value=item.value, reason=item.reason, author=item.author, at=item.at)
    if numbers:
        # In the order of their names, so that it is the same wherever it is written.
        first, *rest = sorted((names[number] for number in numbers), key=lambda named: named.names)
        return _with(told, transaction=first, other=rest[0] if rest else None)
    if item.target.startswith(ADDRESS):
        return _with(told, address=item.target.removeprefix(ADDRESS))
    token, _, day = item.target.partition(" ")
    return _with(told, token=token, day=day or None)


def _with(told: Carried, **about: object) -> Carried:
    fields = {"kind": told.kind, "value": told.value, "reason": told.reason, "author": told.author, "at": told.at}
    return Carried(**fields, **about)  # type: ignore[arg-type]


def _named(conn: Connection, principal: Principal, numbers: Iterable[int], now: EpochMs) -> dict[int, Named]:
    owners = {account.id: account for account in accounts.listed(conn, principal, now)}
    names: dict[int, tuple[AccountId, list[str]]] = {}
    for row in conn.execute(_names, {"ids": sorted(numbers), "user": principal.data_user}):
        names.setdefault(row.transaction_id, (row.account_id, []))[1].append(row.ref)
    return {
        number: Named(venue=owners[account].venue, account=owners[account].key_label, names=tuple(found[:NAMES_MAX]))
        for number, (account, found) in names.items()
        if account in owners
    }


def _target(conn: Connection, principal: Principal, item: Carried, owned: Sequence[accounts.Account]) -> str:
    about = [item.transaction is not None, item.address is not None, item.token is not None]
    if about.count(True) != 1 or (item.other is not None and item.transaction is None):
        raise InvalidField("decision: expected a transaction, a transaction and another, an address, or a token")
    if item.transaction is not None:
        first = _transaction(conn, principal, item.transaction, owned)
        if item.other is None:
            return of_transaction(conn, principal, first)
        return of_pair(conn, principal, first, _transaction(conn, principal, item.other, owned))
    if item.address is not None:
        return of_address(item.address)
    return f"{item.token} {item.day}" if item.day is not None else str(item.token)


def _transaction(conn: Connection, principal: Principal, named: Named, owned: Sequence[accounts.Account]) -> TransactionId:
    """The one transaction that has such a name, in the account of that label or else at that venue."""
    there = [account for account in owned if account.venue == named.venue]
    values = {"names": list(named.names[:NAMES_MAX]), "user": principal.data_user}
    for chosen in ([a for a in there if a.key_label == named.account], there):
        found = {row.transaction_id for row in conn.execute(_found, values | {"accounts": [a.id for a in chosen]})}
        if len(found) == 1:
            return TransactionId(found.pop())
    raise InvalidField(f"transaction: none of {named.venue} has one of its names alone")
