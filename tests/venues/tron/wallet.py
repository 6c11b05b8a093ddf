"""An address read from a TRON server."""

from tests.venues.account import PlacedAccount

from omnifolio.catalog.tron_chains import tron_chain
from omnifolio.model.facts import Batch
from omnifolio.transport.recording import Recorder

NETWORK = tron_chain("tron")
TRX = NETWORK.native.id


class Account(PlacedAccount):
    """What was read of an address."""

    def __init__(self, url: str, address: str, *, history: str = "all", recorder: Recorder | None = None) -> None:
        super().__init__(NETWORK.id, url, address, history=history, recorder=recorder)

    def keep(self, page: Batch) -> None:
        """Every list says the same of a transaction."""
        for claim in page.claims:
            assert self.claims.get(claim.ref, claim).legs == claim.legs
        super().keep(page)

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(wallet and ticker, amount, other side) of a transaction's legs; the fee has itself as its other side."""
        return self.told(list(self.claims[name].legs))
