"""How far each stream was read: bookmarks, complete intervals, and gaps that say what is missing and why."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Batch, Gap, Interval
from omnifolio.model.ids import AccountId
from omnifolio.store import bulk
from omnifolio.store.reading import Reading, Writing
from omnifolio.store.schema import coverage, cursors, gaps

_account: sa.BindParameter[int] = sa.bindparam("account")
_stream: sa.BindParameter[str] = sa.bindparam("stream_")
_intervals = Reading(
    sa.select(coverage.c.start, coverage.c.end).where(coverage.c.account_id == _account, coverage.c.stream == _stream)
)
_all_intervals = sa.select(coverage.c.stream, coverage.c.start, coverage.c.end).where(coverage.c.account_id == _account)
_drop_intervals = Writing(sa.delete(coverage).where(coverage.c.account_id == _account, coverage.c.stream == _stream))
_cursor = Reading(
    sa.select(cursors.c.token, cursors.c.done_at).where(cursors.c.account_id == _account, cursors.c.stream == _stream)
)
_cursors = sa.select(cursors.c.stream, cursors.c.token, cursors.c.updated_at, cursors.c.done_at).where(
    cursors.c.account_id == _account
)
_last_over = sa.select(
    sa.select(sa.func.max(cursors.c.done_at)).where(cursors.c.account_id == _account).scalar_subquery(),
    sa.select(sa.func.max(gaps.c.opened_at)).where(gaps.c.account_id == _account, gaps.c.is_failure == 1).scalar_subquery(),
)
_gaps = sa.select(gaps).where(gaps.c.account_id == _account).order_by(gaps.c.id)
_stream_gaps = _gaps.where(gaps.c.stream == _stream)
_heal_all = sa.delete(gaps).where(gaps.c.account_id == _account, gaps.c.stream == _stream)
_heal = Writing(sa.delete(gaps).where(gaps.c.account_id == _account, gaps.c.stream == _stream, gaps.c.is_failure == 1))
_drop_gap = sa.delete(gaps).where(gaps.c.id == sa.bindparam("gap"))
_add_gap = sa.insert(gaps)

BALANCES, POSITIONS = "balances", "positions"
"""The kinds of streams whose every page tells all that there is of them now."""
TOUCHING_MS = 1
"""Two intervals this close leave no instant between them."""


class Bookmark(Struct, frozen=True):
    """How far a stream was read. `done_at` is when it last reached the present; None = never."""

    stream: str
    token: str
    updated_at: EpochMs
    done_at: EpochMs | None


class StoredGap(Struct, frozen=True, kw_only=True):
    """A gap as it stands."""

    stream: str
    code: str
    text: str
    start: EpochMs | None
    end: EpochMs | None
    is_failure: bool
    opened_at: EpochMs


def joined(intervals: Iterable[Interval]) -> list[Interval]:
    """The same instants in as few intervals as possible, in order."""
    result: list[Interval] = []
    for item in sorted(intervals, key=lambda i: i.start):
        if result and item.start <= result[-1].end + TOUCHING_MS:
            if item.end > result[-1].end:
                result[-1] = Interval(result[-1].start, item.end)
        else:
            result.append(item)
    return result


def mark(conn: Connection, account: AccountId, seq: int, batch: Batch, now: EpochMs) -> bool:
    """Stores the batch's cursor, intervals and gaps; true when intervals or gaps changed.

    A page mends the failures of its stream. A page of the present tells all of its stream: gaps that it does not state are over.
    """
    stream = batch.cursor.stream
    done_at = now if batch.done else _bookmark(conn, account, stream)[1]
    row = (account, stream, batch.cursor.token, now, done_at)
    bulk.insert(conn, cursors, ("account_id", "stream", "token", "updated_at", "done_at"), [row], or_replace=True)
    if batch.snapshots or is_present(stream):
        changed = _restate_gaps(conn, account, seq, batch, now)
    else:
        changed = bool(_heal.run(conn, account=account, stream_=stream))
        changed |= _state_gaps(conn, account, seq, batch, now)
    return _cover(conn, account, stream, batch.covered) or changed


def is_balances(stream: str) -> bool:
    """Whether a stream tells balances, by the kind in its name."""
    return stream.partition("/")[0] == BALANCES


def is_present(stream: str) -> bool:
    """Whether a stream tells the present, balances or positions, and no history."""
    return stream.partition("/")[0] in (BALANCES, POSITIONS)


def fail(conn: Connection, account: AccountId, seq: int, gap: Gap, now: EpochMs) -> None:
    """States that a stream could not be read; earlier failures of the same stream give way to this one."""
    _heal.run(conn, account=account, stream_=gap.stream)
    _add(conn, account, seq, gap, now, is_failure=True)


def cursor_of(conn: Connection, account: AccountId, stream: str) -> str:
    """The stored bookmark of a stream, "" at the beginning."""
    return _bookmark(conn, account, stream)[0]


def _bookmark(conn: Connection, account: AccountId, stream: str) -> tuple[str, EpochMs | None]:
    rows = _cursor.rows(conn, account=account, stream_=stream)
    return (rows[0][0], rows[0][1]) if rows else ("", None)


def bookmarks(conn: Connection, account: AccountId) -> Sequence[Bookmark]:
    """How far each stream of an account was read."""
    return [Bookmark(*row) for row in conn.execute(_cursors, {"account": account})]


def last_over(conn: Connection, account: AccountId) -> EpochMs:
    """When a stream of the account was last over: read up to the present, or found failing; 0 before the first."""
    read_at, failed_at = conn.execute(_last_over, {"account": account}).first() or (None, None)
    return EpochMs(max(read_at or 0, failed_at or 0))


def intervals_of(conn: Connection, account: AccountId) -> dict[str, list[Interval]]:
    """The complete intervals of each stream."""
    found: dict[str, list[Interval]] = {}
    for stream, start, end in conn.execute(_all_intervals, {"account": account}):
        found.setdefault(stream, []).append(Interval(start, end))
    return {stream: joined(items) for stream, items in found.items()}


def gaps_of(conn: Connection, account: AccountId) -> Sequence[StoredGap]:
    """What is known to be missing."""
    return [
        StoredGap(
            stream=row.stream,
            code=row.code,
            text=row.text,
            start=row.start,
            end=row.end,
            is_failure=bool(row.is_failure),
            opened_at=row.opened_at,
        )
        for row in conn.execute(_gaps, {"account": account})
    ]


def _cover(conn: Connection, account: AccountId, stream: str, new: Sequence[Interval]) -> bool:
    if not new:
        return False
    stored = [Interval(start, end) for start, end in _intervals.rows(conn, account=account, stream_=stream)]
    merged = joined([*stored, *new])
    if merged == sorted(stored, key=lambda i: i.start):
        return False
    _drop_intervals.run(conn, account=account, stream_=stream)
    rows = [(account, stream, item.start, item.end) for item in merged]
    bulk.insert(conn, coverage, ("account_id", "stream", "start", "end"), rows)
    return True


def _restate_gaps(conn: Connection, account: AccountId, seq: int, batch: Batch, now: EpochMs) -> bool:
    """Puts the batch's gaps in the place of all that were known of its stream; true when they say something else."""
    values = {"account": account, "stream_": batch.cursor.stream}
    stored = sorted((row.code, row.text, row.is_failure) for row in conn.execute(_stream_gaps, values))
    if stored == sorted((gap.code, gap.text, gap.is_failure) for gap in batch.gaps) and not any(
        gap.is_failure for gap in batch.gaps
    ):
        return False
    conn.execute(_heal_all, values)
    for gap in batch.gaps:
        _add(conn, account, seq, gap, now, is_failure=gap.is_failure)
    return True


def _state_gaps(conn: Connection, account: AccountId, seq: int, batch: Batch, now: EpochMs) -> bool:
    changed = False
    for gap in batch.gaps:
        values = {"account": account, "stream_": gap.stream}
        stored = [row for row in conn.execute(_stream_gaps, values) if not row.is_failure and row.code == gap.code]
        if any((row.text, row.start, row.end) == (gap.text, gap.start, gap.end) for row in stored):
            continue
        for row in stored:
            # A gap that only moved (a look-back that ends later today than yesterday) replaces the older statement.
            if row.text == gap.text and row.start == gap.start:
                conn.execute(_drop_gap, {"gap": row.id})
        _add(conn, account, seq, gap, now, is_failure=gap.is_failure)
        changed = True
    return changed


def _add(conn: Connection, account: AccountId, seq: int, gap: Gap, now: EpochMs, *, is_failure: bool) -> None:
    conn.execute(
        _add_gap,
        {
            "account_id": account,
            "stream": gap.stream,
            "code": gap.code,
            "text": gap.text,
            "start": gap.start,
            "end": gap.end,
            "is_failure": int(is_failure),
            "opened_at": now,
            "seq": seq,
        },
    )
