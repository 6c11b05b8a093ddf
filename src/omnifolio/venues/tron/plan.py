"""What reading an address on TRON will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.tron_chains import TronChain, tron_chains
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address
from omnifolio.venues.tron.address import parse_address
from omnifolio.venues.tron.history import LISTS, PAGE
from omnifolio.venues.tron.server import PUBLIC_BUDGET, rules_of
from omnifolio.venues.tron.single import ask_one

BALANCE_CALLS = 3
"""The account, its rewards, and which tokens it holds."""
TRANSACTIONS = 1_000
"""The number of transactions that times are told for; each costs two questions where a contract was called."""


def networks() -> tuple[Network, ...]:
    """The networks of TRON."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            urls=chain.servers,
            spelt=parse_address,
            rules=rules_of,
            steps=partial(steps_of, chain),
            also=("trx",),
            ask_one=partial(ask_one, chain),
            key_label="TronGrid API key",
        )
        for chain in tron_chains().values()
    )


def steps_of(chain: TronChain, server: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an address, balances first; `server` is the operator's own."""
    minutes = int(2 * TRANSACTIONS // PUBLIC_BUDGET.per_s // 60)
    return steps_by_address(
        chain.servers,
        server,
        depth,
        balances=Cost(calls=f"{BALANCE_CALLS}, and 1 to 3 for each token", time="a few seconds"),
        history=Cost(
            calls=f"1 or 2 for each transaction, 1 for each {PAGE} lines of {len(LISTS)} lists; "
            "plain transfers of coins cost none",
            time=f"up to {minutes} minutes for each {TRANSACTIONS:,} transactions",
            own_time=AS_FAST,
        ),
    )
