"""Three plain routes for linking by consent: begin it, take the venue's answer, and say in words how it ended.

The answer's address holds a code, so the browser is sent on at once to one that holds nothing.
"""

import html
from typing import Annotated, Any

from litestar import Request, Response, Router, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from omnifolio.app import authorising
from omnifolio.faces.api.admission import COST, PUBLIC, SCOPE
from omnifolio.faces.api.answers import answer
from omnifolio.faces.api.given import DeskGiven, SessionGiven
from omnifolio.faces.pages.page import prefix_of
from omnifolio.model.errors import AuthorisationFailed, OmnifolioError
from omnifolio.model.ids import AccountId

CALLBACK_COST = 5
DONE = "/connect/oauth/done"
_WORDS = {
    "linked": "The account is linked. You can close this window.",
    "consent_denied": "Access was not allowed, so nothing was linked. You can close this window and try again.",
}
_FAILED = "The account could not be linked. Close this window and begin again."

Text = Annotated[str, Meta(max_length=200)]
Answered = Annotated[str | None, QueryParameter(max_length=4_096)]


class ConsentIn(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be linked; `account` is the one that reconnects."""

    provider: Text
    account: Text | None = None
    name: Text | None = None
    return_to: Annotated[str, Meta(max_length=500)] = ""


class ConsentOut(Struct, frozen=True):
    """Where to send the browser."""

    url: str


@post("/begin", status_code=200, opt={SCOPE: "link", COST: CALLBACK_COST})
async def begin_consent(desk: DeskGiven, session: SessionGiven, data: JSONBody[ConsentIn]) -> Response[bytes]:
    """The address at the provider that a person must open within ten minutes."""
    account = None if data.account is None else AccountId(desk.context.ids.integer("account", data.account))
    url = await authorising.begin(
        desk.context,
        session.principal,
        venue=desk.context.offers.of(data.provider).name,
        return_to=data.return_to,
        account=account,
        name=data.name,
    )
    return answer(ConsentOut(url))


@get("/callback/{venue:str}", opt={SCOPE: PUBLIC, COST: CALLBACK_COST})
async def take_answer(
    request: Request[Any, Any, Any],
    desk: DeskGiven,
    *,
    venue: Annotated[str, PathParameter(max_length=100)],
    given_state: Annotated[str | None, QueryParameter(name="state", max_length=200)] = None,
    code: Answered = None,
    error: Answered = None,
    iss: Answered = None,
) -> Response[bytes]:
    """Takes the provider's answer and sends the browser on to an address without it."""
    outcome, return_to, account = "authorisation_failed", "", ""
    try:
        _refuse_repeated(request)
        done = await authorising.finish(desk.context, venue=venue, state=given_state or "", code=code, error=error, iss=iss)
        outcome, return_to = "linked" if done.error is None else done.error.code, done.return_to
        account = "" if done.account is None else f"&account={desk.context.ids.wire('account', done.account)}"
    except OmnifolioError as refused:
        outcome = refused.code
    prefix = prefix_of(desk.context.settings)
    target = f"{prefix}{return_to}#outcome={outcome}{account}" if return_to else f"{prefix}{DONE}?outcome={outcome}"
    return Response(b"", status_code=303, headers={"location": target})


@get("/done", opt={SCOPE: PUBLIC})
async def show_outcome(outcome: Annotated[str, QueryParameter(max_length=100)] = "") -> Response[bytes]:
    """A sentence for people whose window leads nowhere else."""
    words = html.escape(_WORDS.get(outcome, _FAILED))
    text = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Omnifolio</title><p>{words}</p></html>'
    return Response(text.encode(), media_type="text/html; charset=utf-8")


def _refuse_repeated(request: Request[Any, Any, Any]) -> None:
    """Raises: AuthorisationFailed where an answer says something twice: readers would differ on which counts."""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(set(names)) != len(names):
        raise AuthorisationFailed("the venue's answer says something twice")


ROUTER = Router("/connect/oauth", route_handlers=[begin_consent, take_answer, show_outcome], include_in_schema=False)
