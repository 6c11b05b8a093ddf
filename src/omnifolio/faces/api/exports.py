"""`/v1/exports/{format}`: transactions as a file that another program reads, written while it is sent."""

from collections.abc import AsyncIterator
from typing import Annotated

from litestar import Router, get
from litestar.params import PathParameter, QueryParameter
from litestar.response import Stream

from omnifolio.app.exporting import Span, exported
from omnifolio.exports.registry import TARGETS, target_of
from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import responses
from omnifolio.faces.api.given import DeskGiven, SessionGiven
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId

MEDIA_TYPE = "text/csv; charset=utf-8"
Format = Annotated[str, PathParameter(description=f"One of {', '.join(TARGETS)}.", max_length=40)]
OneAccount = Annotated[
    str | None, QueryParameter(name="account", max_length=64, description="Only this account, by its id; all by default.")
]


@get(
    "/{target:str}",
    summary="Export transactions as a file",
    opt={SCOPE: "read"},
    responses=responses(str, refusals=(401, 403, 404), text="The file: CSV, UTF-8, oldest first.", media_type=MEDIA_TYPE),
)
async def export_transactions(
    desk: DeskGiven,
    session: SessionGiven,
    *,
    target: Format,
    account: OneAccount = None,
    from_: query.From = None,
    to: query.To = None,
    fiat: query.Fiat = None,
) -> Stream:
    """All transactions of a time, by default of all time."""
    made = target_of(target)
    asked = query.window(from_, to, now=desk.context.clock.now())
    pieces = exported(
        desk.context,
        session.principal,
        made,
        chosen=None if account is None else AccountId(desk.context.ids.integer("account", account)),
        span=Span(asked.start if from_ else EpochMs(0), asked.end),
        fiat=query.currency(fiat, desk.context.settings.fiat),
    )
    # What is wrong with the question shows at the first piece: after it, the answer's status has been sent.
    header = await anext(pieces)
    name = {"content-disposition": f'attachment; filename="omnifolio-{made.id}.csv"', "cache-control": "no-store"}
    return Stream(_with(header, pieces), media_type=MEDIA_TYPE, headers=name)


async def _with(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for piece in rest:
        yield piece


ROUTER = Router("/v1/exports", tags=["exports"], route_handlers=[export_transactions])
