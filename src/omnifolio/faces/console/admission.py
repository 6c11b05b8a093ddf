"""Who is signed in: the cookie, and what shows that a request comes from the console's own page.

The cookie is sent to this host alone, over TLS alone (a browser counts its own machine as safe), to no script, and never along
with a request that another site causes. A request that changes something also says so in a header that no form can send.
"""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from omnifolio.app import signing_in
from omnifolio.faces.api.desk import Desk
from omnifolio.model.errors import Forbidden, NotSignedIn
from omnifolio.model.secrets import Secret
from omnifolio.model.settings import Settings
from omnifolio.tenancy.console import SESSION_LIFE_MS, ConsoleSession

COOKIE = "__Host-omnifolio"
HEADER = "x-omnifolio-console"
"""Present on every request of the console's page."""
CONSOLE_SESSION = "console_session"
SECOND_MS = 1_000


async def guard(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Lets nobody in but a signed-in browser. Raises: NotSignedIn, Forbidden."""
    desk: Desk = connection.app.state.desk
    own_page(connection, _handler)
    found = await signing_in.session_of(desk.context, cookie_of(connection))
    connection.scope["state"][CONSOLE_SESSION] = found


def own_page(connection: ASGIConnection[Any, Any, Any, Any], _handler: BaseRouteHandler) -> None:
    """Lets no page of another site ask in a browser. Raises: Forbidden."""
    desk: Desk = connection.app.state.desk
    site = connection.headers.get("sec-fetch-site", "same-origin")
    given = connection.headers.get("origin")
    if HEADER not in connection.headers or site != "same-origin":
        raise Forbidden("only the console's own page may ask this")
    if given is not None and given != origin_of(connection, desk.context.settings):
        raise Forbidden("only the console's own page may ask this; public_url must be the address that the browser shows")


def origin_of(connection: ASGIConnection[Any, Any, Any, Any], settings: Settings) -> str:
    """The origin under which the browser sees this server: the setting's, else that of the request."""
    if settings.public_url:
        parts = urlsplit(settings.public_url)
        return f"{parts.scheme}://{parts.netloc}"
    return f"{connection.scope['scheme']}://{connection.headers.get('host', '')}"


def cookie_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Secret:
    """The cookie that the browser has. Raises: NotSignedIn."""
    found = connection.cookies.get(COOKIE)
    if not found:
        raise NotSignedIn
    return Secret(found)


def give_console_session(request: Request[Any, Any, Any]) -> ConsoleSession:
    """The session of a request that the guard has let through."""
    session: ConsoleSession = request.scope["state"][CONSOLE_SESSION]
    return session


def with_cookie(cookie: Secret) -> Response[None]:
    """The answer that signs a browser in."""
    answer: Response[None] = Response(None, status_code=204)
    answer.set_cookie(
        COOKIE,
        cookie.reveal(),
        max_age=SESSION_LIFE_MS // SECOND_MS,
        path="/",
        secure=True,
        httponly=True,
        samesite="strict",
    )
    return answer


def without_cookie() -> Response[None]:
    """The answer that signs a browser out."""
    answer: Response[None] = Response(None, status_code=204)
    answer.set_cookie(COOKIE, "", max_age=0, path="/", secure=True, httponly=True, samesite="strict")
    return answer
