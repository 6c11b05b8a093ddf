"""Names in the place of addresses, where a person types them: resolved at once, so that an address is all that is kept."""

from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog.chains import evm_chain
from omnifolio.model.clock import Clock
from omnifolio.model.errors import VenueError
from omnifolio.model.settings import Settings
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.evm.names import ask_name, is_name, name_hash
from omnifolio.venues.evm.rpc import Node

CHAIN = "ethereum"
"""Where the registry of names is."""


async def resolved(settings: Settings, text: str, *, clock: Clock) -> str:
    """The address that a name stands for, asked of Ethereum's node; anything that is no name as it is.

    Raises: InvalidField, NotFound; VenueError when no node answers.
    """
    if not is_name(text):
        return text
    name_hash(text)
    chain, own = evm_chain(CHAIN), base_urls_of(settings).get(CHAIN)
    urls = (own,) if own else chain.nodes
    egress = Egress(clock=clock)
    egress.allow(CHAIN, [Rule("POST", url, is_configured=own is not None) for url in urls])
    access = Access(venue=CHAIN, egress=egress, clock=clock, key_label="name")
    try:
        for place, url in enumerate(urls):
            try:
                return await ask_name(Node(access, url=url, stream="name/ethereum"), text)
            except VenueError:
                if place + 1 == len(urls):
                    raise
    finally:
        await egress.close()
    raise AssertionError("a chain with names has a node")
