"""Where an address lives: what one question to a chain's node tells of it, before anything is linked.

The question is one JSON-RPC batch: how many transactions the address has sent, and through Multicall3 its coins and its balances
of the chain's well-known tokens.
"""

from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.chains import EvmChain, known_tokens
from omnifolio.model.amounts import from_units
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.evm.rpc import Call, Node, gathered
from omnifolio.venues.evm.words import (
    BALANCE_OF,
    GET_ETH_BALANCE,
    WORD_BYTES,
    data_of,
    decode_aggregate,
    encode_address,
    encode_aggregate,
    quantity,
    word,
)

TOKENS_MAX = 100
"""Tokens asked for: at a few thousand gas each, far below what nodes allow a read."""
_READ = "presence"


class Presence(Struct, frozen=True, kw_only=True):
    """What was found. `tokens` well-known ones of which the address holds something, by ticker."""

    chain: EvmChain
    sent: int
    native: Decimal
    tokens: tuple[str, ...]

    @property
    def is_there(self) -> bool:
        """Whether the address did or has anything on the chain, as far as this question can tell."""
        return bool(self.sent or self.native or self.tokens)


async def ask_presence(node: Node, chain: EvmChain, address: str) -> list[Evidence]:
    """One question about an address (lower case). Raises: VenueError."""
    holder = encode_address(address)
    inner = [(chain.multicall3, GET_ETH_BALANCE + holder)]
    inner += [(contract, BALANCE_OF + holder) for contract in _asked(chain)]
    call = {"to": chain.multicall3, "data": "0x" + encode_aggregate(inner).hex()}
    calls = [
        Call("chain", "eth_chainId", ()),
        Call("sent", "eth_getTransactionCount", (address, "latest")),
        Call("held", "eth_call", (call, "latest")),
    ]
    return await node.ask(_READ, calls)


def presence_of(chain: EvmChain, evidence: list[Evidence]) -> Presence:
    """What the answers tell. Raises: VenueBadResponse, also for a node of another chain."""
    answers = gathered(evidence, _READ)
    contracts = _asked(chain)
    if quantity(answers["chain"].read(str)) != chain.chain_id:
        raise VenueBadResponse(f"the node does not serve {chain.name}")
    told = decode_aggregate(data_of(answers["held"].read(str)), 1 + len(contracts))
    units = [word(data, 0) if done and len(data) >= WORD_BYTES else 0 for done, data in told]
    held = [known_tokens(chain.chain_id)[c].ticker for c, count in zip(contracts, units[1:], strict=True) if count]
    return Presence(
        chain=chain,
        sent=quantity(answers["sent"].read(str)),
        native=from_units(units[0], chain.decimals),
        tokens=tuple(dict.fromkeys(held)),
    )


def _asked(chain: EvmChain) -> list[str]:
    return list(known_tokens(chain.chain_id))[:TOKENS_MAX]
