"""What a denomination is as a token: as the list knows it, else by where the chain says that it comes from.

A bridged coin's name is a hash; the chain's transfer module tells the coin behind it. That is asked once, when it is first met,
and gives a name alone: what nobody has listed is counted in its own unit.
"""

from collections.abc import Collection, Mapping, Sequence

from omnifolio.catalog.cosmos_chains import CosmosChain, bridged_hash
from omnifolio.model.amounts import from_units
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Balance, Evidence
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.answers import shaped
from omnifolio.venues.cosmos.rest import Node
from omnifolio.venues.cosmos.shapes import Trace, printable

TRACE = "trace"
NAMES_MAX = 50
"""Coins whose origin is asked for in one page; the others go by the beginning of their hash until they are met again."""
TICKER_LENGTH_MAX = 32
_SHOWN = 8
"""Digits of a hash that stand for a coin of unknown origin."""

Origins = Mapping[str, tuple[str, str]]
"""By denomination: the coin behind it and its way here."""


async def traces_asked(node: Node, chain: CosmosChain, denoms: Collection[str], known: Collection[TokenId]) -> list[Evidence]:
    """What the node tells of bridged coins that are neither listed nor known to the ledger."""
    wanted = [
        denom
        for denom in sorted(set(denoms))
        if bridged_hash(denom) and chain.facts(denom) is None and chain.token(denom) not in known
    ]
    return [await node.trace(TRACE, bridged_hash(denom), denom=denom) for denom in wanted[:NAMES_MAX]]


def origins_of(evidence: Sequence[Evidence]) -> Origins:
    """The origins told in answers among the evidence; of a coin that the node does not know, none. Raises: VenueBadResponse."""
    return {
        item.params["denom"]: shaped(item.body, Trace).origin
        for item in evidence
        if item.params["read"] == TRACE and item.status == 200
    }


def facts_of(chain: CosmosChain, denom: str, origins: Origins) -> TokenFacts:
    """The token of a denomination."""
    listed = chain.facts(denom)
    if listed is not None:
        return listed
    base, way = (printable(text) for text in origins.get(denom, (denom, "")))
    base = base or denom
    name = f"{base} by {way}" if way else base
    hashed = bridged_hash(base)
    short = hashed[:_SHOWN] + "…" if hashed else base.rpartition("/")[2] or base
    return TokenFacts(id=chain.token(denom), ticker=short[:TICKER_LENGTH_MAX], name=name, decimals=0)


def balances_of(chain: CosmosChain, held: Mapping[str, int]) -> tuple[Balance, ...]:
    """Balances of the denominations of which there are any. Raises: VenueBadResponse."""
    found: dict[TokenId, Balance] = {}
    for denom, units in sorted(held.items()):
        if units:
            token = chain.token(denom)
            if token in found:
                raise VenueBadResponse("the node tells two denominations that are one token")
            found[token] = Balance(token, from_units(units, chain.decimals_of(denom)))
    return tuple(found.values())
