"""Which Solana networks there are: one row each, read from `data/chains/solana.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

SOL_DECIMALS = 9


class SolanaChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network. `programs` names the well-known ones by address."""

    id: str
    genesis: str
    name: str
    ticker: str
    slip44: int
    nodes: tuple[str, ...] = ()
    programs: Mapping[str, str] = {}

    @property
    def caip2(self) -> str:
        """The network's CAIP-2 id: `solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp`."""
        return f"solana:{self.genesis}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/slip44:501`."""
        name = TokenId(f"{self.caip2}/slip44:{self.slip44}")
        return TokenFacts(id=name, ticker=self.ticker, name=self.name, decimals=SOL_DECIMALS)

    def token(self, mint: str, *, is_single: bool) -> TokenId:
        """The token of a mint: `…/token:<mint>`, or `…/nft:<mint>` where there is one of it alone."""
        return TokenId(f"{self.caip2}/{'nft' if is_single else 'token'}:{mint}")


@functools.cache
def solana_chains() -> Mapping[str, SolanaChain]:
    """All networks by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "solana.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, SolanaChain) for name, row in rows.items()}


def solana_chain(name: str) -> SolanaChain:
    """The network with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = solana_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
