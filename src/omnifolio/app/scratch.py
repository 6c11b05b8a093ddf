"""A ledger for one reading: a database in a folder that goes away with it, holding one account of one venue."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.engine import Connection

from omnifolio.app.facts import END_OF_TIME, Line, account_facts
from omnifolio.ledger import accounts, coverage, read
from omnifolio.ledger.commit import commit, record_failure
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import DAY_MS, Clock, EpochMs
from omnifolio.model.errors import OmnifolioError
from omnifolio.model.facts import Batch, Cursor, Gap
from omnifolio.model.ids import AccountId
from omnifolio.pricing.registry import Sources
from omnifolio.store.engine import Store, open_store
from omnifolio.store.migrate import prepare
from omnifolio.sync.quotes import refresh_quotes
from omnifolio.tenancy.owner import ensure as ensure_owner
from omnifolio.tenancy.principals import operator
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Known
from omnifolio.views.reconciled import Reconciliation, reconciliation
from omnifolio.views.transactions import transaction_page
from omnifolio.views.valuation import Money


class Scratch:
    """The account of such a ledger, and what a reading does with it. Open with `open_scratch`."""

    def __init__(self, store: Store, clock: Clock, principal: Principal, account: AccountId, fence: int) -> None:
        self._store, self._clock = store, clock
        self._principal, self._account, self._fence = principal, account, fence

    async def known(self) -> Known:
        """What the pages so far have told, for the readers of the next ones."""
        known = await self._store.read(read.known, self._principal, self._account)
        return Known(tokens=known.tokens, cursors=known.cursors, provisional=known.provisional)

    async def cursor(self, stream: str) -> Cursor:
        """Where the stream goes on."""
        return Cursor(stream, await self._store.read(coverage.cursor_of, self._account, stream))

    async def commit(self, page: Batch) -> None:
        """Takes a page in."""
        await self._store.write_sync(commit, self._principal, self._account, page, fence=self._fence, now=self._clock.now())

    async def fail(self, stream: str, error: OmnifolioError) -> None:
        """Notes that a stream could not be read to its end."""
        gap = Gap(stream=stream, code=error.code, text=error.message)
        await self._store.write_sync(
            record_failure, self._principal, self._account, gap, fence=self._fence, now=self._clock.now()
        )

    async def facts(self) -> list[Line]:
        """Everything that the ledger holds now, as lines."""
        return await self._store.read(account_facts, self._principal, self._account)

    async def valued(self, sources: Sources, egress: Egress, *, currency: str) -> list[Line]:
        """As `facts`, each leg with its value in the currency when it happened, after asking the sources for prices.

        A value that nobody knows is None, and `unvalued` says why.
        """
        await refresh_quotes(self._store, sources, egress, self._clock, with_closes=False)
        wanted = read.Filter(start=EpochMs(0), end=END_OF_TIME, limit=read.PAGE_MAX, is_ascending=True)
        page = await self._store.read(
            transaction_page,
            self._principal,
            self._account,
            wanted,
            currency=currency,
            assets=sources.assets,
            now=self._clock.now(),
        )
        found = {row.transaction.name: row for row in page.rows}
        lines = await self.facts()
        for line in lines:
            row = found.get(line.get("ref", ""))
            if row is None:
                continue
            for leg, told in zip(row.transaction.legs, line["legs"], strict=True):
                value = row.values[leg.key]
                told["currency"] = currency
                told["value"] = canonical(value.amount) if isinstance(value, Money) else None
                told["unvalued"] = None if isinstance(value, Money) else value.text
        return lines

    async def reconciliation(self) -> Reconciliation:
        """The balances against the history, as far as both were read."""
        return await self._store.read(reconciliation, self._principal, self._account, self._clock.now())


@asynccontextmanager
async def open_scratch(venue: str, clock: Clock) -> AsyncIterator[Scratch]:
    """A new ledger with an account at the venue; its folder is removed at the end, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="omnifolio-scratch-") as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'scratch.db'}")
        try:
            await store.write(prepare)
            yield Scratch(store, clock, *await store.write(_open, venue, clock))
        finally:
            await store.close()


def _open(conn: Connection, venue: str, clock: Clock) -> tuple[Principal, AccountId, int]:
    now = clock.now()
    principal = ensure_owner(conn, operator("scratch"), actor="scratch", pepper=bytes(32), now=now).principal
    account = accounts.add(conn, principal, venue=venue, fingerprint=b"scratch", now=now)
    fence = accounts.lease(conn, principal, account, owner="scratch", now=now, length_ms=DAY_MS)
    assert fence is not None, "nobody else knows this database"
    return principal, account, fence
