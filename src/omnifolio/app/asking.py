"""Who will be asked for an account, and what that costs: told before the first question leaves."""

from collections.abc import Mapping

from omnifolio.app.offer import Offer, Offers
from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.utxo_chains import utxo_chains
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.settings import Settings
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.plan import Given, steps_of
from omnifolio.venues.registry import networks
from omnifolio.venues.sources import Step, host_of
from omnifolio.venues.utxo.plan import steps_of as steps_for_coin
from omnifolio.venues.utxo.reader import source_of
from omnifolio.venues.utxo.subject import subject_of


def asking(settings: Settings, offer: Offer, *, fields: Mapping[str, str], has_key: bool) -> tuple[Step, ...]:
    """The steps of reading an account with these public link fields; `has_key` where an explorer's key was given, too.

    Nothing for what is not read from a network. Raises: InvalidField for a depth that is none or a server that is not offered.
    """
    own, venue = base_urls_of(settings), offer.name
    chain = evm_chains().get(venue)
    if chain is not None:
        given = Given(node=own.get(venue), explorer=own.get(f"{venue}-explorer"), has_key=has_key)
        return steps_of(chain, given, depth_of(fields))
    network = networks().get(venue)
    if network is not None:
        return network.steps(own.get(venue), depth_of(fields))
    if venue in utxo_chains():
        subject = subject_of(venue, fields.get("wallet", ""))
        source = source_of(subject, chosen=fields.get("source", ""), base_url=own.get(venue))
        return steps_for_coin(subject, source, depth_of(fields))
    if not offer.sources:
        return ()
    hosts = host_of(own[venue]) if venue in own else fields.get("source") or ", ".join(offer.sources)
    return (Step(reads="balances and history", source=hosts, calls="as many as there are pages", time="", is_own=venue in own),)


def hosts_of(settings: Settings, offers: Offers, venue: str, *, fields: Mapping[str, str], has_key: bool) -> list[str]:
    """The hosts of these steps, each once; none for a venue or a server that is no longer offered."""
    try:
        steps = asking(settings, offers.of(venue), fields=fields, has_key=has_key)
    except (NotFound, InvalidField):
        return []
    return list(dict.fromkeys(step.source for step in steps))
