"""On which chains an address lives: of EVM chains every node is asked once, many at a time; of all others its form says it."""

import asyncio
import re
from collections.abc import Sequence

from msgspec import Struct

from omnifolio.app.offer import Offer, Offers
from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog.chains import EvmChain, evm_chain, evm_chains
from omnifolio.model import amounts
from omnifolio.model.clock import Clock
from omnifolio.model.errors import InvalidField, PrivateKeyRefused, VenueError
from omnifolio.model.settings import Settings
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.evm.address import parse_address
from omnifolio.venues.evm.names import is_name
from omnifolio.venues.evm.presence import Presence, ask_presence, presence_of
from omnifolio.venues.evm.rpc import Node
from omnifolio.venues.sources import host_of

_EVM = re.compile(r"0[xX][0-9a-fA-F]{40}")
AT_ONCE = 24
"""Chains that are asked at the same time."""
NODES_MAX = 2
"""Nodes of one chain that are tried."""


class Found(Struct, frozen=True, kw_only=True):
    """What a chain said. `presence` None: none of its nodes answered, and `error` says why the last one did not."""

    chain: EvmChain
    source: str
    presence: Presence | None = None
    error: str = ""


def asked_chains(settings: Settings, names: Sequence[str]) -> list[tuple[EvmChain, tuple[str, ...], bool]]:
    """(chain, its nodes, whether they are the operator's own) of the named chains, else of all. Raises: InvalidField."""
    own = base_urls_of(settings)
    chains = [evm_chain(name) for name in names] or list(evm_chains().values())
    found = []
    for chain in chains:
        urls = (own[chain.id],) if chain.id in own else chain.nodes[:NODES_MAX]
        if urls:
            found.append((chain, urls, chain.id in own))
    return found


def told_by_form(offers: Offers, address: str, *, chains: Sequence[str]) -> list[Offer]:
    """The chains of other families that have such addresses, of the named chains or of all; none for an address of EVM chains.

    Nobody is asked: an address of theirs says by itself where it lives. Raises: InvalidField for what is an address of no chain;
    PrivateKeyRefused where that has the form of a private key, as 32 bytes after `0x` have unless Sui is named.
    """
    if not chains and _EVM.fullmatch(address.strip()):
        return []
    refused: PrivateKeyRefused | None = None
    found = []
    for offer in offers.all:
        field = offer.fields[0]
        is_meant = offer.name in chains if chains else not field.is_long_hex
        if offer.category != "blockchains" or field.name != "wallet" or offer.name in evm_chains() or not is_meant:
            continue
        try:
            if offer.takes(address):
                found.append(offer)
        except PrivateKeyRefused as error:
            refused = error
    if found or _EVM.fullmatch(address.strip()) or is_name(address):
        return found
    where = " or ".join(chains) or "any chain that is read here"
    raise refused or InvalidField(f"address: this is no address of {where}; copy all of it")


async def find(settings: Settings, address: str, *, chains: Sequence[str], clock: Clock) -> list[Found]:
    """What each chain says of an address, in the order of the rows. Raises: InvalidField, PrivateKeyRefused."""
    amounts.install()
    wallet, asked = parse_address(address), asked_chains(settings, chains)
    egress, turns = Egress(clock=clock), asyncio.Semaphore(AT_ONCE)

    async def one(chain: EvmChain, urls: Sequence[str], *, is_own: bool) -> Found:
        egress.allow(chain.id, [Rule("POST", url, is_configured=is_own) for url in urls])
        access = Access(venue=chain.id, egress=egress, clock=clock, key_label="find")
        last = ""
        async with turns:
            for url in urls:
                try:
                    node = Node(access, url=url, stream=f"presence/{chain.id}")
                    told = presence_of(chain, await ask_presence(node, chain, wallet))
                except VenueError as error:
                    last = error.message
                else:
                    return Found(chain=chain, source=host_of(url), presence=told)
        return Found(chain=chain, source=host_of(urls[-1]), error=last)

    try:
        return list(await asyncio.gather(*(one(chain, urls, is_own=is_own) for chain, urls, is_own in asked)))
    finally:
        await egress.close()
