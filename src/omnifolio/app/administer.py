"""Teams and users: what a team tells the world, which pages may call the API, and the end of a user."""

import asyncio

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.model.accounts import Principal
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.teams import Team
from omnifolio.vault.admin import shred_user

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
    """Deletes the principal's user with everything of theirs; their keys first, so that no backup can be read either.

    Raises: NotFound when the user is gone already.
    """
    user = await context.store.read(users.me, principal)
    keys = 0
    if context.key_store is not None:
        keys = await asyncio.to_thread(shred_user, context.key_store, user.uuid)
    await context.store.write(users.delete, principal, audit_key=context.edge.audit, now=context.clock.now())
    return Removed(user.uuid, keys)
