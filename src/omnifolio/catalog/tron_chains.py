"""Which TRON networks there are: one row each, read from `data/chains/tron.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

TRX_DECIMALS = 6


class KnownToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token is called, and how many decimals it has."""

    ticker: str
    name: str
    decimals: int


class TronChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network. `tokens` are well-known TRC-20 contracts by address."""

    id: str
    reference: str
    name: str
    ticker: str
    slip44: int
    servers: tuple[str, ...] = ()
    tokens: Mapping[str, KnownToken] = {}

    @property
    def caip2(self) -> str:
        """The network's CAIP-2 id: `tron:728126428`."""
        return f"tron:{self.reference}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `tron:728126428/slip44:195`."""
        return TokenFacts(
            id=TokenId(f"{self.caip2}/slip44:{self.slip44}"), ticker=self.ticker, name=self.name, decimals=TRX_DECIMALS
        )

    def trc20(self, contract: str) -> TokenId:
        """The token of a contract: `…/trc20:T…`."""
        return TokenId(f"{self.caip2}/trc20:{contract}")

    def trc10(self, number: str) -> TokenId:
        """The token of a number, which contracts know as well: `…/trc10:1002000`."""
        return TokenId(f"{self.caip2}/trc10:{number}")


@functools.cache
def tron_chains() -> Mapping[str, TronChain]:
    """All networks by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "tron.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, TronChain) for name, row in rows.items()}


def tron_chain(name: str) -> TronChain:
    """The network with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = tron_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
