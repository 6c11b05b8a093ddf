"""An address that is read into a ledger as an installation does it: whole rounds, or page by page to stop between two."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

from tests.ledger.builders import Book, at
from tests.stage import Hurry

from omnifolio.app.facts import Line
from omnifolio.app.replay import replay
from omnifolio.ledger import accounts, coverage, read
from omnifolio.ledger.rebuild import rebuild
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import HOUR_MS
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.model.tokens import TokenId
from omnifolio.store.engine import Store
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.refresh import Refresher
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Recorder
from omnifolio.venues.contract import Access, Known, Reader
from omnifolio.venues.registry import networks, reader_for

SLICES_MAX = 20


class Reading(Doorkeeper):
    """The address `wallet` of a network at the server `url`, in a book of its own."""

    def __init__(self, book: Book, network: str, url: str, wallet: str, *, history: str = "all") -> None:
        self.book, self.network, self.url = book, networks()[network], url
        self.fields = {"wallet": wallet, "history": history}
        self.reader: Reader = reader_for(network)
        self.clock = Hurry()
        self.pages: list[Batch] = []
        self.recorder = Recorder(network)

    @classmethod
    async def begin(cls, store: Store, network: str, url: str, wallet: str, *, history: str = "all") -> "Reading":
        """A new book for the address."""
        return cls(await Book.open(store), network, url, wallet, history=history)

    @asynccontextmanager
    async def access(self, known: Known | None = None) -> AsyncIterator[Access]:
        """The way to the server, open for what the network's rules allow."""
        egress = Egress(clock=self.clock, sleep=self.clock.sleep, recorder=self.recorder)
        egress.allow(self.network.id, self.network.rules(self.url, True))
        try:
            yield Access(
                venue=self.network.id, egress=egress, clock=self.clock, key_label="", fields=self.fields, base_url=self.url,
                known=known,
            )  # fmt: skip
        finally:
            await egress.close()

    @asynccontextmanager
    async def open(self, principal: Principal, account: accounts.Account, known: Known) -> AsyncIterator[tuple[Reader, Access]]:
        """See `Doorkeeper`."""
        async with self.access(known) as access:
            yield self.reader, access

    async def sync(self, *, pages_max: int = 1_000) -> list[Batch]:
        """Pages of all streams, each decoded once more from its evidence alone; the process dies after `pages_max`."""
        found: list[Batch] = []
        stored = await self.book.store.read(read.known, self.book.principal, self.book.account)
        async with self.access(Known(tokens=stored.tokens, cursors=stored.cursors)) as access:
            for stream in self.reader.streams(access):
                async for page in self.reader.read(access, Cursor(stream.name, stored.cursors.get(stream.name, ""))):
                    again = self.reader.decode(self.network.id, stream.name, page.evidence)
                    assert (again.claims, again.snapshots, again.gaps, again.tokens, again.covered) == (
                        page.claims, page.snapshots, page.gaps, page.tokens, page.covered,
                    )  # fmt: skip
                    await self.book.commit(page)
                    self.pages.append(page)
                    found.append(page)
                    if len(found) == pages_max:
                        return found
        return found

    async def refresh(self) -> None:
        """One whole round of the real refresher."""
        store, who, account = self.book.store, self.book.principal, self.book.account
        assert who.user is not None, "the book has an owner"
        await store.write(lambda conn: accounts.release(conn, account, fence=self.book.fence))
        await store.write(lambda conn: accounts.postpone(conn, account, until=self.clock.now()))
        refresher = Refresher(store=store, clock=self.clock, doorkeeper=self, interval_ms=HOUR_MS, keep_bodies=True)
        for _ in range(SLICES_MAX):
            if await refresher.slice(accounts.Due(account, who.user, who.team), owner="w"):
                return
        raise AssertionError("the round does not end")

    async def replayed(self) -> list[Line]:
        """The facts of all that was asked so far, out of its recording alone."""
        return await replay(self.recorder.cassette(recorded_at=self.clock.now(), fields=self.fields))

    async def one(self, name: str) -> Batch:
        """One transaction asked for by its name."""
        assert self.network.ask_one is not None, "the network tells single transactions"
        async with self.access() as access:
            evidence = await self.network.ask_one(access, self.url, self.fields["wallet"], name)
        return self.reader.decode(self.network.id, evidence[0].stream, evidence)

    async def rebuild(self) -> tuple[int, int]:
        """Derives the ledger again from the evidence; how many transactions changed and were taken back."""

        def decode(stream: str, evidence: Sequence[Evidence]) -> Batch:
            return self.reader.decode(self.network.id, stream, evidence)

        done = await self.book.store.write_sync(rebuild, self.book.principal, self.book.account, decode, now=at(9))
        return done.changed, done.taken_back

    async def gaps(self) -> set[str]:
        """The codes of what was not read."""
        return {gap.code for gap in await self.book.store.read(coverage.gaps_of, self.book.account)}

    async def legs(self, name: str) -> dict[str, list[str]]:
        """The legs of the one transaction of that name: amounts by ticker, a fee's by `ticker fee`."""
        tickers = {facts.id: facts.ticker for page in self.pages for facts in page.tokens}
        (row,) = [row for row in await self.book.told() if row[4] == name]
        found: dict[str, list[str]] = {}
        for _, _, token, amount, role, _ in cast("tuple[tuple[str, ...], ...]", row[5]):
            found.setdefault(tickers[TokenId(token)] + (" fee" if role == "fee" else ""), []).append(amount)
        return {ticker: sorted(amounts) for ticker, amounts in found.items()}

    async def types(self) -> dict[str, str]:
        """The type of each transaction by name, with its status where it is not confirmed."""
        return {
            row.name: row.type + ("" if row.status == "confirmed" else f" {row.status}") for row in await self.book.transactions()
        }
