"""Teams and users: made, changed and ended, each with its line in the audit; and what a team tells the world."""

from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import CONSENT_MARK, Context
from omnifolio.ledger import outbox
from omnifolio.model.accounts import Principal
from omnifolio.model.secrets import Secret
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.owner import Owner
from omnifolio.tenancy.owner import ensure as ensure_owner
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.teams import Team, TeamSecret
from omnifolio.vault.admin import request_shred, shred_requested
from omnifolio.vault.leaving import set_aside

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


async def owner_of(context: Context) -> Owner:
    """Whoever runs this installation, with team and user; both are made at the first start."""

    def op(conn: Connection) -> Owner:
        found = ensure_owner(conn, operator("cli"), actor="cli", pepper=context.edge.pepper, now=context.clock.now())
        if found.secret is not None:
            context.note(conn, operator("cli"), "team.created", found.team.client_id)
        return found

    return await context.store.write(op)


async def create_team(
    context: Context, principal: Principal, *, name: str, redirect_uris: Sequence[str], origins: Sequence[str]
) -> tuple[Team, Secret]:
    """A new team and its first secret, which is shown this once. Raises: InvalidField naming what is wrong; Forbidden."""

    def op(conn: Connection) -> tuple[Team, Secret]:
        team, secret = teams.create(
            conn,
            principal,
            name=name,
            redirect_uris=redirect_uris,
            origins=origins,
            pepper=context.edge.pepper,
            now=context.clock.now(),
        )
        context.note(conn, principal, "team.created", team.client_id)
        return team, secret

    return await context.store.write(op)


async def change_team(
    context: Context,
    principal: Principal,
    client_id: str,
    *,
    name: str | None = None,
    redirect_uris: Sequence[str] | None = None,
    origins: Sequence[str] | None = None,
) -> Team:
    """A team with another name, redirect URIs or origins. Raises: InvalidField naming what is wrong; NotFound, Forbidden."""

    def op(conn: Connection) -> Team:
        team = teams.by_client_id(conn, client_id)
        changed = teams.change(conn, principal, team.id, name=name, redirect_uris=redirect_uris, origins=origins)
        context.note(conn, principal, "team.changed", client_id)
        return changed

    return await context.store.write(op)


async def teams_with_secrets(context: Context, principal: Principal) -> list[tuple[Team, list[TeamSecret]]]:
    """Every team, and what may be shown of its secrets, oldest first. Raises: Forbidden."""

    def op(conn: Connection) -> list[tuple[Team, list[TeamSecret]]]:
        return [(team, teams.secrets_of(conn, principal, team.id)) for team in teams.list_all(conn, principal)]

    return await context.store.read(op)


async def revoke_secret(context: Context, principal: Principal, client_id: str, number: int) -> None:
    """Ends one of a team's secrets at once. Raises: NotFound, Forbidden."""

    def op(conn: Connection) -> None:
        teams.revoke(conn, principal, teams.by_client_id(conn, client_id).id, number, now=context.clock.now())
        context.note(conn, principal, "team.secret_revoked", client_id)

    await context.store.write(op)


async def rotate_secret(context: Context, principal: Principal, client_id: str, *, overlap_ms: int) -> Secret:
    """A new secret of a team; the old one works for `overlap_ms` more. Raises: Conflict, NotFound, Forbidden."""

    def op(conn: Connection) -> Secret:
        team = teams.by_client_id(conn, client_id)
        pepper, now = context.edge.pepper, context.clock.now()
        secret = teams.rotate(conn, principal, team.id, overlap_ms=overlap_ms, pepper=pepper, now=now)
        context.note(conn, principal, "team.secret_rotated", client_id)
        return secret

    return await context.store.write(op)


async def deactivate_team(context: Context, principal: Principal, client_id: str) -> None:
    """Refuses a team's secrets and tokens from now on; its data stay. Raises: NotFound, Forbidden."""

    def op(conn: Connection) -> None:
        teams.deactivate(conn, principal, teams.by_client_id(conn, client_id).id)
        context.note(conn, principal, "team.deactivated", client_id)

    await context.store.write(op)


async def revoke_tokens(context: Context, principal: Principal) -> None:
    """Makes every token of the principal's user invalid at once. Raises: NotFound when the user is gone."""

    def op(conn: Connection) -> None:
        users.revoke_tokens(conn, principal)
        context.note(conn, principal, "tokens.revoked", users.me(conn, principal).uuid)

    await context.store.write(op)


async def remove_user(context: Context, principal: Principal) -> Removed:
    """Deletes the principal's user with everything of theirs, and destroys their keys, so that no backup can be read either.

    A process that only serves leaves the keys to a worker: the request to destroy them is part of the deletion.
    Raises: NotFound when the user is gone already.
    """

    def op(conn: Connection) -> str:
        user = users.me(conn, principal)
        outbox.erase(conn, principal, context.clock.now())
        request_shred(conn, user.uuid)
        set_aside(conn, principal, None, mark=CONSENT_MARK, now=context.clock.now())
        users.delete(conn, principal, audit_key=context.edge.audit, now=context.clock.now())
        return user.uuid

    removed = await context.store.write(op)
    return Removed(removed, await shred_now(context))


async def shred_now(context: Context) -> int:
    """Destroys the keys whose destruction was requested, where this process can; gives their number."""
    if context.key_store is None:
        return 0
    return await context.store.write(shred_requested, context.key_store)
