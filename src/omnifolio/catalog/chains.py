"""Which EVM chains there are: one row per chain, read from `data/chains/eip155*.toml`.

A row holds values only: the chain's id, its native coin, the contracts that every reader of the chain needs, and where public
nodes and an explorer are found. What people reviewed comes before what was generated, field by field. Beside the rows stands a
short list of well-known tokens, for transactions that must be read where no contract can be asked.
"""

import functools
import hashlib
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

import msgspec

from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import TokenFacts, TokenId

MULTICALL3 = "0xca11bde05977b3631167028862be2a173976ca11"
"""Where Multicall3 is deployed on every chain that has it, but for a few."""


CONNECTOR_LENGTH = 16

NativeEvents = Literal["", "all", "beside", "log_transfer"]


class EvmChain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One EVM chain. Addresses are lower case here; "" says that the chain has none, or that none is known.

    `native_events` says what the events of `native_contract` tell: "all" movements of the coin, those to `tolls` being part of
    the fee; only those "beside" the values of calls; or all of them as "log_transfer", an event of Polygon's own.
    """

    id: str
    chain_id: int
    name: str
    also: tuple[str, ...] = ()
    ticker: str
    slip44: int
    confirmations: int = 512
    decimals: int = 18
    wrapped: str = ""
    native_contract: str = ""
    native_events: NativeEvents = ""
    tolls: tuple[str, ...] = ()
    mints_by: str = ""
    has_withdrawals: bool = False
    multicall3: str = MULTICALL3
    rpc_url: str = ""
    rpc_urls: tuple[str, ...] = ()
    explorer_url: str = ""
    explorer_api: str = ""
    is_reviewed: bool = False
    """People have looked at the row, field by field; others are as their package has them."""

    @property
    def caip2(self) -> str:
        """The chain's CAIP-2 id: `eip155:1`."""
        return f"eip155:{self.chain_id}"

    @property
    def nodes(self) -> tuple[str, ...]:
        """The public nodes, the reviewed one first."""
        return tuple(dict.fromkeys(url for url in (self.rpc_url, *self.rpc_urls) if url))

    @property
    def native(self) -> TokenFacts:
        """The native coin: `eip155:1/slip44:60`."""
        return TokenFacts(
            id=TokenId(f"{self.caip2}/slip44:{self.slip44}"), ticker=self.ticker, name=self.ticker, decimals=self.decimals
        )

    @property
    def connector(self) -> str:
        """Names the row as it is: a confirmation of another one says nothing of this."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:CONNECTOR_LENGTH]

    def erc20(self, contract: str) -> TokenId:
        """The token id of an ERC-20 contract (lower case): `eip155:1/erc20:0x…`."""
        return TokenId(f"{self.caip2}/erc20:{contract}")

    def wallet(self, address: str) -> str:
        """The CAIP-10 key of an address (lower case): `eip155:1:0x…`."""
        return f"{self.caip2}:{address}"


@functools.cache
def evm_chains() -> Mapping[str, EvmChain]:
    """All EVM chains by row id: the reviewed ones first, in the order of their file."""
    made, reviewed = _rows("eip155.toml"), _rows("eip155-reviewed.toml")
    names = dict.fromkeys((*reviewed, *made))
    return {
        name: _chain(
            name, made.get(name, {}) | reviewed.get(name, {}) | {"is_reviewed": "confirmations" in reviewed.get(name, {})}
        )
        for name in names
    }


def _rows(name: str) -> dict[str, dict[str, object]]:
    return tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / name).read_text())


def _chain(name: str, row: Mapping[str, object]) -> EvmChain:
    chain = msgspec.convert({**row, "id": name}, EvmChain)
    return msgspec.structs.replace(
        chain,
        wrapped=chain.wrapped.lower(),
        native_contract=chain.native_contract.lower(),
        tolls=tuple(toll.lower() for toll in chain.tolls),
        mints_by=chain.mints_by.lower(),
    )


def evm_chain(name: str) -> EvmChain:
    """The chain with that row id (`ethereum`), CAIP-2 id (`eip155:1`) or other name. Raises: InvalidField."""
    found = evm_chains().get(name) or _by_other_name().get(name)
    if found is None:
        raise InvalidField(f"chain: expected a row id as ethereum, or a CAIP-2 id as eip155:1, got {name[:40]!r}")
    return found


@functools.cache
def _by_other_name() -> Mapping[str, EvmChain]:
    return {name: chain for chain in evm_chains().values() for name in (*chain.also, chain.caip2)}


@functools.cache
def known_tokens(chain_id: int) -> Mapping[str, TokenFacts]:
    """Well-known tokens of a chain by contract (lower case), with their decimals."""
    caip2, found = f"eip155:{chain_id}", {}
    text = (files("omnifolio.catalog") / "data" / "tokens" / "eip155.tsv").read_text()
    for line in text.splitlines():
        number, contract, decimals, ticker, name = line.split("\t")[:5]
        if number == str(chain_id):
            token = TokenId(f"{caip2}/erc20:{contract}")
            found[contract] = TokenFacts(id=token, ticker=ticker, name=name, decimals=int(decimals))
    return found
