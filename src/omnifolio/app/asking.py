"""Who will be asked for an account, and what that costs: told before the first question leaves."""

from collections.abc import Mapping

from omnifolio.app.link import check_any
from omnifolio.app.offer import NAMES_OF_FIELDS, Offer, Offers
from omnifolio.app.way_out import base_urls_of
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.utxo_chains import utxo_chains
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.settings import Settings
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm.events import ZERO_ADDRESS
from omnifolio.venues.evm.names import is_name
from omnifolio.venues.evm.plan import Given, steps_of
from omnifolio.venues.registry import networks
from omnifolio.venues.sources import Step, host_of
from omnifolio.venues.utxo.plan import steps_of as steps_for_coin
from omnifolio.venues.utxo.reader import source_of
from omnifolio.venues.utxo.subject import subject_of

WALLET_NAMES = frozenset({"wallet", *NAMES_OF_FIELDS["wallet"]})
"""The names under which an address may be given."""


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


def asking_first(settings: Settings, offer: Offer, entered: Mapping[str, str]) -> tuple[Step, ...]:
    """What linking with these fields would ask, of whom, the question for the address of a name included.

    Raises: InvalidField, PrivateKeyRefused, as linking would.
    """
    named = [name for name, value in entered.items() if name in WALLET_NAMES and is_name(value)]
    offer, credentials = check_any(offer, {**entered, **dict.fromkeys(named, ZERO_ADDRESS)}, fingerprint_key=bytes(32))
    steps = asking(settings, offer, fields=credentials.fields, has_key="explorer_key" in credentials.secrets)
    asked = (
        Step(reads=f"the address of {entered[name]}", source=steps[0].source, is_own=steps[0].is_own, calls="2", time="1 s")
        for name in named
    )
    return (*asked, *steps)


def hosts_of(settings: Settings, offers: Offers, venue: str, *, fields: Mapping[str, str], has_key: bool) -> list[str]:
    """The hosts of these steps, each once; none for a venue or a server that is no longer offered."""
    try:
        steps = asking(settings, offers.of(venue), fields=fields, has_key=has_key)
    except (NotFound, InvalidField):
        return []
    return list(dict.fromkeys(step.source for step in steps))
