"""Which chains there are: one row per chain, read from `data/chains/*.toml`.

A row holds values only: the chain's id, its native coin, the contracts that every reader of the chain needs, and where a public
node and an explorer are found.
"""

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

MULTICALL3 = "0xca11bde05977b3631167028862be2a173976ca11"
"""Where Multicall3 is deployed on every chain that has it."""


class EvmChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One EVM chain. Addresses are lower case here; "" says that the chain has none, or that none is known."""

    id: str
    chain_id: int
    name: str
    ticker: str
    slip44: int
    confirmations: int
    decimals: int = 18
    wrapped: str = ""
    multicall3: str = MULTICALL3
    rpc_url: str = ""
    explorer_url: str = ""

    @property
    def caip2(self) -> str:
        """The chain's CAIP-2 id: `eip155:1`."""
        return f"eip155:{self.chain_id}"

    @property
    def native(self) -> TokenFacts:
        """The native coin: `eip155:1/slip44:60`."""
        return TokenFacts(
            id=TokenId(f"{self.caip2}/slip44:{self.slip44}"), ticker=self.ticker, name=self.ticker, decimals=self.decimals
        )

    def erc20(self, contract: str) -> TokenId:
        """The token id of an ERC-20 contract (lower case): `eip155:1/erc20:0x…`."""
        return TokenId(f"{self.caip2}/erc20:{contract}")

    def wallet(self, address: str) -> str:
        """The CAIP-10 key of an address (lower case): `eip155:1:0x…`."""
        return f"{self.caip2}:{address}"


@functools.cache
def evm_chains() -> Mapping[str, EvmChain]:
    """All EVM chains by row id, in the order of the file."""
    rows = tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "eip155.toml").read_text())
    return {
        name: msgspec.convert(row | {"id": name, "wrapped": row.get("wrapped", "").lower()}, EvmChain)
        for name, row in rows.items()
    }


def evm_chain(name: str) -> EvmChain:
    """The chain with that row id (`ethereum`) or CAIP-2 id (`eip155:1`). Raises: InvalidField."""
    chains = evm_chains()
    found = chains.get(name) or next((chain for chain in chains.values() if chain.caip2 == name), None)
    if found is None:
        raise InvalidField(f"chain: expected one of {', '.join(chains)} or a CAIP-2 id of these, got {name[:40]!r}")
    return found
