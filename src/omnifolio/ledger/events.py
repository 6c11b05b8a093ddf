"""What events amount to in the tables: transactions and legs as they stand, their earlier versions, and the sums of legs.

What must hold
  * an event that amounts to what is stored writes nothing; one that differs keeps its earlier version;
  * the sums per (wallet, token) move by exactly the legs that come and go;
  * every wallet and token of a live transaction are found together, in a leg or in a crossing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger.fold import Event, fold
from omnifolio.ledger.place import Place
from omnifolio.meaning.classify import TYPE_NUMBERS
from omnifolio.model.amounts import EXACT, ZERO, canonical
from omnifolio.model.facts import Claim
from omnifolio.store import bulk, codec
from omnifolio.store.lists import any_of
from omnifolio.store.schema import crossings, legs, past, sums, transactions

_rows = sa.select(transactions).where(any_of(transactions.c.id, "ids"))
_legs = sa.select(
    legs.c.transaction_id, legs.c.key, legs.c.wallet_id, legs.c.token_id, legs.c.amount, legs.c.role, legs.c.counterparty
).where(any_of(legs.c.transaction_id, "ids"))
_drop_legs = sa.delete(legs).where(any_of(legs.c.transaction_id, "ids"))
_drop_crossings = sa.delete(crossings).where(any_of(crossings.c.transaction_id, "ids"))
_sums = sa.select(sums.c.wallet_id, sums.c.token_id, sums.c.amount).where(
    any_of(sums.c.wallet_id, "wallets"), any_of(sums.c.token_id, "tokens")
)

_TRANSACTION_COLUMNS = (
    "id", "account_id", "user_id", "seq", "since", "state", "merged_into", "at", "type", "subtype", "status", "name", "label",
    "event", "confirmed_at", "height", "finality",
)  # fmt: skip
_LEG_COLUMNS = (
    "transaction_id", "key", "account_id", "wallet_id", "token_id", "amount", "role", "counterparty", "type_number", "at",
)  # fmt: skip
_CROSSING_COLUMNS = ("transaction_id", "wallet_id", "token_id", "type_number", "at")


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


def stored_events(conn: Connection, touched: Iterable[int]) -> dict[int, tuple[Any, Version]]:
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


def file_events(
    conn: Connection, place: Place, events: Mapping[int, Sequence[Claim]], current: Mapping[int, tuple[Any, Version]]
) -> int:
    """Writes what the events (id → every claim that stands for it) amount to, over what is stored; gives how many changed."""
    rows: list[tuple[object, ...]] = []
    leg_rows: list[tuple[object, ...]] = []
    crossing_rows: list[tuple[object, ...]] = []
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
        kind = TYPE_NUMBERS[new.type]
        leg_rows += [
            (number, leg.key, place.account, leg.wallet, leg.token, leg.amount, leg.role, leg.counterparty, kind, new.at)
            for leg in new.legs
        ]
        crossing_rows += [(number, wallet, token, kind, new.at) for wallet, token in _crossings(new.legs)]
    if replaced:
        conn.execute(_drop_legs, {"ids": replaced})
        conn.execute(_drop_crossings, {"ids": replaced})
    bulk.insert(conn, past, ("user_id", "kind", "fact_id", "since", "until", "payload"), versions)
    bulk.insert(conn, transactions, _TRANSACTION_COLUMNS, rows, or_replace=bool(replaced))
    bulk.insert(conn, legs, _LEG_COLUMNS, leg_rows)
    bulk.insert(conn, crossings, _CROSSING_COLUMNS, crossing_rows)
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
    wallets, tokens = place.wallets, place.tokens
    rows = [
        LegRow(key, wallets[leg.wallet], tokens[leg.token].number, canonical(leg.amount), leg.role, leg.counterparty)
        for key, leg in sorted(event.legs.items())
    ]
    return tuple(rows)


def _crossings(rows: Sequence[LegRow]) -> set[tuple[int, int]]:
    """The pairs of a wallet and a token that both are moved, but by no leg together."""
    purses = {leg.wallet for leg in rows}
    if len(purses) < 2:
        return set()
    return set(product(purses, {leg.token for leg in rows})) - {(leg.wallet, leg.token) for leg in rows}


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
