"""What reading an address on Solana will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.solana_chains import SolanaChain, solana_chains
from omnifolio.transport.policy import Rule
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.solana.address import parse_address
from omnifolio.venues.solana.balances import MINTS_PER_CALL
from omnifolio.venues.solana.history import PAGE
from omnifolio.venues.solana.rpc import PUBLIC_BUDGET
from omnifolio.venues.solana.single import ask_one
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address

BALANCE_CALLS = 5
"""The coins twice, the token accounts of two programs, the stake accounts."""
TRANSACTIONS = 1_000
"""The number of transactions that times are told for."""


def networks() -> tuple[Network, ...]:
    """The networks of Solana."""
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
        )
        for chain in solana_chains().values()
    )


def steps_of(chain: SolanaChain, node: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an address, balances first; `node` is the operator's own."""
    seconds = int(TRANSACTIONS // PUBLIC_BUDGET.per_s)
    return steps_by_address(
        chain.nodes,
        node,
        depth,
        balances=Cost(calls=f"{BALANCE_CALLS}, and 2 more for each {MINTS_PER_CALL} tokens", time="a second or two"),
        history=Cost(
            calls=f"1 for each transaction, 1 for each {PAGE} of them, and at every read 1 for each token account",
            time=f"{seconds} s for each {TRANSACTIONS:,} transactions",
            own_time=AS_FAST,
        ),
    )
