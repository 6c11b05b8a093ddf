"""Who may go on: the token, its scope, and how often. Used by every route, and by the short way to the list of accounts."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from omnifolio.app.authenticate import Session, session
from omnifolio.app.context import Context
from omnifolio.faces.api.desk import Desk
from omnifolio.model.errors import Forbidden, RateLimited, Unauthenticated
from omnifolio.tenancy.limits import Verdict

SCOPE = "scope"
"""The name under which a route states the scope that it needs; "public" for none."""
COST = "cost"
"""The name under which a route states what it takes from the bucket, if it is more than 1."""
PUBLIC = "public"
CONNECT = "connect"
"""The name under which a route says that an open page of Connect may use it: `also`, or `only` where nobody else may."""
_BEARER = b"bearer "


async def admit(
    context: Context, scope: Scope, *, needed: str, route: str, cost: int = 1, connect: str | None = None
) -> Session | None:
    """Authenticates the request and takes its cost from the caller's bucket; the session is None on public routes.

    `connect` says whether an open page of Connect may ask, see CONNECT.

    Raises: Unauthenticated, Forbidden, RateLimited.
    """
    state: dict[str, Any] = scope["state"]
    if needed == PUBLIC:
        client = scope.get("client")
        _take(context, state, f"address:{client[0] if client else ''}/{route}", cost)
        return None
    known: Session | None = state.get("session")
    if known is None:
        known = state["session"] = await session(context, bearer(scope))
        _take(context, state, f"team:{known.principal.team}/{route}", cost)
    if connect is None and known.page is not None:
        raise Forbidden("an open page of Connect may not ask for this")
    if connect == "only" and known.page is None:
        raise Forbidden("only an open page of Connect may ask for this")
    if needed not in known.principal.scopes:
        raise Forbidden(f"this token lacks the scope {needed}")
    return known


def bearer(scope: Scope) -> str:
    """The token of the Authorization header. Raises: Unauthenticated."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) != 1:
        raise Unauthenticated("the Authorization header is missing: expected Bearer and a token")
    if found[0][: len(_BEARER)].lower() != _BEARER:
        raise Unauthenticated("the Authorization header is not of the form: Bearer and a token")
    return found[0][len(_BEARER) :].strip().decode("latin-1")


def _take(context: Context, state: dict[str, Any], key: str, cost: int) -> None:
    per_minute = context.settings.rate_limit_per_minute
    if per_minute <= 0:
        return
    verdict = context.limits.take(key, cost=cost, per_minute=per_minute, burst=per_minute, now=context.clock.now())
    state["limit"] = verdict
    if not verdict.allowed:
        raise RateLimited(
            f"more than {per_minute} requests a minute; try again in {verdict.retry_after_s} s",
            retry_after_s=verdict.retry_after_s,
        )


def limit_headers(verdict: Verdict, per_minute: int) -> list[tuple[bytes, bytes]]:
    """The fields `RateLimit-Policy` and `RateLimit` of the IETF draft."""
    return [
        (b"ratelimit-policy", b'"default";q=%d;w=60' % per_minute),
        (b"ratelimit", b'"default";r=%d;t=%d' % (verdict.remaining, verdict.reset_s)),
    ]


async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """The guard of every route: what it needs stands beside it."""
    desk: Desk = connection.app.state.desk
    await admit(
        desk.context,
        connection.scope,
        needed=handler.opt[SCOPE],
        route=handler.name or handler.handler_name,
        cost=handler.opt.get(COST, 1),
        connect=handler.opt.get(CONNECT),
    )
