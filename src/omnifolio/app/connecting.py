"""Opening Connect, and what its open page asks for: who may open it, what the page is bound to, and how it ends.

An address or a form opens a page with a user's token; a link token opens one once. The page then has a token of its own, which is
bound to user, team, origin, venues and account, and is worth nothing elsewhere.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy.engine import Connection

from omnifolio.app import authenticate
from omnifolio.app.asking import WALLET_NAMES
from omnifolio.app.context import Context
from omnifolio.app.naming import resolved
from omnifolio.app.searching import is_ens
from omnifolio.connect import funnel, outcome, tokens
from omnifolio.connect.funnel import Step
from omnifolio.connect.terms import Terms, Way, way_of, wishes_of
from omnifolio.connect.tokens import Held
from omnifolio.ledger import accounts
from omnifolio.ledger.accounts import Account
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, SECOND_MS, EpochMs
from omnifolio.model.errors import ConnectRefused, Forbidden, NotFound, Unauthenticated
from omnifolio.model.ids import AccountId
from omnifolio.model.secrets import Secret
from omnifolio.model.settings import Settings
from omnifolio.tenancy import teams
from omnifolio.tenancy.teams import Team

TOKEN_LEFT_MIN_MS = 10 * SECOND_MS
"""A user's token that ends sooner is refused: the page must not seem to work and then fail. Vezgo's clients renew theirs then."""
SEEN_ONCE = "this link has been used or has expired; ask for a new one"


class Entry(Struct, frozen=True, kw_only=True):
    """A page that is to be shown: open with `held` and its `token`, or refused with `refusal`.

    `team` and `way` are there as far as they were found valid: only those may be told of a refusal.
    """

    team: Team | None = None
    way: Way | None = None
    held: Held | None = None
    token: Secret | None = None
    account: Account | None = None
    refusal: ConnectRefused | None = None


class Asked(Struct, frozen=True, kw_only=True):
    """How the page was asked for. `sent_from` is the Origin header of a posted form; None when nothing was posted."""

    query: Mapping[str, str]
    token: str
    slug: str | None = None
    account: str | None = None
    sent_from: str | None = None


class LinkToken(Struct, frozen=True):
    """A token that opens Connect once, until an instant."""

    token: Secret
    expires_at: EpochMs


async def enter(context: Context, asked: Asked) -> Entry:
    """The page to show; never raises what the caller can mend, since a host page must be told of it by the page."""
    team: Team | None = None
    way: Way | None = None
    try:
        if link_token := asked.query.get("link_token"):
            return await _by_link(context, link_token)
        team = await _team(context, asked.query.get("client_id"))
        way = way_of(asked.query, team, sent_from=asked.sent_from)
        principal = await _user(context, asked.token, team)
        terms = await _terms(context, principal, wishes_of(asked.query, way), slug=asked.slug, account=asked.account)
        return await _opened(context, principal, team, terms)
    except ConnectRefused as error:
        return Entry(team=team, way=way, refusal=error)


async def make_link(
    context: Context, principal: Principal, query: Mapping[str, str], *, provider: str | None, account: str | None
) -> LinkToken:
    """A token that opens Connect once for the principal's user, within 30 minutes.

    `query` has the parameters that an address would have. Without origin and redirect URI it opens a page of its own, which ends
    with a word of thanks. Raises: ConnectRefused; Forbidden.
    """
    team = await context.store.read(_team_by_id, principal)
    way = way_of(query, team, sent_from=None) if query.get("origin") or query.get("redirect_uri") else Way()
    terms = await _terms(context, principal, wishes_of(query, way), slug=provider, account=account)

    def op(conn: Connection) -> LinkToken:
        now = context.clock.now()
        made = LinkToken(*tokens.mint(conn, principal, "link", terms, pepper=context.edge.pepper, now=now))
        context.note(conn, principal, "link_token.created")
        return made

    return await context.store.write(op)


def address_of(settings: Settings, link_token: Secret) -> str:
    """The address that a link token opens, under which browsers reach this server."""
    return f"{settings.reached_at()}/connect?link_token={link_token.reveal()}"


def may_connect(context: Context, held: Held | None, provider: str) -> None:
    """Raises: Forbidden when an open page may not connect this provider; NotFound for a provider that there is not."""
    if held is None:
        return
    offer = context.offers.of(provider)
    if held.terms.account is not None:
        raise Forbidden("this page was opened to reconnect one account; it connects no other")
    if not held.terms.allows(offer.name, offer.category):
        raise Forbidden(f"this page was not opened for {offer.display_name}")


def may_change(held: Held | None, account: AccountId) -> None:
    """Raises: Forbidden when an open page may not change this account."""
    if held is not None and account not in (held.terms.account, *held.made):
        raise Forbidden("this page may only change the account that it was opened for, or one that it connected itself")


def may_remove(held: Held | None, account: AccountId) -> None:
    """Raises: Forbidden when an open page may not take this account away."""
    if held is not None and account not in held.made:
        raise Forbidden("this page may only take away an account that it connected itself")


async def remember_made(context: Context, held: Held | None, account: AccountId) -> None:
    """Notes that an open page has connected an account, so that it may change it and take it away."""
    if held is not None:
        await context.store.write(tokens.add_made, held, account)


async def without_names(context: Context, held: Held | None, entered: Mapping[str, str]) -> Mapping[str, str]:
    """What a person entered on an open page, with the address in the place of its name, which Ethereum's node is asked for.

    Raises: InvalidField, NotFound; VenueError when no node answers.
    """
    if held is None:
        return entered
    return {
        name: await resolved(context.settings, value, clock=context.clock) if name in WALLET_NAMES and is_ens(value) else value
        for name, value in entered.items()
    }


async def note_step(context: Context, held: Held, step: Step, *, provider: str | None, result: str = "") -> None:
    """Notes how far a visit came. A provider that there is not is not noted."""
    venue = None
    if provider is not None:
        try:
            venue = context.offers.of(provider).name
        except NotFound:
            venue = None
    await context.store.write(
        funnel.append, held.team, visit=held.visit, step=step, venue=venue, outcome=result, now=context.clock.now()
    )


async def visits(context: Context, team: Team, *, days: int) -> list[funnel.Reached]:
    """How many visits of a team's page came to which step in the last days."""
    since = EpochMs(context.clock.now() - days * DAY_MS)
    return await context.store.read(funnel.counted, team.id, since=since)


async def finish(context: Context, held: Held, connected: Sequence[str]) -> str | None:
    """Ends the page, and gives the address to return to; None where nobody is to be returned to. Raises: NotFound."""
    numbers = [AccountId(context.ids.integer("account", text)) for text in connected]

    def op(conn: Connection) -> None:
        now = context.clock.now()
        venue = None
        for number in numbers:
            venue = accounts.get(conn, held.principal, number, now).venue
        funnel.append(conn, held.team, visit=held.visit, step="done", venue=venue, outcome="connected", now=now)
        tokens.end(conn, held)

    await context.store.write(op)
    return outcome.succeeded(held.terms.way, list(connected))


def leaving(way: Way) -> str | None:
    """Where a page goes that is closed without an account; None where nobody is to be returned to."""
    return outcome.failed(way, error="access_denied", message=outcome.CLOSED)


def returning(way: Way, refusal: ConnectRefused) -> str | None:
    """Where a page goes that was refused; None where nobody is to be returned to."""
    return outcome.failed(way, error=refusal.kind.lower(), message=refusal.message)


async def _team(context: Context, client_id: str | None) -> Team:
    if not client_id:
        raise ConnectRefused("CLIENT_ID_REQUIRED", "client_id: missing; give the public id of your team")
    try:
        return await context.store.read(teams.by_client_id, client_id)
    except NotFound:
        raise ConnectRefused("WRONG_CLIENT_ID", "client_id: there is no active team with this id") from None


def _team_by_id(conn: Connection, principal: Principal) -> Team:
    return teams.of_principal(conn, principal)


async def _user(context: Context, token: str, team: Team) -> Principal:
    """Who the user's token speaks for, if it is of this team and can connect."""
    if not token:
        raise ConnectRefused("TOKEN_REQUIRED", "token: missing; give a user's token from POST /v1/auth/token")
    try:
        now = context.clock.now()
        session = await authenticate.session(context, token)
        is_ending = context.tokens.check(token, now=now).exp * SECOND_MS - now < TOKEN_LEFT_MIN_MS
    except Unauthenticated as error:
        kind = "SESSION_EXPIRED" if "expired" in error.message else "INVALID_TOKEN"
        raise ConnectRefused(kind, f"token: {error.message}") from None
    if is_ending:
        raise ConnectRefused("SESSION_EXPIRED", f"token: it ends within {TOKEN_LEFT_MIN_MS // SECOND_MS} s; get a new one")
    if session.principal.team != team.id:
        raise ConnectRefused("INVALID_TOKEN", "token: it belongs to another team than client_id names")
    if not {"read", "link"} <= session.principal.scopes:
        raise ConnectRefused("INVALID_TOKEN", "token: it lacks the scopes read and link")
    return session.principal


async def _terms(context: Context, principal: Principal, terms: Terms, *, slug: str | None, account: str | None) -> Terms:
    """The terms with our names of providers, and with the account that is to be reconnected."""
    if account is not None:
        try:
            number = AccountId(context.ids.integer("account", account))
            await context.store.read(accounts.get, principal, number, context.clock.now())
        except NotFound:
            raise ConnectRefused("INVALID_ACCOUNT_ID", "account: this user has no account with this id") from None
        return replace(terms, account=number)
    try:
        provider = None if slug is None else context.offers.of(slug).name
    except NotFound:
        raise ConnectRefused("PAGE_NOT_FOUND", f"provider: there is none called {(slug or '')[:40]!r}") from None
    return replace(
        terms,
        provider=provider,
        providers=None if terms.providers is None else _known(context, terms.providers),
        disabled_providers=_known(context, terms.disabled_providers),
    )


def _known(context: Context, names: Sequence[str]) -> tuple[str, ...]:
    """Our names of those that there are."""
    found = []
    for name in names:
        try:
            found.append(context.offers.of(name).name)
        except NotFound:
            continue
    return tuple(dict.fromkeys(found))


async def _by_link(context: Context, link_token: str) -> Entry:
    """A page opened with a link token, which is used up by it."""
    if not tokens.looks_like("link", link_token):
        raise ConnectRefused("INVALID_TOKEN", "link_token: this is no link token of this installation")

    def op(conn: Connection) -> Entry:
        now, pepper = context.clock.now(), context.edge.pepper
        link = tokens.take(conn, "link", link_token, pepper=pepper, now=now)
        if link is None:
            return Entry(refusal=ConnectRefused("SESSION_EXPIRED", SEEN_ONCE))
        team = teams.of_principal(conn, link.principal)
        return _page(conn, context, link.principal, team, link.terms)

    return await context.store.write(op)


async def _opened(context: Context, principal: Principal, team: Team, terms: Terms) -> Entry:
    def op(conn: Connection) -> Entry:
        return _page(conn, context, principal, team, terms)

    return await context.store.write(op)


def _page(conn: Connection, context: Context, principal: Principal, team: Team, terms: Terms) -> Entry:
    now, pepper = context.clock.now(), context.edge.pepper
    account = None if terms.account is None else accounts.get(conn, principal, terms.account, now)
    token, _ = tokens.mint(conn, principal, "page", terms, pepper=pepper, now=now)
    held = tokens.find(conn, "page", token.reveal(), pepper=pepper, now=now)
    assert held is not None
    funnel.append(conn, team.id, visit=held.visit, step="opened", venue=terms.provider, now=now)
    context.note(conn, principal, "connect.opened")
    return Entry(team=team, way=terms.way, held=held, token=token, account=account)
