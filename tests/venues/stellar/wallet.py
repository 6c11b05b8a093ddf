"""An account read from a Horizon server."""

from tests.venues.account import PlacedAccount

from omnifolio.catalog.stellar_chains import stellar_chain
from omnifolio.model.facts import Claim, Leg
from omnifolio.transport.recording import Recorder

NETWORK = stellar_chain("stellar")
XLM = NETWORK.native.id


class Account(PlacedAccount):
    """What was read of an address. A transaction has a claim for each operation and one for its fee."""

    def __init__(self, url: str, address: str, *, history: str = "all", recorder: Recorder | None = None) -> None:
        super().__init__(NETWORK.id, url, address, history=history, recorder=recorder)

    def name_of(self, claim: Claim) -> str:
        """The transaction, and which of its claims it is."""
        return f"{claim.name} {claim.ref}"

    def _of(self, name: str) -> list[Claim]:
        """All claims of a transaction, its operations' before its fee's."""
        found = [claim for claim in self.claims.values() if claim.name == name]
        return sorted(found, key=lambda claim: (claim.ref.endswith("fee"), claim.ref))

    def of(self, name: str) -> list[Leg]:
        """The legs of all claims of a transaction."""
        return [leg for claim in self._of(name) for leg in claim.legs]

    def kinds(self, name: str) -> list[str]:
        """The kinds of the claims of a transaction."""
        return [claim.kind for claim in self._of(name)]

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(wallet and ticker, amount, other side) of a transaction's legs; the fee has itself as its other side."""
        return self.told(self.of(name))
