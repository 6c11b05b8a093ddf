"""What reading an address on a chain of Substrate will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.substrate_chains import SubstrateChain, substrate_chains
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import Cost, Step, steps_by_address
from omnifolio.venues.substrate.address import spelt
from omnifolio.venues.substrate.node import rules_of

CALLS, STAKING_CALLS = 4, 4
"""The chain, its newest final block, that block's height, the coins; what is staked, by itself and in pools, what is owed."""


def networks() -> tuple[Network, ...]:
    """The chains of Substrate."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            urls=chain.nodes,
            spelt=partial(spelt, chain),
            rules=rules_of,
            steps=partial(steps_of, chain),
            also=chain.also,
            has_history=False,
        )
        for chain in substrate_chains().values()
    )


def steps_of(chain: SubstrateChain, node: str | None, depth: Depth) -> tuple[Step, ...]:
    """The one step of reading an address; `node` is the operator's own, and there is no history, however deep it is wanted."""
    calls = str(CALLS + (STAKING_CALLS if chain.has_staking else 0))
    if chain.assets:
        calls = f"{calls}, 1 for all assets, and 1 for each that is not well known"
    return steps_by_address(chain.nodes, node, depth, balances=Cost(calls=calls, time="a few seconds"))
