"""Which networks of Cardano there are: one row each, read from `data/chains/cardano.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

ADA_DECIMALS = 6


class CardanoChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network."""

    id: str
    network: int
    magic: int
    name: str
    ticker: str
    slip44: int
    confirmations: int
    key_deposit: int
    epoch: int
    epoch_at_s: int
    epoch_length_s: int
    servers: tuple[str, ...] = ()

    @property
    def caip2(self) -> str:
        """The network's CAIP-2 id: `cip34:1-764824073`."""
        return f"cip34:{self.network}-{self.magic}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `cip34:1-764824073/slip44:1815`."""
        name = TokenId(f"{self.caip2}/slip44:{self.slip44}")
        return TokenFacts(id=name, ticker=self.ticker, name=self.name, decimals=ADA_DECIMALS)

    def began(self, epoch: int) -> EpochMs:
        """When an epoch of Shelley's time or later began."""
        return EpochMs((self.epoch_at_s + (epoch - self.epoch) * self.epoch_length_s) * SECOND_MS)


@functools.cache
def cardano_chains() -> Mapping[str, CardanoChain]:
    """All networks by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "cardano.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, CardanoChain) for name, row in rows.items()}


def cardano_chain(name: str) -> CardanoChain:
    """The network with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = cardano_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
