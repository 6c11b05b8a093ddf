"""An address read from a server, kept as far as a ledger would keep it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

from tests.stage import Hurry

from omnifolio.catalog.cardano_chains import cardano_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Claim, Cursor, Gap
from omnifolio.transport.egress import Egress
from omnifolio.venues.cardano.koios import rules_of
from omnifolio.venues.cardano.reader import READER
from omnifolio.venues.contract import Access, Known

NETWORK = cardano_chain("cardano")
ADA = NETWORK.native.id


@asynccontextmanager
async def access_to(
    url: str, address: str, *, egress: Egress | None = None, history: str = "all", known: Known | None = None
) -> AsyncIterator[Access]:
    """An account of that address at the server."""
    clock = Hurry()
    egress = egress or Egress(clock=clock, sleep=clock.sleep)
    egress.allow(NETWORK.id, rules_of(url, True))
    fields = {"wallet": address, "history": history}
    try:
        yield Access(venue=NETWORK.id, egress=egress, clock=clock, key_label="", fields=fields, base_url=url, known=known)
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

    async def sync(self, *, pages_max: int = 1_000) -> list[Batch]:
        """Reads all streams on; every page must be decoded from its evidence alone to the same facts."""
        found: list[Batch] = []
        known = Known(provisional=self._provisional())
        async with access_to(self.url, self.address, history=self.history, known=known) as access:
            for stream in [item.name for item in READER.streams(access)]:
                async for page in READER.read(access, Cursor(stream, self.cursors.get(stream, ""))):
                    again = READER.decode(NETWORK.id, stream, page.evidence)
                    assert (again.claims, again.snapshots, again.gaps, again.rewind) == (
                        page.claims,
                        page.snapshots,
                        page.gaps,
                        page.rewind,
                    )
                    self._keep(page)
                    found.append(page)
                    if len(found) == pages_max:
                        return found
        return found

    def _provisional(self) -> Mapping[int, str]:
        waiting = [claim for claim in self.claims.values() if claim.finality == "provisional"]
        return {claim.height: claim.block_hash for claim in waiting if claim.height is not None and claim.block_hash is not None}

    def _keep(self, page: Batch) -> None:
        self.cursors[page.cursor.stream] = page.cursor.token
        if page.rewind is not None:
            above = page.rewind.height
            self.claims = {
                name: claim
                for name, claim in self.claims.items()
                if not (claim.finality == "provisional" and claim.height is not None and claim.height > above)
            }
        self.claims |= {claim.ref: claim for claim in page.claims}
        self.gaps |= {gap.code: gap for gap in page.gaps}
        for snapshot in page.snapshots:
            name = f"{snapshot.wallet.rpartition('/')[2] if snapshot.wallet.endswith('rewards') else 'own'} {snapshot.product}"
            self.held[name] = {item.token: canonical(item.amount) for item in snapshot.balances}

    def holds(self) -> dict[str, str]:
        """What is held by wallet and token, over all products."""
        sums: dict[str, Decimal] = {}
        for place, held in self.held.items():
            for token, amount in held.items():
                key = f"{place.partition(' ')[0]} {token}"
                sums[key] = sums.get(key, Decimal(0)) + Decimal(amount)
        return {key: canonical(amount) for key, amount in sums.items() if amount}

    def summed(self) -> dict[str, str]:
        """The sum of all legs by wallet and token, without those that add up to nothing."""
        sums: dict[str, Decimal] = {}
        for claim in self.claims.values():
            for leg in claim.legs:
                key = f"{'rewards' if leg.wallet.endswith('/rewards') else 'own'} {leg.token}"
                sums[key] = sums.get(key, Decimal(0)) + leg.amount
        return {key: canonical(amount) for key, amount in sums.items() if amount}

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(key, amount, counterparty) of a transaction's legs."""
        return [(leg.key, canonical(leg.amount), leg.counterparty or "") for leg in self.claims[name].legs]
