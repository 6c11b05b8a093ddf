"""What reading an address on a Cosmos chain will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.cosmos_chains import CosmosChain, cosmos_chains
from omnifolio.venues.cosmos.address import parse_address
from omnifolio.venues.cosmos.rest import PAGE, rules_of
from omnifolio.venues.cosmos.search import LISTS, ROWS
from omnifolio.venues.cosmos.single import ask_one
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address

BALANCE_CALLS = 6
"""The newest block, coins held and coins free, stakes, what comes back from stakes, rewards."""
HISTORY_CALLS = 2 + len(LISTS)
"""The newest and the first block, and a page of each list."""


def networks() -> tuple[Network, ...]:
    """The Cosmos chains."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            also=chain.also,
            urls=chain.urls,
            spelt=partial(parse_address, chain),
            rules=lambda url, is_configured: rules_of(url, is_configured=is_configured),
            steps=partial(steps_of, chain),
            ask_one=partial(ask_one, chain),
            label=f"public address ({chain.prefix}1…)",
        )
        for chain in cosmos_chains().values()
    )


def steps_of(chain: CosmosChain, node: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an address, balances first; `node` is the operator's own."""
    return steps_by_address(
        chain.urls,
        node,
        depth,
        balances=Cost(
            calls=f"{BALANCE_CALLS}, 1 more for each {PAGE} coins or validators, "
            "once 1 or 2 for each bridged coin without a name",
            time="a second or two",
        ),
        history=Cost(
            calls=f"{HISTORY_CALLS}, and {len(LISTS)} for each {ROWS} transactions"
            + (", and some 15 to find the day" if depth.since else ""),
            time=f"some seconds for each 1,000 transactions, {AS_FAST}",
        ),
    )
