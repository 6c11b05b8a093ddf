"""Providers on the wire: what is offered, with the fields to enter, and how far the connector is proved."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from omnifolio.app.offer import Category, Field, Offer, Offers
from omnifolio.faces.api.wire import DataKindOut, FeaturesOut, InstructionsOut, LiveOut, ProviderOut
from omnifolio.model.clock import Clock

FOREVER = 2**63


class Providers:
    """The providers of this installation by name. `currencies` are those in which values can always be had."""

    def __init__(self, offers: Offers, *, currencies: Sequence[str], clock: Clock) -> None:
        self._offers = offers
        self._currencies = currencies
        self._clock = clock
        self._shapes: dict[str, ProviderOut] = {}
        self._good_until = 0

    def __contains__(self, venue: object) -> bool:
        return venue in self._shown()

    def listed(self, category: Category | None) -> list[ProviderOut]:
        """All providers, or those of one category."""
        shown = self._shown()
        return [shown[offer.name] for offer in self._offers.all if category in (None, offer.category)]

    def named(self, name: str) -> ProviderOut:
        """The provider with that name or alternate name. Raises: NotFound."""
        return self._shown()[self._offers.of(name).name]

    def of_venue(self, venue: str) -> ProviderOut:
        """The provider of an account; one that is no longer offered is shown as listed only."""
        found = self._shown().get(venue)
        return found if found is not None else _shown(_gone(venue), ())

    def _shown(self) -> Mapping[str, ProviderOut]:
        """Every provider's shape, made anew when a confirmation ends."""
        now = self._clock.now()
        if now >= self._good_until:
            self._shapes = {offer.name: _shown(offer.at(now), self._currencies) for offer in self._offers.all}
            ends = (offer.live.ends_at for offer in self._offers.all if offer.live is not None)
            self._good_until = min((end for end in ends if end > now), default=FOREVER)
        return self._shapes


def _gone(venue: str) -> Offer:
    return Offer(name=venue, display_name=venue, category="exchanges", auth_type="token", fields=(), identity=(), proof="listed")


def _shown(offer: Offer, currencies: Sequence[str]) -> ProviderOut:
    scopes = ["balances", "transactions"] if offer.has_history else ["balances"]
    return ProviderOut(
        name=offer.name,
        display_name=offer.display_name,
        alternate_names=list(offer.alternate_names) or None,
        logo=None,
        type=_TYPES[offer.category],
        category=offer.category,
        categories=[offer.category],
        auth_type=offer.auth_type,
        auth_types=list(offer.auth_types),
        scopes=scopes,
        available_scopes=scopes,
        available_currencies=list(currencies),
        status="ok" if offer.proof != "listed" else "unavailable",
        is_beta=offer.is_beta,
        connect_notice=offer.notice,
        credentials=[field.name for field in offer.fields],
        instructions=InstructionsOut(en=offer.steps, fr=offer.steps),
        misc={field.name: _field(field) for field in offer.fields},
        features=FeaturesOut(
            account=True, positions=offer.has_positions, transactions=offer.has_history, nfts=False, streaming=False
        ),
        key_check=offer.key_check or None,
        egress_ips=list(offer.egress_ips),
        proof=offer.proof,
        live=None
        if offer.live is None
        else LiveOut(date=offer.live.date, connector=offer.live.connector, until=offer.live.ends_at),
        sources=list(offer.sources),
        data=[DataKindOut(kind=item.kind, proof=item.proof, look_back_days=item.look_back_days) for item in offer.data],
    )


_TYPES: Mapping[str, Literal["exchange", "wallet", "blockchain"]] = {
    "exchanges": "exchange",
    "wallets": "wallet",
    "blockchains": "blockchain",
}


def _field(field: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"label": {"en": field.label}, "secret": field.is_secret, "required": field.is_required}
    if field.pattern:
        shown["pattern"] = field.pattern
    if field.hint:
        shown["hint"] = {"en": field.hint}
    return shown
