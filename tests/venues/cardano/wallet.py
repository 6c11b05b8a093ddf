"""An address read from a server of Koios' kind."""

from tests.venues import account

from omnifolio.catalog.cardano_chains import cardano_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Leg, Snapshot
from omnifolio.venues.contract import Known

NETWORK = cardano_chain("cardano")
ADA = NETWORK.native.id


class Account(account.Account):
    """What was read of an address; its places are `own` and `rewards`, with the product."""

    def __init__(self, url: str, address: str, *, history: str = "all") -> None:
        super().__init__(NETWORK.id, url, address, history=history)

    def known(self) -> Known:
        """The blocks that may still be replaced."""
        waiting = [claim for claim in self.claims.values() if claim.finality == "provisional"]
        return Known(
            provisional={
                claim.height: claim.block_hash for claim in waiting if claim.height is not None and claim.block_hash is not None
            }
        )

    def keep(self, page: Batch) -> None:
        """Takes back what a replaced block held, as the ledger does."""
        if page.rewind is not None:
            above = page.rewind.height
            self.claims = {
                name: claim
                for name, claim in self.claims.items()
                if not (claim.finality == "provisional" and claim.height is not None and claim.height > above)
            }
        super().keep(page)

    def place_of(self, snapshot: Snapshot) -> str:
        """The wallet and the product."""
        return f"{_wallet(snapshot.wallet)} {snapshot.product}"

    def token_of(self, leg: Leg) -> str:
        """The wallet and the token."""
        return f"{_wallet(leg.wallet)} {leg.token}"

    def holds(self) -> dict[str, str]:
        """What is held by wallet and token, over all products."""
        held = {
            place: {f"{place.partition(' ')[0]} {token}": amount for token, amount in amounts.items()}
            for place, amounts in self.held.items()
        }
        return account.added(held)

    def legs(self, name: str) -> list[tuple[str, str, str]]:
        """(key, amount, counterparty) of a transaction's legs."""
        return [(leg.key, canonical(leg.amount), leg.counterparty or "") for leg in self.claims[name].legs]


def _wallet(key: str) -> str:
    return "rewards" if key.endswith("/rewards") else "own"
