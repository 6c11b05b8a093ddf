"""One transaction of a Cosmos chain for one address, as a page of the history holds it."""

import re
from collections.abc import Sequence

from omnifolio.catalog.cosmos_chains import CosmosChain
from omnifolio.model.errors import InvalidField, NotFound, VenueBadResponse
from omnifolio.model.facts import Evidence
from omnifolio.venues.answers import shaped
from omnifolio.venues.contract import Access
from omnifolio.venues.cosmos.address import parse_address
from omnifolio.venues.cosmos.denoms import traces_asked
from omnifolio.venues.cosmos.history import ONE
from omnifolio.venues.cosmos.movements import Subject, claims_of
from omnifolio.venues.cosmos.rest import SEARCH, Node, refusal_of
from omnifolio.venues.cosmos.shapes import One

_NAME = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")


async def ask_one(chain: CosmosChain, access: Access, url: str, address: str, name: str) -> Sequence[Evidence]:
    """The answers that tell the transaction of that hash.

    Raises: InvalidField for what is no hash, NotFound when the node does not have it, VenueError.
    """
    subject, found = Subject(chain, parse_address(chain, address)), _NAME.fullmatch(name.strip())
    if found is None:
        raise InvalidField("hash: expected 64 hexadecimal digits")
    node = Node(access, chain, url=url, stream=f"transfers/{chain.id}")
    told = await node.ask(ONE, f"{SEARCH}/{found[1].upper()}", wallet=subject.address, wanted="")
    if told.status != 200:
        if "not found" in refusal_of(told):
            raise NotFound(f"the node does not have the transaction {found[1].upper()}")
        raise VenueBadResponse(f"the node does not tell a transaction: {refusal_of(told)[:100]}")
    denoms = claims_of(subject, shaped(told.body, One).tx_response)[1]
    return [told, *await traces_asked(node, chain, denoms, ())]
