"""Which ledgers of the XRP Ledger's kind there are: one row each, read from `data/chains/xrpl.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

XRP_DECIMALS = 6


class XrplChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One ledger. `first_ledger` is the oldest that any server has."""

    id: str
    network: int
    name: str
    ticker: str
    slip44: int
    first_ledger: int
    nodes: tuple[str, ...] = ()

    @property
    def caip2(self) -> str:
        """The ledger's CAIP-2 id: `xrpl:0`."""
        return f"xrpl:{self.network}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `xrpl:0/slip44:144`."""
        name = TokenId(f"{self.caip2}/slip44:{self.slip44}")
        return TokenFacts(id=name, ticker=self.ticker, name=self.ticker, decimals=XRP_DECIMALS)


@functools.cache
def xrpl_chains() -> Mapping[str, XrplChain]:
    """All ledgers by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "xrpl.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, XrplChain) for name, row in rows.items()}


def xrpl_chain(name: str) -> XrplChain:
    """The ledger with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = xrpl_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
