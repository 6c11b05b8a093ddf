"""An address read from a Solana node."""

from tests.venues import account

from omnifolio.catalog.solana_chains import solana_chain
from omnifolio.model.amounts import canonical

NETWORK = solana_chain("solana")
SOL = NETWORK.native.id
STREAMS = ("balances/solana", "transfers/solana")


class Account(account.Account):
    """What was read of an address."""

    def __init__(self, url: str, address: str, *, history: str = "all") -> None:
        super().__init__(NETWORK.id, url, address, history=history)

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(token, amount, role) of a transaction's legs."""
        return [(leg.token, canonical(leg.amount), leg.role) for leg in self.claims[name].legs]
