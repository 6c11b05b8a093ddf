"""Which networks of Sui there are: one row each, read from `data/chains/sui.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from urllib.parse import quote

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

COIN_DECIMALS = 9
REFERENCE_LENGTH_MAX = 128
"""Letters of an asset's reference in CAIP-19."""


class SuiChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network."""

    id: str
    identifier: str
    name: str
    ticker: str
    slip44: int
    servers: tuple[str, ...] = ()

    @property
    def caip2(self) -> str:
        """The network's CAIP-2 id: `sui:35834a8a`."""
        return f"sui:{self.identifier}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `sui:35834a8a/slip44:784`."""
        name = TokenId(f"{self.caip2}/slip44:{self.slip44}")
        return TokenFacts(id=name, ticker=self.ticker, name=self.name, decimals=COIN_DECIMALS)

    def token(self, coin: str) -> TokenId:
        """The token of a type of coins: its colons written as CAIP-19 wants them, or its hash where it is too long for that."""
        reference = quote(coin, safe="").replace("_", "%5F")
        if len(reference) > REFERENCE_LENGTH_MAX:
            reference = f"sha256-{sha256(coin.encode()).hexdigest()}"
        return TokenId(f"{self.caip2}/token:{reference}")


@functools.cache
def sui_chains() -> Mapping[str, SuiChain]:
    """All networks by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "sui.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, SuiChain) for name, row in rows.items()}


def sui_chain(name: str) -> SuiChain:
    """The network with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = sui_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
