"""Moving from Vezgo: what it holds of given users comes into accounts that keep their ids and wait to be connected again.

Only reads, with the operator's own client id and secret. A page and the place after it commit together, so the import may be cut
off at any point and be run again; a second one reads everything and adds what is new.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from omnifolio.app.moving_account import MovedAccount, Say, Task, patiently, preview, take_over
from omnifolio.app.moving_homes import home_of
from omnifolio.app.offer import Field, Offer
from omnifolio.app.runtime import Runtime
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import BadCredentials, InvalidField, OmnifolioError, StoreUnavailable
from omnifolio.model.ids import WIRE_LENGTH
from omnifolio.model.secrets import Secret
from omnifolio.tenancy import teams, users
from omnifolio.venues.vezgo import reader as vezgo
from omnifolio.venues.vezgo.plan import NAME_CHARS_MAX, text_of

_WIRE_DIGITS = frozenset("0123456789abcdef")

SOURCE = Offer(
    name=vezgo.VENUE,
    display_name="Vezgo",
    category="exchanges",
    auth_type="token",
    fields=(
        Field(name="client_id", label="client id", is_secret=False, pattern=r"[\x21-\x7e]{1,200}"),
        Field(name="secret", label="secret", pattern=r"[\x21-\x7e]{1,500}"),
    ),
    identity=("client_id",),
)
"""What has to be entered to read out of Vezgo. It is no venue: nobody links it."""


class Credentials(Struct, frozen=True):
    """The operator's own key at Vezgo."""

    client_id: str
    secret: Secret


class MovedUser(Struct, frozen=True, kw_only=True):
    """What became of one user. `user` is our UUID; None where there is nothing to keep, or nothing was saved."""

    login: str
    user: str | None
    accounts: tuple[MovedAccount, ...]
    unread: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everything that Vezgo told could be read."""
        return not self.unread and not any(account.unread for account in self.accounts)


class _Target(Struct, frozen=True, kw_only=True):
    """Whose the accounts become: users of the team for which `acting` acts, or all the `owner`'s; nobody's in a preview."""

    acting: Principal
    owner: Principal | None
    is_preview: bool


async def move_users(
    runtime: Runtime,
    credentials: Credentials,
    logins: Sequence[str],
    *,
    team: str,
    owner: Principal | None = None,
    is_preview: bool = False,
    say: Say = lambda _: None,
) -> AsyncIterator[MovedUser]:
    """Brings users over, one after the other, into the team with that client id. A preview reads and saves nothing.

    With `owner`, all accounts become that principal's own instead of those of a user for each login name.

    Raises: BadCredentials when Vezgo refuses the key; NotFound for the team; StoreUnavailable. What else goes wrong is told with
    its user, and the next one follows.
    """
    context = runtime.context
    found = await context.store.read(teams.by_client_id, team)
    acting = Principal(team=found.id, user=None, actor="cli", scopes=frozenset({"read", "link"}))
    target = _Target(acting=acting, owner=owner, is_preview=is_preview)
    configured = context.settings.base_urls.get(vezgo.VENUE, "").rstrip("/")
    base_url = configured or vezgo.BASE_URL
    # Allowed to the process that moves users, and never to a server.
    runtime.egress.allow(vezgo.VENUE, vezgo.rules_of(base_url, is_configured=bool(configured)))
    for login in logins:
        client = vezgo.Client(
            runtime.egress,
            context.clock,
            base_url=base_url,
            client_id=credentials.client_id,
            secret=credentials.secret,
            login=login,
        )
        try:
            yield await _user(runtime, client, login, target, say=say)
        except (BadCredentials, StoreUnavailable):
            raise
        except OmnifolioError as error:
            yield MovedUser(login=login, user=None, accounts=(), unread=(error.message,))


async def _user(runtime: Runtime, client: vezgo.Client, login: str, target: _Target, *, say: Say) -> MovedUser:
    users.check_login(login)
    listed = await patiently(runtime, client.accounts, say)
    if not listed:
        return MovedUser(login=login, user=None, accounts=())
    context, principal, uuid = runtime.context, target.acting, None
    if not target.is_preview:
        principal = target.owner or await _made(runtime, target.acting, login)
        uuid = (await context.store.read(users.me, principal)).uuid
    moved = []
    for place, row in enumerate(listed, start=1):
        say(f"{login}: account {place} of {len(listed)}")
        moved.append(await _account(runtime, client, principal, row, say=say))
    return MovedUser(login=login, user=uuid, accounts=tuple(moved))


async def _made(runtime: Runtime, acting: Principal, login: str) -> Principal:
    """The team's user of that name, made at the first time."""
    context = runtime.context
    user = await context.store.write(users.get_or_create, acting, login, pepper=context.edge.pepper, now=context.clock.now())
    return Principal(team=acting.team, user=user.id, actor=acting.actor, scopes=acting.scopes)


async def _account(
    runtime: Runtime, client: vezgo.Client, principal: Principal, row: Mapping[str, Any], *, say: Say
) -> MovedAccount:
    """One account, whatever its status at Vezgo. What goes wrong with it is told, and the others follow."""
    wire = text_of(row["id"], NAME_CHARS_MAX).lower()
    told = MovedAccount(id=wire, provider="", venue="", is_known_venue=False, outcome="left_out")
    try:
        if len(wire) != WIRE_LENGTH or not _WIRE_DIGITS.issuperset(wire):
            raise InvalidField("its id has not the form of Vezgo's ids, 24 hexadecimal digits")
        home = home_of(runtime.context.offers, row)
        task = Task(runtime=runtime, client=client, principal=principal, wire=wire, row=row, home=home, say=say)
        told = task.told
        return await (preview(task) if principal.user is None else take_over(task))
    except (BadCredentials, StoreUnavailable):
        raise
    except OmnifolioError as error:
        return MovedAccount(
            id=wire,
            provider=told.provider,
            venue=told.venue,
            is_known_venue=told.is_known_venue,
            outcome="left_out",
            unread=(error.message,),
        )
