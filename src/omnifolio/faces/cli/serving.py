"""The HTTP server inside our own event loop, and the rule about where it may listen."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from socket import socket

import uvicorn

from omnifolio.app.context import Context
from omnifolio.faces.api.server import build_app
from omnifolio.model.errors import InvalidSettings
from omnifolio.model.settings import Settings

CONNECTIONS_MAX = 1_000
KEEP_ALIVE_S = 30
STOP_TIMEOUT_S = 10


def check_exposure(settings: Settings) -> None:
    """Raises: InvalidSettings when credentials would cross a network in the clear, or a TLS file is missing."""
    for name, path in (("tls_cert", settings.tls_cert), ("tls_key", settings.tls_key)):
        if path and not Path(path).is_file():
            raise InvalidSettings(f"{name}: there is no file {path}")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise InvalidSettings("tls_cert and tls_key: give both or neither")
    if not _is_loopback(settings.host) and not settings.tls_cert and not settings.behind_proxy:
        raise InvalidSettings(
            f"host: {settings.host} can be reached from other machines; without TLS, keys and balances would cross the network "
            "in the clear; give --tls-cert and --tls-key, or --behind-proxy where a proxy in front terminates TLS"
        )


def scheme_of(settings: Settings) -> str:
    """`https` where this server speaks TLS itself."""
    return "https" if settings.tls_cert else "http"


class Server(uvicorn.Server):
    """Serves the API of a context until a signal; `on_ready(host, port)` is called once it listens."""

    def __init__(self, context: Context, *, on_ready: Callable[[str, int], None]) -> None:
        settings = context.settings
        super().__init__(
            uvicorn.Config(
                build_app(context),
                host=settings.host,
                port=settings.port,
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_TIMEOUT_S,
                proxy_headers=settings.behind_proxy,
                ssl_certfile=settings.tls_cert or None,
                ssl_keyfile=settings.tls_key or None,
                lifespan="off",
            )
        )
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listens, then tells where."""
        await super().startup(sockets)
        if self.started and self.servers:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_ready(host, port)

    async def run(self) -> None:  # type: ignore[override]
        """Serves until SIGINT or SIGTERM. Raises: InvalidSettings when the port is taken."""
        try:
            await self.serve()
        except SystemExit:
            raise InvalidSettings(f"port: {self.config.host}:{self.config.port} is taken; choose another with --port") from None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
