"""Whose history it is: a stake address with all addresses that name it, or one address alone. The wallets that it has."""

from msgspec import Struct

from omnifolio.catalog.cardano_chains import CardanoChain
from omnifolio.model.facts import Wallet
from omnifolio.venues.cardano.address import is_stake
from omnifolio.venues.cardano.shapes import Coin


class Subject(Struct, frozen=True):
    """An address on a network."""

    chain: CardanoChain
    address: str

    @property
    def is_account(self) -> bool:
        """Whether it is a stake address."""
        return is_stake(self.address)

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return f"{self.chain.caip2}:{self.address}"

    @property
    def rewards(self) -> str:
        """The key of the wallet of rewards."""
        return f"{self.wallet}/rewards"

    def owns(self, coin: Coin) -> bool:
        """Whether an output is its own."""
        return (coin.stake_addr if self.is_account else coin.payment_addr.bech32) == self.address

    def wallets(self) -> tuple[Wallet, ...]:
        """The wallet, and of a stake address what it has earned and not withdrawn."""
        name = f"{self.chain.name} {self.address[:9]}…{self.address[-4:]}"
        own = Wallet(key=self.wallet, name=name, address=self.address)
        earned = Wallet(key=self.rewards, name=f"{name} rewards", address=self.address)
        return (own, earned) if self.is_account else (own,)
