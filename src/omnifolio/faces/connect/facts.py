"""What the page begins with: everything that it may know, in one block of data that it takes away at once."""

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from omnifolio.app import connecting
from omnifolio.app.connecting import Entry
from omnifolio.app.context import Context
from omnifolio.connect.terms import LANGUAGES, THEMES, Preference, Terms, Way
from omnifolio.faces.pages.page import prefix_of


class ClientFacts(Struct, frozen=True):
    """Whose page it is."""

    name: str
    logo: str | None = None
    accent: str | None = None


class AccountFacts(Struct, frozen=True):
    """The account to reconnect."""

    id: str
    provider: str
    name: str | None


class ErrorFacts(Struct, frozen=True):
    """Why the page does not open: Vezgo's `type`, and a sentence for the developer who sees it."""

    type: str
    message: str


class Facts(Struct, frozen=True, kw_only=True):
    """See the module. `opener` is the exact origin that may be told; `leave_to` the address to go to when the page is closed."""

    mode: Literal["connect", "reconnect", "error"]
    lang: str
    theme: str
    prefix: str
    client: ClientFacts
    session: str | None
    expires_at: int | None
    opener: str | None
    redirect_uri: str | None
    leave_to: str | None
    state: str | None
    provider: str | None
    account: AccountFacts | None
    categories: list[str] | None
    providers: list[str] | None
    disabled_providers: list[str]
    providers_per_line: int
    multi_wallet: bool
    preferences: Mapping[str, Preference]
    sync_nfts: bool
    demo: bool
    egress_ips: list[str]
    error: ErrorFacts | None


def facts_of(context: Context, entry: Entry, wishes: Terms) -> Facts:
    """What the page of an entry begins with; `wishes` are how a refused one should look."""
    held, refusal, way = entry.held, entry.refusal, entry.way or Way()
    terms, account = wishes if held is None else held.terms, entry.account
    leave_to = connecting.leaving(way) if refusal is None else connecting.returning(way, refusal)
    return Facts(
        mode="error" if held is None else "connect" if account is None else "reconnect",
        lang=terms.lang if terms.lang in LANGUAGES else LANGUAGES[0],
        theme=terms.theme if terms.theme in THEMES else THEMES[0],
        prefix=prefix_of(context.settings),
        client=ClientFacts("" if entry.team is None else entry.team.name),
        session=None if entry.token is None else entry.token.reveal(),
        expires_at=None if held is None else held.expires_at,
        opener=way.origin,
        redirect_uri=way.redirect_uri,
        leave_to=leave_to,
        state=way.state,
        provider=terms.provider,
        account=None if account is None else AccountFacts(context.ids.wire("account", account.id), account.venue, account.name),
        categories=None if terms.categories is None else list(terms.categories),
        providers=None if terms.providers is None else list(terms.providers),
        disabled_providers=list(terms.disabled_providers),
        providers_per_line=terms.providers_per_line,
        multi_wallet=terms.multi_wallet,
        preferences=terms.preferences,
        sync_nfts=terms.sync_nfts,
        demo=terms.is_demo,
        egress_ips=list(context.settings.egress_ips),
        error=None if refusal is None else ErrorFacts(refusal.kind, refusal.message),
    )
