"""Which networks of TON there are: one row each, read from `data/chains/ton.toml`."""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

COIN_DECIMALS = 9


class TonChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One network."""

    id: str
    global_id: int
    name: str
    coin: str
    ticker: str
    slip44: int
    servers: tuple[str, ...] = ()

    @property
    def caip2(self) -> str:
        """The network's CAIP-2 id: `tvm:-239`."""
        return f"tvm:{self.global_id}"

    @property
    def native(self) -> TokenFacts:
        """The coin: `tvm:-239/slip44:607`."""
        name = TokenId(f"{self.caip2}/slip44:{self.slip44}")
        return TokenFacts(id=name, ticker=self.ticker, name=self.coin, decimals=COIN_DECIMALS)

    def token(self, raw: str, *, is_single: bool) -> TokenId:
        """The token of a raw address, a colon written as CAIP-19 wants it: `…/token:0%3A<hex>`, or `…/nft:0%3A<hex>`."""
        return TokenId(f"{self.caip2}/{'nft' if is_single else 'token'}:{raw.replace(':', '%3A')}")


@functools.cache
def ton_chains() -> Mapping[str, TonChain]:
    """All networks by row id."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "ton.toml").read_text())
    return {name: msgspec.convert(row | {"id": name}, TonChain) for name, row in rows.items()}


def ton_chain(name: str) -> TonChain:
    """The network with that row id or CAIP-2 id. Raises: InvalidField."""
    chains = ton_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:60]!r}")
    return found
