"""`/v1/sync`: everything of a user for a copy elsewhere, first as a whole, then what changes."""

from typing import Annotated, Any

from litestar import Request, Response, Router, get
from litestar.params import QueryParameter

from omnifolio.app.bookmarks import CURSOR_LENGTH_MAX
from omnifolio.app.replicating import replica_page
from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import DeskGiven, SessionGiven
from omnifolio.faces.api.sync_shape import sync_out
from omnifolio.faces.api.wire import SyncOut
from omnifolio.ledger.replica import TOLD_MAX

Cursor = Annotated[
    str | None,
    QueryParameter(max_length=CURSOR_LENGTH_MAX, description="The `next_cursor` of the answer before; none to begin."),
]
Count = Annotated[
    int | None,
    QueryParameter(name="limit", ge=1, le=TOLD_MAX, description="Transactions in one answer; 100 by default."),
]


@get(
    "/sync",
    summary="Keep a copy of everything: all there is at first, then what was added, modified and removed",
    opt={SCOPE: "read"},
    responses=responses(SyncOut, refusals=(401, 403)),
)
async def sync(
    request: Request[Any, Any, Any],
    desk: DeskGiven,
    session: SessionGiven,
    cursor: Cursor = None,
    limit: Count = None,
    fiat: query.Fiat = None,
) -> Response[bytes]:
    """What comes after a cursor."""
    currency = query.currency(fiat, desk.context.settings.fiat)
    page = await replica_page(
        desk.context, session.principal, cursor=cursor or "", limit=limit or query.LIMIT_DEFAULT, fiat=currency
    )
    return answer(sync_out(desk, page, request_id=request.scope["state"]["request_id"]))


ROUTER = Router("/v1", tags=["user"], route_handlers=[sync])
