"""The stream `balances/<chain>`: one page with all that an address holds, read of the state after one block.

Modules that a chain lacks, or that its node does not tell, cost their own part alone, and that is said.
"""

from collections.abc import AsyncIterator, Sequence

from msgspec import structs

from omnifolio.catalog.cosmos_chains import CosmosChain
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable
from omnifolio.model.facts import Batch, Cursor, Evidence, Gap
from omnifolio.venues.contract import Access, received_at
from omnifolio.venues.cosmos.denoms import facts_of, origins_of, traces_asked
from omnifolio.venues.cosmos.held import EARNED, FREE, HELD, LEAVING, STAKED, snapshots_of, units_of, wallets_of
from omnifolio.venues.cosmos.movements import Subject
from omnifolio.venues.cosmos.rest import (
    BALANCES,
    DELEGATIONS,
    DELEGATORS,
    EARNERS,
    SPENDABLE,
    Node,
    behind_of,
    header_of,
    refusal_of,
)
from omnifolio.venues.depth import depth_of

_TIP = "tip"
BEHIND_BLOCKS = 1
"""The state is read so many blocks before the newest one: a server of many nodes may have one that is behind."""
UNTOLD = {
    FREE: ("locked_unread", "the node does not tell what can be spent, so locked coins are shown as if they could"),
    STAKED: ("staked_unread", "the node does not tell what is staked"),
    LEAVING: ("staked_unread", "the node does not tell what is staked"),
    EARNED: ("rewards_unread", "the node does not tell which rewards wait to be withdrawn"),
}
"""What is missing where a node refuses a kind of answer."""


async def balances(access: Access, subject: Subject, *, url: str, since: Cursor) -> AsyncIterator[Batch]:
    """The one page. Raises: VenueError and its kin."""
    node = Node(access, subject.chain, url=url, stream=since.stream)
    about = {"wallet": subject.address} | ({} if depth_of(access.fields).has_history else {"unwanted": "yes"})
    opening = await node.block(_TIP, "latest", **about)
    node.height = int(header_of(opening, subject.chain).height) - BEHIND_BLOCKS
    if since.token and node.height < int(since.token):
        raise VenueUnavailable("the node is behind what was read before")
    address = subject.address
    kept = [opening, *await node.pages(HELD, f"{BALANCES}/{address}")]
    if kept[-1].status != 200:
        raise VenueBadResponse(f"the node does not tell balances: {refusal_of(kept[-1])[:100]}")
    kept += await node.pages(FREE, f"{SPENDABLE}/{address}")
    kept += await node.pages(STAKED, f"{DELEGATIONS}/{address}")
    kept += await node.pages(LEAVING, f"{DELEGATORS}/{address}/unbonding_delegations")
    kept.append(await node.ask(EARNED, f"{EARNERS}/{address}/rewards"))
    kept += await traces_asked(node, subject.chain, _denoms(subject, kept), access.known.tokens)
    batch = decode_balances(subject.chain, since.stream, kept)
    yield structs.replace(batch, cursor=Cursor(since.stream, str(node.height)), done=True)


def decode_balances(chain: CosmosChain, stream: str, evidence: Sequence[Evidence]) -> Batch:
    """The facts of the page out of its raw answers alone; the cursor is empty. Raises: VenueBadResponse."""
    tip = header_of(evidence[0], chain)
    params = evidence[0].params
    subject, at = Subject(chain, params["wallet"]), received_at(evidence)
    origins = origins_of(evidence)
    gaps = {
        code: Gap(stream=stream, code=code, text=text)
        for read, (code, text) in UNTOLD.items()
        if units_of(subject, evidence, read) is None
    }
    if units_of(subject, evidence, EARNED):
        text = "what is earned until it is withdrawn: its balance alone tells it"
        gaps["rewards_not_listed"] = Gap(stream=stream, code="rewards_not_listed", text=text)
    if "unwanted" in params:
        text = "only balances were asked for, so what led to them is not read"
        gaps["history_not_wanted"] = Gap(stream=stream, code="history_not_wanted", text=text)
    text = "tokens of contracts, and coins that modules and contracts hold for the address (pools, loans, lockups), are not read"
    gaps["contracts_unread"] = Gap(stream=stream, code="contracts_unread", text=text)
    return Batch(
        cursor=Cursor(stream),
        observed_at=at,
        tokens=tuple(
            {facts.id: facts for facts in (facts_of(chain, denom, origins) for denom in _denoms(subject, evidence))}.values()
        ),
        wallets=wallets_of(subject),
        snapshots=tuple(snapshots_of(subject, evidence, at)),
        gaps=(*gaps.values(), *behind_of(evidence[0], tip, stream)),
        evidence=tuple(evidence),
    )


def _denoms(subject: Subject, evidence: Sequence[Evidence]) -> list[str]:
    """Every denomination that is told, the chain's coin first."""
    told = [units_of(subject, evidence, read) for read in (HELD, STAKED, LEAVING, EARNED)]
    return [*dict.fromkeys([subject.chain.coin, *(denom for units in told if units for denom in sorted(units))])]
