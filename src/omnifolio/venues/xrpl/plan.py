"""What reading an account of the XRP Ledger will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.xrpl_chains import XrplChain, xrpl_chains
from omnifolio.transport.policy import Rule
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address
from omnifolio.venues.xrpl.address import parse_address
from omnifolio.venues.xrpl.balances import LIMIT, LISTS
from omnifolio.venues.xrpl.history import PAGE
from omnifolio.venues.xrpl.rpc import PUBLIC_BUDGET
from omnifolio.venues.xrpl.single import ask_one

BALANCE_CALLS = 2 + len(LISTS)
"""The server's rules, the account, and each of its lists."""
TRANSACTIONS = 10_000
"""The number of transactions that times are told for."""


def networks() -> tuple[Network, ...]:
    """The ledgers of this kind."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            urls=chain.nodes,
            spelt=parse_address,
            rules=lambda url, is_configured: (Rule("POST", url, is_configured=is_configured),),
            steps=partial(steps_of, chain),
            ask_one=partial(ask_one, chain),
            also=("ripple",),
        )
        for chain in xrpl_chains().values()
    )


def steps_of(chain: XrplChain, node: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an account, balances first; `node` is the operator's own."""
    seconds = int(TRANSACTIONS / PAGE / PUBLIC_BUDGET.per_s)
    return steps_by_address(
        chain.nodes,
        node,
        depth,
        balances=Cost(calls=f"{BALANCE_CALLS}, and 1 more for each {LIMIT} trust lines or entries", time="a few seconds"),
        history=Cost(
            calls=f"1 for each {PAGE} transactions",
            time=f"{seconds} s for each {TRANSACTIONS:,} transactions",
            own_time=AS_FAST,
        ),
    )
