"""The API's own description (OpenAPI 3.1): generated from the routes, with the scope that each one needs."""

from typing import Any

import msgspec
from litestar import Litestar, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.routes import HTTPRoute

from omnifolio import __version__
from omnifolio.faces.api.admission import PUBLIC, SCOPE

_TEXT = """Read-only access to crypto balances, positions and history. Wire-compatible with Vezgo's API: its official SDKs work by
changing their base URL. Amounts and values are decimal strings, instants are epoch milliseconds, unknown values are null."""

CONFIG = OpenAPIConfig(title="Omnifolio API", version=__version__, description=_TEXT.replace("\n", " "), render_plugins=[], path="/.openapi")
"""Nothing is served by the framework itself: `Description` is."""


class Description:
    """The document, made when it is first asked for."""

    def __init__(self, app: Litestar) -> None:
        self._app = app
        self._data: bytes | None = None

    def document(self) -> dict[str, Any]:
        """The description as a plain document."""
        found: dict[str, Any] = self._app.openapi_schema.to_schema()
        found["components"]["securitySchemes"] = {
            "user": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "POST /v1/auth/token gives one."}
        }
        found.pop("servers", None)
        scopes = _scopes(self._app)
        for path, item in found["paths"].items():
            for method, operation in item.items():
                needed = scopes[_normal(path), method.upper()]
                operation["x-scope"] = needed
                operation["security"] = [] if needed == PUBLIC else [{"user": []}]
        return found

    def data(self) -> bytes:
        """The description as JSON."""
        if self._data is None:
            self._data = msgspec.json.encode(self.document())
        return self._data

    @staticmethod
    def route() -> HTTPRouteHandler:
        """The route that serves it."""

        @get("/v1/openapi.json", tags=["service"], summary="Get this description", opt={SCOPE: PUBLIC}, sync_to_thread=False)
        def get_openapi(request: Any) -> Response[bytes]:
            description: Description = request.app.state.description
            return Response(description.data(), media_type="application/json")

        return get_openapi


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
