"""An address of a chain read from a server, kept as far as a ledger would keep it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal

from tests.stage import Hurry

from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Claim, Cursor, Gap, Leg, Snapshot
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Recorder
from omnifolio.venues.contract import Access, Known
from omnifolio.venues.registry import networks, reader_for


@asynccontextmanager
async def access_to(
    network: str,
    url: str,
    address: str,
    *,
    egress: Egress | None = None,
    history: str = "all",
    known: Known | None = None,
    recorder: Recorder | None = None,
) -> AsyncIterator[Access]:
    """An account of that address at the server."""
    clock = Hurry()
    egress = egress or Egress(clock=clock, sleep=clock.sleep, recorder=recorder)
    egress.allow(network, networks()[network].rules(url, True))
    fields = {"wallet": address, "history": history}
    try:
        yield Access(venue=network, egress=egress, clock=clock, key_label="", fields=fields, base_url=url, known=known)
    finally:
        await egress.close()


class Account:
    """What was read of an address. `held` by place, then by token; what a place is, each family says for itself."""

    def __init__(self, network: str, url: str, address: str, *, history: str = "all", recorder: Recorder | None = None) -> None:
        self.network, self.url, self.address, self.history, self.recorder = network, url, address, history, recorder
        self.cursors: dict[str, str] = {}
        self.claims: dict[str, Claim] = {}
        self.held: dict[str, dict[str, str]] = {}
        self.gaps: dict[str, Gap] = {}
        self.tickers: dict[str, str] = {}
        self.covered: list[tuple[int, int]] = []

    async def sync(self, *, pages_max: int = 1_000) -> list[Batch]:
        """Reads all streams on; every page must be decoded from its evidence alone to the same facts."""
        reader, found = reader_for(self.network), list[Batch]()
        access = access_to(self.network, self.url, self.address, history=self.history, known=self.known(), recorder=self.recorder)
        async with access as opened:
            for stream in [item.name for item in reader.streams(opened)]:
                async for page in reader.read(opened, Cursor(stream, self.cursors.get(stream, ""))):
                    assert _facts(reader.decode(self.network, stream, page.evidence)) == _facts(page)
                    self.keep(page)
                    found.append(page)
                    if len(found) == pages_max:
                        return found
        return found

    def known(self) -> Known:
        """What the ledger would tell the reader."""
        return Known()

    def keep(self, page: Batch) -> None:
        """Files a page."""
        self.cursors[page.cursor.stream] = page.cursor.token
        for claim in page.claims:
            self.claims[self.name_of(claim)] = claim
        self.gaps |= {gap.code: gap for gap in page.gaps}
        self.tickers = {facts.id: facts.ticker for facts in page.tokens} | self.tickers
        self.covered += [(interval.start, interval.end) for interval in page.covered]
        for snapshot in page.snapshots:
            self.held[self.place_of(snapshot)] = self.shown(snapshot)

    def name_of(self, claim: Claim) -> str:
        """Under which name a claim is kept."""
        return claim.ref

    def place_of(self, snapshot: Snapshot) -> str:
        """Where a snapshot's balances are."""
        return snapshot.product

    def shown(self, snapshot: Snapshot) -> dict[str, str]:
        """A snapshot's balances."""
        return {item.token: canonical(item.amount) for item in snapshot.balances}

    def summed(self) -> dict[str, str]:
        """The sum of all legs by token, without those that add up to nothing."""
        return _added((self.token_of(leg), leg.amount) for claim in self.claims.values() for leg in claim.legs)

    def token_of(self, leg: Leg) -> str:
        """Under what a leg is added up."""
        return leg.token


class PlacedAccount(Account):
    """An account of several wallets, by the end of their keys; "" is the one whose contents can be moved."""

    @property
    def key(self) -> str:
        """The key of the wallet whose contents can be moved."""
        return f"{networks()[self.network].caip2}:{self.address}"

    def place_of(self, snapshot: Snapshot) -> str:
        """The end of the wallet's key."""
        return snapshot.wallet.removeprefix(self.key)

    def shown(self, snapshot: Snapshot) -> dict[str, str]:
        """A snapshot's balances without empty ones."""
        return {item.token: canonical(item.amount) for item in snapshot.balances if item.amount}

    def placed(self) -> dict[str, dict[str, str]]:
        """The sum of all legs by wallet and token, without those that add up to nothing."""
        by_place: dict[str, list[tuple[str, Decimal]]] = {}
        for claim in self.claims.values():
            for leg in claim.legs:
                by_place.setdefault(leg.wallet.removeprefix(self.key), []).append((leg.token, leg.amount))
        return {place: _added(amounts) for place, amounts in by_place.items()}

    def told(self, legs: list[Leg]) -> list[tuple[str, str, str]]:
        """(wallet and ticker, amount, other side) of legs; a fee has itself as its other side."""
        return [
            (
                f"{leg.wallet.removeprefix(self.key)} {self.tickers[leg.token]}".strip(),
                canonical(leg.amount),
                leg.role if leg.role == "fee" else leg.counterparty or "",
            )
            for leg in legs
        ]


def added(held: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """What is held by token, over all places."""
    return _added((token, Decimal(amount)) for amounts in held.values() for token, amount in amounts.items())


def _added(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, str]:
    sums: dict[str, Decimal] = {}
    for name, amount in amounts:
        sums[name] = sums.get(name, Decimal(0)) + amount
    return {name: canonical(amount) for name, amount in sums.items() if amount}


def _facts(page: Batch) -> tuple[object, ...]:
    return page.claims, page.snapshots, page.gaps, page.tokens, page.wallets, page.covered, page.rewind
