"""What Connect was asked to do, checked against what the team has registered: nothing is guessed, everything matches exactly.

In: the parameters of the address as they came. Out: `Terms`, to which one open page is bound. Each refusal has Vezgo's `type`.
"""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from omnifolio.model.errors import ConnectRefused
from omnifolio.model.ids import AccountId
from omnifolio.tenancy.teams import Team

LANGUAGES = ("en", "es", "fr", "it", "de")
THEMES = ("light", "dark", "auto")
STATE_LENGTH_MAX = 2_000
NAMES_MAX = 500
"""Providers that one address may name."""
PREFERENCES_LENGTH_MAX = 4_000


class Preference(Struct, frozen=True, omit_defaults=True):
    """What a host wishes for one wallet brand: networks to offer or to leave out, and whether an address may be typed."""

    allow: tuple[str, ...] = ()
    disallow: tuple[str, ...] = ()
    no_manual_input: bool = False


class Way(Struct, frozen=True, kw_only=True):
    """Who hears how it ended: the window of `origin`, else the address to return to; neither for a hosted page."""

    origin: str | None = None
    redirect_uri: str | None = None
    state: str | None = None


class Terms(Struct, frozen=True, kw_only=True):
    """What one open page may do. `providers` and `categories` None mean all; `account` is the one to reconnect."""

    way: Way = Way()
    account: AccountId | None = None
    provider: str | None = None
    providers: tuple[str, ...] | None = None
    disabled_providers: tuple[str, ...] = ()
    categories: tuple[str, ...] | None = None
    providers_per_line: int = 2
    multi_wallet: bool = False
    preferences: Mapping[str, Preference] = {}
    sync_nfts: bool = True
    is_demo: bool = False
    lang: str = "en"
    theme: str = "light"

    def allows(self, provider: str, category: str) -> bool:
        """Whether accounts of this provider may be connected."""
        is_named = self.providers is None or provider in self.providers
        is_of_kind = self.categories is None or category in self.categories
        return is_named and is_of_kind and provider not in self.disabled_providers


_preferences = msgspec.json.Decoder(dict[str, Preference]).decode


def way_of(asked: Mapping[str, str], team: Team, *, sent_from: str | None) -> Way:
    """Where the outcome goes. `sent_from` is the Origin header of a form that was posted here, None without a form.

    Without origin and redirect URI, the team's only redirect URI is meant. Raises: ConnectRefused.
    """
    origin = asked.get("origin") or None
    if origin is not None:
        if origin not in team.origins:
            raise ConnectRefused("INVALID_ORIGIN", f"origin: {origin[:80]!r} is not registered for this team")
        if sent_from is not None and sent_from != origin:
            raise ConnectRefused("INVALID_ORIGIN", f"origin: the form came from {sent_from[:80]!r}, not from {origin[:80]!r}")
    redirect_uri = asked.get("redirect_uri") or None
    if redirect_uri is not None and redirect_uri not in team.redirect_uris:
        raise ConnectRefused("WRONG_REDIRECT_URI", f"redirect_uri: {redirect_uri[:80]!r} is not registered for this team")
    if origin is None and redirect_uri is None:
        if len(team.redirect_uris) != 1:
            count = "none" if not team.redirect_uris else "several"
            raise ConnectRefused("WRONG_REDIRECT_URI", f"redirect_uri: give it, or origin; the team has registered {count}")
        redirect_uri = team.redirect_uris[0]
    state = asked.get("state") or None
    if state is not None and len(state) > STATE_LENGTH_MAX:
        raise ConnectRefused("WRONG_REDIRECT_URI", f"state: more than {STATE_LENGTH_MAX} characters")
    return Way(origin=origin, redirect_uri=redirect_uri, state=state)


def wishes_of(asked: Mapping[str, str], way: Way) -> Terms:
    """Everything else, with names as they were given. Looks are a wish: what is not known there counts as not said."""
    language, theme, per_line = asked.get("lang", ""), asked.get("theme", ""), asked.get("providers_per_line")
    return Terms(
        way=way,
        providers=_names(asked.get("providers")),
        disabled_providers=_names(asked.get("disabled_providers")) or (),
        categories=_names(asked.get("provider_categories")),
        providers_per_line=1 if per_line == "1" else 2,
        multi_wallet=asked.get("multi_wallet") == "true",
        preferences=_wished(asked.get("providers_preferences")),
        sync_nfts=asked.get("sync_nfts") != "false",
        is_demo=asked.get("demo") == "true",
        lang=language if language in LANGUAGES else LANGUAGES[0],
        theme=theme if theme in THEMES else THEMES[0],
    )


def _names(text: str | None) -> tuple[str, ...] | None:
    if not text:
        return None
    return tuple(dict.fromkeys(name.strip() for name in text.split(",")[:NAMES_MAX] if name.strip()))


def _wished(text: str | None) -> dict[str, Preference]:
    if not text or len(text) > PREFERENCES_LENGTH_MAX:
        return {}
    try:
        return _preferences(text)
    except msgspec.DecodeError:
        return {}
