"""Which of our venues an account of Vezgo's belongs to, and how what Vezgo tells of it is translated."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from omnifolio.app.brands import NETWORK
from omnifolio.app.offer import Offer, Offers
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.utxo_chains import utxo_chains
from omnifolio.model.errors import InvalidField, NotFound, PrivateKeyRefused
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.registry import networks
from omnifolio.venues.vezgo.plan import ADDRESS_CHARS_MAX, SLUG, Plan, rows_of, text_of, wallet_keys


class Home(Struct, frozen=True, kw_only=True):
    """Where an account goes. `provider` is Vezgo's name, `venue` ours; `brand` the wallet brand that led there, or "".

    `is_known` is false for a provider that cannot be connected here: its history is kept under Vezgo's own name.
    """

    provider: str
    venue: str
    display_name: str
    brand: str
    is_known: bool
    plan: Plan


def home_of(offers: Offers, row: Mapping[str, Any]) -> Home:
    """The home of an account as Vezgo lists it. Raises: InvalidField for a provider whose name cannot be one here."""
    names = list(_names(row.get("provider")))
    slug = names[0] if names else ""
    offer = next((found for name in names if (found := _offer(offers, name)) is not None), None)
    if offer is None and not SLUG.fullmatch(slug):
        raise InvalidField(f"provider: expected a name such as kraken, got {slug[:40]!r}")
    brand = offer.name if offer is not None and offer.onward is not None else ""
    wallets = [item for item in rows_of(row, "wallets") if isinstance(item, dict)]
    if offer is not None and offer.onward is not None:
        offer = _onward(offers, offer, wallets) or offer
    venue = slug if offer is None else offer.name
    chain, coin = _chain_of(venue)
    return Home(
        provider=slug,
        venue=venue,
        display_name=slug if offer is None else offer.display_name,
        brand=brand if venue != brand else "",
        is_known=offer is not None,
        plan=Plan(
            wallets=wallet_keys(venue, wallets, chain=chain),
            chain=chain,
            coin="" if coin is None else coin.id,
            coin_ticker="" if coin is None else coin.ticker,
        ),
    )


def _names(provider: object) -> Iterator[str]:
    """A provider's own name first, then the others."""
    if isinstance(provider, str):
        yield provider
    elif isinstance(provider, dict):
        for name in (provider.get("name"), *rows_of(provider, "alternate_names")):
            if isinstance(name, str) and name:
                yield name


def _offer(offers: Offers, name: str) -> Offer | None:
    try:
        return offers.of(name)
    except NotFound:
        return None


def _onward(offers: Offers, brand: Offer, wallets: Sequence[Mapping[str, Any]]) -> Offer | None:
    """The chain of a wallet brand's account: the one that a wallet's id names, else the first that has such an address."""
    for row in wallets:
        address = text_of(row.get("address"), ADDRESS_CHARS_MAX)
        if not address or brand.onward is None:
            continue
        words = [word for word in str(row.get("id") or "").lower().split(":") if _offer(offers, word) is not None]
        for entered in ({"wallet": address, NETWORK: word} for word in (*words, "")):
            try:
                return brand.onward(entered).offer
            except (InvalidField, PrivateKeyRefused):
                continue
    return None


def _chain_of(venue: str) -> tuple[str, TokenFacts | None]:
    """The CAIP-2 id of a venue that is a chain and its coin, where the rows say which that is."""
    row = evm_chains().get(venue) or utxo_chains().get(venue)
    if row is not None:
        return row.caip2, row.native
    network = networks().get(venue)
    return ("", None) if network is None else (network.caip2, None)
