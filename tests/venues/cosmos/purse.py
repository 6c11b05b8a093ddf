"""An address read from a chain's server, kept as far as a ledger would keep it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from tests.stage import Hurry

from omnifolio.catalog.cosmos_chains import CosmosChain
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Claim, Cursor, Gap
from omnifolio.model.tokens import TokenFacts
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access, Known
from omnifolio.venues.cosmos.reader import READER
from omnifolio.venues.cosmos.rest import rules_of


@asynccontextmanager
async def access_to(
    url: str, chain: CosmosChain, address: str, *, history: str = "all", known: Known | None = None
) -> AsyncIterator[Access]:
    """An account of that address at the server."""
    clock = Hurry()
    egress = Egress(clock=clock, sleep=clock.sleep)
    egress.allow(chain.id, rules_of(url, is_configured=True))
    fields = {"wallet": address, "history": history}
    try:
        yield Access(venue=chain.id, egress=egress, clock=clock, key_label="", fields=fields, base_url=url, known=known)
    finally:
        await egress.close()


class Purse:
    """What was read of an address."""

    def __init__(self, url: str, chain: CosmosChain, address: str, *, history: str = "all") -> None:
        self.url, self.chain, self.address, self.history = url, chain, address, history
        self.cursors: dict[str, str] = {}
        self.claims: dict[str, Claim] = {}
        self.held: dict[str, dict[str, str]] = {}
        self.gaps: dict[str, Gap] = {}
        self.tokens: dict[str, TokenFacts] = {}

    async def sync(self, *, pages_max: int = 1_000) -> list[Batch]:
        """Reads both streams on; every page must be decoded from its evidence alone to the same facts."""
        found: list[Batch] = []
        known = Known(tokens=frozenset(facts.id for facts in self.tokens.values()))
        async with access_to(self.url, self.chain, self.address, history=self.history, known=known) as access:
            for stream in [item.name for item in READER.streams(access)]:
                async for page in READER.read(access, Cursor(stream, self.cursors.get(stream, ""))):
                    again = READER.decode(self.chain.id, stream, page.evidence)
                    assert (again.claims, again.snapshots, again.gaps) == (page.claims, page.snapshots, page.gaps)
                    assert (again.tokens, again.covered, again.wallets) == (page.tokens, page.covered, page.wallets)
                    self._keep(page)
                    found.append(page)
                    if len(found) == pages_max:
                        return found
        return found

    def _keep(self, page: Batch) -> None:
        self.cursors[page.cursor.stream] = page.cursor.token
        for claim in page.claims:
            assert self.claims.setdefault(claim.ref, claim).legs == claim.legs
        self.gaps |= {gap.code: gap for gap in page.gaps}
        self.tokens = {facts.id: facts for facts in page.tokens} | self.tokens
        for snapshot in page.snapshots:
            self.held[snapshot.product] = {self.name(item.token): canonical(item.amount) for item in snapshot.balances}

    def name(self, token: str) -> str:
        return self.tokens[token].ticker

    def total(self) -> dict[str, str]:
        """What the wallet holds over its products; rewards are another wallet."""
        sums: dict[str, Decimal] = {}
        for product in ("spot", "locked", "staked"):
            for token, amount in self.held.get(product, {}).items():
                sums[token] = sums.get(token, Decimal(0)) + Decimal(amount)
        return {token: canonical(amount) for token, amount in sums.items()}

    def summed(self) -> dict[str, str]:
        """The sum of all legs by token, without those that add up to nothing."""
        sums: dict[str, Decimal] = {}
        for claim in self.claims.values():
            for leg in claim.legs:
                sums[self.name(leg.token)] = sums.get(self.name(leg.token), Decimal(0)) + leg.amount
        return {token: canonical(amount) for token, amount in sums.items() if amount}

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(ticker, amount, role) of a transaction's legs."""
        return [(self.name(leg.token), canonical(leg.amount), leg.role) for leg in self.claims[name].legs]
