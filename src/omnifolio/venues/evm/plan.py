"""What reading an address on an EVM chain will ask, of whom, and how long that takes: before the first call."""

from collections.abc import Iterator

from msgspec import Struct

from omnifolio.catalog.chains import EvmChain
from omnifolio.venues.depth import Depth
from omnifolio.venues.evm.explorer import ETHERSCAN
from omnifolio.venues.evm.listing import ROWS, lists_of
from omnifolio.venues.evm.rpc import BATCH_CALLS_MAX, PUBLIC_BUDGET
from omnifolio.venues.evm.tokens import FACTS_PER_CALL_MAX
from omnifolio.venues.sources import Step, host_of

CALLS_PER_TRANSACTION = 2
"""The receipt, and the transaction where the address sent or received coins by it."""
TRANSACTIONS = 1_000
"""The number of transactions that times are told for."""
BALANCE_CALLS = 7
"""Questions for balances where the tokens fit into one: the chain's id, tip and final block, Multicall3, new tokens, the answers,
and the block again."""
SPAN = 10_000
"""Blocks that many public nodes allow in one question for events."""


class Given(Struct, frozen=True, kw_only=True):
    """What is configured of a chain: an own node, an own explorer, a key for Etherscan."""

    node: str | None = None
    explorer: str | None = None
    has_key: bool = False


def steps_of(chain: EvmChain, given: Given, depth: Depth) -> tuple[Step, ...]:
    """The steps of reading an address, balances first."""
    return tuple(_steps(chain, given, depth))


def _steps(chain: EvmChain, given: Given, depth: Depth) -> Iterator[Step]:
    is_own = given.node is not None
    hosts = ", else ".join(dict.fromkeys(host_of(url) for url in ((given.node,) if given.node else chain.nodes)))
    yield Step(
        reads="balances",
        source=hosts,
        calls=f"about {BALANCE_CALLS}, and 1 more for each {FACTS_PER_CALL_MAX} facts of tokens",
        time="a second or two",
        is_own=is_own,
    )
    if not depth.has_history:
        return
    explorer = given.explorer or (ETHERSCAN if given.has_key else "" if is_own else chain.explorer_api)
    if explorer:
        yield Step(
            reads="which transactions there are",
            source=host_of(explorer),
            calls=f"{len(lists_of(chain))} for each {ROWS} transactions",
            time=f"a few seconds for each {TRANSACTIONS:,}",
            is_own=given.explorer is not None,
        )
    else:
        yield Step(
            reads="which transactions there are",
            source=hosts,
            calls=f"4 for each stretch of blocks that the node allows ({SPAN:,} at many), 6 where it traces",
            time="minutes to hours in the background, by the length of the chain",
            is_own=is_own,
        )
    seconds = CALLS_PER_TRANSACTION * TRANSACTIONS // PUBLIC_BUDGET.per_s
    yield Step(
        reads="what they did",
        source=hosts,
        calls=f"{CALLS_PER_TRANSACTION} for each transaction, {BATCH_CALLS_MAX} at a time",
        time="as fast as it answers" if is_own else f"{int(seconds)} s for each {TRANSACTIONS:,} transactions",
        is_own=is_own,
    )
