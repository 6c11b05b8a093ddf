"""Teams and users: what a team tells the world, which pages may call the API, and the end of a user."""

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.model.accounts import Principal
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.teams import Team
from omnifolio.vault.admin import request_shred, shred_requested

_EDGE = operator("api:origins")


class Removed(Struct, frozen=True):
    """A user that is gone, by UUID, and how many keys were destroyed with them."""

    user: str
    keys: int


async def team_info(context: Context, client_id: str) -> Team:
    """The active team of a client id. Raises: NotFound."""
    return await context.store.read(teams.by_client_id, client_id)


async def origins(context: Context) -> frozenset[str]:
    """Every origin that an active team has registered: the pages that may call this API from a browser."""

    def op(conn: Connection) -> frozenset[str]:
        return frozenset(origin for team in teams.list_all(conn, _EDGE) if team.is_active for origin in team.origins)

    return await context.store.read(op)


async def remove_user(context: Context, principal: Principal) -> Removed:
    """Deletes the principal's user with everything of theirs, and destroys their keys, so that no backup can be read either.

    A process that only serves leaves the keys to a worker: the request to destroy them is part of the deletion.
    Raises: NotFound when the user is gone already.
    """

    def op(conn: Connection) -> str:
        user = users.me(conn, principal)
        request_shred(conn, user.uuid)
        users.delete(conn, principal, audit_key=context.edge.audit, now=context.clock.now())
        return user.uuid

    removed = await context.store.write(op)
    return Removed(removed, await shred_now(context))


async def shred_now(context: Context) -> int:
    """Destroys the keys whose destruction was requested, where this process can; gives their number."""
    if context.key_store is None:
        return 0
    return await context.store.write(shred_requested, context.key_store)
