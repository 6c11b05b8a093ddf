"""What reading an address on Cardano will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.cardano_chains import CardanoChain, cardano_chains
from omnifolio.venues.cardano.address import parse_address
from omnifolio.venues.cardano.assets import PER_CALL as ASSETS_PER_CALL
from omnifolio.venues.cardano.history import PER_CALL
from omnifolio.venues.cardano.koios import PUBLIC_BUDGET, ROWS, rules_of
from omnifolio.venues.cardano.single import ask_one
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address

TRANSACTIONS = 10_000
"""The number of transactions that times are told for."""


def networks() -> tuple[Network, ...]:
    """The networks of Cardano."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            urls=chain.servers,
            spelt=parse_address,
            rules=rules_of,
            steps=partial(steps_of, chain),
            ask_one=partial(ask_one, chain),
            label="stake address, or a single public address",
        )
        for chain in cardano_chains().values()
    )


def steps_of(chain: CardanoChain, server: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an address, balances first; `server` is the operator's own."""
    assets = f"1 for each {ASSETS_PER_CALL} assets"
    seconds = int(TRANSACTIONS / PER_CALL / PUBLIC_BUDGET.per_s)
    return steps_by_address(
        chain.servers,
        server,
        depth,
        balances=Cost(calls=f"4, and {assets}", time="a few seconds"),
        history=Cost(
            calls=f"2, 1 for each {PER_CALL} transactions, and {assets}",
            time=f"{seconds} s for each {TRANSACTIONS:,} transactions",
            own_time=AS_FAST,
        ),
        more={"rewards of a stake address": Cost(calls=f"2, and 1 for each {ROWS:,} rewards", time="a second")},
    )
