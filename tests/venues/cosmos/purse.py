"""An address read from the server of a Cosmos chain."""

from decimal import Decimal

from tests.venues import account

from omnifolio.catalog.cosmos_chains import CosmosChain
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Leg, Snapshot
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.contract import Known


class Purse(account.Account):
    """What was read of an address, by tickers."""

    def __init__(self, url: str, chain: CosmosChain, address: str, *, history: str = "all") -> None:
        super().__init__(chain.id, url, address, history=history)
        self.chain = chain
        self.tokens: dict[str, TokenFacts] = {}

    def known(self) -> Known:
        """The tokens that were named before."""
        return Known(tokens=frozenset(facts.id for facts in self.tokens.values()))

    def keep(self, page: Batch) -> None:
        """A transaction is the same whichever list tells it."""
        for claim in page.claims:
            assert self.claims.get(claim.ref, claim).legs == claim.legs
        self.tokens = {facts.id: facts for facts in page.tokens} | self.tokens
        super().keep(page)

    def shown(self, snapshot: Snapshot) -> dict[str, str]:
        """A snapshot's balances."""
        return {self.name(item.token): canonical(item.amount) for item in snapshot.balances}

    def token_of(self, leg: Leg) -> str:
        """The ticker."""
        return self.name(leg.token)

    def name(self, token: str) -> str:
        """The ticker of a token."""
        return self.tokens[token].ticker

    def total(self) -> dict[str, str]:
        """What the wallet holds over its products; rewards are another wallet."""
        sums: dict[str, Decimal] = {}
        for product in ("spot", "locked", "staked"):
            for token, amount in self.held.get(product, {}).items():
                sums[token] = sums.get(token, Decimal(0)) + Decimal(amount)
        return {token: canonical(amount) for token, amount in sums.items()}

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(ticker, amount, role) of a transaction's legs."""
        return [(self.name(leg.token), canonical(leg.amount), leg.role) for leg in self.claims[name].legs]
