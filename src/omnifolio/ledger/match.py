"""Which event of an account a file tells, where it has no id of the venue's: by what moved and when, one for one.

A file's event and one of the ledger are the same when the same tokens (by ticker) moved by the same amounts at the same time, as
exactly as the file tells it. A fee may stand apart or inside an amount, or be missing. Counts matter: of two equal deposits one
line takes one. Where a choice would decide what is added, nothing is chosen.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import names
from omnifolio.ledger.claims import decode_claim, stored_claims
from omnifolio.meaning.classify import TYPES
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import ZERO, canonical, total
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.facts import Claim, Role
from omnifolio.model.ids import AccountId
from omnifolio.store.lists import any_of
from omnifolio.store.schema import accounts, legs, tokens, transactions

RUN_LINES_MAX = 12
"""Lines of one event, where a file cuts it in several and does not say so."""

Moves = tuple[tuple[str, str], ...]
"""What moved in sum: (ticker, amount) in order."""

_account: sa.BindParameter[int] = sa.bindparam("account")
_user: sa.BindParameter[int] = sa.bindparam("user")
_homes = (
    sa.select(transactions.c.id, transactions.c.merged_into, transactions.c.account_id, transactions.c.state)
    .join(accounts, accounts.c.id == transactions.c.account_id)
    .where(transactions.c.user_id == _user, accounts.c.is_deleted == 0, any_of(transactions.c.id, "ids"))
)
_moved = (
    sa.select(transactions.c.id, transactions.c.at, tokens.c.ticker, legs.c.amount, legs.c.role)
    .join(legs, legs.c.transaction_id == transactions.c.id)
    .join(tokens, tokens.c.id == legs.c.token_id)
    .where(
        transactions.c.account_id == _account,
        transactions.c.user_id == _user,
        transactions.c.state == "live",
        transactions.c.type.in_([sa.literal_column(f"'{kind}'") for kind in TYPES]),
        transactions.c.at >= sa.bindparam("start"),
        transactions.c.at <= sa.bindparam("end"),
    )
)


class Moved(Struct, frozen=True):
    """An event by what it moved: with and without its fees, and what came in anywhere, for moves inside the account."""

    id: int
    at: EpochMs
    total: Moves
    principal: Moves
    inside: Moves

    @property
    def moves(self) -> tuple[Moves, Moves]:
        """Everything that is compared but the time."""
        return self.total, self.principal


class Pairs(Struct, frozen=True):
    """The file's events (by id) that the ledger has (its id), and those of which that cannot be said."""

    found: Mapping[int, int]
    ambiguous: frozenset[int]


def moved(number: int, at: EpochMs, parts: Iterable[tuple[str, Decimal, Role]]) -> Moved:
    """An event of (ticker, amount, role) parts."""
    found = [(ticker.upper(), amount, role) for ticker, amount, role in parts]
    return Moved(
        id=number,
        at=at,
        total=_summed((ticker, amount) for ticker, amount, _ in found),
        principal=_summed((ticker, amount) for ticker, amount, role in found if role == "principal"),
        inside=_summed((ticker, amount) for ticker, amount, role in found if role == "principal" and amount > 0),
    )


def _summed(parts: Iterable[tuple[str, Decimal]]) -> Moves:
    by_ticker: dict[str, list[Decimal]] = defaultdict(list)
    for ticker, amount in parts:
        by_ticker[ticker].append(amount)
    return tuple(sorted((ticker, canonical(left)) for ticker, amounts in by_ticker.items() if (left := total(amounts)) != ZERO))


_Form = Callable[[Moved], Hashable]
_EXACT: Sequence[_Form] = (
    lambda event: event.moves if event.total else None,
    lambda event: event.total or None,
    lambda event: None if event.total else event.inside or None,
)
_BUT_FOR_FEES: Sequence[_Form] = (lambda event: event.principal or None,)
"""Ways of being equal, the strictest first; None is equal to nothing. Before fees are left aside, lines are tried together."""


def pair(told: Sequence[Moved], seen: Sequence[Moved], *, resolution_ms: int) -> Pairs:
    """Pairs a file's events, in the order of the file, with the ledger's."""
    pairing = _Pairing(told, seen, resolution_ms)
    pairing.by_forms(_EXACT)
    pairing.together()
    pairing.by_forms(_BUT_FOR_FEES)
    return Pairs(pairing.found, frozenset(pairing.ambiguous - pairing.found.keys()))


class _Pairing:
    """Events on their way to each other; an event that is paired is asked no more."""

    def __init__(self, told: Sequence[Moved], seen: Sequence[Moved], unit: int) -> None:
        self._told = told
        self._free = {event.id: event for event in seen}
        self._unit = unit
        self.found: dict[int, int] = {}
        self.ambiguous: set[int] = set()

    def by_forms(self, forms: Sequence[_Form]) -> None:
        """Pairs what is equal in one of the forms, at the same time first, then a second apart."""
        for form in forms:
            for reach in (0, 1) if self._unit <= SECOND_MS else (0,):
                by_place: dict[tuple[Hashable, int], list[Moved]] = defaultdict(list)
                for event in self._free.values():
                    by_place[form(event), event.at // self._unit].append(event)
                if not reach:
                    self.ambiguous |= _undecided(self._asking, by_place, form, self._unit)
                for event, answer in _nearest(self._asking, by_place, form, self._unit, reach=reach):
                    if event.id not in self.found and answer.id in self._free:
                        self.found[event.id] = answer.id
                        del self._free[answer.id]

    def together(self) -> None:
        """Pairs lines that only together are an event of the ledger."""
        runs = _runs(self._asking, self._free.values(), self._unit)
        self.found |= runs
        for number in set(runs.values()):
            del self._free[number]

    @property
    def _asking(self) -> Sequence[Moved]:
        return [event for event in self._told if event.id not in self.found and event.id not in self.ambiguous]


def _undecided(told: Sequence[Moved], seen: Mapping[tuple[Hashable, int], Sequence[Moved]], form: _Form, unit: int) -> set[int]:
    """Unlike events that are more than the equal ones which the ledger has: which of them are new cannot be said."""
    groups: dict[tuple[Hashable, int], list[Moved]] = defaultdict(list)
    for event in told:
        groups[form(event), event.at // unit].append(event)
    return {
        event.id
        for place, events in groups.items()
        if place[0] is not None
        and 0 < len(seen.get(place, ())) < len(events)
        and len({other.moves for other in events}) > 1
        for event in events
    }  # fmt: skip


def _nearest(
    told: Sequence[Moved], seen: Mapping[tuple[Hashable, int], Sequence[Moved]], form: _Form, unit: int, *, reach: int
) -> list[tuple[Moved, Moved]]:
    """Pairs that may be one event, the nearest in time first."""
    pairs = [
        (abs(event.at - other.at), event.at, place, other.id, event, other)
        for place, event in enumerate(told)
        if form(event) is not None
        for bucket in range(event.at // unit - reach, event.at // unit + reach + 1)
        for other in seen.get((form(event), bucket), ())
    ]
    return [(event, other) for *_, event, other in sorted(pairs, key=lambda item: item[:4])]


def _runs(told: Sequence[Moved], seen: Iterable[Moved], unit: int) -> dict[int, int]:
    """Lines of one time that follow each other and together moved what an event of the ledger did."""
    by_bucket: dict[int, list[Moved]] = defaultdict(list)
    for event in told:
        by_bucket[event.at // unit].append(event)
    found: dict[int, int] = {}
    for other in sorted(seen, key=lambda event: event.id):
        lines = [event for event in by_bucket.get(other.at // unit, ()) if event.id not in found]
        fitting = [
            lines[first:last]
            for first in range(len(lines))
            for last in range(first + 2, min(len(lines), first + RUN_LINES_MAX) + 1)
            if other.total and together(lines[first:last]) == other.total
        ]
        if fitting:
            found |= dict.fromkeys((event.id for event in min(fitting, key=len)), other.id)
    return found


def together(events: Sequence[Moved]) -> Moves:
    """What events moved in sum. At least one event."""
    return moved(
        0, events[0].at, ((ticker, Decimal(text), "principal") for event in events for ticker, text in event.total)
    ).total


def between(conn: Connection, principal: Principal, account: AccountId, *, start: EpochMs, end: EpochMs) -> list[Moved]:
    """The account's events from `start` to `end`, by what they moved."""
    parts: dict[tuple[int, EpochMs], list[tuple[str, Decimal, Role]]] = defaultdict(list)
    asked = {"account": account, "user": principal.data_user, "start": start, "end": end}
    for number, at, ticker, amount, role in conn.execute(_moved, asked):
        parts[number, at].append((ticker, Decimal(amount), role))
    return [moved(number, at, found) for (number, at), found in sorted(parts.items())]


def known_names(conn: Connection, account: AccountId, wanted: Iterable[str]) -> dict[str, int]:
    """The transactions of those names that the account has."""
    asked = sorted(set(wanted))
    keys = names.keys(asked)
    led = names.leads(conn, account, keys)
    return {name: led[key] for name, key in zip(asked, keys, strict=True) if key in led}


def names_of(conn: Connection, account: AccountId, numbers: Iterable[int]) -> dict[int, str]:
    """One name of each transaction of the account."""
    return {number: told[0] for number, told in all_names(conn, account, numbers).items()}


def all_names(conn: Connection, account: AccountId, numbers: Iterable[int]) -> dict[int, Sequence[str]]:
    """The names that the claims of each transaction of the account state, in order."""
    found: dict[int, set[str]] = defaultdict(set)
    for row in stored_claims(conn, account, sorted(set(numbers))):
        found[row[0]].update(decode_claim(row[1]).refs)
    return {number: sorted(told) for number, told in found.items()}


def stored_lines(conn: Connection, account: AccountId, told: Iterable[Claim]) -> dict[tuple[str, str], Claim]:
    """What the account's files said earlier of those lines, by (book, ref)."""
    wanted = {(claim.book, claim.ref) for claim in told}
    led = names.leads(conn, account, [names.own_key(ref, book, "file") for book, ref in wanted])
    rows = stored_claims(conn, account, sorted(set(led.values())))
    return {(row[4], row[3]): decode_claim(row[1]) for row in rows if row[5] == "file" and (row[4], row[3]) in wanted}


def homes(conn: Connection, principal: Principal, numbers: Iterable[int]) -> dict[int, tuple[int, AccountId]]:
    """The living transaction behind each of the user's, after merging, and its account; one that is gone is absent."""
    wanted = set(numbers)
    found: dict[int, tuple[int, AccountId]] = {}
    behind = {number: number for number in wanted}
    while wanted:
        rows = conn.execute(_homes, {"user": principal.data_user, "ids": sorted(wanted)}).all()
        wanted = {row.merged_into for row in rows if row.state == "merged" and row.merged_into is not None}
        live = {row.id: AccountId(row.account_id) for row in rows if row.state == "live"}
        moves = {row.id: row.merged_into for row in rows if row.state == "merged"}
        found |= {number: (target, live[target]) for number, target in behind.items() if target in live}
        behind = {number: moves[target] for number, target in behind.items() if target in moves}
    return found
