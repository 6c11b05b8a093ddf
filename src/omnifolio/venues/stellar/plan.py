"""What reading an account on Stellar will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.stellar_chains import StellarChain, stellar_chains
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address
from omnifolio.venues.stellar.address import parse_address
from omnifolio.venues.stellar.horizon import PAGE, PUBLIC_BUDGET, rules_of
from omnifolio.venues.stellar.single import ask_one

BALANCE_CALLS = 4
"""What the server says of itself, the last ledger, the account, what lies ready for it."""
TRANSACTIONS = 10_000
"""The number of transactions that times are told for; each has some two effects."""


def networks() -> tuple[Network, ...]:
    """The networks of Stellar."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            urls=chain.servers,
            spelt=parse_address,
            rules=rules_of,
            steps=partial(steps_of, chain),
            also=("xlm",),
            ask_one=partial(ask_one, chain),
            label="public address of an account (G…)",
        )
        for chain in stellar_chains().values()
    )


def steps_of(chain: StellarChain, server: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an account, balances first; `server` is the operator's own."""
    minutes = int(4 * TRANSACTIONS / PAGE / PUBLIC_BUDGET.per_s // 60)
    return steps_by_address(
        chain.servers,
        server,
        depth,
        balances=Cost(calls=f"{BALANCE_CALLS}, and 1 for each liquidity pool", time="a few seconds"),
        history=Cost(
            calls=f"1 for each {PAGE} effects, operations and transactions, and 1 for each time that an open offer was taken",
            time=f"about {minutes} minutes for each {TRANSACTIONS:,} transactions",
            own_time=AS_FAST,
        ),
    )
