"""What reading an address on TON will ask, of whom, and how long that takes: before the first call."""

from functools import partial

from omnifolio.catalog.ton_chains import TonChain, ton_chains
from omnifolio.venues.depth import Depth
from omnifolio.venues.networks import Network
from omnifolio.venues.sources import AS_FAST, Cost, Step, steps_by_address
from omnifolio.venues.ton.address import spelt
from omnifolio.venues.ton.history import PAGE
from omnifolio.venues.ton.indexer import rules_of
from omnifolio.venues.ton.single import ask_one

BALANCE_CALLS = 4
"""The account twice, its jettons, its NFTs."""


def networks() -> tuple[Network, ...]:
    """The networks of TON."""
    return tuple(
        Network(
            id=chain.id,
            name=chain.name,
            caip2=chain.caip2,
            urls=chain.servers,
            spelt=spelt,
            rules=rules_of,
            steps=partial(steps_of, chain),
            also=("toncoin", "gram"),
            ask_one=partial(ask_one, chain),
        )
        for chain in ton_chains().values()
    )


def steps_of(chain: TonChain, server: str | None, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an address, balances first; `server` is the operator's own indexer."""
    return steps_by_address(
        chain.servers,
        server,
        depth,
        balances=Cost(calls=f"{BALANCE_CALLS}", time=f"{BALANCE_CALLS + 1} seconds", own_time="a second or two"),
        history=Cost(
            calls=f"4, 1 more for each {PAGE} transactions, and 1 for each jetton that moved",
            time="a little over a second for each call",
            own_time=AS_FAST,
        ),
    )
