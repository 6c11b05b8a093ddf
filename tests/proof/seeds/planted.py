"""Mistakes that are easily made in the code between a venue's answer and the ledger, each put in by one small patch.

The simulator must find every one of them; what it would not find, it does not prove.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from omnifolio.ledger import accounts, claims, commit, coverage, events, guard, snapshots
from omnifolio.ledger.commit import Committed
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import VenueError
from omnifolio.model.facts import Evidence
from omnifolio.sync import pages, refresh
from omnifolio.transport.pacing import Pacer
from omnifolio.venues.exchanges import paging, reader, telling
from omnifolio.venues.exchanges.answers import Seen
from omnifolio.venues.exchanges.paging import CursorPager, IdPager, Step, TimePager, WindowPager

Plant = Callable[[pytest.MonkeyPatch], None]


def _with_row(**changes: Any) -> Plant:
    """Every stream is walked by a row in which this is different."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(reader, "pager_for", lambda row, token, now: paging.pager_for(replace(row, **changes), token, now))

    return plant


def _around(owner: Any, name: str, change: Callable[..., Any]) -> Plant:
    """`change(real, *arguments)` in the place of a function or method."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        real = getattr(owner, name)
        patch.setattr(owner, name, lambda *args, **kwargs: change(real, *args, **kwargs))

    return plant


def _instead(owner: Any, name: str, value: Any) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        patch.setattr(owner, name, value)

    return plant


def _all(*plants: Plant) -> Plant:
    """One mistake in several places."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        for each in plants:
            each(patch)

    return plant


def _one_row_further(real: Any, pager: WindowPager, seen: Seen) -> Step:
    return real(pager, replace(seen, rows=seen.rows + 1) if seen.rows else seen)  # type: ignore[no-any-return]


async def _cursor_first(store: Any, principal: Any, account: Any, page: Any, **how: Any) -> Committed:
    empty = replace(page, claims=(), snapshots=(), orders=(), evidence=())
    if page.claims:
        await pages.commit_page(store, principal, account, empty, **how)
    return await pages.commit_page(store, principal, account, page, **how)


def _no_widening(real: Any, pager: TimePager, seen: Seen) -> Step:
    if seen.rows >= pager._limit and seen.newest is not None and seen.oldest == seen.newest:
        pager._since = seen.newest + 1
        return Step(pager._token())
    return real(pager, seen)  # type: ignore[no-any-return]


def _past_the_present(real: Any, pager: WindowPager, lost: Any = None) -> Step:
    step: Step = real(pager, lost)
    if step.is_done:
        pager._done += 5 * DAY_MS
        return replace(step, token=pager._token())
    return step


def _exclusive(real: Any, pager: TimePager) -> dict[str, str]:
    asked: dict[str, str] = real(pager)
    return {**asked, "start": str(int(asked["start"]) + 1)}


def _exclusive_end(real: Any, pager: WindowPager) -> dict[str, str]:
    asked: dict[str, str] = real(pager)
    return {**asked, "end": str(int(asked["end"]) - 2 * 3_600_000)}


def _complete_at_once(real: Any, pager: CursorPager) -> str:
    pager._done = max(pager._done, pager._top)
    token: str = real(pager)
    return token


def _resumed_is_whole(real: Any, pager: CursorPager, seen: Seen) -> Step:
    pager._is_resumed = False
    step: Step = real(pager, seen)
    return step


def _two_further(real: Any, pager: IdPager, seen: Seen) -> Step:
    return real(pager, replace(seen, last_id=str(int(seen.last_id) + 2)) if seen.last_id else seen)  # type: ignore[no-any-return]


def _shared_cursor(real: Any, conn: Any, account: Any, stream: str) -> str:
    tokens = [mark.token for mark in coverage.bookmarks(conn, account) if mark.stream.startswith("fills/")]
    mine: str = real(conn, account, stream)
    return max(tokens, key=len) if mine and stream.startswith("fills/") else mine


async def _failing_is_empty(real: Any, venue: Any, bridge: Any, stream: str, call: str, about: Any) -> Any:
    try:
        return await real(venue, bridge, stream, call, about)
    except VenueError:
        if "earn" not in call:
            raise
        now = bridge._access.clock.now()
        answer = Evidence(stream=stream, request="GET /v1/earn", received_at=EpochMs(now), body=b'{"rows":[]}')
        return [answer]


async def _not_told(*_: Any) -> None:
    return None


def _uncounted(real: Any, pager: WindowPager, seen: Seen) -> Step:
    return real(pager, replace(seen, total=None))  # type: ignore[no-any-return]


def _unnamed(real: Any, batch: Any, stream: str, step: Step) -> Any:
    return real(batch, stream, replace(step, lost=None))


def _payloads_stay(real: Any, conn: Any, place: Any, changed: Sequence[Any]) -> None:
    real(conn, place, [item for item in changed if item.number is None])


def _twice(real: Any, conn: Any, moved: Any) -> None:
    real(conn, moved)
    if len(moved) > 2:
        real(conn, moved)


def _first_legs(real: Any, told: Sequence[Any], is_fiat: Any) -> Any:
    return real([replace(claim, rank=-claim.rank) for claim in told], is_fiat)


def _as_old_as_its_beginning(real: Any, conn: Any, place: Any, snapshot: Any) -> Any:
    """A doubt that stood before keeps its instant, whatever it is of now."""
    values = {"wallet": place.wallets[snapshot.wallet], "product": snapshot.product}
    before = conn.execute(snapshots._snapshot, values).one_or_none()
    done = real(conn, place, snapshot)
    if before is not None and before.suspect is not None and done.is_suspect:
        sql = "UPDATE snapshots SET suspect_since = ? WHERE wallet_id = ? AND product = ?"
        conn.exec_driver_sql(sql, (before.suspect_since, *values.values()))
    return done


def _not_noted(real: Any, conn: Any, place: Any, snapshot: Any) -> Any:
    """A doubt that stood before keeps its tokens, whatever it is of now."""
    values = {"wallet": place.wallets[snapshot.wallet], "product": snapshot.product}
    before = conn.execute(snapshots._snapshot, values).one_or_none()
    done = real(conn, place, snapshot)
    if before is not None and before.suspect is not None and done.is_suspect:
        sql = "UPDATE snapshots SET suspect = ?, suspect_since = ? WHERE wallet_id = ? AND product = ?"
        conn.exec_driver_sql(sql, (before.suspect, before.suspect_since, *values.values()))
    return done


def _forgotten_in_part(real: Any, conn: Any, row: Any, before: Any, **how: Any) -> Any:
    """What is doubted is judged anew with every look, as if nothing had been doubted before."""
    found = real(conn, row, before, **how)
    return frozenset() if found < before else found


PLANTED: Mapping[str, Plant] = {
    "a pager forgets its overlap": _with_row(overlap_ms=0),
    "a full walk never comes": _with_row(rescan_ms=0),
    "an offset is one too far": _around(WindowPager, "step", _one_row_further),
    "the cursor is committed before its rows": _instead(refresh, "commit_page", _cursor_first),
    "a page of one instant is taken for all of it": _around(TimePager, "step", _no_widening),
    "a window closes beyond the present": _around(WindowPager, "_close", _past_the_present),
    "a bound is taken for exclusive": _around(TimePager, "question", _exclusive),
    "a window ends two hours too early": _around(WindowPager, "question", _exclusive_end),
    "a walk by page tokens is complete at its first page": _around(CursorPager, "_token", _complete_at_once),
    "an interrupted walk by page tokens has seen what came since": _around(CursorPager, "step", _resumed_is_whole),
    "a walk by ids goes on after the next two": _around(IdPager, "step", _two_further),
    "a window is never full": _instead(WindowPager, "_is_full", lambda *_: False),
    "symbols share one cursor": _around(coverage, "cursor_of", _shared_cursor),
    "a repeated row moves the offset": _instead(telling, "distinct", lambda rows, claims: rows),
    "a page that contradicts its own count is believed": _around(WindowPager, "step", _uncounted),
    "what cannot be reached is not named": _around(reader, "_stepped", _unnamed),
    "a stream's failure is swallowed": _instead(refresh.Refresher, "_fail", _not_told),
    "an empty wallet is believed": _instead(guard, "is_suspect", lambda **_: False),
    "a second look counts at once": _instead(guard, "is_confirmed", lambda **_: True),
    "a sell-off is never believed": _instead(guard, "is_confirmed", lambda **_: False),
    "a product that fails is empty": _around(reader, "_all_pages", _failing_is_empty),
    "the fence is not looked at": _all(
        _instead(commit, "check_fence", lambda *_: None), _instead(accounts, "extend", lambda *_, **__: None)
    ),
    "names of stored events are forgotten": _around(claims, "_grouped", lambda real, changed, _known: real(changed, {})),
    "a correction is not written": _around(claims, "_file_claims", _payloads_stay),
    "a correction adds to the sums": _instead(events._Filing, "take_back", lambda *_: None),
    "legs are summed up twice": _around(events, "_file_sums", _twice),
    "the annotation leads": _around(events, "fold", _first_legs),
    "a ban is not noted": _instead(Pacer, "slow_down", lambda *_, **__: None),
    "a doubt that grows is as old as its beginning": _around(snapshots, "observe", _as_old_as_its_beginning),
    "a doubt that grows is not noted": _around(snapshots, "observe", _not_noted),
    "a doubt that shrinks is over": _around(snapshots, "_doubted", _forgotten_in_part),
    "a doubted balance is closed": _instead(snapshots, "_doubted", lambda *_, **__: frozenset()),
}
"""What is wrong → how it is put in."""
