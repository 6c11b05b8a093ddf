"""Which Stellar networks there are: one row each, read from `data/chains/stellar.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

DECIMALS = 7
"""Of every amount on a Stellar network."""


class StellarChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network. `passphrase` is what its servers say of themselves."""

    id: str
    reference: str
    name: str
    ticker: str
    slip44: int
    passphrase: str
    servers: tuple[str, ...] = ()

    @property
    def caip2(self) -> str:
        """The network's CAIP-2 id: `stellar:pubnet`."""
        return f"stellar:{self.reference}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `stellar:pubnet/slip44:148`."""
        name = TokenId(f"{self.caip2}/slip44:{self.slip44}")
        return TokenFacts(id=name, ticker=self.ticker, name=self.name, decimals=DECIMALS)

    def issued(self, code: str, issuer: str) -> TokenId:
        """The token of an issuer: `…/asset:USDC-G…`."""
        return TokenId(f"{self.caip2}/asset:{code}-{issuer}")

    def shares(self, pool: str) -> TokenId:
        """The shares of a liquidity pool: `…/cap38:<pool>`."""
        return TokenId(f"{self.caip2}/cap38:{pool}")


@functools.cache
def stellar_chains() -> Mapping[str, StellarChain]:
    """All networks by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "stellar.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, StellarChain) for name, row in rows.items()}


def stellar_chain(name: str) -> StellarChain:
    """The network with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = stellar_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
