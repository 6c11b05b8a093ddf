"""What of a file the ledger knows already: by name, by our own reference, by what moved; decided before anything is written.

A decision is a name of the event that the ledger has (`venues.files.reader.MATCHES`). It is stored with the file's pages, so that
a rebuild reads the same; the ledger's own merging does the rest.
"""

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.catalog.layouts import LayoutRow
from omnifolio.ledger import match
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import NotFound
from omnifolio.model.facts import Batch, Claim
from omnifolio.model.ids import AccountId, WireIds
from omnifolio.model.tokens import TokenId
from omnifolio.venues.files.fields import OWN_REFERENCE
from omnifolio.venues.files.reader import ELSEWHERE


class Compared(Struct, frozen=True, kw_only=True):
    """The file against the ledger. `matches`: a line's ref → a name of its event. The rest counts events, not lines.

    `elsewhere` are events of another account of the user, `ambiguous` those that are added although they may be known.
    """

    matches: Mapping[str, str]
    new: int
    known: int
    elsewhere: int
    ambiguous: int


class _Event(Struct):
    """The lines of one event."""

    claims: list[Claim]

    @property
    def names(self) -> set[str]:
        return {name for claim in self.claims for name in claim.refs}

    @property
    def reference(self) -> str | None:
        """The wire id in our own reference, if the file has it."""
        found = (OWN_REFERENCE.search(name) for name in sorted(self.names))
        return next((hit[0].partition(":")[2] for hit in found if hit), None)


def compare(
    conn: Connection, principal: Principal, account: AccountId, batches: Sequence[Batch], *, layout: LayoutRow, ids: WireIds
) -> Compared:
    """Every event of a file, compared with what the account has."""
    tickers = {token.id: token.ticker for batch in batches for token in batch.tokens}
    events = _events(claim for batch in batches for claim in batch.claims)
    known = match.known_names(conn, account, (name for event in events for name in event.names))
    stored = match.stored_lines(conn, account, (claim for event in events for claim in event.claims))
    referred = _referred(events, ids)
    homes = match.homes(conn, principal, referred.values())
    matches: dict[str, str] = {}
    taken: set[int] = set()
    open_: list[int] = []
    numbers: dict[int, int] = {}
    elsewhere = 0
    for place, event in enumerate(events):
        said = {known[name] for name in event.names if name in known}
        home = homes.get(referred[place]) if place in referred else None
        if said:
            taken |= said
            matches |= _as_before(event, stored)
        elif home is None:
            open_.append(place)
        elif home[1] == account:
            numbers[place] = home[0]
            taken.add(home[0])
        else:
            elsewhere += 1
            matches |= dict.fromkeys((claim.ref for claim in event.claims), ELSEWHERE)
    if layout.is_named:
        pairs = match.Pairs({}, frozenset())
    else:
        told = [_moved(place, events[place], tickers) for place in open_]
        seen = [event for event in _seen(conn, principal, account, told) if event.id not in taken]
        pairs = match.pair(told, seen, resolution_ms=layout.resolution_ms)
    numbers |= pairs.found
    names = match.names_of(conn, account, numbers.values())
    matches |= {claim.ref: names[number] for place, number in numbers.items() for claim in events[place].claims}
    new = len(open_) - len(pairs.found)
    return Compared(
        matches=matches, new=new, known=len(events) - new - elsewhere, elsewhere=elsewhere, ambiguous=len(pairs.ambiguous)
    )


def _events(claims: Iterable[Claim]) -> list[_Event]:
    """The lines that share a name, in the order of the file."""
    by_name: dict[str, _Event] = {}
    order: list[_Event] = []
    for claim in claims:
        met = list({id(found): found for name in claim.refs if (found := by_name.get(name)) is not None}.values())
        event = met[0] if met else _Event([])
        if not met:
            order.append(event)
        for other in met[1:]:
            event.claims.extend(other.claims)
            order.remove(other)
        event.claims.append(claim)
        by_name |= dict.fromkeys(event.names if len(met) > 1 else claim.refs, event)
    return order


def _referred(events: Sequence[_Event], ids: WireIds) -> dict[int, int]:
    """The transactions that the file names by our own reference, by the event's place; those of another installation are none."""
    found = {}
    for place, event in enumerate(events):
        if event.reference is not None:
            try:
                found[place] = ids.integer("transaction", event.reference)
            except NotFound:
                continue
    return found


def _as_before(event: _Event, stored: Mapping[tuple[str, str], Claim]) -> dict[str, str]:
    """The decisions of an earlier import: names that its lines had beside their own."""
    names = {
        name
        for claim in event.claims
        if (before := stored.get((claim.book, claim.ref))) is not None
        for name in before.refs
        if name not in claim.refs and not before.legs
    }
    return dict.fromkeys((claim.ref for claim in event.claims), min(names)) if names else {}


def _moved(place: int, event: _Event, tickers: Mapping[TokenId, str]) -> match.Moved:
    legs = (leg for claim in event.claims for leg in claim.legs)
    return match.moved(
        place, min(claim.at for claim in event.claims), ((tickers[leg.token], leg.amount, leg.role) for leg in legs)
    )


def _seen(conn: Connection, principal: Principal, account: AccountId, told: Sequence[match.Moved]) -> Sequence[match.Moved]:
    if not told:
        return ()
    first, last = min(event.at for event in told), max(event.at for event in told)
    return match.between(conn, principal, account, start=EpochMs(first - DAY_MS), end=EpochMs(last + DAY_MS))
