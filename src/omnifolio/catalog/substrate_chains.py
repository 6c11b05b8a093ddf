"""Which chains of Substrate there are: one row each, read from `data/chains/substrate.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId


class ListedAsset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An asset of the pallet Assets."""

    ticker: str
    decimals: int


class SubstrateChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One chain. `assets` by the number of each."""

    id: str
    genesis: str
    name: str
    calls_itself: tuple[str, ...]
    ticker: str
    decimals: int
    slip44: int
    prefix: int
    has_staking: bool = False
    assets: Mapping[int, ListedAsset] = {}
    also: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()

    @property
    def caip2(self) -> str:
        """The chain's CAIP-2 id: `polkadot:68d56f15f85d3136970ec16946040bc1`."""
        return f"polkadot:{self.genesis}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `polkadot:68d56f15f85d3136970ec16946040bc1/slip44:354`."""
        name = TokenId(f"{self.caip2}/slip44:{self.slip44}")
        return TokenFacts(id=name, ticker=self.ticker, name=self.ticker, decimals=self.decimals)

    def asset_id(self, number: int) -> TokenId:
        """The token of an asset of the pallet Assets: `…/asset:1984`."""
        return TokenId(f"{self.caip2}/asset:{number}")

    def asset(self, number: int) -> TokenFacts:
        """The token of an asset that is listed."""
        row = self.assets[number]
        return TokenFacts(id=self.asset_id(number), ticker=row.ticker, name=row.ticker, decimals=row.decimals)


@functools.cache
def substrate_chains() -> Mapping[str, SubstrateChain]:
    """All chains by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "substrate.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, SubstrateChain, strict=False) for name, row in rows.items()}


def substrate_chain(name: str) -> SubstrateChain:
    """The chain with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = substrate_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
