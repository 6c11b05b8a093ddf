"""How a history is walked without losing or doubling a row: pure state machines from one page to the next question.

Each pager keeps its whole state in one opaque cursor token, so a walk goes on where a crash left it. What must hold against
venues that repeat, reorder, shift or delay rows, and against equal timestamps at a page's edge:

- a bound is always asked inclusive, and each round starts some way back (`overlap_ms`); the ledger knows rows by their ids;
- a page moves the walk on only as far as it proves: a full page without a way to its next part is asked again in halves;
- rows that arrive later than the overlap are found by a full walk every `rescan_ms`.
"""

import json
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec import Struct

from omnifolio.catalog.streams import StreamRow
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Interval
from omnifolio.venues.exchanges.answers import Seen

SHORT_PAGE_ROWS = 10
"""A page with fewer rows than this is the last. A fuller one below the limit may only mean that the venue lowered the limit."""

EMPTY_ID = "0"


class Step(Struct, frozen=True):
    """What follows a page: the token to store, what is now covered, whether the round is over, what could not be reached.

    `is_torn`: the page contradicts the venue's own count by a page or more, so it is not to be believed.
    """

    token: str
    covered: tuple[Interval, ...] = ()
    is_done: bool = False
    lost: Interval | None = None
    is_torn: bool = False


class Pager(Protocol):
    """One walk through one stream."""

    def question(self) -> dict[str, str]:
        """The parameters of the next call."""
        ...

    def step(self, seen: Seen) -> Step:
        """Takes note of the answer."""
        ...


def pager_for(row: StreamRow, token: str, now: EpochMs) -> Pager:
    """The pager of a stream, resumed from `token` ("" is the beginning). A token that cannot be read starts anew."""
    try:
        state = json.loads(token) if token else {}
    except ValueError:
        state = {}
    if not isinstance(state, dict):
        state = {}
    if row.rescan_ms and state and now - int(state.get("scan", 0)) >= row.rescan_ms and not _is_midway(state):
        state = {}
    kinds: dict[str, type[WindowPager | TimePager | IdPager | CursorPager | SincePager]] = {
        "since": SincePager,
        "window": WindowPager,
        "time": TimePager,
        "id": IdPager,
        "cursor": CursorPager,
    }
    return kinds[row.pager](row, state, now)


def _is_midway(state: dict[str, Any]) -> bool:
    return bool(state.get("high") or state.get("next"))


def _start_of(row: StreamRow, now: EpochMs) -> int:
    """The earliest instant worth asking for. Where one question may span everything, asking further back costs nothing."""
    return max(row.floor_ms, now - row.look_back_ms) if row.look_back_ms and row.window_ms else row.floor_ms


def _covered(row: StreamRow, start: int, end: int, now: EpochMs) -> tuple[Interval, ...]:
    """What an answer for `start` to `end` proves: nothing of the time before the venue's look-back, whatever was asked."""
    first = max(start, now - row.look_back_ms) if row.look_back_ms else start
    return (Interval(EpochMs(first), EpochMs(end)),) if first <= end else ()


def _in_unit(row: StreamRow, at: int, *, is_end: bool) -> str:
    """An instant in the venue's unit. Whole seconds are widened by one on each side: some venues exclude the bound."""
    if row.time_unit == "ms":
        return str(at)
    seconds = -(-at // 1000) if is_end else max(at // 1000 - 1, 0)
    return str(seconds) if row.time_unit == "s" else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"


class WindowPager:
    """Time windows from the oldest to now; inside one, page tokens, offsets or page numbers, or halves where the venue has none.

    Token: `done` everything up to here was read; `low`, `high`, `offset` or `next` the window in progress; `width` its current
    span; `scan` when the last walk from the beginning started.
    """

    def __init__(self, row: StreamRow, state: dict[str, Any], now: EpochMs) -> None:
        self._row = row
        self._now = int(now)
        self._scan = int(state.get("scan", now))
        self._done = int(state.get("done", _start_of(row, now)))
        self._width = int(state.get("width", row.window_ms or self._now))
        self._offset = int(state.get("offset", 0))
        self._next = str(state.get("next", ""))
        self._low = int(state.get("low", 0))
        self._high = int(state.get("high", 0))
        if not self._high:
            overlap = row.overlap_ms if "done" in state else 0
            self._open(max(self._done - overlap, _start_of(row, now)))

    def _open(self, low: int) -> None:
        self._low, self._high = low, min(low + self._width, max(self._now, low))
        self._offset, self._next = 0, ""

    def question(self) -> dict[str, str]:
        row = self._row
        asked = dict(row.params)
        if row.start_param:
            asked[row.start_param] = _in_unit(row, self._low, is_end=False)
        if row.end_param:
            asked[row.end_param] = _in_unit(row, self._high, is_end=True)
        if row.offset_param:
            first = self._offset if row.offset_unit == "rows" else self._offset + row.first_page
            asked[row.offset_param] = str(first)
        if self._next:
            asked[row.cursor_param] = self._next
        if row.limit_param:
            asked[row.limit_param] = str(row.page_rows)
        return asked

    def step(self, seen: Seen) -> Step:
        if self._row.cursor_param:
            if seen.next and seen.next != self._next:
                self._next = seen.next
                return Step(self._token())
        elif self._row.offset_param:
            if not seen.rows and (seen.total or 0) - self._asked() >= self._row.page_rows:
                return Step(self._token(), is_torn=True)
            if not self._is_last_page(seen):
                self._offset += seen.rows if self._row.offset_unit == "rows" else 1
                return Step(self._token())
        elif self._is_full(seen):
            if self._high == self._low:
                return self._close(lost=Interval(EpochMs(self._low), EpochMs(self._high)))
            self._width = (self._high - self._low) // 2
            self._open(self._low)
            return Step(self._token())
        return self._close()

    def _is_full(self, seen: Seen) -> bool:
        return seen.has_more if seen.has_more is not None else seen.rows >= self._row.page_rows

    def _is_last_page(self, seen: Seen) -> bool:
        if not seen.rows:
            return True
        if seen.total is not None:
            return self._asked() + seen.rows >= seen.total
        return seen.rows < min(self._row.page_rows, SHORT_PAGE_ROWS)

    def _asked(self) -> int:
        """Rows of the window that earlier pages brought."""
        return self._offset if self._row.offset_unit == "rows" else self._offset * self._row.page_rows

    def _close(self, lost: Interval | None = None) -> Step:
        covered = () if lost else _covered(self._row, self._low, self._high, EpochMs(self._now))
        # A window of a single instant is asked once: the next one begins after it.
        self._done = self._high + (self._high == self._low)
        is_done = self._high >= self._now
        longest = self._row.window_ms or self._now
        self._width = min(max(self._width * 2, 1), longest)
        if is_done:
            self._high, self._next = 0, ""
            self._width = longest
        else:
            self._open(self._done)
        return Step(self._token(), covered, is_done, lost)

    def _token(self) -> str:
        state: dict[str, int | str] = {"scan": self._scan, "done": self._done}
        if self._high:
            state |= {"low": self._low, "high": self._high, "offset": self._offset, "width": self._width}
        if self._next:
            state |= {"next": self._next}
        return json.dumps(state, separators=(",", ":"))


class TimePager:
    """Ascending from an inclusive start; the page is widened while it holds a single timestamp.

    Token: `since` the next start, `limit` the widened page, `newest` the newest row seen, `scan` as above.
    """

    def __init__(self, row: StreamRow, state: dict[str, Any], now: EpochMs) -> None:
        self._row = row
        self._now = now
        self._scan = int(state.get("scan", now))
        self._floor = _start_of(row, now)
        self._since = int(state.get("since", self._floor))
        self._limit = int(state.get("limit", row.page_rows))

    def question(self) -> dict[str, str]:
        asked = {**self._row.params, self._row.start_param: _in_unit(self._row, self._since, is_end=False)}
        if self._row.limit_param:
            asked[self._row.limit_param] = str(self._limit)
        return asked

    def step(self, seen: Seen) -> Step:
        oldest, newest = seen.oldest, seen.newest
        if not seen.rows or oldest is None or newest is None:
            return self._finish(self._since)
        start = self._since
        if newest > start and (oldest < newest or seen.rows < self._limit):
            self._since, self._limit = newest, self._row.page_rows
            return Step(self._token(), _covered(self._row, start, newest, self._now))
        if seen.rows < self._limit:
            return self._finish(start)
        if self._limit < self._row.page_rows_max:
            self._limit = min(self._limit * 2, self._row.page_rows_max)
            return Step(self._token())
        self._since, self._limit = newest + 1, self._row.page_rows
        return Step(self._token(), (), lost=Interval(newest, newest))

    def _finish(self, newest: int) -> Step:
        start, self._since, self._limit = self._since, max(newest - self._row.overlap_ms, self._floor), self._row.page_rows
        return Step(self._token(), _covered(self._row, start, self._now, self._now), is_done=True)

    def _token(self) -> str:
        return json.dumps({"scan": self._scan, "since": self._since, "limit": self._limit}, separators=(",", ":"))


class IdPager:
    """Ascending from an inclusive id: the surest walk there is, where a venue numbers its rows.

    Token: `id` the last one read; `open` the oldest one that may still change, where the next round begins; `done` the round is
    over; `scan` as above.
    """

    def __init__(self, row: StreamRow, state: dict[str, Any], now: EpochMs) -> None:
        self._row = row
        self._now = now
        self._scan = int(state.get("scan", now))
        self._id = self._from = str(state.get("id", EMPTY_ID))
        self._open = str(state.get("open", ""))
        if state.get("done") and self._open:
            self._from, self._open = self._open, ""

    def question(self) -> dict[str, str]:
        asked = {**self._row.params, self._row.id_param: self._row.first_id if self._from == EMPTY_ID else self._from}
        if self._row.limit_param:
            asked[self._row.limit_param] = str(self._row.page_rows)
        return asked

    def step(self, seen: Seen) -> Step:
        is_stuck = not seen.last_id or seen.last_id == self._from
        self._id = self._from = seen.last_id or self._id
        self._open = self._open or seen.open_id
        is_done = is_stuck or seen.rows < min(self._row.page_rows, SHORT_PAGE_ROWS)
        state = {"scan": self._scan, "id": self._id}
        if self._open:
            state["open"] = self._open
        if is_done:
            state["done"] = 1
        token = json.dumps(state, separators=(",", ":"))
        return Step(token, _covered(self._row, self._row.floor_ms, self._now, self._now) if is_done else (), is_done)


def has_rows(token: str) -> bool:
    """Whether a walk by ids that left this token has met any row."""
    return bool(token) and f'"id":"{EMPTY_ID}"' not in token


class CursorPager:
    """Newest first by the venue's own page token, until what an earlier walk has read completely.

    Token: `done` a complete walk has read everything up to here; `next` the page to go on with and `top` the newest row of the
    walk in progress; `scan` as above. A walk that was interrupted knows nothing of the rows that came since it began: it is
    followed by another one from the top.
    """

    def __init__(self, row: StreamRow, state: dict[str, Any], now: EpochMs) -> None:
        self._row = row
        self._now = now
        self._scan = int(state.get("scan", now))
        self._done = int(state.get("done", 0))
        self._next = str(state.get("next", ""))
        self._top = int(state.get("top", 0))
        self._is_resumed = bool(self._next)

    def question(self) -> dict[str, str]:
        asked = dict(self._row.params)
        if self._next:
            asked[self._row.cursor_param] = self._next
        if self._row.limit_param:
            asked[self._row.limit_param] = str(self._row.page_rows)
        return asked

    def step(self, seen: Seen) -> Step:
        self._top = max(self._top, seen.newest or 0)
        is_known = bool(self._done) and seen.oldest is not None and seen.oldest < self._done - self._row.overlap_ms
        if not seen.next or seen.next == self._next or is_known:
            start = max(self._done - self._row.overlap_ms, self._row.floor_ms) if is_known else self._row.floor_ms
            self._done, self._next, self._top = max(self._top, self._done), "", 0
            if self._is_resumed:
                self._is_resumed = False
                return Step(self._token(), _covered(self._row, start, self._done, self._now))
            return Step(self._token(), _covered(self._row, start, self._now, self._now), is_done=True)
        self._next = seen.next
        return Step(self._token())

    def _token(self) -> str:
        state: dict[str, int | str] = {"scan": self._scan, "done": self._done}
        if self._next:
            state |= {"next": self._next, "top": self._top}
        return json.dumps(state, separators=(",", ":"))


class SincePager:
    """From an inclusive start, where nobody says in which order a venue gives rows and how many at once.

    A page of few rows is the last. After a fuller one the next begins at its newest row: rows between there and the beginning of
    the round prove that the venue goes forward; none, that it may have given the newest rows only, so that older ones are lost.
    Only what lies between the oldest row seen and now is covered.
    Token: `since` where the next round begins; within a round also `from` the next start, `oldest` and whether it is `forward`.
    """

    def __init__(self, row: StreamRow, state: dict[str, Any], now: EpochMs) -> None:
        self._row = row
        self._now = int(now)
        self._scan = int(state.get("scan", now))
        self._start = int(state.get("since", _start_of(row, now)))
        self._from = int(state.get("from", self._start))
        self._oldest = int(state.get("oldest", 0))
        self._is_forward = bool(state.get("forward"))

    def question(self) -> dict[str, str]:
        asked = dict(self._row.params)
        if self._row.start_param:
            asked[self._row.start_param] = _in_unit(self._row, self._from, is_end=False)
        if self._row.limit_param:
            asked[self._row.limit_param] = str(self._row.page_rows)
        return asked

    def step(self, seen: Seen) -> Step:
        is_first = not self._oldest
        if seen.oldest is None or seen.newest is None:
            return self._finish(self._lost())
        self._oldest = min(self._oldest or seen.oldest, seen.oldest)
        if not is_first and self._from < seen.newest <= self._now:
            self._is_forward = True
        if seen.rows < SHORT_PAGE_ROWS:
            return self._finish(None if is_first else self._lost())
        if not self._row.start_param or seen.newest <= self._from or seen.newest > self._now:
            return self._finish(self._lost())
        self._from = int(seen.newest)
        return Step(self._token())

    def _lost(self) -> Interval | None:
        """What lies before the oldest row, unless the venue was seen going forward."""
        if not self._oldest or self._is_forward or self._oldest <= self._start:
            return None
        return Interval(EpochMs(self._start), EpochMs(self._oldest))

    def _finish(self, lost: Interval | None) -> Step:
        covered = _covered(self._row, self._oldest, self._now, EpochMs(self._now)) if self._oldest else ()
        newest = self._now - self._row.overlap_ms if self._oldest else self._start
        self._start, self._oldest, self._is_forward = max(newest, self._start), 0, False
        self._from = self._start
        return Step(self._token(), covered, is_done=True, lost=lost)

    def _token(self) -> str:
        state: dict[str, int | bool] = {"scan": self._scan, "since": self._start}
        if self._oldest:
            state |= {"from": self._from, "oldest": self._oldest, "forward": self._is_forward}
        return json.dumps(state, separators=(",", ":"))
