"""The API's own description (OpenAPI 3.1): generated from the routes, with the scope that each one needs."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from litestar import Litestar, Response, Router, get
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute

from omnifolio import __version__
from omnifolio.faces.api.admission import PUBLIC, SCOPE
from omnifolio.faces.api.answers import responses
from omnifolio.faces.api.given import DEPENDENCIES

_TEXT = """Read-only access to crypto balances, positions and history. Wire-compatible with Vezgo's API: its official SDKs work by
changing their base URL. Amounts and values are decimal strings, instants are epoch milliseconds, unknown values are null."""

_CONFIG = OpenAPIConfig(title="Omnifolio API", version=__version__, description=_TEXT.replace("\n", " "))


def document(routers: Sequence[Router]) -> dict[str, Any]:
    """The description of these routes. An application of its own is asked for it, because the one that serves has no need to
    carry the framework's pages for it."""
    app = Litestar([*routers], dependencies=DEPENDENCIES, openapi_config=_CONFIG, logging_config=None)
    found: dict[str, Any] = app.openapi_schema.to_schema()
    found["components"]["securitySchemes"] = {
        "user": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "POST /v1/auth/token gives one."}
    }
    found.pop("servers", None)
    scopes = _scopes(app)
    for path, item in found["paths"].items():
        for method, operation in item.items():
            needed = scopes[_normal(path), method.upper()]
            operation["x-scope"] = needed
            operation["security"] = [] if needed == PUBLIC else [{"user": []}]
    return found


def router(routers: Sequence[Router]) -> Router:
    """Serves the description of these routes and of itself, made when it is first asked for."""

    @cache
    def data() -> bytes:
        return msgspec.json.encode(document([*routers, itself]))

    @get(
        "/v1/openapi.json",
        tags=["service"],
        summary="Get this description",
        opt={SCOPE: PUBLIC},
        sync_to_thread=False,
        responses=responses(dict[str, Any]),
    )
    def get_openapi() -> Response[bytes]:
        """The description."""
        return Response(data(), media_type="application/json")

    itself = Router("/", route_handlers=[get_openapi])
    return itself


def _scopes(app: Litestar) -> dict[tuple[str, str], str]:
    """The scope of each operation by its path and method; a route without one is a mistake that stops here."""
    return {
        (_normal(route.path_format), method): handler.opt[SCOPE]
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for handler in route.route_handlers
        if SCOPE in handler.opt
        for method in handler.http_methods
    }


def _normal(path: str) -> str:
    return path.rstrip("/") or "/"
