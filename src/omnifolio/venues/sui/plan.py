"""What reading an address on Sui will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.sui_chains import SuiChain, sui_chains
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import Step, host_of
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
    source = ", else ".join(host_of(url) for url in ((server,) if server else chain.servers))
    held = Step(
        reads="balances",
        source=source,
        calls=f"2, 1 more for each {COINS_PER_QUESTION} types of coins, and where coins are staked about 5",
        time="a few seconds",
        is_own=server is not None,
    )
    seconds = int(2 * TRANSACTIONS / PAGE / PUBLIC_BUDGET.per_s)
    history = Step(
        reads="history",
        source=source,
        calls=f"1 or 2 for each {PAGE} transactions",
        time="as fast as it answers" if server else f"{seconds} s for each {TRANSACTIONS:,} transactions",
        is_own=server is not None,
    )
    return (held, history) if depth.has_history else (held,)
