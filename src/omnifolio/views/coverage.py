"""How complete an account's history is, by kind of data: read, proven empty, not read yet, out of reach, and what fills a hole.

A stream's row in the catalog says from when on it is read (`floor_ms`) and how long the venue keeps it (`look_back_ms`). Where
there is no row (chains, the demo venue), a stream begins where its reader says that it covers it. Pure but for the functions
that take a connection.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Literal

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.catalog import exchanges, layouts
from omnifolio.catalog.layouts import LayoutRow
from omnifolio.catalog.streams import StreamRow
from omnifolio.ledger import accounts, coverage, overview, traces
from omnifolio.ledger.accounts import Account
from omnifolio.ledger.coverage import Bookmark, StoredGap, joined
from omnifolio.ledger.traces import Told
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs, iso
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId

FILE_STREAMS = "file/"
"""How the streams of imported files are named."""
ORDERS = "orders"
"""The kind of streams that tell orders: they move nothing, so balances do not depend on them."""
HISTORY_PAGERS = frozenset({"window", "time", "id", "cursor"})
"""How histories are walked; other streams are snapshots of the present or finders of scopes."""
NOTICE_PART = 4
"""A loss is announced when less than this part of the look-back is left, or earlier where no sync will come in time."""

Spans = Mapping[str, Sequence[Interval]]
Why = Literal["unread", "unreachable", "gap"]
"""Why a stretch is missing: it was not read yet, the venue no longer gives it, or a reader could not read it."""


class Missing(Struct, frozen=True, kw_only=True):
    """A stretch of a stream's history that the ledger lacks; an end that is None is not known."""

    stream: str
    why: Why
    start: EpochMs | None
    end: EpochMs | None
    text: str


class Loss(Struct, frozen=True, kw_only=True):
    """Unread history of a stream that the venue will not keep: from `lost_from` on, what follows `unread_from` is being lost."""

    stream: str
    look_back_ms: int
    unread_from: EpochMs
    lost_from: EpochMs

    @property
    def text(self) -> str:
        """The loss for people."""
        days = self.look_back_ms // DAY_MS
        return (
            f"{self.stream}: the venue keeps {days} days; without a sync before {iso(self.lost_from)} "
            f"history from {iso(self.unread_from)} on is lost"
        )


class KindCoverage(Struct, frozen=True, kw_only=True):
    """All streams of one kind together. `fetched` and `empty` are what every one of them covers: between the first and the last
    record, and around them; `uploaded` is what files tell of the kind. `rows` is None where records are not counted by stream."""

    kind: str
    streams: Sequence[str]
    rows: int | None
    look_back_ms: int | None
    fetched: Sequence[Interval]
    empty: Sequence[Interval]
    uploaded: Sequence[Interval]
    unreachable: Sequence[Interval]
    unread: Sequence[Interval]
    fill: Sequence[LayoutRow]


class AccountCoverage(Struct, frozen=True, kw_only=True):
    """How far each stream of an account was read, the same by kind, what is missing, and what is about to be lost."""

    intervals: Spans
    bookmarks: Sequence[Bookmark]
    gaps: Sequence[StoredGap]
    complete_from: EpochMs | None
    complete_to: EpochMs | None
    kinds: Sequence[KindCoverage]
    losses: Sequence[Loss]


def coverage_of(conn: Connection, principal: Principal, account: AccountId, now: EpochMs) -> AccountCoverage:
    """What was read of an account's history and what was not. Raises: NotFound."""
    found = accounts.get(conn, principal, account, now)
    spans, marks = coverage.intervals_of(conn, account), coverage.bookmarks(conn, account)
    start, end = common_span(spans)
    streams = history_streams(found.venue, {*spans, *(mark.stream for mark in marks)})
    return AccountCoverage(
        intervals=spans,
        bookmarks=marks,
        gaps=coverage.gaps_of(conn, account),
        complete_from=start,
        complete_to=end,
        kinds=kinds(found.venue, streams, spans, traces.rows_told(conn, principal, account), now),
        losses=losses(found, spans, now),
    )


def common_span(spans: Spans) -> tuple[EpochMs | None, EpochMs | None]:
    """The latest stretch of time that every stream covers without a hole; (None, None) when there is none."""
    # A file repeats what its venue's interface tells, or adds to it; its first and last line bound nothing.
    read = {stream: items for stream, items in spans.items() if not stream.startswith(FILE_STREAMS)} or spans
    newest = [items[-1] for items in read.values() if items]
    if not newest:
        return None, None
    start, end = max(item.start for item in newest), min(item.end for item in newest)
    return (start, end) if start <= end else (None, None)


def history_streams(venue: str, read: Iterable[str]) -> dict[str, StreamRow | None]:
    """The streams that an account's history consists of, with their rows where they have one.

    Those of the catalog that every account has are there from the beginning; those of a scope or of a product that must be
    opened, once they were `read`. Balances, positions, finders of scopes and lists of what is open now are no history.
    """
    rows = _rows(venue)
    found: dict[str, StreamRow | None] = {name: row for name, row in rows.items() if _is_everyones(row) and _is_history(row)}
    for name in sorted(read):
        row = rows.get(name) or rows.get(kind_of(name))
        is_history = not coverage.is_present(name) if row is None else _is_history(row)
        if is_history and not name.startswith(FILE_STREAMS) and (row is not None or not rows):
            found[name] = row
    return dict(sorted(found.items()))


def declared(gaps: Iterable[StoredGap]) -> list[Missing]:
    """What readers themselves say that they could not read of the history. A failure is no statement: it leaves a hole."""
    return [
        Missing(stream=gap.stream, why="gap", start=gap.start, end=gap.end, text=gap.text)
        for gap in gaps
        if not gap.is_failure and not coverage.is_present(gap.stream) and kind_of(gap.stream) != ORDERS
    ]


def kind_of(stream: str) -> str:
    """The first part of a stream's name."""
    return stream.partition("/")[0]


def missing(streams: Mapping[str, StreamRow | None], spans: Spans, now: EpochMs) -> list[Missing]:
    """The holes of each stream from its beginning to `now`, without what files have filled."""
    found: list[Missing] = []
    uploaded = {kind: _uploaded(kind, spans) for kind in {kind_of(name) for name in streams}}
    for name, row in streams.items():
        known = joined([*spans.get(name, ()), *uploaded[kind_of(name)]])
        begin = row.floor_ms if row is not None else known[0].start if known else 0
        reach = EpochMs(max(begin, now - row.look_back_ms)) if row is not None and row.look_back_ms else None
        for hole in _holes(known, Interval(EpochMs(begin), now)):
            found += _why(name, hole, reach, row)
    return found


def kinds(
    venue: str, streams: Mapping[str, StreamRow | None], spans: Spans, told: Mapping[str, Told], now: EpochMs
) -> list[KindCoverage]:
    """The coverage of every kind of stream, by name."""
    by_kind: dict[str, list[str]] = {}
    for name in streams:
        by_kind.setdefault(kind_of(name), []).append(name)
    found = []
    for kind, names in by_kind.items():
        rows = {name: streams[name] for name in names}
        found.append(
            _kind(
                rows,
                _in_all([spans.get(name, ()) for name in names]),
                kind=kind,
                told=[told[name] for name in names if name in told],
                lacking=missing(rows, spans, now),
                uploaded=_uploaded(kind, spans),
                now=now,
                fill=_fill(venue, kind),
            )
        )
    return found


def losses(account: Account, spans: Spans, now: EpochMs) -> list[Loss]:
    """What is about to be lost unless somebody acts, the most urgent first; of streams that are read per scope the first one.

    A venue that keeps a stream for `look_back_ms` drops what was last read at E from E + look_back_ms on. That is announced when
    no sync is planned before it, or when less than a quarter of the look-back is left; not while a sync is under way in time.
    """
    found: list[Loss] = []
    for row in _forgetful(account.venue):
        names = (
            [row.name]
            if _is_everyones(row)
            else [n for n in spans if n == row.name or (row.is_per_scope and kind_of(n) == row.kind)]
        )
        told = [_loss(account, name, row, spans.get(name, ()), now) for name in names]
        found += sorted((loss for loss in told if loss is not None), key=lambda loss: loss.lost_from)[:1]
    return sorted(found, key=lambda loss: (loss.lost_from, loss.stream))


def all_losses(conn: Connection, principal: Principal, now: EpochMs) -> list[tuple[Account, Loss]]:
    """What the accounts of a user are about to lose."""
    found = overview.overview(conn, principal, now).accounts
    return [(known.account, loss) for known in found for loss in losses(known.account, known.spans, now)]


def _loss(account: Account, name: str, row: StreamRow, spans: Sequence[Interval], now: EpochMs) -> Loss | None:
    look_back = row.look_back_ms or 0
    reach = max(now - look_back, row.floor_ms)
    before = [span for span in spans if span.start <= reach]
    unread_from = EpochMs(before[-1].end if before else account.created_at - look_back)
    lost_from = EpochMs(unread_from + look_back)
    if account.status == "syncing" and (not before or lost_from > now):
        return None
    is_planned = account.next_sync_at is not None and account.next_sync_at < lost_from
    if is_planned and lost_from - now > look_back // NOTICE_PART:
        return None
    return Loss(stream=name, look_back_ms=look_back, unread_from=unread_from, lost_from=lost_from)


@cache
def _forgetful(venue: str) -> Sequence[StreamRow]:
    """The histories that a venue drops after a while. Asked for each account that is shown."""
    return [row for row in _rows(venue).values() if row.look_back_ms and _is_history(row)]


@cache
def _rows(venue: str) -> Mapping[str, StreamRow]:
    """The rows of a venue's streams by name, or by kind where they are read per scope; none for other than exchanges."""
    if venue not in exchanges.ids():
        return {}
    return {row.kind if row.is_per_scope else row.name: row for row in exchanges.load(venue).reading.streams}


def _is_everyones(row: StreamRow) -> bool:
    """Whether every account has the stream, without a scope that is found or a product that is opened."""
    return not row.is_per_scope and not row.product


def _is_history(row: StreamRow) -> bool:
    return row.pager in HISTORY_PAGERS and row.is_asked and not row.is_balances


def _kind(
    rows: Mapping[str, StreamRow | None],
    complete: Sequence[Interval],
    *,
    kind: str,
    told: Sequence[Told],
    lacking: Sequence[Missing],
    uploaded: Sequence[Interval],
    now: EpochMs,
    fill: Sequence[LayoutRow],
) -> KindCoverage:
    hull = Interval(min(r.first for r in told), max(r.last for r in told)) if told else None
    fetched, empty = (complete, []) if kind == ORDERS else _parted(complete, hull)
    newest = max((span.end for span in complete), default=now)
    unread = _united(m for m in lacking if m.why == "unread" and (m.start or 0) < newest)
    unreachable = _united(m for m in lacking if m.why == "unreachable")
    looks = [row.look_back_ms for row in rows.values() if row is not None and row.look_back_ms is not None]
    return KindCoverage(
        kind=kind,
        streams=list(rows),
        rows=None if kind == ORDERS else sum(record.rows for record in told),
        look_back_ms=min(looks, default=None),
        fetched=fetched,
        empty=empty,
        uploaded=uploaded,
        unreachable=unreachable,
        unread=unread,
        fill=fill if unread or unreachable else (),
    )


def _fill(venue: str, kind: str) -> Sequence[LayoutRow]:
    """The files that tell a kind of a venue: its own exports, else our own layout. Orders are in no file."""
    if kind == ORDERS:
        return ()
    return [row for row in layouts.of_venue(venue) if row.tells(kind)] or [layouts.load(layouts.OWN)]


def _uploaded(kind: str, spans: Spans) -> list[Interval]:
    """What imported files cover of a kind."""
    known = {name for name in spans if name.startswith(FILE_STREAMS) and name.removeprefix(FILE_STREAMS) in layouts.ids()}
    telling = [name for name in sorted(known) if layouts.load(name.removeprefix(FILE_STREAMS)).tells(kind)]
    return joined(span for name in telling for span in spans[name])


def _why(stream: str, hole: Interval, reach: EpochMs | None, row: StreamRow | None) -> list[Missing]:
    """A hole, parted where the venue's look-back ends."""
    if reach is None or hole.start >= reach:
        return [Missing(stream=stream, why="unread", start=hole.start, end=hole.end, text="not read yet")]
    days = (row.look_back_ms or 0) // DAY_MS if row is not None else 0
    text = f"the venue keeps {days} days"
    lost = Missing(stream=stream, why="unreachable", start=hole.start, end=EpochMs(min(hole.end, reach - 1)), text=text)
    return [lost, *_why(stream, Interval(reach, hole.end), reach, row)] if hole.end >= reach else [lost]


def _holes(known: Sequence[Interval], whole: Interval) -> list[Interval]:
    """The parts of `whole` that no known interval covers."""
    found: list[Interval] = []
    start = whole.start
    for span in known:
        if span.end < start:
            continue
        if span.start > start:
            found.append(Interval(start, EpochMs(min(span.start - 1, whole.end))))
        start = EpochMs(span.end + 1)
        if start > whole.end:
            return found
    return [*found, Interval(start, whole.end)] if start <= whole.end else found


def _in_all(several: Sequence[Sequence[Interval]]) -> list[Interval]:
    """What every one of the lists covers."""
    first, *others = several or [()]
    found = list(first)
    for other in others:
        crossed = [Interval(max(a.start, b.start), min(a.end, b.end)) for a in found for b in other]
        found = [span for span in crossed if span.start <= span.end]
    return found


def _parted(spans: Sequence[Interval], hull: Interval | None) -> tuple[list[Interval], list[Interval]]:
    """The spans inside the hull of all records, and those around it."""
    if hull is None:
        return [], list(spans)
    inside = _in_all([spans, [hull]])
    return inside, [hole for span in spans for hole in _holes(inside, span)]


def _united(parts: Iterable[Missing]) -> list[Interval]:
    return joined(Interval(part.start, part.end) for part in parts if part.start is not None and part.end is not None)
