"""One process, one port: the ASGI application that sends each prefix to its simulated server, and how it is run."""

import asyncio
import socket
import threading
import traceback
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, Protocol

import uvicorn

from omnifolio_sandbox.amounts import exact
from omnifolio_sandbox.binance.server import BinanceServer
from omnifolio_sandbox.bybit.server import BybitServer
from omnifolio_sandbox.coinbase.server import CoinbaseServer
from omnifolio_sandbox.control import ControlServer
from omnifolio_sandbox.demo import DemoServer
from omnifolio_sandbox.faults import replaced, spoiled
from omnifolio_sandbox.feed.ecb import EcbServer
from omnifolio_sandbox.feed.gecko import GeckoServer
from omnifolio_sandbox.feed.llama import LlamaServer
from omnifolio_sandbox.feed.own import FeedServer
from omnifolio_sandbox.http import BODY_MAX_BYTES, Request, Response, answer
from omnifolio_sandbox.kraken.server import KrakenServer
from omnifolio_sandbox.okx.server import OkxServer
from omnifolio_sandbox.state import State

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
START_TIMEOUT_S = 10


class Server(Protocol):
    """One simulated server below a prefix."""

    name: str

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        ...


class Sandbox:
    """The ASGI application."""

    def __init__(self, state: State) -> None:
        self.state = state
        kinds = (
            ControlServer, KrakenServer, BinanceServer, CoinbaseServer, FeedServer, EcbServer, LlamaServer, GeckoServer,
            DemoServer, BybitServer, OkxServer,
        )  # fmt: skip
        servers: list[Server] = [kind(state) for kind in kinds]
        self.servers = {server.name: server for server in servers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event as ASGI says; only HTTP is spoken."""
        if scope["type"] != "http":
            return
        request = await _request(scope, receive)
        if request is None:
            await _send(send, answer({"error": "body too large"}, 413))
            return
        response = await self._answer(request)
        await _send(send, response)

    async def _answer(self, request: Request) -> Response | None:
        """The answer of the server at this prefix, with its scripted faults; None closes the connection."""
        server = self.servers.get(request.prefix)
        if server is None:
            return answer({"error": f"no simulated server at /{request.prefix}", "servers": sorted(self.servers)}, 404)
        if server.name == ControlServer.name:
            return _handled(server, request)
        hitting = self.state.faults.hitting(request)
        for fault in hitting:
            if fault.delay_ms:
                await asyncio.sleep(fault.delay_ms / 1000)
        response = next((found for fault in hitting if (found := replaced(fault, request)) is not None), None)
        if response is None:
            self.state.skew_ms = sum(fault.skew_ms for fault in hitting)
            response = _handled(server, request)
            self.state.skew_ms = 0
            for fault in hitting:
                response = spoiled(fault, response)
        self.state.log_call(server.name, request, response.status)
        return None if any(fault.effect == "reset" for fault in hitting) else response


def _handled(server: Server, request: Request) -> Response:
    """The server's answer; a fault of our own becomes a 500 whose cause is printed for whoever runs the sandbox."""
    try:
        with exact():
            return server.handle(request)
    except Exception:  # the edge of a request: it must not take the process down
        traceback.print_exc()
        return answer({"error": "the sandbox itself failed; its output says why"}, 500)


async def _request(scope: Scope, receive: Receive) -> Request | None:
    """The whole request; None if its body is too large."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY_MAX_BYTES:
            return None
        if not message.get("more_body"):
            break
    path = scope.get("raw_path", scope["path"].encode()).decode("latin-1").partition("?")[0]
    prefix, _, rest = path.lstrip("/").partition("/")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], f"/{rest}", scope["query_string"].decode("latin-1"), headers, body, prefix)


async def _send(send: Send, response: Response | None) -> None:
    if response is None:
        # Headers that promise a body which never comes: the web server then closes the connection.
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        return
    headers = [
        (b"content-type", response.content_type.encode()),
        (b"content-length", str(len(response.body)).encode()),
        *((name.encode(), value.encode()) for name, value in response.headers.items()),
    ]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


def listener(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one."""
    # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it sees it.
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((host, port))
    return sock


def url_of(sock: socket.socket) -> str:
    """The base URL of a bound socket."""
    host, port = sock.getsockname()[:2]
    return f"http://{'[' + host + ']' if ':' in host else host}:{port}"


class Runner(uvicorn.Server):
    """The web server around the application: quiet, and it says when it listens."""

    def __init__(self, sandbox: Sandbox, on_ready: Callable[[], None]) -> None:
        super().__init__(uvicorn.Config(sandbox, log_level="critical", access_log=False, lifespan="off", server_header=False))
        self.on_ready = on_ready

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs the process: the command line stops on them, tests stop the thread."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then say so."""
        await super().startup(sockets)
        self.on_ready()


@contextmanager
def running(state: State, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Run the sandbox in a thread of this process and give its base URL; it stops with the block."""
    ready = threading.Event()
    runner = Runner(Sandbox(state), ready.set)
    with listener(host, port) as sock:
        thread = threading.Thread(target=asyncio.run, args=(runner.serve(sockets=[sock]),), name="omnifolio-sandbox", daemon=True)
        thread.start()
        if not ready.wait(START_TIMEOUT_S):
            raise RuntimeError(f"the sandbox did not start on {url_of(sock)} within {START_TIMEOUT_S} s")
        try:
            yield url_of(sock)
        finally:
            runner.should_exit = True
            thread.join(START_TIMEOUT_S)
