"""`/v1/decisions`: what the user says of transactions, addresses and tokens, as a list, one by one, and as a document."""

from typing import Annotated

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.params import JSONBody, PathParameter

from omnifolio.app import deciding
from omnifolio.app.deciding import Asked, Said
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import DeskGiven, SessionGiven
from omnifolio.faces.api.wire import DecisionIn, DecisionOut, LoadedOut, UnfoundOut
from omnifolio.ledger.carrying import Document

Decision = Annotated[str, PathParameter(description="The decision's id.", max_length=64)]


@get(
    "/",
    summary="List what the user has decided",
    opt={SCOPE: "read"},
    responses=responses(list[DecisionOut], refusals=(401, 403)),
)
async def list_decisions(desk: DeskGiven, session: SessionGiven) -> Response[bytes]:
    """Every decision that stands, oldest first."""
    return answer([_out(item) for item in await deciding.listed(desk.context, session.principal)])


@put(
    "/",
    summary="Decide: a label, a note, a type, spam or not, a link, a price",
    opt={SCOPE: "link"},
    responses=responses(DecisionOut, refusals=(401, 403, 404)),
)
async def put_decision(desk: DeskGiven, session: SessionGiven, data: JSONBody[DecisionIn]) -> Response[bytes]:
    """Sets a decision in the place of an earlier one of that kind on that thing."""
    return answer(
        _out(await deciding.decide(desk.context, session.principal, msgspec.convert(data, Asked, from_attributes=True)))
    )


@delete(
    "/{decision_id:str}",
    summary="Take a decision back",
    status_code=204,
    opt={SCOPE: "link"},
    responses=responses(None, status=204, refusals=(401, 403, 404), text="Taken back."),
)
async def undo_decision(desk: DeskGiven, session: SessionGiven, decision_id: Decision) -> None:
    """Everything reads as if it had never been made."""
    await deciding.undo(desk.context, session.principal, decision_id)


@get(
    "/export",
    summary="Get every decision as a document that can be imported",
    opt={SCOPE: "read"},
    responses=responses(Document, refusals=(401, 403)),
)
async def export_decisions(desk: DeskGiven, session: SessionGiven) -> Response[bytes]:
    """Transactions are told by the names that their sources give them."""
    return answer(await deciding.unload(desk.context, session.principal))


@post(
    "/import",
    summary="Take over the decisions of a document",
    status_code=200,
    opt={SCOPE: "link"},
    responses=responses(LoadedOut, refusals=(401, 403)),
)
async def import_decisions(desk: DeskGiven, session: SessionGiven, data: JSONBody[Document]) -> Response[bytes]:
    """What is not found is told and left out; an own later decision is kept."""
    done = await deciding.load(desk.context, session.principal, data)
    unfound = [UnfoundOut(place=item.place, reason=item.why) for item in done.unfound]
    return answer(LoadedOut(made=done.made, same=done.same, outweighed=done.outweighed, unfound=unfound))


def _out(item: Said) -> DecisionOut:
    return msgspec.convert(item, DecisionOut, from_attributes=True)


ROUTER = Router(
    "/v1/decisions",
    tags=["decisions"],
    route_handlers=[list_decisions, put_decision, undo_decision, export_decisions, import_decisions],
)
