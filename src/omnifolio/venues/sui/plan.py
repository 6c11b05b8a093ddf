"""What reading an address on Sui will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.sui_chains import SuiChain, sui_chains
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address
from omnifolio.venues.sui.address import parse_address
from omnifolio.venues.sui.history import ask_one
from omnifolio.venues.sui.queries import COINS_PER_QUESTION, PAGE
from omnifolio.venues.sui.server import PUBLIC_BUDGET, rules_of

TRANSACTIONS = 1_000
"""The number of transactions that times are told for."""


def networks() -> tuple[Network, ...]:
    """The networks of Sui."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            urls=chain.servers,
            spelt=parse_address,
            rules=rules_of,
            steps=partial(steps_of, chain),
            is_long_hex=True,
            ask_one=partial(ask_one, chain),
        )
        for chain in sui_chains().values()
    )


def steps_of(chain: SuiChain, server: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an address, balances first; `server` is the operator's own."""
    seconds = int(2 * TRANSACTIONS / PAGE / PUBLIC_BUDGET.per_s)
    return steps_by_address(
        chain.servers,
        server,
        depth,
        balances=Cost(
            calls=f"2, 1 more for each {COINS_PER_QUESTION} types of coins, and where coins are staked about 5",
            time="a few seconds",
        ),
        history=Cost(
            calls=f"1 or 2 for each {PAGE} transactions",
            time=f"{seconds} s for each {TRANSACTIONS:,} transactions",
            own_time=AS_FAST,
        ),
    )
