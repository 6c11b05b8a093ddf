"""Whole rounds of the worker over an account of a chain: the real refresh, the real ledger, a server on loopback."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from tests.ledger.builders import Book
from tests.stage import Hurry

from omnifolio.ledger import accounts
from omnifolio.model.clock import HOUR_MS, EpochMs
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.refresh import Refresher
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access, Known, Reader

SLICES_MAX = 20


class Ahead(Hurry):
    """The machine's clock, moved on between rounds."""

    def now(self) -> EpochMs:
        return EpochMs(super().now() + round(self.skipped_s * 1000))


class Chains(Doorkeeper):
    """Opens an account of a chain at one server."""

    def __init__(
        self, reader: Reader, url: str, rules: Sequence[Rule], fields: Mapping[str, str], venue: str, clock: Ahead
    ) -> None:
        self._reader_of_all, self._url, self._rules = reader, url, rules
        self._fields, self._venue, self._time = fields, venue, clock

    @asynccontextmanager
    async def open(self, principal: object, account: object, known: Known) -> AsyncIterator[tuple[Reader, Access]]:
        egress = Egress(clock=self._time, sleep=self._time.sleep)
        egress.allow(self._venue, self._rules)
        where = {"egress": egress, "clock": self._time, "key_label": "", "base_url": self._url}
        try:
            yield self._reader_of_all, Access(venue=self._venue, fields=self._fields, known=known, **where)  # type: ignore[arg-type]  # named fields
        finally:
            await egress.close()


class Rounds:
    """An account of a book, and rounds over it."""

    def __init__(
        self, book: Book, reader: Reader, url: str, *, rules: Sequence[Rule], fields: Mapping[str, str], venue: str
    ) -> None:
        self.book, self.clock = book, Ahead()
        door = Chains(reader, url, rules, fields, venue, self.clock)
        self._refresher = Refresher(store=book.store, clock=self.clock, doorkeeper=door, interval_ms=HOUR_MS, keep_bodies=True)

    async def round(self) -> None:
        """One round to its end, a day after the last one."""
        await self.clock.sleep(86_400)
        who, account = self.book.principal, self.book.account
        await self.book.store.write(lambda conn: accounts.release(conn, account, fence=self.book.fence))
        await self.book.store.write(lambda conn: accounts.postpone(conn, account, until=self.clock.now()))
        assert who.user is not None, "the book has an owner"
        due = accounts.Due(account, who.user, who.team)
        for _ in range(SLICES_MAX):
            if await self._refresher.slice(due, owner="w"):
                return
        raise AssertionError("the round does not end")
