"""`/v1/transfers`: what went from one of the user's own wallets to another, and what may have and waits for a word."""

from typing import Annotated, Literal

from litestar import Response, Router, get
from litestar.params import QueryParameter

from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import DeskGiven, SessionGiven
from omnifolio.faces.api.wire import TransferOut
from omnifolio.model.clock import EpochMs

INSTANT_MAX = 2**62
Wanted = Annotated[
    Literal["linked", "offered"] | None,
    QueryParameter(name="state", description="`linked` (the default), or `offered`: candidates that wait for a word."),
]
Before = Annotated[
    int | None,
    QueryParameter(
        name="before", ge=0, le=INSTANT_MAX, description="Only those that left before this instant; to page on, the last `at`."
    ),
]


@get(
    "/transfers",
    summary="List transfers between the user's own wallets",
    opt={SCOPE: "read"},
    responses=responses(list[TransferOut], refusals=(401, 403)),
)
async def list_transfers(
    desk: DeskGiven, session: SessionGiven, wanted: Wanted = None, before: Before = None, limit: query.Limit = None
) -> Response[bytes]:
    """The newest first."""
    found = await desk.read.transfers(
        session.principal,
        state=wanted or "linked",
        before=EpochMs(INSTANT_MAX if before is None else before),
        limit=limit or query.LIMIT_DEFAULT,
    )
    return answer(desk.events.transfers(found))


ROUTER = Router("/v1", tags=["transfers"], route_handlers=[list_transfers])
