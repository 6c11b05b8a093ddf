"""One account's sync driven from a recorded conversation, without network: the reader, the ledger and nothing else.

What comes out are the normalised facts as lines, the same that a live sync of that conversation would have stored. Takes without
an exact path (recorded below the URL) cannot be asked for: they are recognised by their form and read in their order.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace
from sqlalchemy.engine import Connection

from omnifolio.app.facts import Line, account_facts
from omnifolio.catalog import exchanges
from omnifolio.ledger import accounts, coverage, read
from omnifolio.ledger.commit import commit, record_failure
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import OmnifolioError
from omnifolio.model.facts import Cursor, Gap
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import Store, open_store
from omnifolio.store.migrate import prepare
from omnifolio.tenancy.owner import ensure as ensure_owner
from omnifolio.tenancy.principals import operator
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Cassette, Take
from omnifolio.venues.contract import Access, Known, Reader
from omnifolio.venues.exchanges.recognise import recognised
from omnifolio.venues.registry import reader_for

UNSTATED = EpochMs(1_577_836_800_000)
"""2020-01-01, where the clock stands when a recording states no time at all."""
ROUNDS_MAX = 20
"""Readers may find new streams while they read; so often the list is asked again."""


class HeldClock:
    """A clock that stands still at the instant of the recording."""

    def __init__(self, at: EpochMs) -> None:
        self._at = at

    def now(self) -> EpochMs:
        return self._at

    def monotonic(self) -> float:
        return 0.0


async def replay(cassette: Cassette) -> list[Line]:
    """The facts of a recorded conversation. Raises: NotFound for a venue that is not known; FileRefused."""
    cassette = replace(cassette, venue=exchanges.id_of(cassette.venue))
    loose = _loose(cassette)
    clock = HeldClock(cassette.recorded_at or _latest(cassette, loose))
    egress = Egress.playing(cassette, clock=clock)
    reader = reader_for(cassette.venue)
    with tempfile.TemporaryDirectory(prefix="omnifolio-replay-") as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'replay.db'}")
        try:
            await store.write(prepare)
            principal, account, fence = await store.write(_open, cassette.venue, clock.now())
            if len(loose) < len(cassette.requests):
                await _read_all(
                    store, reader, _access(cassette, egress, clock), principal=principal, account=account, fence=fence
                )
            for page in recognised(cassette.venue, loose, observed_at=clock.now()) if loose else ():
                await store.write_sync(commit, principal, account, page, fence=fence, now=clock.now())
            return await store.read(account_facts, principal, account)
        finally:
            await egress.close()
            await store.close()


def _open(conn: Connection, venue: str, now: EpochMs) -> tuple[Principal, AccountId, int]:
    principal = ensure_owner(conn, operator("replay"), actor="replay", pepper=bytes(32), now=now).principal
    account = accounts.add(conn, principal, venue=venue, fingerprint=b"replay", now=now)
    fence = accounts.lease(conn, principal, account, owner="replay", now=now, length_ms=MINUTE_MS)
    assert fence is not None, "nobody else knows this database"
    return principal, account, fence


async def _read_all(
    store: Store, reader: Reader, access: Access, *, principal: Principal, account: AccountId, fence: int
) -> None:
    over: set[str] = set()
    for _ in range(ROUNDS_MAX):
        access.known = await _known(store, principal, account)
        left = [stream for stream in reader.streams(access) if stream.name not in over]
        if not left:
            return
        for stream in sorted(left, key=lambda s: not s.is_balances):
            over.add(stream.name)
            # As in a sync: what balances and earlier streams told is known to the finders after them.
            access.known = await _known(store, principal, account)
            token = await store.read(coverage.cursor_of, account, stream.name)
            try:
                async for page in reader.read(access, Cursor(stream.name, token)):
                    await store.write_sync(commit, principal, account, page, fence=fence, now=access.clock.now())
            except OmnifolioError as error:
                gap = Gap(stream=stream.name, code=error.code, text=error.message)
                await store.write_sync(record_failure, principal, account, gap, fence=fence, now=access.clock.now())


async def _known(store: Store, principal: Principal, account: AccountId) -> Known:
    known = await store.read(read.known, principal, account)
    return Known(tokens=known.tokens, cursors=known.cursors, provisional=known.provisional)


def _access(cassette: Cassette, egress: Egress, clock: HeldClock) -> Access:
    return Access(venue=cassette.venue, egress=egress, clock=clock, key_label="replay", fields=cassette.fields)


def _loose(cassette: Cassette) -> tuple[Take, ...]:
    """Takes that name no exact path, of a venue whose answers can be recognised."""
    if cassette.venue not in exchanges.ids():
        return ()
    return tuple(take for take in cassette.requests if take.path is None and "://" not in take.url)


def _latest(cassette: Cassette, loose: Sequence[Take]) -> EpochMs:
    """The latest instant that the recording states: when an answer came, else the newest event in it."""
    stated = [take.received_at for take in cassette.requests if take.received_at]
    told = (
        [claim.at for page in recognised(cassette.venue, loose, observed_at=UNSTATED) for claim in page.claims] if loose else []
    )
    return max(stated or told, default=UNSTATED)
