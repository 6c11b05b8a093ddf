"""A look at the streams that an event names, between rounds and beside them: the lease is the same, the pages are the same.

It is no round: nothing of the account's state changes but what the pages bring. Balances that it finds moved leave history marked
as unread, as every commit does, so the next round reads whatever the event did not name.
"""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, coverage, live, outbox, read
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import SECOND_MS, Clock
from omnifolio.store.engine import Store
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.refresh import SLICE_S, Refresher, Slice, known_of
from omnifolio.venues.contract import Access, Reader, Stream
from omnifolio.venues.exchanges.listening import chosen
from omnifolio.venues.exchanges.streams.contract import Want

LEASE_MS = 30 * SECOND_MS
"""Short, as a look is: who dies in the middle of one holds nobody up for long."""


class Seen(Struct, frozen=True, kw_only=True):
    """What a look brought. `is_whole`: every stream was read to its end; else a round has to go on."""

    moved: bool
    found: int
    is_whole: bool


class Glancer:
    """Looks at single streams of accounts. Stateless between looks."""

    def __init__(self, *, store: Store, clock: Clock, doorkeeper: Doorkeeper, refresher: Refresher) -> None:
        self._store = store
        self._clock = clock
        self._doorkeeper = doorkeeper
        self._refresher = refresher

    async def look(self, due: accounts.Due, wants: Sequence[Want], *, owner: str) -> Seen | None:
        """Reads the streams that are wanted, balances first; None while another worker has the account.

        Raises: NotFound, LeaseLost, StoreUnavailable; VenueError and its kin where the venue or the key stands against it.
        """
        principal = Principal(team=due.team, user=due.user, actor="sync")

        def begin(conn: Connection) -> tuple[accounts.Account, int] | None:
            now = self._clock.now()
            fence = accounts.lease(conn, principal, due.account, owner=owner, now=now, length_ms=LEASE_MS)
            return None if fence is None else (accounts.get(conn, principal, due.account, now), fence)

        begun = await self._store.write_sync(begin)
        if begun is None:
            return None
        account, fence = begun
        deadline_s = self._clock.monotonic() + SLICE_S
        turn = Slice(account=account, principal=principal, fence=fence, deadline_s=deadline_s, lease_ms=LEASE_MS)
        try:
            known = known_of(await self._store.read(read.known, principal, account.id))
            async with self._doorkeeper.open_between(principal, account, known) as (reader, access):
                return await self._read(turn, reader, access, wants)
        finally:
            await self._store.write(accounts.release, due.account, fence=fence)

    async def _read(self, turn: Slice, reader: Reader, access: Access, wants: Sequence[Want]) -> Seen:
        """One stream after another; what each brings may make others known (a symbol that was never traded before)."""
        began_at = self._clock.now()
        done: set[str] = set()
        is_whole = True
        while is_whole and (left := [stream for stream in chosen(access, wants) if stream.name not in done]):
            stream = min(left, key=lambda item: _place(item, wants))
            is_whole = await self._refresher.read_stream(turn, reader, access, stream)
            done.add(stream.name)
            access.known = known_of(await self._store.read(read.known, turn.principal, turn.account.id))

        def end(conn: Connection) -> bool:
            now = self._clock.now()
            is_under_round = turn.moved and accounts.get(conn, turn.principal, turn.account.id, now).round_at is not None
            live.heard(conn, turn.principal, turn.account.id, now, at=now, is_under_round=is_under_round)
            outbox.note_glance(conn, turn.principal, turn.account.id, now)
            gaps = coverage.gaps_of(conn, turn.account.id)
            return not any(gap.is_failure and gap.opened_at >= began_at and gap.stream in done for gap in gaps)

        is_sound = await self._store.write_sync(end)
        return Seen(moved=turn.moved, found=turn.found, is_whole=is_whole and is_sound)


def _place(stream: Stream, wants: Sequence[Want]) -> tuple[bool, int]:
    """Its place in a look: what is there now before what happened, then in the order of the wants."""
    kind = stream.name.partition("/")[0]
    return not stream.is_present, next((number for number, want in enumerate(wants) if want.kind == kind), len(wants))
