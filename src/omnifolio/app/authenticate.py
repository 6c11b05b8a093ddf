"""Who is asking: from a client's secret to a user's token, and from a token to a principal."""

from typing import cast

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.connect import tokens as connect_tokens
from omnifolio.connect.tokens import Held
from omnifolio.ledger.freshness import Freshness, freshness
from omnifolio.model.accounts import Principal, Scope
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import Unauthenticated
from omnifolio.model.secrets import Secret
from omnifolio.tenancy import teams, users
from omnifolio.tenancy.tokens import SCOPES, Claims

USER_SCOPES: frozenset[Scope] = frozenset({"read", "link"})
"""What a user's token may do: read that user's data and manage that user's accounts."""


class Session(Struct, frozen=True):
    """An authenticated request: who asks, and how fresh an answer must be; `page` is the page of Connect that asks."""

    principal: Principal
    state: Freshness
    page: Held | None = None


async def token_for(context: Context, *, client_id: str, secret: Secret, login_name: str) -> str:
    """A token for the team's user of that name, who is made at the first time. Raises: Unauthenticated, InvalidField."""

    def op(conn: Connection, now: EpochMs) -> str:
        client = teams.authenticate(conn, client_id, secret, pepper=context.edge.pepper, now=now)
        team = teams.get(conn, client, client.team)
        user = users.get_or_create(conn, client, login_name, pepper=context.edge.pepper, now=now)
        return context.tokens.issue(team, user, USER_SCOPES, now=now)

    return await context.store.write(op, context.clock.now())


async def session(context: Context, token: str) -> Session:
    """Who a token speaks for. User and team are looked up each time, so that a revocation holds at once.

    Raises: Unauthenticated.
    """
    if connect_tokens.looks_like("page", token):
        return await _page_session(context, token)
    claims = context.tokens.check(token, now=context.clock.now())
    state = await freshness(context.store, claims.sub)
    if state is None or state.client_id != claims.team or not state.is_active or state.token_epoch != claims.epoch:
        raise Unauthenticated("this token has been revoked")
    await context.learn_ids(state.aliases)
    return Session(_principal(claims, state), state)


async def _page_session(context: Context, token: str) -> Session:
    held = await context.store.read(connect_tokens.find, "page", token, pepper=context.edge.pepper, now=context.clock.now())
    state = None if held is None else await freshness(context.store, held.uuid)
    if held is None or state is None or not state.is_active:
        raise Unauthenticated("this page has ended; open Connect again")
    return Session(held.principal, state, held)


def _principal(claims: Claims, state: Freshness) -> Principal:
    scopes = frozenset(claims.scope.split()) & SCOPES
    return Principal(team=state.team, user=state.user, actor=f"token:{claims.jti}", scopes=cast("frozenset[Scope]", scopes))
