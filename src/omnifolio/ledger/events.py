"""What events amount to in the tables: transactions and legs as they stand, their earlier versions, and the sums of legs.

What must hold
  * an event that amounts to what is stored writes nothing; one that differs keeps its earlier version;
  * the sums per (wallet, token) move by exactly the legs that come and go;
  * every wallet and token of a live transaction are found together, in a leg or in a crossing; each of its wallets in a touch.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from itertools import product
from typing import Any

import sqlalchemy as sa
from msgspec import Struct, structs
from sqlalchemy.engine import Connection

from omnifolio.ledger import links
from omnifolio.ledger.ends import Filed, LegTuple, filed, may_have
from omnifolio.ledger.fold import Event, fold
from omnifolio.ledger.place import Place
from omnifolio.meaning.classify import TYPE_NUMBERS, Meaning
from omnifolio.model.amounts import ZERO, canonical, exact
from omnifolio.model.facts import Claim
from omnifolio.store import bulk, codec
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import crossings, legs, past, sums, touches, transactions

_rows = sa.select(transactions).where(any_of(transactions.c.id, "ids"))
_legs = sa.select(
    legs.c.transaction_id, legs.c.key, legs.c.wallet_id, legs.c.token_id, legs.c.amount, legs.c.role, legs.c.counterparty
).where(any_of(legs.c.transaction_id, "ids"))
_drop_legs = sa.delete(legs).where(any_of(legs.c.transaction_id, "ids"))
_drop_crossings = sa.delete(crossings).where(any_of(crossings.c.transaction_id, "ids"))
_sums = Reading(
    {
        "sqlite": sa.text(
            "SELECT s.wallet_id, s.token_id, s.amount FROM json_each(:pairs) p CROSS JOIN sums s "
            "WHERE s.wallet_id = json_extract(p.value, '$[0]') AND s.token_id = json_extract(p.value, '$[1]')"
        ),
        "postgresql": sa.text(
            "SELECT s.wallet_id, s.token_id, s.amount "
            "FROM unnest(CAST(:wallets AS BIGINT[]), CAST(:tokens AS BIGINT[])) p(wallet, token) "
            "JOIN sums s ON s.wallet_id = p.wallet AND s.token_id = p.token"
        ),
    }
)

_TRANSACTION_COLUMNS = (
    "id", "state", "merged_into", "at", "type", "subtype", "status", "name", "label", "event", "confirmed_at", "height",
    "finality",
)  # fmt: skip
_LEG_COLUMNS = (
    "transaction_id", "key", "wallet_id", "token_id", "amount", "role", "counterparty", "type_number", "at",
)  # fmt: skip
_CROSSING_COLUMNS = ("transaction_id", "wallet_id", "token_id", "type_number", "at")
_TOUCH_COLUMNS = ("wallet_id", "type_number", "at", "transaction_id")


class LegRow(Struct, frozen=True, array_like=True, gc=False):
    """A leg by integers, as it is stored and kept in versions."""

    key: str
    wallet: int
    token: int
    amount: str
    role: str
    counterparty: str | None


class Version(Struct, frozen=True, array_like=True, gc=False):
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


class _Filing:
    """Rows on their way into the tables, and what they add to the sums."""

    def __init__(self, place: Place) -> None:
        self._wallets = place.wallets
        self._tokens = {token: row.number for token, row in place.tokens.items()}
        self._fiat = frozenset(row.number for row in place.tokens.values() if row.kind == "fiat")
        self.transactions: list[tuple[object, ...]] = []
        self.legs: list[LegTuple] = []
        self.crossings: list[tuple[int, int, int, int, int]] = []
        self.touches: list[tuple[int, int, int, int]] = []
        self.moved: dict[tuple[int, int], list[Decimal]] = defaultdict(list)
        self.ends: list[Filed] = []

    def put(self, number: int, event: Event) -> None:
        """A transaction with its legs, as it is from now on."""
        at, kind, legs = event.at, TYPE_NUMBERS[event.type], event.legs
        self._head(number, event, "live" if legs else _state_of(event), None)
        if not legs:
            return
        wallets, tokens, moved, rows = self._wallets, self._tokens, self.moved, self.legs
        home = None
        is_one = True
        for key, leg in legs.items():
            wallet, amount = wallets[leg.wallet], leg.amount
            token = tokens[leg.token]
            rows.append((number, key, wallet, token, canonical(amount), leg.role, leg.counterparty, kind, at))
            moved[wallet, token].append(amount)
            if wallet != home:
                is_one = home is None
                home = wallet
        if is_one:
            self.touches.append((wallet, kind, at, number))
        else:
            self._touch({(row[2], row[3]) for row in rows[-len(legs) :]}, number, kind, at)
        if may_have(event.type):
            known = filed(number, event, rows[-len(legs) :], self._fiat.__contains__)
            if known is not None:
                self.ends.append(known)

    def _touch(self, pairs: Set[tuple[int, int]], number: int, kind: int, at: int) -> None:
        purses = {wallet for wallet, _ in pairs}
        self.touches += [(wallet, kind, at, number) for wallet in purses]
        apart = set(product(purses, {token for _, token in pairs})) - pairs
        self.crossings += [(number, wallet, token, kind, at) for wallet, token in apart]

    def end(self, number: int, last: Version) -> None:
        """A transaction that moves nothing any more: one that merged away keeps saying where it went."""
        self._head(number, last, _ended(last), last.merged_into)

    def _head(self, number: int, told: Event | Version, state: str, merged_into: int | None) -> None:
        self.transactions.append(
            (
                number, state, merged_into, told.at, told.type, told.subtype, told.status, told.name, told.label, told.event,
                told.confirmed_at, told.height, told.finality,
            )
        )  # fmt: skip

    def take_back(self, rows: Iterable[LegRow]) -> None:
        """The legs of an earlier version move nothing any more."""
        for leg in rows:
            self.moved[leg.wallet, leg.token].append(Decimal(leg.amount).copy_negate())


def file_events(
    conn: Connection,
    place: Place,
    events: Mapping[int, Sequence[Claim]],
    current: Mapping[int, tuple[Any, Version]],
    corrections: Mapping[int, Meaning],
) -> int:
    """Writes what the events (id → every claim that stands for it) amount to, over what is stored; gives how many changed.

    `corrections` are the types that the user has said, which hold over those that follow from the claims.
    """
    filing = _Filing(place)
    versions: list[tuple[object, ...]] = []
    untouched: list[tuple[int, int, int, int]] = []
    replaced: list[int] = []
    for number, told in events.items():
        event = fold(told, place.is_fiat) if told else None
        if event is not None and number in corrections:
            event = structs.replace(event, type=corrections[number].type, subtype=corrections[number].subtype)
        stored = current.get(number)
        if stored is not None:
            row, old = stored
            if _is_same(place, event, old):
                continue
            filing.take_back(old.legs)
            replaced.append(number)
            untouched += [(wallet, TYPE_NUMBERS[old.type], old.at, number) for wallet in {leg.wallet for leg in old.legs}]
            was = structs.replace(old, merged_into=None) if old.state == "live" else old
            versions.append((place.user, "transaction", number, row.since, place.seq, codec.pack(was)))
            if event is None:
                filing.end(number, old)
                continue
        assert event is not None, "a transaction without claims was stored before"
        filing.put(number, event)
    before = links.standing(conn, place.user, replaced)
    if replaced:
        conn.execute(_drop_legs, {"ids": replaced})
        conn.execute(_drop_crossings, {"ids": replaced})
        bulk.delete(conn, touches, _TOUCH_COLUMNS, untouched)
    bulk.insert(conn, past, ("user_id", "kind", "fact_id", "since", "until", "payload"), versions)
    same = {"account_id": place.account, "user_id": place.user, "seq": place.seq, "since": place.seq}
    bulk.insert(conn, transactions, _TRANSACTION_COLUMNS, filing.transactions, same=same, or_replace=bool(replaced))
    bulk.insert(conn, legs, _LEG_COLUMNS, filing.legs)
    bulk.insert(conn, crossings, _CROSSING_COLUMNS, filing.crossings)
    bulk.insert(conn, touches, _TOUCH_COLUMNS, filing.touches)
    _file_sums(conn, filing.moved)
    links.follow(conn, place.user, before=before, filed=filing.ends, seq=place.seq)
    return len(filing.transactions)


def _state_of(event: Event) -> str:
    # What failed and moved nothing is no transaction; it was one while it was pending, so its id is kept.
    return "live" if event.legs or event.status not in ("failed", "cancelled") else "gone"


def _ended(last: Version) -> str:
    return "gone" if last.merged_into is None else "merged"


def _is_same(place: Place, event: Event | None, old: Version) -> bool:
    if event is None:
        return old.state == _ended(old) and not old.legs
    rows = [
        LegRow(key, place.wallets[leg.wallet], place.tokens[leg.token].number, canonical(leg.amount), leg.role, leg.counterparty)
        for key, leg in sorted(event.legs.items())
    ]
    new = Version(
        _state_of(event), old.merged_into, event.at, event.type, event.subtype, event.status, event.name, event.label,
        event.event, event.confirmed_at, event.height, event.finality, tuple(rows), place.account,
    )  # fmt: skip
    return new == old


def _file_sums(conn: Connection, moved: Mapping[tuple[int, int], Sequence[Decimal]]) -> None:
    """Adds what moved. A pair that was moved has a sum even where nothing is left: it says where a token has been."""
    if not moved:
        return
    pairs = sorted(moved)
    asked = (
        {"pairs": given(conn, pairs)}
        if conn.dialect.name == "sqlite"
        else {"wallets": [wallet for wallet, _ in pairs], "tokens": [token for _, token in pairs]}
    )
    rows = _sums.rows(conn, **asked)
    stored = {(wallet, token): Decimal(amount) for wallet, token, amount in rows}
    with exact():
        changes = {pair: sum(amounts, ZERO) for pair, amounts in moved.items()}
        new = [
            (*pair, canonical(stored.get(pair, ZERO) + change))
            for pair, change in changes.items()
            if change or pair not in stored
        ]
    bulk.insert(conn, sums, ("wallet_id", "token_id", "amount"), new, or_replace=True)
