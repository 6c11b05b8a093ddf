"""Everything that this process may ask of the outside world, opened rule by rule; whatever has no rule never leaves."""

from collections.abc import Mapping

from omnifolio.catalog import exchanges, oauth
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.utxo_chains import configured_source, utxo_chains
from omnifolio.model.errors import InvalidSettings
from omnifolio.model.settings import OAuthClient, Settings
from omnifolio.pricing.registry import Sources
from omnifolio.sync.tokens import open_tokens
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues import validators
from omnifolio.venues.evm.explorer import ETHERSCAN
from omnifolio.venues.exchanges.ccxt_bridge import rules_of
from omnifolio.venues.exchanges.listening import socket_rules
from omnifolio.venues.registry import networks
from omnifolio.venues.utxo.reader import rules_of as rules_of_source

SANDBOX_VENUES = ("kraken", "binance", "coinbase", "bybit", "okx", "demo")
"""Venues whose place the sandbox takes, each under its own path."""


SANDBOX_CLIENT = OAuthClient("omnifolio-sandbox", "worthless-outside-the-sandbox")
"""The client that every simulated venue knows."""


def base_urls_of(settings: Settings) -> Mapping[str, str]:
    """Venue → base URL used in the place of its own: the sandbox's paths, and on top what the operator has set."""
    sandbox = settings.sandbox_url.rstrip("/")
    simulated = {venue: f"{sandbox}/{venue}" for venue in SANDBOX_VENUES} if sandbox else {}
    return simulated | settings.base_urls


def oauth_clients_of(settings: Settings) -> Mapping[str, OAuthClient]:
    """The operator's clients, and those of the sandbox where it stands in a venue's place.

    Raises: InvalidSettings for a client of a venue that has no row.
    """
    for venue in settings.oauth:
        if venue not in oauth.ids():
            raise InvalidSettings(f"oauth: {venue[:40]} cannot be linked by consent; {', '.join(oauth.ids())} can")
    simulated = {venue: SANDBOX_CLIENT for venue in oauth.ids() if is_simulated(settings, venue)}
    return simulated | settings.oauth


def is_simulated(settings: Settings, venue: str) -> bool:
    """Whether the sandbox stands in the venue's place here: then its credentials are worthless and open nothing."""
    sandbox = settings.sandbox_url.rstrip("/")
    return bool(sandbox) and base_urls_of(settings).get(venue) == f"{sandbox}/{venue}"


def open_way_out(egress: Egress, settings: Settings, sources: Sources) -> None:
    """Lets the reads of every known venue, chain and price source pass, and nothing else."""
    base_urls = base_urls_of(settings)
    for venue in exchanges.ids():
        row = exchanges.load(venue)
        egress.allow(venue, rules_of(row, base_urls.get(venue)))
        egress.sockets.allow(venue, socket_rules(row, base_urls.get(venue)))
    for chain in evm_chains().values():
        if chain.id in base_urls:
            egress.allow(chain.id, [Rule("POST", base_urls[chain.id], is_configured=True)])
        else:
            egress.allow(chain.id, [Rule("POST", url) for url in chain.nodes])
        explorer = base_urls.get(f"{chain.id}-explorer")
        if explorer:
            egress.allow(chain.id, [Rule("GET", explorer, is_configured=True)])
        else:
            egress.allow(chain.id, [Rule("GET", url) for url in (chain.explorer_api, ETHERSCAN) if url])
    for coin in utxo_chains().values():
        servers = [configured_source(base_urls[coin.id])] if coin.id in base_urls else coin.sources
        egress.allow(coin.id, [rule for server in servers for rule in rules_of_source(server, is_configured=server.is_own)])
    for network in networks().values():
        own_url = base_urls.get(network.id)
        urls = (own_url,) if own_url else network.urls
        egress.allow(network.id, [rule for url in urls for rule in network.rules(url, own_url is not None)])
    if validators.VENUE in base_urls:
        explorer = base_urls.get(f"{validators.VENUE}-explorer")
        asked = Rule("GET", explorer, is_configured=True) if explorer else Rule("GET", validators.CHAIN.explorer_api)
        beacon = Rule("GET", base_urls[validators.VENUE] + validators.PATH, is_configured=True)
        egress.allow(validators.VENUE, [beacon, asked])
    if "demo" in base_urls:
        base = base_urls["demo"]
        egress.allow(
            "demo",
            [
                Rule("POST", f"{base}/session", is_configured=True),
                Rule("GET", f"{base}/balances", is_configured=True),
                Rule("GET", f"{base}/transactions", is_configured=True),
            ],
        )
    open_tokens(egress, oauth_clients_of(settings), base_urls)
    sources.open_way(egress)
