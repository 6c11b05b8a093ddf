"""An account read from a server, kept as far as a ledger would keep it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from tests.stage import Hurry

from omnifolio.catalog.stellar_chains import stellar_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Claim, Cursor, Leg
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Recorder
from omnifolio.venues.contract import Access
from omnifolio.venues.stellar.horizon import rules_of
from omnifolio.venues.stellar.reader import READER

NETWORK = stellar_chain("stellar")
XLM = NETWORK.native.id


@asynccontextmanager
async def access_to(url: str, address: str, *, history: str = "all", recorder: Recorder | None = None) -> AsyncIterator[Access]:
    """An account of that address at the server."""
    clock = Hurry()
    egress = Egress(clock=clock, sleep=clock.sleep, recorder=recorder)
    egress.allow(NETWORK.id, rules_of(url, True))
    fields = {"wallet": address, "history": history}
    try:
        yield Access(venue=NETWORK.id, egress=egress, clock=clock, key_label="", fields=fields, base_url=url)
    finally:
        await egress.close()


class Account:
    """What was read of an address. Wallets by the end of their keys, "" the one whose contents can be moved."""

    def __init__(self, url: str, address: str, *, history: str = "all", recorder: Recorder | None = None) -> None:
        self.url, self.address, self.history, self.recorder = url, address, history, recorder
        self.key = f"{NETWORK.caip2}:{address}"
        self.cursors: dict[str, str] = {}
        self.claims: dict[tuple[str, str], Claim] = {}
        self.held: dict[str, dict[str, str]] = {}
        self.tickers: dict[str, str] = {}
        self.gaps: dict[str, str] = {}

    async def sync(self, *, pages_max: int = 1_000) -> list[Batch]:
        """Reads all streams on; every page must be decoded from its evidence alone to the same facts."""
        found: list[Batch] = []
        async with access_to(self.url, self.address, history=self.history, recorder=self.recorder) as access:
            for stream in [item.name for item in READER.streams(access)]:
                async for page in READER.read(access, Cursor(stream, self.cursors.get(stream, ""))):
                    again = READER.decode(NETWORK.id, stream, page.evidence)
                    assert (again.claims, again.snapshots, again.gaps) == (page.claims, page.snapshots, page.gaps)
                    self._keep(page)
                    found.append(page)
                    if len(found) == pages_max:
                        return found
        return found

    def _keep(self, page: Batch) -> None:
        self.cursors[page.cursor.stream] = page.cursor.token
        for claim in page.claims:
            self.claims[claim.name, claim.ref] = claim
        self.gaps |= {gap.code: gap.text for gap in page.gaps}
        self.tickers |= {facts.id: facts.ticker for facts in page.tokens}
        for snapshot in page.snapshots:
            held: dict[str, str] = {item.token: canonical(item.amount) for item in snapshot.balances if item.amount}
            self.held[snapshot.wallet.removeprefix(self.key)] = held

    def summed(self) -> dict[str, dict[str, str]]:
        """The sum of all legs by wallet and token, without those that add up to nothing."""
        sums: dict[str, dict[str, Decimal]] = {}
        for claim in self.claims.values():
            for leg in claim.legs:
                wallet = sums.setdefault(leg.wallet.removeprefix(self.key), {})
                wallet[leg.token] = wallet.get(leg.token, Decimal(0)) + leg.amount
        return {name: {token: canonical(amount) for token, amount in wallet.items() if amount} for name, wallet in sums.items()}

    def _ordered(self) -> list[tuple[tuple[str, str], Claim]]:
        return sorted(self.claims.items(), key=lambda item: (item[0][1].endswith("fee"), item[0]))

    def of(self, name: str) -> list[Leg]:
        """The legs of all claims of a transaction, its operations' before its fee's."""
        return [leg for (transaction, _), claim in self._ordered() for leg in claim.legs if transaction == name]

    def kinds(self, name: str) -> list[str]:
        """The kinds of the claims of a transaction."""
        return [claim.kind for (transaction, _), claim in self._ordered() if transaction == name]

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(wallet and ticker, amount, other side) of a transaction's legs; the fee has itself as its other side."""
        return [
            (
                f"{leg.wallet.removeprefix(self.key)} {self.tickers[leg.token]}".strip(),
                canonical(leg.amount),
                leg.role if leg.role == "fee" else leg.counterparty or "",
            )
            for leg in self.of(name)
        ]
