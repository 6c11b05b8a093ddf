"""The links between ends, kept with every commit: what follows from all ends of a user, whatever the order in which they came.

What must hold
  * the stored links are those that `meaning.transfers` gives for all ends at once; a commit concludes again what can have changed
    through its own ends, and reads no more than what lies near them in time (three windows, each a day or two, eight days for the
    bridges that take a week) or shares an event;
  * where a link comes, goes or changes, both transactions and their accounts take the commit's sequence;
  * no link leads to another user: every statement names the user.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.catalog import assets as catalog
from omnifolio.ledger import ends as stored
from omnifolio.ledger.ends import Ends, Filed, spans_of
from omnifolio.ledger.marks import mark_transactions
from omnifolio.ledger.overlays import all_of, transactions_in
from omnifolio.meaning.transfers import Candidate, End, Link, best, choose, fits, said, together, window
from omnifolio.model.ids import AccountId, UserId
from omnifolio.store import bulk
from omnifolio.store.lists import any_of, given
from omnifolio.store.reading import Reading
from omnifolio.store.schema import linking, links

_user: sa.BindParameter[int] = sa.bindparam("user")
_digest = Reading(sa.select(linking.c.digest).where(linking.c.user_id == _user))
_mine = sa.select(
    links.c.source_id, links.c.source_key, links.c.target_id, links.c.target_key, links.c.state, links.c.evidence,
    links.c.confidence,
).where(links.c.user_id == _user)  # fmt: skip
_all = Reading(_mine)
_touching = Reading(_mine.where(sa.or_(any_of(links.c.source_id, "ids"), any_of(links.c.target_id, "ids"))))
_forget = sa.delete(linking).where(linking.c.user_id == _user)
_remember = sa.insert(linking)
_COLUMNS = (
    "source_id", "source_key", "target_id", "target_key", "user_id", "state", "evidence", "confidence", "at", "seq",
)  # fmt: skip
_KEY = _COLUMNS[:4]
_FIRM = frozenset({"user", "hash"})
"""Evidence that takes its ends away from any comparison of amounts and times."""

PLACES_MAX = 8
"""Wallets and chains that are asked about one by one; more of them are asked about together."""

Name = tuple[int, str]
Pair = tuple[Name, Name]
Span = tuple[int, int]
Place = tuple[int, str | None]
"""A wallet, and the chain that tells of it if one does."""
Told = tuple[str, str, int]
"""State, evidence and confidence as they are stored."""
_EVERYWHERE: Place = (0, None)


class _Word(Struct, frozen=True):
    """What the user has said of pairs of transactions."""

    linked: frozenset[frozenset[int]]
    apart: frozenset[frozenset[int]]

    def is_vetoed(self, source: End, target: End) -> bool:
        """Whether they are not one transfer."""
        return frozenset((source.number, target.number)) in self.apart

    def partners(self, numbers: Iterable[int]) -> set[int]:
        """The transactions that the user has linked with these."""
        wanted = set(numbers)
        return {number for pair in self.linked if pair & wanted for number in pair}


def standing(conn: Connection, user: UserId, numbers: Sequence[int]) -> list[End]:
    """The ends of transactions as they stand, before a commit writes others in their place."""
    return Ends(conn, user, catalog.load()).of_transactions(numbers)


def follow(conn: Connection, user: UserId, *, before: Sequence[End], filed: Sequence[Filed], seq: int) -> None:
    """Concludes what follows from the transactions that a commit has filed; `before` are the ends that stood in their place."""
    if not before and not filed:
        return
    stored.drop(conn, user, before)
    stored.keep(conn, user, filed)
    if not _is_current(conn, user):
        relink(conn, user, seq)
        return
    reader = Ends(conn, user, catalog.load())
    after = reader.of_transactions(_in_company(reader, filed))
    known = {end.id: end for end in after}
    same = {end.id for end in before if known.get(end.id) == end}
    _conclude(reader, [e for e in before if e.id not in same], [e for e in after if e.id not in same], seq)


def _in_company(reader: Ends, filed: Sequence[Filed]) -> set[int]:
    """Those that may have another side: other wallets have held the token, others have the event, or the user said so."""
    meeting = {place: reader.meets(*place) for place in {place for item in filed for place in item.places}}
    alone = [item for item in filed if not any(meeting[place] for place in item.places)]
    shared = reader.crowded({item.event for item in alone if item.event is not None})
    linked = frozenset().union(*_word(reader).linked)
    lonely = {item.number for item in alone if item.event not in shared and item.number not in linked}
    return {item.number for item in filed} - lonely


def say(conn: Connection, user: UserId, numbers: Iterable[int], seq: int) -> None:
    """Follows what the user has said, or taken back, of a pair of transactions."""
    reader = Ends(conn, user, catalog.load())
    if not _is_current(conn, user):
        relink(conn, user, seq)
        return
    about = reader.of_transactions(numbers)
    _conclude(reader, about, about, seq)


def is_said(conn: Connection, user: UserId, numbers: Iterable[int]) -> bool:
    """Whether the user's word has linked two transactions."""
    wanted = set(numbers)
    return any(
        {source[0], target[0]} == wanted and evidence == "user"
        for (source, target), (_state, evidence, _confidence) in _stored(conn, user, wanted).items()
    )


def leave(conn: Connection, user: UserId, account: AccountId, seq: int) -> None:
    """Lets the ends of an account go that is about to be deleted, and concludes what that changes for others."""
    assets = catalog.load()
    before = Ends(conn, user, assets).of_account(account)
    stored.drop(conn, user, before)
    _conclude(Ends(conn, user, assets, without=account), before, [], seq)


def relink(conn: Connection, user: UserId, seq: int) -> None:
    """Concludes everything of the user anew, under the assets and rules of today."""
    reader = Ends(conn, user, catalog.load())
    every = reader.all()
    stored.refill(conn, user, every)
    conn.execute(_forget, {"user": user})
    conn.execute(_remember, {"user_id": user, "digest": stored.digest_of(catalog.load())})
    rows = _all.rows(conn, user=user)
    _conclude(reader, [], every, seq, whole=_told(rows))


def _is_current(conn: Connection, user: UserId) -> bool:
    found = _digest.rows(conn, user=user)
    return bool(found) and bytes(found[0][0]) == stored.digest_of(catalog.load())


def _conclude(
    reader: Ends,
    before: Sequence[End],
    after: Sequence[End],
    seq: int,
    *,
    whole: Mapping[Pair, Told] | None = None,
) -> None:
    """Concludes again all links that may have changed with these ends, and writes those that did.

    `whole` are all links that are stored, where everything is concluded anew.
    """
    if not before and not after and not whole:
        return
    word = _word(reader)
    firm = _closed(reader, word, before, after)
    field = _Field(reader, firm.values())
    changed = {end.id: end for end in (*before, *firm.values())}
    near = {**changed, **field.near([*before, *firm.values()])}
    around = {**near, **field.near(near.values())}
    far = {**around, **field.near(around.values())}
    old = _stored(reader.conn, reader.user, {name[0] for name in far}) if whole is None else whole
    firmly = {pair for pair, told in old.items() if told[1].split(" ")[0] in _FIRM}
    new, taken = _firm_links(firm.values(), word)
    taken |= changed.keys() - firm.keys()
    taken |= {name for pair in firmly if old[pair][0] == "linked" for name in pair if name not in changed}
    of = {name: best([item for item in field.fits(end) if _is_free(end, item, taken, word)]) for name, end in around.items()}
    for name, end in near.items():
        if name not in taken:
            for link in choose(end, of):
                new.setdefault((link.source.id, link.target.id), link)
    # Links by hash or word follow from the changed ends alone; those by amount and time, from what is near them.
    at_stake = {
        pair: told for pair, told in old.items()
        if whole is not None or not (changed if pair in firmly else near).keys().isdisjoint(pair)
    }  # fmt: skip
    _write(reader, at_stake, new, seq)


def _is_free(end: End, item: Candidate, unfree: set[Name], word: _Word) -> bool:
    if item.other.id in unfree or end.id in unfree:
        return False
    return not word.is_vetoed(end, item.other)


class _Field:
    """The ends that were read so far, by asset and direction in the order of time, and how they fit each other."""

    def __init__(self, reader: Ends, known: Iterable[End]) -> None:
        self._reader = reader
        self._known: set[Name] = set()
        self._lines: dict[tuple[str, bool], dict[Place, list[End]]] = {}
        self._read: dict[tuple[Place, str], list[Span]] = {}
        self._add(known)

    def near(self, wanted: Iterable[End]) -> dict[Name, End]:
        """The ends that fit any of these."""
        asked = list(wanted)
        is_many = len({(end.wallet, end.chain) for end in asked}) > PLACES_MAX
        windows: dict[tuple[Place, str], list[Span]] = {}
        for end in asked:
            place = _EVERYWHERE if is_many else (end.wallet, end.chain)
            windows.setdefault((place, end.asset), []).append(window(end))
        for (place, asset), spans in windows.items():
            self._load(place, asset, spans)
        return {item.other.id: item.other for end in asked for item in self.fits(end)}

    def fits(self, end: End) -> list[Candidate]:
        """The ends that fit this one, as far as they were read."""
        start, stop = window(end)
        found: list[Candidate] = []
        for (wallet, chain), line in self._lines.get((end.asset, not end.is_out), {}).items():
            # What one wallet or one chain tells of itself is none of its own other sides.
            if wallet != end.wallet and (chain is None or chain != end.chain):
                found += fits(end, line[bisect_left(line, start, key=_at) : bisect_right(line, stop, key=_at)])
        return found

    def _load(self, place: Place, asset: str, windows: Iterable[Span]) -> None:
        """Reads the windows of an asset's ends for one wallet and chain, as far as they were not read for it before."""
        read = self._read.get((place, asset), [])
        wanted = [span for span in spans_of(windows) if not any(a <= span[0] and span[1] <= b for a, b in read)]
        if wanted:
            self._add(self._reader.within(wanted, assets=(asset,), wallet=place[0], chain=place[1]))
            self._read[place, asset] = spans_of([*read, *wanted])

    def _add(self, found: Iterable[End]) -> None:
        touched: dict[int, list[End]] = {}
        for end in found:
            if end.id not in self._known:
                self._known.add(end.id)
                line = self._lines.setdefault((end.asset, end.is_out), {}).setdefault((end.wallet, end.chain), [])
                line.append(end)
                touched[id(line)] = line
        for line in touched.values():
            line.sort(key=_at)


_at = attrgetter("at")


def _word(reader: Ends) -> _Word:
    found: dict[str, set[frozenset[int]]] = {"yes": set(), "no": set()}
    for target, value in all_of(reader.conn, reader.user, "link").items():
        found[value].add(frozenset(transactions_in(target)))
    return _Word(frozenset(found["yes"]), frozenset(found["no"]))


def _closed(reader: Ends, word: _Word, before: Sequence[End], after: Sequence[End]) -> dict[Name, End]:
    """The ends `after`, and all that share an event or a word of the user with them, or did with those `before`."""
    known = {end.id: end for end in after}
    read: tuple[set[int], set[str]] = set(), set()
    numbers = {end.number for end in before}
    numbers |= word.partners(numbers | {end.number for end in after})
    events = {end.event for end in before if end.event is not None}
    events |= reader.shared(end.event for end in after if end.event is not None)
    while numbers or events:
        found = [*reader.of_transactions(numbers), *reader.of_events(events)]
        known |= {end.id: end for end in found}
        read = read[0] | numbers, read[1] | events
        numbers = word.partners(end.number for end in found) - read[0]
        events = reader.shared({end.event for end in found if end.event is not None} - read[1])
    return known


def _firm_links(firm: Iterable[End], word: _Word) -> tuple[dict[Pair, Link], set[Name]]:
    """The links by the user's word and by hashes, and the ends that are linked so."""
    by_number: dict[int, list[End]] = {}
    by_event: dict[str, list[End]] = {}
    found: dict[Pair, Link] = {}
    for end in firm:
        by_number.setdefault(end.number, []).append(end)
    for pair in word.linked:
        if all(number in by_number for number in pair):
            found |= {(link.source.id, link.target.id): link for link in said([e for n in pair for e in by_number[n]])}
    taken = {name for pair in found for name in pair}
    for end in (end for ends in by_number.values() for end in ends):
        if end.event is not None and end.id not in taken:
            by_event.setdefault(end.event, []).append(end)
    for group in by_event.values():
        for link in () if len(group) == 1 else together(group, word.is_vetoed):
            found[link.source.id, link.target.id] = link
    taken |= {name for pair, link in found.items() if link.state == "linked" for name in pair}
    return found, taken


def _stored(conn: Connection, user: UserId, numbers: set[int]) -> dict[Pair, Told]:
    return _told(_touching.rows(conn, user=user, ids=given(conn, sorted(numbers))))


def _told(rows: Iterable[Sequence[Any]]) -> dict[Pair, Told]:
    return {((row[0], row[1]), (row[2], row[3])): (row[4], row[5], row[6]) for row in rows}


def _write(reader: Ends, old: Mapping[Pair, Told], new: Mapping[Pair, Link], seq: int) -> None:
    told: dict[Pair, Told] = {pair: (link.state, " ".join(link.evidence), link.confidence) for pair, link in new.items()}
    gone = [pair for pair, was in old.items() if told.get(pair) != was]
    come = [pair for pair, is_ in told.items() if old.get(pair) != is_]
    bulk.delete(reader.conn, links, _KEY, [(*source, *target) for source, target in gone])
    rows: list[Sequence[Any]] = [(*pair[0], *pair[1], reader.user, *told[pair], new[pair].source.at, seq) for pair in come]
    bulk.insert(reader.conn, links, _COLUMNS, rows)
    read_otherwise = [pair for pair in gone if old[pair][0] == "linked"] + [pair for pair in come if told[pair][0] == "linked"]
    mark_transactions(reader.conn, reader.user, {name[0] for pair in read_otherwise for name in pair}, seq)
