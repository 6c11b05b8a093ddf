"""The HTTP server inside our own event loop, and the rule about where it may listen."""

import contextlib
import errno
import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

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


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises: InvalidSettings when the port is taken or the host is not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it sees it.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise InvalidSettings(f"port: {host}:{port} is taken; choose another with --port, or 0 for a free one") from None
        raise InvalidSettings(f"host: cannot listen on {host}:{port} ({error.strerror})") from None
    return bound


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

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens, then tells where."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            self._on_ready(host, port)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the serving, and nothing more: whoever runs the server then closes what else is open."""
        earlier = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in earlier.items():
                signal.signal(number, handler)

    async def run(self, bound: socket.socket) -> None:  # type: ignore[override]
        """Serves on a bound socket until SIGINT or SIGTERM."""
        await self.serve(sockets=[bound])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
