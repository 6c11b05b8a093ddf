"""`/connect` and `/reconnect`: the page as a host page's form, an address or a link opens it.

A form brings the user's token as its one field; an address may carry it as `?token=`, which mobile clients do. Every answer is a
page, also a refusal: in a frame there is nobody else who could say what is wrong.
"""

from typing import Annotated, Any

from litestar import Request, Response, Router, route
from litestar.params import PathParameter

from omnifolio.app import connecting
from omnifolio.app.connecting import Asked
from omnifolio.connect.terms import Way, wishes_of
from omnifolio.faces.api.admission import PUBLIC, SCOPE
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.edge import IS_HEAD
from omnifolio.faces.api.given import DeskGiven
from omnifolio.faces.connect.facts import facts_of
from omnifolio.faces.pages.page import page, protect
from omnifolio.model.errors import MethodNotAllowed, UnsupportedMedia

TITLE = "Connect your accounts"
FORM = "application/x-www-form-urlencoded"
NAME_LENGTH_MAX = 100

Account = Annotated[str, PathParameter(max_length=NAME_LENGTH_MAX)]
Asking = Request[Any, Any, Any]


@route(
    ["/connect", "/connect/{slug:str}"],
    http_method=["GET", "POST"],
    status_code=200,
    opt={SCOPE: PUBLIC},
    include_in_schema=False,
)
async def open_connect(desk: DeskGiven, request: Asking) -> Response[bytes]:
    """The page for any account, or for one at a named provider."""
    return await _shown(desk, request, slug=request.path_params.get("slug"))


@route(
    "/reconnect/{account_id:str}",
    http_method=["GET", "POST"],
    status_code=200,
    opt={SCOPE: PUBLIC},
    include_in_schema=False,
)
async def open_reconnect(desk: DeskGiven, request: Asking, account_id: Account) -> Response[bytes]:
    """The page for new credentials of an account that there is."""
    return await _shown(desk, request, account=account_id)


async def _shown(desk: Desk, request: Asking, *, slug: str | None = None, account: str | None = None) -> Response[bytes]:
    if request.scope["state"].get(IS_HEAD):
        raise MethodNotAllowed  # whoever only looks must not use up a link
    query, sent_from = dict(request.query_params), None
    form: dict[str, Any] = {}
    if request.method == "POST":
        if request.content_type[0] != FORM:
            raise UnsupportedMedia(f"expected a form of the type {FORM}")
        form = dict(await request.form())
        sent_from = request.headers.get("origin", "")
    given = {name: form[name] for name in ("token", "link_token") if isinstance(form.get(name), str)}
    query = {**query, **given}
    token = query.pop("token", "")
    asked = Asked(query=query, token=token, slug=slug, account=account, sent_from=sent_from)
    entry = await connecting.enter(desk.context, asked)
    protect(request, framed_by=() if entry.team is None else entry.team.origins)
    facts = facts_of(desk.context, entry, wishes_of(query, entry.way or Way()))
    status = 200 if entry.refusal is None else entry.refusal.status
    return page(desk.context.settings, "connect", title=TITLE, lang=facts.lang, theme=facts.theme, data=facts, status=status)


ROUTER = Router("/", route_handlers=[open_connect, open_reconnect])
