"""Importing a file into an account: its lines become claims beside those of the venue's interface, and both merge.

The file itself is the evidence, so a better decoder reads it again. The same file twice, or one that overlaps another or the
interface, adds nothing that was known.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from msgspec import Struct

from omnifolio.app.runtime import Runtime
from omnifolio.catalog import layouts
from omnifolio.catalog.layouts import LayoutRow
from omnifolio.ledger import accounts, coverage, overview
from omnifolio.ledger.commit import commit
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import FileRefused, InvalidField, NotFound, SyncInProgress
from omnifolio.model.facts import Cursor
from omnifolio.model.ids import AccountId
from omnifolio.venues.contract import Access
from omnifolio.venues.files.reader import CONTENT, LAYOUT, STREAM_KIND, ZONE
from omnifolio.venues.files.table import FILE_BYTES_MAX, opened
from omnifolio.venues.registry import reader_for

LEASE_MS = 2 * MINUTE_MS


class Imported(Struct, frozen=True, kw_only=True):
    """What a file brought. `new` are transactions that were not known; `unreadable` names the lines that were left out."""

    layout: str
    claims: int
    new: int
    unreadable: tuple[str, ...]


async def import_file(
    runtime: Runtime,
    principal: Principal,
    account: AccountId,
    path: Path,
    *,
    layout: str | None = None,
    time_zone: str | None = None,
) -> Imported:
    """Reads a file into an account. `layout` names its kind; None recognises it by its header line. `time_zone` is that of its
    times, for a file that does not say.

    Raises: FileRefused for a file that cannot be read; InvalidField for a file of another venue; NotFound; SyncInProgress.
    """
    context = runtime.context
    table = opened(_bytes_of(path), _named(layout))
    row = table.layout
    venue = (await context.store.read(accounts.get, principal, account, context.clock.now())).venue
    if row.venue not in (venue, layouts.NO_VENUE):
        raise InvalidField(f"this file is {row.display_name}, and the account is at {venue}")
    stream = f"{STREAM_KIND}/{row.id}"
    access = Access(
        venue=venue,
        egress=runtime.egress,
        clock=context.clock,
        key_label="import",
        fields={CONTENT: table.text, LAYOUT: row.id, **({ZONE: time_zone} if time_zone else {})},
    )
    before = await context.store.read(overview.counts, principal, account)
    claims = 0
    async with _leased(runtime, principal, account) as fence:
        since = Cursor(stream, await context.store.read(coverage.cursor_of, account, stream))
        async for page in reader_for(venue, stream).read(access, since):
            now = context.clock.now()
            await context.store.write_sync(commit, principal, account, page, fence=fence, now=now)
            await context.store.write(accounts.extend, account, fence=fence, until=EpochMs(now + LEASE_MS))
            claims += len(page.claims)
    after = await context.store.read(overview.counts, principal, account)
    gaps = await context.store.read(coverage.gaps_of, account)
    return Imported(
        layout=row.id,
        claims=claims,
        new=after.transactions - before.transactions,
        unreadable=tuple(gap.text for gap in gaps if gap.stream == stream),
    )


@contextlib.asynccontextmanager
async def _leased(runtime: Runtime, principal: Principal, account: AccountId) -> AsyncIterator[int]:
    context = runtime.context
    fence = await context.store.write(
        accounts.lease, principal, account, owner="import", now=context.clock.now(), length_ms=LEASE_MS
    )
    if fence is None:
        raise SyncInProgress("this account is being synchronised right now; import the file when that is done", existing=account)
    try:
        yield fence
    finally:
        await context.store.write(accounts.release, account, fence=fence)


def _named(layout: str | None) -> LayoutRow | None:
    if layout is None:
        return None
    try:
        return layouts.load(layout)
    except NotFound:
        raise FileRefused(f"no layout is called {layout[:40]!r}; known are {', '.join(layouts.ids())}") from None


def _bytes_of(path: Path) -> bytes:
    if not path.is_file():
        raise FileRefused(f"there is no file {path}")
    if path.stat().st_size > FILE_BYTES_MAX:
        raise FileRefused(f"the file is larger than {FILE_BYTES_MAX // 1024 // 1024} MB")
    return path.read_bytes()
