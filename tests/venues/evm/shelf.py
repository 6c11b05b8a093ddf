"""What the tests of the EVM reader keep batches in: as much of a ledger as the reader can see, and no more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

from tests.stage import Hurry

from omnifolio.model.facts import Batch, Claim, Cursor, Snapshot
from omnifolio.model.secrets import Secret
from omnifolio.transport.egress import Egress, Rule
from omnifolio.venues.contract import Access, Known
from omnifolio.venues.evm.reader import EvmReader

READER = EvmReader()


class Shelf:
    """The rows of one account: claims by their names, cursors, the last snapshot, tokens; rewinds take back provisional rows."""

    def __init__(self) -> None:
        self.claims: dict[str, Claim] = {}
        self.cursors: dict[str, str] = {}
        self.snapshot: Snapshot | None = None
        self.tokens: dict[str, str] = {}

    def keep(self, batch: Batch) -> None:
        """What `commit` does with a batch."""
        if batch.rewind is not None:
            above = batch.rewind.height
            taken = [ref for ref, c in self.claims.items() if c.finality == "provisional" and (c.height or 0) > above]
            for ref in taken:
                del self.claims[ref]
        self.claims |= {claim.ref: claim for claim in batch.claims}
        self.tokens |= {token.id: token.ticker for token in batch.tokens}
        for snapshot in batch.snapshots:
            self.snapshot = snapshot
        self.cursors[batch.cursor.stream] = batch.cursor.token

    def known(self) -> Known:
        """What a reader is told."""
        held = {leg.token for claim in self.claims.values() for leg in claim.legs}
        held |= {balance.token for balance in self.snapshot.balances} if self.snapshot else set()
        provisional = {c.height: c.block_hash for c in self.claims.values() if c.finality == "provisional"}
        return Known(
            tokens=frozenset(held), provisional={h: b for h, b in provisional.items() if h is not None and b is not None}
        )

    def legs(self) -> dict[str, dict[str, str]]:
        """{transaction: {leg's key: signed amount}} in the chain's order."""
        ordered = sorted(self.claims.values(), key=lambda claim: (claim.height or 0, claim.ref))
        return {claim.ref: {leg.key: f"{leg.amount:f}" for leg in claim.legs} for claim in ordered}

    def total(self, token: str) -> Decimal:
        """The sum of all legs of a token."""
        return sum((leg.amount for c in self.claims.values() for leg in c.legs if leg.token == token), Decimal(0))

    def held(self) -> dict[str, Decimal]:
        """The last snapshot."""
        assert self.snapshot is not None
        return {balance.token: balance.amount for balance in self.snapshot.balances}


@asynccontextmanager
async def access_to(
    url: str,
    address: str,
    *,
    chain: str = "ethereum",
    known: Known | None = None,
    egress: Egress | None = None,
    explorer: str = "",
    key: str = "",
    history: str = "all",
) -> AsyncIterator[Access]:
    """An account of that address at the node."""
    clock = Hurry()
    way_out = egress or Egress(clock=clock, sleep=clock.sleep)
    if url:
        way_out.allow(chain, [Rule("POST", url, is_configured=True)])
    if explorer:
        way_out.allow(chain, [Rule("GET", explorer, is_configured=True)])
    fields = {"wallet": address, "chain": chain, "history": history}
    secrets = {"explorer_key": Secret(key)} if key else {}
    try:
        yield Access(
            venue=chain,
            egress=way_out,
            clock=clock,
            key_label="",
            fields=fields,
            secrets=secrets,
            base_url=url,
            explorer_url=explorer or None,
            known=known,
        )
    finally:
        await way_out.close()


async def sync(
    shelf: Shelf,
    url: str,
    address: str,
    *,
    kind: str = "transfers",
    chain: str = "ethereum",
    pages: int = 1_000,
    explorer: str = "",
    key: str = "",
    history: str = "all",
) -> list[Batch]:
    """Reads one stream on from the shelf's cursor, `pages` at most, keeps the batches, and gives them."""
    stream = f"{kind}/{chain}"
    found: list[Batch] = []
    async with access_to(url, address, chain=chain, known=shelf.known(), explorer=explorer, key=key, history=history) as access:
        async for batch in READER.read(access, Cursor(stream, shelf.cursors.get(stream, ""))):
            shelf.keep(batch)
            found.append(batch)
            if len(found) == pages:
                break
    return found
