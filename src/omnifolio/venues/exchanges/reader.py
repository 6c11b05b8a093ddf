"""Reads any exchange that has a row: which streams there are, one page after another, and what each page says.

The row says how a stream is walked (`paging`), the quirks of the venue say what its answers mean (`quirks/<id>`), the bridge
signs and carries the calls. `decode` is the same pure function for a live page, a rebuild and a replay.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache

from msgspec.structs import replace

from omnifolio.catalog import exchanges, oauth
from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.catalog.oauth import ACCESS
from omnifolio.catalog.streams import StreamRow
from omnifolio.model.accounts import Certificate
from omnifolio.model.errors import (
    AccountLocked,
    BadCredentials,
    EgressRefused,
    MissingPermission,
    NotFound,
    ProductNotOpen,
    VenueBadResponse,
    VenueBusy,
    VenueError,
)
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap, Wallet
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Access, Stream, received_at
from omnifolio.venues.exchanges import subaccounts
from omnifolio.venues.exchanges.answers import KEY_START, Context, Page, Quirks, Seen, open_products
from omnifolio.venues.exchanges.ccxt_bridge import Bridge
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.granted import granted_of
from omnifolio.venues.exchanges.paging import Step, has_rows, pager_for
from omnifolio.venues.exchanges.rights import Rights, judge
from omnifolio.venues.exchanges.unified import arguments, is_unified, markets_of

PRODUCTS = "products/all"
PAGES_MAX = 100_000
SNAPSHOT_PAGES_MAX = 200
PROGRESS_STREAMS = 25
"""Pages of one stream in one run, and of one balance call: a venue that gives more never ends. Scopes between two notes of
how far a finder has come."""

KEY_START_LENGTH = 12


def quirks_of(row: ExchangeRow) -> Quirks:
    """What the module that the row names knows of its venue's answers. All are loaded when the first exchange is read."""
    from omnifolio.venues.exchanges.quirks.registry import QUIRKS

    return QUIRKS[row.quirks or row.id]


def rights_of(row: ExchangeRow) -> Callable[[Evidence], Rights]:
    """What reads the answer of the row's introspection."""
    from omnifolio.venues.exchanges.quirks.registry import RIGHTS

    return RIGHTS[row.permission_reader] if row.permission_reader else quirks_of(row).rights


def _introspections(row: ExchangeRow, access: Access) -> tuple[str, ...]:
    """The calls that tell what the credential may do: a token is asked for its scopes, a key for its rights."""
    if ACCESS in access.secrets:
        granted = oauth.load(row.id).granted
        assert granted is not None, "a venue whose tokens are the credential tells their scopes"
        return (granted.call,)
    return (*row.permission_needs, row.permission_probe, *row.permission_else)


class Venue:
    """A row with its codes, for as long as the process lives."""

    def __init__(self, row: ExchangeRow) -> None:
        reading = row.reading
        self.row = row
        self.quirks = quirks_of(row)
        self.codes = Codes(row.id, aliases=reading.aliases, tickers=reading.tickers, fiat=frozenset(reading.fiat))
        self._streams = {stream.kind if stream.is_per_scope else stream.name: stream for stream in reading.streams}
        self.wallets = {key: Wallet(key=key, name=name) for key, name in reading.wallets.items()}

    def context(self, stream: str) -> Context:
        """What the parsers of a stream must know. Raises: NotFound for a stream that the row does not have."""
        row, scope = self.row_of(stream), stream.partition("/")[2]
        return Context(stream, row.kind, scope, self.codes, self.row.reading.networks)

    def row_of(self, stream: str) -> StreamRow:
        """The row of a stream by its whole name, or by its kind where it is read per scope. Raises: NotFound."""
        row = self._streams.get(stream) or self._streams.get(stream.partition("/")[0])
        if row is None:
            raise NotFound(f"{self.row.id} has no stream {stream[:60]!r}")
        return row


@cache
def venue_of(venue: str) -> Venue:
    """The venue's row, loaded once. Raises: NotFound."""
    return Venue(exchanges.load(venue))


class ExchangeReader:
    """The reader of all exchanges. Stateless: the venue comes with the access."""

    def streams(self, access: Access) -> Sequence[Stream]:
        """Every stream of the row; per-scope ones for the scopes that were found before."""
        return tuple(_streams(venue_of(access.venue), access))

    async def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        """Pages of one stream after its cursor. Raises: VenueError and its kin; what was yielded before stays valid."""
        venue = venue_of(access.venue)
        row = venue.row_of(since.stream)
        bridge = Bridge(access, venue.row)
        try:
            if row.is_optional:
                yield await _optional(venue, bridge, since, row)
            elif row.pager == "once":
                yield await _snapshot(venue, bridge, since.stream, row)
            elif row.pager == "scopes":
                async for batch in self._scopes(venue, bridge, access, since, row):
                    yield batch
            else:
                async for batch in _history(venue, bridge, access, since, row):
                    yield batch
        except ProductNotOpen:
            yield Batch(cursor=since, observed_at=access.clock.now(), done=True)
        except MissingPermission:
            if row.is_balances or not row.is_positions:
                raise
            gap = Gap(stream=since.stream, code=MissingPermission.code, text="the key may not read open positions")
            yield Batch(cursor=since, observed_at=access.clock.now(), gaps=(gap,), done=True)
        except BadCredentials:
            if not row.product:
                raise
            # The key is good for everything else: this product wants a right of its own, or is newer than the key.
            gap = Gap(stream=since.stream, code=MissingPermission.code, text="the key may not read this product of the account")
            yield Batch(cursor=since, observed_at=access.clock.now(), gaps=(gap,), done=True)
        finally:
            await bridge.close()

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        """The facts of one page out of its raw answers. Raises: VenueBadResponse."""
        found = venue_of(venue)
        return _batch(found, stream, evidence, _parse(found, stream, evidence))

    async def certificate(self, access: Access) -> Certificate:
        """What the key may do, by the venue's own introspection; unknown where it has none. Raises: VenueError.

        Where nothing secret is asked for there is no key, and an address can only be read.
        """
        venue = venue_of(access.venue)
        if not any(field.secret for field in venue.row.fields):
            return Certificate(state="read_only", method="address", checked_at=access.clock.now())
        if not venue.row.permission_probe:
            return Certificate(state="unknown", method="", checked_at=access.clock.now())
        bridge = Bridge(access, venue.row)
        answers: list[Evidence] = []
        try:
            for call in _introspections(venue.row, access):
                with suppress(ProductNotOpen):
                    answers += [await bridge.call(call, about) for about in venue.quirks.asked(call, answers)]
        finally:
            await bridge.close()
        if not answers:
            raise VenueBadResponse(f"{access.venue}: no call tells what the key may do")
        key = access.secrets.get("key")
        start = {KEY_START: key.reveal()[:KEY_START_LENGTH]} if key else {}
        return self.certify(access.venue, replace(answers[-1], params=start))

    def certify(self, venue: str, evidence: Evidence) -> Certificate:
        """The certificate that the answer of the venue's introspection gives. Raises: VenueBadResponse."""
        found = venue_of(venue)
        scopes = granted_of(venue, evidence)
        if scopes is not None:
            return judge(scopes.rights, scopes.reading, method=evidence.request, checked_at=evidence.received_at)
        return judge(rights_of(found.row)(evidence), found.row.reading, method=evidence.request, checked_at=evidence.received_at)

    async def _scopes(self, venue: Venue, bridge: Bridge, access: Access, since: Cursor, row: StreamRow) -> AsyncIterator[Batch]:
        """Finds scopes, reads those that have no cursor yet, and closes with the finder's own cursor."""
        context, now = venue.context(since.stream), access.clock.now()
        if not venue.quirks.is_due(context, access.known, since.token, now):
            yield Batch(cursor=since, observed_at=now, done=True)
            return
        answers: list[Evidence] = []
        for call in row.calls:
            # That a product is not open tells a finder something too.
            with suppress(ProductNotOpen):
                for about in venue.quirks.asked(call, answers):
                    answers += await _all_pages(venue, bridge, since.stream, call, about)
        found = venue.quirks.scopes(context, access.known, since.token, answers)
        for number, stream in enumerate(found.streams, start=1):
            async for batch in _history(venue, bridge, access, Cursor(stream), venue.row_of(stream)):
                if found.keeps_empty or batch.claims or batch.gaps:
                    yield replace(batch, done=False)
            token = found.progress(stream) if number % PROGRESS_STREAMS == 0 else None
            if token is not None:
                yield Batch(cursor=Cursor(since.stream, token), observed_at=now)
        yield Batch(cursor=Cursor(since.stream, found.token), observed_at=now, gaps=tuple(found.gaps), done=True)


def _streams(venue: Venue, access: Access) -> Iterator[Stream]:
    cursors = access.known.cursors
    opened = open_products(cursors.get(PRODUCTS, ""))
    for row in venue.row.reading.streams:
        if not row.is_asked or (row.product and row.product not in opened):
            continue
        if row.is_optional and subaccounts.is_resting(cursors.get(row.name, ""), access.clock.now()):
            continue
        if not row.is_per_scope:
            yield Stream(name=row.name, is_balances=row.is_balances, is_positions=row.is_positions, look_back_ms=row.look_back_ms)
            continue
        kind = row.scopes_of or row.kind
        for name in sorted(cursors):
            if name.startswith(kind + "/") and (not row.scopes_of or has_rows(cursors[name])):
                yield Stream(name=f"{row.kind}/{name.partition('/')[2]}", look_back_ms=row.look_back_ms)


async def _history(venue: Venue, bridge: Bridge, access: Access, since: Cursor, row: StreamRow) -> AsyncIterator[Batch]:
    """Pages of one history stream, each with the cursor that follows it."""
    pager = pager_for(row, since.token, access.clock.now())
    is_resumed = bool(since.token)
    lookups = [item for call in row.lookups for item in await _all_pages(venue, bridge, since.stream, call, {})]
    for _ in range(PAGES_MAX):
        question = pager.question()
        if row.scope_param:
            question[row.scope_param] = venue.quirks.scope_value(since.stream.partition("/")[2])
        try:
            answers = await _answers(bridge, row.calls[0], question)
        except EgressRefused as error:
            if not is_unified(row.calls[0]):
                raise
            gap = Gap(stream=since.stream, code=error.code, text=f"{row.calls[0]} cannot be read: {error.message}")
            yield Batch(cursor=since, observed_at=access.clock.now(), gaps=(gap,), done=True)
            return
        except VenueBadResponse:
            if not is_resumed:
                raise
            # A page token that the venue has forgotten: the walk starts anew, and known rows are known.
            pager, is_resumed = pager_for(row, "", access.clock.now()), False
            continue
        is_resumed = False
        evidence = (*(replace(answer, stream=since.stream) for answer in answers), *lookups)
        page = _parse(venue, since.stream, evidence)
        step = pager.step(page.seen)
        if step.is_torn:
            raise VenueBadResponse(f"{since.stream}: an empty page, though the venue counts more rows than it gave")
        yield _stepped(_batch(venue, since.stream, evidence, page), since.stream, step)
        if step.is_done:
            return
    raise VenueBadResponse(f"{since.stream}: the venue's pages do not end")


def _stepped(batch: Batch, stream: str, step: Step) -> Batch:
    gaps = batch.gaps
    if step.lost:
        is_instant = step.lost.start == step.lost.end
        text = "more rows at one instant than the venue gives in a page" if is_instant else "older rows than the venue gives"
        gaps = (*gaps, Gap(stream=stream, code="page_overflow", text=text, start=step.lost.start, end=step.lost.end))
    return replace(batch, cursor=Cursor(stream, step.token), covered=step.covered, gaps=gaps, done=step.is_done)


async def _optional(venue: Venue, bridge: Bridge, since: Cursor, row: StreamRow) -> Batch:
    """Balances that an account may have none of; then, and where they are refused, they are left alone for a day."""
    now = bridge.now()
    try:
        batch = await _snapshot(venue, bridge, since.stream, row)
    except (BadCredentials, MissingPermission, ProductNotOpen):
        return subaccounts.untold(since, now)
    except VenueBadResponse as error:
        gap = Gap(stream=since.stream, code=error.code, text=f"not read: {error.message}")
        return replace(subaccounts.untold(since, now), gaps=(gap,))
    return subaccounts.followed(batch, since, now)


async def _snapshot(venue: Venue, bridge: Bridge, stream: str, row: StreamRow) -> Batch:
    """All balances or positions at once: every page of every call in one batch; a call that fails is a gap and in no snapshot."""
    evidence: list[Evidence] = []
    gaps: list[Gap] = []
    failure: VenueError | EgressRefused | None = None
    for call in row.calls:
        try:
            for about in venue.quirks.asked(call, evidence):
                evidence += await _all_pages(venue, bridge, stream, call, {**row.params, **about})
        except (BadCredentials, AccountLocked, VenueBusy):
            raise
        except ProductNotOpen:
            continue
        except (VenueError, EgressRefused) as error:
            if isinstance(error, EgressRefused) and not is_unified(call):
                raise
            failure = error
            text = f"{call} could not be read, so what it tells is not updated"
            gaps.append(Gap(stream=stream, code=error.code, text=text, is_failure=True))
    if not evidence:
        # Every call failed, or tells of a product that is not open.
        raise failure or ProductNotOpen
    batch = _batch(venue, stream, evidence, _parse(venue, stream, evidence))
    # A row that cannot be read keeps its product as it was: that is a failure too, not something that the venue never gives.
    gaps += [replace(gap, is_failure=True) for gap in batch.gaps]
    return replace(batch, gaps=tuple(gaps), done=True)


async def _all_pages(venue: Venue, bridge: Bridge, stream: str, call: str, about: Mapping[str, str]) -> list[Evidence]:
    """Every page of one call about one thing. Raises: VenueError when any of them fails."""
    answers: list[Evidence] = []
    question = venue.quirks.following(call, None)
    while question is not None:
        if len(answers) >= SNAPSHOT_PAGES_MAX:
            raise VenueBadResponse(f"{call}: the venue's pages do not end")
        answers += [replace(item, stream=stream) for item in await _answers(bridge, call, {**about, **question})]
        question = venue.quirks.following(call, answers[-1])
    return answers


async def _answers(bridge: Bridge, call: str, question: Mapping[str, str]) -> list[Evidence]:
    """The answers of one call: a single one, or what ccxt's own method asked for. Raises: as the bridge."""
    if not is_unified(call):
        return [await bridge.call(call, question)]
    heard = await bridge.answers(call, arguments(call, question), markets_of(question))
    return [replace(item, params=dict(question)) for item in heard]


def _parse(venue: Venue, stream: str, evidence: Sequence[Evidence]) -> Page:
    """What the answers of one page say. Raises: VenueBadResponse."""
    context = venue.context(stream)
    whole = venue.quirks.snapshots.get(context.kind) or venue.quirks.joined.get(context.kind)
    if whole is not None:
        return whole(context, evidence)
    pages = [venue.quirks.parsers[context.kind](context, item) for item in evidence]
    if len(pages) == 1:
        return pages[0]
    return Page(
        seen=Seen(rows=sum(page.seen.rows for page in pages)),
        claims=[replace(claim, evidence=place) for place, page in enumerate(pages) for claim in page.claims],
        orders=[replace(order, evidence=place) for place, page in enumerate(pages) for order in page.orders],
        gaps=[gap for page in pages for gap in page.gaps],
    )


def _batch(venue: Venue, stream: str, evidence: Sequence[Evidence], page: Page) -> Batch:
    """A page as a batch, with the tokens and wallets that it names."""
    tokens: dict[TokenId, None] = {}
    wallets: dict[str, None] = {}
    for claim in page.claims:
        for leg in claim.legs:
            tokens[leg.token] = wallets[leg.wallet] = None
    for snapshot in page.snapshots:
        wallets[snapshot.wallet] = None
        tokens |= dict.fromkeys(balance.token for balance in snapshot.balances)
    for stands in page.positions:
        wallets[stands.wallet] = None
        tokens |= dict.fromkeys(token for position in stands.positions for token in sorted(position.tokens))
    for order in page.orders:
        tokens[order.base] = tokens[order.quote] = wallets[order.wallet] = None
    return Batch(
        cursor=Cursor(stream),
        observed_at=received_at(evidence),
        tokens=tuple(venue.codes.facts(token) for token in tokens),
        wallets=tuple(venue.wallets.get(key) or subaccounts.wallet(key) for key in wallets),
        snapshots=tuple(page.snapshots),
        positions=tuple(page.positions),
        claims=tuple(page.claims),
        orders=tuple(page.orders),
        gaps=tuple(page.gaps),
        evidence=tuple(evidence),
    )
