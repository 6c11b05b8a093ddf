"""Importing a file into an account: its lines become claims beside those of the venue's interface, and both merge.

The file itself is the evidence, so a better decoder reads it again. The same file twice, or one that overlaps another or the
interface, adds nothing that was known.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct

from omnifolio.app.comparing import Compared, compare
from omnifolio.app.context import Context
from omnifolio.app.runtime import Runtime
from omnifolio.catalog import layouts
from omnifolio.catalog.layouts import LayoutRow
from omnifolio.ledger import accounts, coverage, overview
from omnifolio.ledger.commit import commit
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import FileRefused, InvalidField, NotFound, SyncInProgress
from omnifolio.model.facts import Batch, Claim, Cursor
from omnifolio.model.ids import AccountId
from omnifolio.transport.egress import Egress
from omnifolio.venues import manual
from omnifolio.venues.contract import Access
from omnifolio.venues.files.reader import CONTENT, LAYOUT, MATCHES, STREAM_KIND, ZONE
from omnifolio.venues.files.table import FILE_BYTES_MAX, opened
from omnifolio.venues.registry import reader_for

LEASE_MS = 2 * MINUTE_MS
SAMPLES = 5
"""Lines that a preview shows."""


class Imported(Struct, frozen=True, kw_only=True):
    """What a file brings, or would bring. Lines are counted as `lines`, all else are transactions.

    `new` were not known; `known` were; `elsewhere` are in another account of the user and left out; `ambiguous` are among the new
    and may be known. `unreadable` names the lines that were left out and why. `first` and `last` span the lines that were read.
    """

    layout: str
    lines: int
    new: int
    known: int
    elsewhere: int
    ambiguous: int
    first: EpochMs | None
    last: EpochMs | None
    unreadable: tuple[str, ...]


async def import_file(
    runtime: Runtime,
    principal: Principal,
    account: AccountId,
    path: Path,
    *,
    layout: str | None = None,
    time_zone: str | None = None,
    is_preview: bool = False,
) -> Imported:
    """Reads a file into an account, or only says what that would bring.

    `layout` names its kind; None recognises it by its header line. `time_zone` is that of its times, where it does not say.

    Raises: FileRefused for a file that cannot be read; InvalidField for a file of another venue; NotFound; SyncInProgress.
    """
    return await import_data(
        runtime.context, principal, account, _bytes_of(path), layout=layout, time_zone=time_zone, is_preview=is_preview
    )


async def import_data(
    context: Context,
    principal: Principal,
    account: AccountId,
    data: bytes,
    *,
    layout: str | None = None,
    time_zone: str | None = None,
    is_preview: bool = False,
) -> Imported:
    """As `import_file`, with what is in the file."""
    table = opened(data, _named(layout))
    row = table.layout
    venue = (await context.store.read(accounts.get, principal, account, context.clock.now())).venue
    if row.venue not in (venue, layouts.NO_VENUE) and venue != manual.VENUE:
        raise InvalidField(f"this file is {row.display_name}, and the account is at {venue}")
    fields = {CONTENT: table.text, LAYOUT: row.id, **({ZONE: time_zone} if time_zone else {})}
    if is_preview:
        found, pages = await _compared(context, principal, account, row, _access(context, venue, fields))
        return _imported(row, found, pages, new=found.new)
    async with _leased(context, principal, account) as fence:
        found, pages = await _compared(context, principal, account, row, _access(context, venue, fields))
        before = await context.store.read(overview.counts, principal, account)
        stream = f"{STREAM_KIND}/{row.id}"
        since = Cursor(stream, await context.store.read(coverage.cursor_of, account, stream))
        access = _access(context, venue, {**fields, MATCHES: json.dumps(found.matches)})
        async for page in reader_for(venue, stream).read(access, since):
            now = context.clock.now()
            await context.store.write_sync(commit, principal, account, page, fence=fence, now=now)
            await context.store.write(accounts.extend, account, fence=fence, until=EpochMs(now + LEASE_MS))
        after = await context.store.read(overview.counts, principal, account)
    return _imported(row, found, pages, new=after.transactions - before.transactions)


class Preview(Struct, frozen=True, kw_only=True):
    """What is in a file that no account has yet; fields as in `Imported`. `samples` are its first lines as they were read."""

    layout: str
    venue: str
    lines: int
    first: EpochMs | None
    last: EpochMs | None
    unreadable: tuple[str, ...]
    samples: tuple[Claim, ...]


async def preview_data(context: Context, data: bytes, *, provider: str | None) -> Preview:
    """Reads a file without an account. `provider` None takes a file of any venue; Manual takes all of them, too.

    Raises: FileRefused for a file that cannot be read; InvalidField for a file of another venue.
    """
    table = opened(data)
    row = table.layout
    if provider is not None and row.venue not in (provider, layouts.NO_VENUE) and provider != manual.VENUE:
        raise InvalidField(f"this file is {row.display_name}, and the account is at {provider}")
    venue = manual.VENUE if row.venue == layouts.NO_VENUE else row.venue
    stream = f"{STREAM_KIND}/{row.id}"
    access = _access(context, venue, {CONTENT: table.text, LAYOUT: row.id})
    pages = [page async for page in reader_for(venue, stream).read(access, Cursor(stream))]
    claims = [claim for page in pages for claim in page.claims]
    spans = [span for page in pages for span in page.covered]
    return Preview(
        layout=row.display_name,
        venue=row.venue,
        lines=len(claims),
        first=min((span.start for span in spans), default=None),
        last=max((span.end for span in spans), default=None),
        unreadable=tuple(gap.text for page in pages for gap in page.gaps),
        samples=tuple(claims[:SAMPLES]),
    )


async def _compared(
    context: Context, principal: Principal, account: AccountId, row: LayoutRow, access: Access
) -> tuple[Compared, Sequence[Batch]]:
    """The whole file as it reads, and what of it is known."""
    stream = f"{STREAM_KIND}/{row.id}"
    pages = [page async for page in reader_for(access.venue, stream).read(access, Cursor(stream))]
    found = await context.store.read(partial(compare, layout=row, ids=context.ids), principal, account, pages)
    return found, pages


def _access(context: Context, venue: str, fields: Mapping[str, str]) -> Access:
    # A way out without a single rule: a file is read from what was given, and nothing can be asked.
    return Access(venue=venue, egress=Egress(clock=context.clock), clock=context.clock, key_label="import", fields=fields)


def _imported(row: LayoutRow, found: Compared, pages: Sequence[Batch], *, new: int) -> Imported:
    spans = [span for page in pages for span in page.covered]
    return Imported(
        layout=row.id,
        lines=sum(len(page.claims) for page in pages),
        new=new,
        known=found.known,
        elsewhere=found.elsewhere,
        ambiguous=found.ambiguous,
        first=min((span.start for span in spans), default=None),
        last=max((span.end for span in spans), default=None),
        unreadable=tuple(gap.text for page in pages for gap in page.gaps),
    )


@contextlib.asynccontextmanager
async def _leased(context: Context, principal: Principal, account: AccountId) -> AsyncIterator[int]:
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
