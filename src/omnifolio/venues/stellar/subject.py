"""Whose balances and movements are read on a network, and the wallets in which they lie."""

from msgspec import Struct

from omnifolio.catalog.stellar_chains import StellarChain
from omnifolio.model.facts import Wallet


class Subject(Struct, frozen=True):
    """An account on a network. Its wallets: what it holds, and what lies ready for it to be claimed."""

    chain: StellarChain
    address: str

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return f"{self.chain.caip2}:{self.address}"

    @property
    def claimable(self) -> str:
        """The key of the wallet of claimable balances."""
        return f"{self.wallet}/claimable"


def wallets_of(subject: Subject) -> tuple[Wallet, ...]:
    """Both wallets of the account."""
    address = subject.address
    name = f"{subject.chain.name} {address[:4]}…{address[-4:]}"
    return (
        Wallet(key=subject.wallet, name=name, address=address),
        Wallet(key=subject.claimable, name=f"{name} claimable", address=address),
    )
