"""The API as one ASGI application: routes, errors, the edge around them, and its description."""

from typing import Any

from litestar import Litestar, Request, Response
from litestar.types import ASGIApp

from omnifolio.app.context import Context
from omnifolio.app.read import Read
from omnifolio.faces.api import (
    accounts,
    completeness,
    decisions,
    exports,
    history,
    known,
    orders,
    positions,
    public,
    sync,
    transactions,
    transfers,
    user,
)
from omnifolio.faces.api.account_shape import AccountShape
from omnifolio.faces.api.admission import guard
from omnifolio.faces.api.desk import Bodies, Desk
from omnifolio.faces.api.edge import Edge
from omnifolio.faces.api.event_shape import EventShape
from omnifolio.faces.api.given import DEPENDENCIES
from omnifolio.faces.api.openapi import router
from omnifolio.faces.api.problems import MEDIA_TYPE, problem, refusal
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.faces.api.request_log import RequestLog
from omnifolio.faces.connect import calls, links, oauth, opening
from omnifolio.faces.console import door, integrators, telling
from omnifolio.faces.pages import assets
from omnifolio.model.prices import BRIDGE, EURO

POLL_WAIT_S = 25.0
"""How long a poll waits for a change; Vezgo's clients give up after 30 s."""
ROUTERS = (
    public.ROUTER,
    accounts.ROUTER,
    completeness.ROUTER,
    transactions.ROUTER,
    orders.ROUTER,
    positions.ROUTER,
    history.ROUTER,
    exports.ROUTER,
    transfers.ROUTER,
    decisions.ROUTER,
    user.ROUTER,
    sync.ROUTER,
    known.ROUTER,
    links.ROUTER,
)
PAGES = (
    assets.ROUTER,
    opening.ROUTER,
    calls.ROUTER,
    oauth.ROUTER,
    door.PAGE,
    door.OUTSIDE,
    door.INSIDE,
    integrators.ROUTER,
    telling.ROUTER,
)
"""What browsers are shown; the description of the API leaves it out."""


def build_app(context: Context, *, poll_wait_s: float = POLL_WAIT_S) -> ASGIApp:
    """The application of one process, for any ASGI server. The caller owns the context and closes its store."""
    desk = desk_of(context, poll_wait_s=poll_wait_s)
    return Edge(litestar(desk), desk)


def desk_of(context: Context, *, poll_wait_s: float) -> Desk:
    """What the routes of one process work with."""
    providers = Providers(context.offers, currencies=(BRIDGE, EURO), clock=context.clock)
    return Desk(
        context=context,
        read=Read(context),
        providers=providers,
        accounts=AccountShape(context.ids, providers, context.assets),
        events=EventShape(context.ids, context.assets),
        bodies=Bodies(),
        requests=RequestLog(),
        poll_wait_s=poll_wait_s,
    )


def litestar(desk: Desk) -> Litestar:
    """The framework's application, without the edge."""
    app = Litestar(
        route_handlers=[*ROUTERS, router(ROUTERS), *PAGES],
        guards=[guard],
        dependencies=DEPENDENCIES,
        exception_handlers={Exception: _refuse},
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    app.state.desk = desk
    return app


def _refuse(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    desk: Desk = request.app.state.desk
    status, headers, body = problem(
        refusal(error, request.scope),
        request_id=request.scope["state"]["request_id"],
        path=request.scope["path"],
        ids=desk.context.ids,
    )
    if (allow := (getattr(error, "headers", None) or {}).get("allow")) is not None:
        headers["allow"] = allow
    return Response(body, status_code=status, headers=headers, media_type=MEDIA_TYPE)
