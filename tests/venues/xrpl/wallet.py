"""An account read from a server, kept as far as a ledger would keep it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from tests.stage import Hurry

from omnifolio.catalog.xrpl_chains import xrpl_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Claim, Cursor, Gap
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.xrpl.reader import READER

LEDGER = xrpl_chain("xrpl")
XRP = LEDGER.native.id
STREAMS = ("balances/xrpl", "transfers/xrpl")


@asynccontextmanager
async def access_to(url: str, address: str, *, egress: Egress | None = None, history: str = "all") -> AsyncIterator[Access]:
    """An account of that address at the server."""
    clock = Hurry()
    egress = egress or Egress(clock=clock, sleep=clock.sleep)
    egress.allow(LEDGER.id, [Rule("POST", url, is_configured=True)])
    fields = {"wallet": address, "history": history}
    try:
        yield Access(venue=LEDGER.id, egress=egress, clock=clock, key_label="", fields=fields, base_url=url)
    finally:
        await egress.close()


class Account:
    """What was read of an address."""

    def __init__(self, url: str, address: str, *, history: str = "all") -> None:
        self.url, self.address, self.history = url, address, history
        self.cursors: dict[str, str] = {}
        self.claims: dict[str, Claim] = {}
        self.held: dict[str, dict[str, str]] = {}
        self.gaps: dict[str, Gap] = {}
        self.covered: list[tuple[int, int]] = []

    async def sync(self, *, pages_max: int = 1_000) -> list[Batch]:
        """Reads both streams on; every page must be decoded from its evidence alone to the same facts."""
        found: list[Batch] = []
        async with access_to(self.url, self.address, history=self.history) as access:
            for stream in [item.name for item in READER.streams(access)]:
                async for page in READER.read(access, Cursor(stream, self.cursors.get(stream, ""))):
                    again = READER.decode(LEDGER.id, stream, page.evidence)
                    assert (again.claims, again.snapshots, again.gaps) == (page.claims, page.snapshots, page.gaps)
                    self._keep(page)
                    found.append(page)
                    if len(found) == pages_max:
                        return found
        return found

    def _keep(self, page: Batch) -> None:
        self.cursors[page.cursor.stream] = page.cursor.token
        self.claims |= {claim.ref: claim for claim in page.claims}
        self.gaps |= {gap.code: gap for gap in page.gaps}
        self.covered += [(interval.start, interval.end) for interval in page.covered]
        for snapshot in page.snapshots:
            self.held[snapshot.product] = {item.token: canonical(item.amount) for item in snapshot.balances}

    def holds(self) -> dict[str, str]:
        """What is held and owed by token, over all products."""
        sums: dict[str, Decimal] = {}
        for held in self.held.values():
            for token, amount in held.items():
                sums[token] = sums.get(token, Decimal(0)) + Decimal(amount)
        return {token: canonical(amount) for token, amount in sums.items() if amount}

    def summed(self) -> dict[str, str]:
        """The sum of all legs by token, without those that add up to nothing."""
        sums: dict[str, Decimal] = {}
        for claim in self.claims.values():
            for leg in claim.legs:
                sums[leg.token] = sums.get(leg.token, Decimal(0)) + leg.amount
        return {token: canonical(amount) for token, amount in sums.items() if amount}

    def legs(self, name: str) -> list[tuple[str, str, str, str]]:
        """(key, token, amount, counterparty) of a transaction's legs; fees have the key `fee`."""
        return [(leg.key, leg.token, canonical(leg.amount), leg.counterparty or "") for leg in self.claims[name].legs]
