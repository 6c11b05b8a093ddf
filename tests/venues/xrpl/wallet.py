"""An account read from a server of the XRP Ledger."""

from tests.venues import account

from omnifolio.catalog.xrpl_chains import xrpl_chain
from omnifolio.model.amounts import canonical

LEDGER = xrpl_chain("xrpl")
XRP = LEDGER.native.id
STREAMS = ("balances/xrpl", "transfers/xrpl")


class Account(account.Account):
    """What was read of an address."""

    def __init__(self, url: str, address: str, *, history: str = "all") -> None:
        super().__init__(LEDGER.id, url, address, history=history)

    def holds(self) -> dict[str, str]:
        """What is held and owed by token, over all products."""
        return account.added(self.held)

    def legs(self, name: str) -> list[tuple[str, str, str, str]]:
        """(key, token, amount, counterparty) of a transaction's legs; fees have the key `fee`."""
        return [(leg.key, leg.token, canonical(leg.amount), leg.counterparty or "") for leg in self.claims[name].legs]
