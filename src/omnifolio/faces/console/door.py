"""The console's page, and signing in and out."""

from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import JSONBody, PathParameter, SkipValidation
from litestar.response import Redirect

from omnifolio import __version__
from omnifolio.app import signing_in
from omnifolio.app.administer import owner_of
from omnifolio.app.authenticate import USER_SCOPES
from omnifolio.faces.api.admission import PUBLIC, SCOPE
from omnifolio.faces.api.answers import answer
from omnifolio.faces.api.given import DeskGiven
from omnifolio.faces.console import admission
from omnifolio.faces.console.wire import (
    BrowserOut,
    DoorOut,
    FactsOut,
    MethodOut,
    PasskeyIn,
    PasskeyNameIn,
    PasswordIn,
    SecurityOut,
    TokenIn,
    TokenOut,
)
from omnifolio.faces.pages.page import page, prefix_of, protect
from omnifolio.model.errors import NotSignedIn
from omnifolio.model.secrets import Secret
from omnifolio.tenancy.console import PASSKEY, PASSWORD, ConsoleSession
from omnifolio.tenancy.principals import operator
from omnifolio.tenancy.tokens import LIFETIME_S

ACTOR = "console"
OPERATOR = operator(ACTOR)
SessionGiven = NamedDependency[SkipValidation[ConsoleSession]]
Asked = Request[Any, Any, Any]


@get(["/", "/console/{path:path}"], opt={SCOPE: PUBLIC}, include_in_schema=False, sync_to_thread=False)
def lead_there(desk: DeskGiven) -> Redirect:
    """Leads to the console from wherever a person may begin."""
    return Redirect(f"{prefix_of(desk.context.settings)}/console", status_code=303)


@get("/console", opt={SCOPE: PUBLIC}, include_in_schema=False, sync_to_thread=False)
def show(desk: DeskGiven, request: Asked) -> Response[bytes]:
    """The page, the same for everybody: what it may show it asks for."""
    settings = desk.context.settings
    protect(request, framed_by=())
    facts = FactsOut(prefix=prefix_of(settings), version=__version__, is_sandbox=bool(settings.sandbox_url), fiat=settings.fiat)
    return page(settings, "console", title="Omnifolio", lang="en", theme="auto", data=facts)


@get("/door", opt={SCOPE: PUBLIC})
async def door(desk: DeskGiven, request: Asked) -> Response[bytes]:
    """Whether this browser is signed in, and how it could be."""
    known = {method.kind for method in await signing_in.methods(desk.context)}
    try:
        await signing_in.session_of(desk.context, admission.cookie_of(request))
        signed_in = True
    except NotSignedIn:
        signed_in = False
    return answer(DoorOut(signed_in=signed_in, has_password=PASSWORD in known, has_passkey=PASSKEY in known))


@post("/enter", opt={SCOPE: PUBLIC})
async def enter(desk: DeskGiven, request: Asked, data: JSONBody[TokenIn]) -> Response[None]:
    """Signs in by a link's secret."""
    return admission.with_cookie(await signing_in.by_link(desk.context, Secret(data.token), agent=_agent(request)))


@post("/password", opt={SCOPE: PUBLIC})
async def password(desk: DeskGiven, request: Asked, data: JSONBody[PasswordIn]) -> Response[None]:
    """Signs in by the password."""
    return admission.with_cookie(await signing_in.by_password(desk.context, Secret(data.password), agent=_agent(request)))


@post("/passkey/question", status_code=200, opt={SCOPE: PUBLIC})
async def passkey_question(desk: DeskGiven, request: Asked) -> Response[bytes]:
    """What a passkey has to sign."""
    return answer(await signing_in.ask_passkey(desk.context, _origin(desk, request)))


@post("/passkey", opt={SCOPE: PUBLIC})
async def passkey(desk: DeskGiven, request: Asked, data: JSONBody[PasskeyIn]) -> Response[None]:
    """Signs in by a passkey."""
    cookie = await signing_in.by_passkey(desk.context, data.answer.encode(), origin=_origin(desk, request), agent=_agent(request))
    return admission.with_cookie(cookie)


@post("/sign-out", opt={SCOPE: PUBLIC})
async def sign_out(desk: DeskGiven, request: Asked) -> Response[None]:
    """Signs this browser out."""
    await signing_in.sign_out(desk.context, admission.cookie_of(request))
    return admission.without_cookie()


@get("/token", opt={SCOPE: PUBLIC})
async def token(desk: DeskGiven) -> Response[bytes]:
    """A token for the API in the owner's name, as `omnifolio owner token` prints one."""
    context, owner = desk.context, await owner_of(desk.context)
    now = context.clock.now()
    return answer(
        TokenOut(token=context.tokens.issue(owner.team, owner.user, USER_SCOPES, now=now), expires_at=now + LIFETIME_S * 1_000)
    )


@get("/security", opt={SCOPE: PUBLIC})
async def security(desk: DeskGiven, console_session: SessionGiven) -> Response[bytes]:
    """Who can come in, and who is in."""
    found, browsers = await signing_in.overview(desk.context, OPERATOR)
    return answer(
        SecurityOut(
            methods=[MethodOut(one.id, one.kind, one.name, one.created_at, one.last_used_at) for one in found],
            browsers=[
                BrowserOut(one.method, one.agent, one.created_at, one.seen_at, one.id == console_session.id) for one in browsers
            ],
        )
    )


@post("/security/password", status_code=204, opt={SCOPE: PUBLIC})
async def set_password(desk: DeskGiven, data: JSONBody[PasswordIn]) -> None:
    """Puts a password in the place of the one before."""
    await signing_in.set_password(desk.context, OPERATOR, Secret(data.password))


@post("/security/passkey/question", status_code=200, opt={SCOPE: PUBLIC})
async def new_passkey_question(desk: DeskGiven, request: Asked) -> Response[bytes]:
    """What a new passkey is made from."""
    return answer(await signing_in.begin_passkey(desk.context, _origin(desk, request)))


@post("/security/passkey", status_code=204, opt={SCOPE: PUBLIC})
async def new_passkey(desk: DeskGiven, request: Asked, data: JSONBody[PasskeyNameIn]) -> None:
    """Adds a passkey."""
    await signing_in.add_passkey(
        desk.context, OPERATOR, name=data.name, answer=data.answer.encode(), origin=_origin(desk, request)
    )


@delete("/security/methods/{number:int}", status_code=204, opt={SCOPE: PUBLIC})
async def remove_method(desk: DeskGiven, number: Annotated[int, PathParameter(ge=1)]) -> None:
    """Takes a way to sign in away."""
    await signing_in.remove_method(desk.context, OPERATOR, number)


@post("/security/sign-out", opt={SCOPE: PUBLIC})
async def sign_out_everywhere(desk: DeskGiven) -> Response[None]:
    """Signs every browser out, this one too."""
    await signing_in.sign_out_everywhere(desk.context, OPERATOR)
    return admission.without_cookie()


def _agent(request: Asked) -> str:
    return request.headers.get("user-agent", "")


def _origin(desk: DeskGiven, request: Asked) -> str:
    return admission.origin_of(request, desk.context.settings)


SIGNED_IN = {"console_session": Provide(admission.give_console_session, sync_to_thread=False)}
PAGE = Router("/", route_handlers=[lead_there, show], include_in_schema=False)
OUTSIDE = Router(
    "/console/api",
    route_handlers=[door, enter, password, passkey_question, passkey, sign_out],
    guards=[admission.own_page],
    include_in_schema=False,
)
INSIDE = Router(
    "/console/api",
    route_handlers=[
        token,
        security,
        set_password,
        new_passkey_question,
        new_passkey,
        remove_method,
        sign_out_everywhere,
    ],
    guards=[admission.guard],
    dependencies=SIGNED_IN,
    include_in_schema=False,
)
