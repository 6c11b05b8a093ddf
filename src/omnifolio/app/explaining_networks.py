"""One transaction of a chain without documents of its own, explained for addresses: asked of a server, decoded as in a sync."""

import asyncio
from collections.abc import Sequence

from omnifolio.app.explaining import Valuing, facts_of
from omnifolio.app.facts import Line
from omnifolio.app.way_out import base_urls_of
from omnifolio.model import amounts
from omnifolio.model.clock import Clock
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Batch
from omnifolio.model.settings import Settings
from omnifolio.transport.egress import Egress
from omnifolio.transport.pacing import Sleep
from omnifolio.venues.contract import Access
from omnifolio.venues.networks import Network
from omnifolio.venues.registry import networks, reader_for


def network_named(chain: str) -> Network | None:
    """The network with that id, CAIP-2 id or other name; None for any other chain."""
    return next((row for row in networks().values() if chain in (row.id, row.caip2, *row.also)), None)


async def explain_network(
    settings: Settings,
    network: Network,
    *,
    name: str,
    accounts: Sequence[str],
    clock: Clock,
    sleep: Sleep = asyncio.sleep,
    valuing: Valuing | None = None,
) -> list[Line]:
    """The facts of the transaction of that name, asked of the operator's own server, else of the first public one.

    Raises: InvalidField, also where no single one can be asked for; NotFound when the server does not have it; VenueError.
    """
    amounts.install()
    own = base_urls_of(settings).get(network.id)
    url = own or next(iter(network.urls), "")
    if network.ask_one is None or not url:
        missing = "no single transaction can be asked for" if url else "there is no public server: set base_urls." + network.id
        raise InvalidField(f"chain: of {network.name} {missing}; link the address, then see omnifolio transactions")
    egress = Egress(clock=clock, sleep=sleep)
    egress.allow(network.id, network.rules(url, own is not None))
    access = Access(venue=network.id, egress=egress, clock=clock, key_label="explain", base_url=own)
    reader, pages = reader_for(network.id), list[Batch]()
    try:
        for address in dict.fromkeys(network.spelt(account.removeprefix(f"{network.caip2}:")) for account in accounts):
            evidence = await network.ask_one(access, url, address, name)
            pages.append(reader.decode(network.id, evidence[0].stream, evidence))
    finally:
        await egress.close()
    return await facts_of(network.id, pages, clock, valuing)
