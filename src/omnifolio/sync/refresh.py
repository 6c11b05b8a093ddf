"""Brings one account up to date: the whole story of a sync.

A *round* reads every stream of the account once, balances first, then history, short look-back first. A *slice* is the part of
a round that one worker does before others get their turn; what a slice has done is in the ledger, so a crash or a slice's end
loses nothing and the next slice goes on from the stored cursors. Each stream runs in its own try: its failure becomes a gap
and empties nothing.
"""

import logging
import math
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, coverage, joining, outbox, read, snapshots
from omnifolio.ledger.commit import record_failure
from omnifolio.ledger.guard import SECOND_LOOK_MS
from omnifolio.model.accounts import AccountStatus, Principal
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Clock, EpochMs
from omnifolio.model.errors import (
    LeaseLost,
    MissingPermission,
    NotFound,
    OmnifolioError,
    StoreUnavailable,
    VenueBusy,
    VenueUserError,
)
from omnifolio.model.facts import Cursor, Gap
from omnifolio.store.engine import Store
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.pages import commit_page
from omnifolio.venues.contract import Access, Known, Reader, Stream

LEASE_MS = 5 * MINUTE_MS
SLICE_S = 60.0
SLICE_PAGES = 200
HISTORY_EVERY_MS = DAY_MS
"""History is read at least this often, even where no balance has moved."""
RETRY_FIRST_MS = 5 * MINUTE_MS
RETRY_LAST_MS = DAY_MS
BUSY_FIRST_MS = 30 * SECOND_MS
BUSY_LAST_MS = HOUR_MS
"""Pauses for a venue that is busy: the first, and the longest that we choose ourselves; the venue may choose a longer one."""

log = logging.getLogger(__name__)


class Slice(Struct, kw_only=True):
    """One worker's turn with one account."""

    account: accounts.Account
    principal: Principal
    fence: int
    deadline_s: float
    lease_ms: int = LEASE_MS
    pages_left: int = SLICE_PAGES
    moved: bool = False
    """True once a balance or position has changed in this round, or while a part of the history is not settled: then it is worth
    reading."""
    found: int = 0
    """Transactions that are new or have changed."""


class Refresher:
    """Refreshes accounts. One per process; stateless between slices."""

    def __init__(self, *, store: Store, clock: Clock, doorkeeper: Doorkeeper, interval_ms: int, keep_bodies: bool) -> None:
        self._store = store
        self._clock = clock
        self._doorkeeper = doorkeeper
        self._interval_ms = interval_ms
        self._keep_bodies = keep_bodies

    async def slice(self, due: accounts.Due, *, owner: str) -> bool:
        """Does one slice of the account's round; true when the round is complete. False also when another worker has it."""
        principal = Principal(team=due.team, user=due.user, actor="sync")
        turn = await self._begin(principal, due, owner)
        if turn is None:
            return False
        try:
            return await self._go_on(turn)
        except (LeaseLost, NotFound) as error:
            log.info("slice_dropped account=%s reason=%s", due.account, error.code)
            return False
        finally:
            await self._store.write(accounts.release, due.account, fence=turn.fence)

    async def _begin(self, principal: Principal, due: accounts.Due, owner: str) -> Slice | None:
        def op(conn: Connection) -> tuple[accounts.Account, int] | None:
            now = self._clock.now()
            fence = accounts.lease(conn, principal, due.account, owner=owner, now=now, length_ms=LEASE_MS)
            if fence is None:
                return None
            account = accounts.get(conn, principal, due.account, now)
            if account.next_sync_at is None or account.next_sync_at > now:
                # Another worker has finished it between the planner's look and this lease.
                accounts.release(conn, due.account, fence=fence)
                return None
            if account.round_at is None:
                progress: dict[str, AccountStatus] = dict.fromkeys(("wallets", "balances", "transactions"), "syncing")
                # What was over before this round began is not over in it, even where no millisecond lies between them or another
                # machine's clock was ahead.
                began = max(now, coverage.last_over(conn, due.account) + 1)
                accounts.set_state(conn, principal, due.account, now, status="syncing", progress=progress, round_at=began)
                account = accounts.get(conn, principal, due.account, now)
            return account, fence

        begun = await self._store.write_sync(op)
        if begun is None:
            return None
        account, fence = begun
        return Slice(account=account, principal=principal, fence=fence, deadline_s=self._clock.monotonic() + SLICE_S)

    async def _go_on(self, turn: Slice) -> bool:
        known = await self._store.read(read.known, turn.principal, turn.account.id)
        turn.moved = not known.is_settled
        try:
            async with self._doorkeeper.open(turn.principal, turn.account, known_of(known)) as (reader, access):
                return await self._read_streams(turn, reader, access)
        except VenueBusy as error:
            await self._pause(turn, error)
            return False
        except (LeaseLost, NotFound, StoreUnavailable):
            raise
        except OmnifolioError as error:
            await self._finish(turn, error)
            return True

    async def _read_streams(self, turn: Slice, reader: Reader, access: Access) -> bool:
        streams = await self._left(turn, reader.streams(access))
        has_read_balances = False
        for stream in sorted(streams, key=_urgency):
            if not stream.is_present and self._is_quiet(turn):
                break
            if has_read_balances and not stream.is_present:
                # The balances of every account that is due come before the deep history of any.
                await self._end_balances(turn)
                await self._requeue(turn)
                return False
            has_read_balances |= stream.is_balances
            if turn.pages_left <= 0 or self._clock.monotonic() >= turn.deadline_s:
                await self._requeue(turn)
                return False
            if not await self.read_stream(turn, reader, access, stream):
                await self._requeue(turn)
                return False
        # What the slice has found out, which products are open for instance, names streams that it did not begin with.
        access.known = known_of(await self._store.read(read.known, turn.principal, turn.account.id))
        left = await self._left(turn, reader.streams(access))
        if any(stream.name not in {s.name for s in streams} for stream in left) and not self._is_quiet(turn):
            # Reading has made new streams known (a token's symbols, for instance): they belong to this round.
            await self._requeue(turn)
            return False
        await self._finish(turn, None)
        return True

    async def read_stream(self, turn: Slice, reader: Reader, access: Access, stream: Stream) -> bool:
        """Reads one stream on from its cursor; false when the slice's budget ended inside it."""
        token = await self._store.read(coverage.cursor_of, turn.account.id, stream.name)
        try:
            async for page in reader.read(access, Cursor(stream.name, token)):
                done = await commit_page(
                    self._store,
                    turn.principal,
                    turn.account.id,
                    page,
                    fence=turn.fence,
                    now=self._now(turn),
                    keep_bodies=self._keep_bodies,
                    lease_until=EpochMs(self._clock.now() + turn.lease_ms),
                )
                turn.pages_left -= 1
                turn.moved |= stream.is_present and done.is_moved
                turn.found += done.transactions
                if not page.done and (turn.pages_left <= 0 or self._clock.monotonic() >= turn.deadline_s):
                    return False
        except MissingPermission as error:
            if stream.is_balances:
                raise
            # A key that may not read one kind of history still reads all others; which one it may not is named.
            await self._fail(turn, stream, error)
        except (VenueBusy, VenueUserError, LeaseLost, NotFound, StoreUnavailable):
            raise
        except OmnifolioError as error:
            await self._fail(turn, stream, error)
        except Exception as error:
            # A reader's bug must cost its own stream only, and be seen.
            log.exception("stream_crashed account=%s stream=%s", turn.account.id, stream.name)
            await self._fail(turn, stream, OmnifolioError(f"reading {stream.name} failed inside ({type(error).__name__})"))
        return True

    async def _left(self, turn: Slice, streams: Sequence[Stream]) -> list[Stream]:
        """The streams that this round has neither read nor found failing."""

        def op(conn: Connection) -> set[str]:
            round_at = turn.account.round_at or 0
            marks = coverage.bookmarks(conn, turn.account.id)
            failed = {g.stream for g in coverage.gaps_of(conn, turn.account.id) if g.is_failure and g.opened_at >= round_at}
            return failed | {mark.stream for mark in marks if mark.done_at is not None and mark.done_at >= round_at}

        over = await self._store.read(op)
        return [stream for stream in streams if stream.name not in over]

    def _is_quiet(self, turn: Slice) -> bool:
        """True when history need not be read: no balance has moved in this round, and it was read less than a day ago."""
        account = turn.account
        if turn.moved or account.scanned_at is None or account.round_at is None:
            return False
        return account.round_at - account.scanned_at < HISTORY_EVERY_MS

    async def _fail(self, turn: Slice, stream: Stream, error: OmnifolioError) -> None:
        gap = Gap(stream=stream.name, code=error.code, text=error.message)
        await self._store.write_sync(record_failure, turn.principal, turn.account.id, gap, fence=turn.fence, now=self._now(turn))

    def _now(self, turn: Slice) -> EpochMs:
        """The time in a round: never before its beginning, whatever the clock of this machine says."""
        return EpochMs(max(self._clock.now(), turn.account.round_at or 0))

    async def _requeue(self, turn: Slice) -> None:
        """Ends the slice: others that are due come first, then this round goes on."""
        await self._join(turn, is_whole=False)
        progress = await self._progress(turn)
        now = self._clock.now()
        await self._store.write_sync(
            accounts.set_state,
            turn.principal,
            turn.account.id,
            now,
            status="syncing",
            progress=progress,
            next_sync_at=now,
        )

    async def _pause(self, turn: Slice, error: VenueBusy) -> None:
        # A slice that brought pages was not refused in vain: a long history goes on at the pace that the venue allows.
        failures = 0 if turn.pages_left < SLICE_PAGES else turn.account.failures + 1
        chosen_ms = min(BUSY_FIRST_MS * 2 ** max(0, failures - 1), BUSY_LAST_MS)
        wait_ms = max(math.ceil(error.retry_after_s * SECOND_MS), chosen_ms)
        now = self._clock.now()
        await self._store.write_sync(
            accounts.set_state,
            turn.principal,
            turn.account.id,
            now,
            status="retry",
            progress=await self._progress(turn),
            error_code=error.code,
            error_text=error.message,
            failures=failures,
            next_sync_at=now + wait_ms,
        )

    async def _finish(self, turn: Slice, error: OmnifolioError | None) -> None:
        """Closes the round: what worked, what did not, and when to look again."""
        is_quiet = self._is_quiet(turn)
        if error is None and not is_quiet:
            await self._end_balances(turn)
            await self._join(turn, is_whole=True)

        def op(conn: Connection) -> None:
            now = self._clock.now()
            round_at = turn.account.round_at or now
            failed = [g for g in coverage.gaps_of(conn, turn.account.id) if g.is_failure and g.opened_at >= round_at]
            code, text = (error.code, error.message) if error else (failed[0].code, failed[0].text) if failed else (None, None)
            # A history that failed in part was not read: the next round asks for it again, whether balances move or not.
            history_was_read = error is None and not is_quiet and all(coverage.is_present(gap.stream) for gap in failed)
            stored = accounts.get(conn, turn.principal, turn.account.id, now)
            if stored.scanned_at == 0 and (stored.live_heard_at or 0) >= round_at:
                # An event moved a balance in the middle of this round: what was read before knows nothing of it.
                history_was_read = False
            failures = 0 if code is None else turn.account.failures + 1
            wait_ms = self._interval_ms if code is None else min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_LAST_MS)
            if snapshots.has_suspects(conn, turn.account.id):
                wait_ms = min(wait_ms, SECOND_LOOK_MS + SECOND_MS)
            next_at = None if error is not None and error.retry in ("after_user", "never") else now + wait_ms
            status: AccountStatus = "ok" if code is None else "error" if next_at is None else "retry"
            accounts.set_state(
                conn,
                turn.principal,
                turn.account.id,
                now,
                status=status,
                progress=_outcome(failed, error, status),
                error_code=code,
                error_text=text,
                failures=failures,
                round_at=None,
                next_sync_at=next_at,
                **({"synced_at": now} if error is None else {}),
                # History was read after this round's balances, so whatever happens from now on will move them.
                **({"scanned_at": self._now(turn)} if history_was_read else {}),
            )
            outbox.note_round(conn, turn.principal, turn.account.id, now, error=code, is_over=next_at is None)

        await self._store.write_sync(op)

    async def _join(self, turn: Slice, *, is_whole: bool) -> None:
        """Joins what another service handed on of the account with what its venue has told by now."""
        account, source = turn.account, turn.account.imported_from
        if source is None or (not is_whole and not turn.found):
            return

        def op(conn: Connection) -> joining.Joined:
            now, principal, fence = self._now(turn), turn.principal, turn.fence
            return joining.join(conn, principal, account.id, book=source, fence=fence, now=now, is_whole=is_whole)

        done = await self._store.write_sync(op)
        log.info(
            "import_joined account=%s by_name=%d by_moves=%d in_parts=%d left=%d",
            account.id, done.by_name, done.by_moves, done.in_parts, done.left,
        )  # fmt: skip

    async def _end_balances(self, turn: Slice) -> None:
        """Ends balances that another service handed on, now that the venue has told all that there are."""
        account, since = turn.account, turn.account.reconnected_at
        if since is None:
            return

        def op(conn: Connection) -> None:
            failed = [gap.stream for gap in coverage.gaps_of(conn, account.id) if gap.is_failure]
            if not any(map(coverage.is_present, failed)):
                stream = f"{account.imported_from}/account"
                now, fence = self._now(turn), turn.fence
                joining.end_balances(conn, turn.principal, account.id, stream=stream, before=since, fence=fence, now=now)

        await self._store.write_sync(op)

    async def _progress(self, turn: Slice) -> dict[str, AccountStatus]:
        def op(conn: Connection) -> dict[str, AccountStatus]:
            round_at = turn.account.round_at or 0
            done = [m for m in coverage.bookmarks(conn, turn.account.id) if m.done_at is not None and m.done_at >= round_at]
            has_balances = any(coverage.is_balances(mark.stream) for mark in done)
            state: AccountStatus = "ok" if has_balances else "syncing"
            return {"wallets": state, "balances": state, "transactions": "syncing"}

        return await self._store.read(op)


def _urgency(stream: Stream) -> tuple[int, int]:
    return (
        (0, 0)
        if stream.is_balances
        else (1, 0)
        if stream.is_positions
        else (2, stream.look_back_ms if stream.look_back_ms is not None else 2**62)
    )


def known_of(known: read.KnownOf) -> Known:
    """What the ledger holds of an account, as readers are told."""
    return Known(tokens=known.tokens, cursors=known.cursors, provisional=known.provisional)


def _outcome(
    failed: Sequence[coverage.StoredGap], error: OmnifolioError | None, status: AccountStatus
) -> dict[str, AccountStatus]:
    if error is not None:
        return dict.fromkeys(("wallets", "balances", "transactions"), status)
    balances_failed = any(coverage.is_present(gap.stream) for gap in failed)
    history_failed = any(not coverage.is_present(gap.stream) for gap in failed)
    return {
        "wallets": status if balances_failed else "ok",
        "balances": status if balances_failed else "ok",
        "transactions": status if history_failed else "ok",
    }
