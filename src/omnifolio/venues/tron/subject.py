"""Whose balances and movements are read on a network, and the wallets in which they lie."""

from msgspec import Struct

from omnifolio.catalog.tron_chains import TronChain
from omnifolio.model.facts import Wallet


class Subject(Struct, frozen=True):
    """An address on a network. Its wallets: what can be moved, what is staked, what is unfreezing, what voting has earned."""

    chain: TronChain
    address: str

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return f"{self.chain.caip2}:{self.address}"

    @property
    def staked(self) -> str:
        """The key of the wallet of staked coins."""
        return f"{self.wallet}/staked"

    @property
    def unfreezing(self) -> str:
        """The key of the wallet of coins that were unstaked and wait."""
        return f"{self.wallet}/unfreezing"

    @property
    def rewards(self) -> str:
        """The key of the wallet of rewards that nobody has claimed."""
        return f"{self.wallet}/rewards"


def wallets_of(subject: Subject) -> tuple[Wallet, ...]:
    """All wallets of the address."""
    address = subject.address
    name = f"{subject.chain.name} {address[:4]}…{address[-4:]}"
    named = (
        (subject.wallet, name),
        (subject.staked, f"{name} staked"),
        (subject.unfreezing, f"{name} unfreezing"),
        (subject.rewards, f"{name} rewards"),
    )
    return tuple(Wallet(key=key, name=said, address=address) for key, said in named)
