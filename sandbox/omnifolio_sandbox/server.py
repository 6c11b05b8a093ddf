"""One process, one port: the web application that sends each prefix to its simulated server or socket, and how it is run."""

import asyncio
import contextlib
import socket
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from aiohttp import WSMsgType, web

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
from omnifolio_sandbox.sockets.kucoin import KucoinServer
from omnifolio_sandbox.sockets.line import Hangup, Line, Talk, as_request
from omnifolio_sandbox.sockets.registry import Talks
from omnifolio_sandbox.state import State

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 0.5
LOOK_S = 0.02
MESSAGE_MAX_BYTES = 65_536


class Server(Protocol):
    """One simulated server below a prefix."""

    name: str

    def handle(self, request: Request) -> Response:
        """Answer one call."""
        ...


class Sandbox:
    """The web application."""

    def __init__(self, state: State) -> None:
        self.state = state
        kinds = (
            ControlServer, KrakenServer, BinanceServer, CoinbaseServer, FeedServer, EcbServer, LlamaServer, GeckoServer,
            DemoServer, BybitServer, OkxServer, KucoinServer,
        )  # fmt: skip
        servers: list[Server] = [kind(state) for kind in kinds]
        self.servers = {server.name: server for server in servers}
        self.talks = Talks(state)

    def application(self) -> web.Application:
        """Everything behind one handler."""
        made = web.Application(client_max_size=BODY_MAX_BYTES)
        made.router.add_route("*", "/{path:.*}", self.serve)
        return made

    async def serve(self, asked: web.Request) -> web.StreamResponse:
        """Answer one call, or speak over the socket that it opens."""
        try:
            body = await asked.read()
        except web.HTTPRequestEntityTooLarge:
            return _sent(answer({"error": "body too large"}, 413))
        request = _request(asked, body)
        talk = self.talks.at(request.prefix, request.path)
        if talk is not None and asked.headers.get("Upgrade", "").lower() == "websocket":
            return await self._talk(asked, request, talk)
        response = await self._answer(request)
        if response is None:
            assert asked.transport is not None
            asked.transport.abort()
            return web.Response()
        return _sent(response)

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

    async def _talk(self, asked: web.Request, request: Request, talk: Talk) -> web.StreamResponse:
        """One socket from its opening to its end. A fault with a status refuses it."""
        refused = next((found for f in self.state.faults.hitting(request) if (found := replaced(f, request)) is not None), None)
        if refused is not None:
            self.state.log_call(talk.venue, request, refused.status)
            return _sent(refused)
        spoken = web.WebSocketResponse(heartbeat=talk.heartbeat_s, compress=False, max_msg_size=MESSAGE_MAX_BYTES)
        await spoken.prepare(asked)
        line = Line(talk.venue, request.path, request.query)
        exchange = self.state.exchange
        exchange.lines.append(line)
        exchange.opened += 1
        speaking = asyncio.create_task(_speak(asked, spoken, line))
        try:
            with exact():
                talk.opened(line)
            async for message in spoken:
                with exact():
                    is_read = message.type is WSMsgType.TEXT and talk.heard(line, str(message.data))
                if not is_read:
                    self.state.log_violation(talk.venue, as_request(line))
        finally:
            exchange.lines.remove(line)
            speaking.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await speaking
        return spoken


async def _speak(asked: web.Request, spoken: web.WebSocketResponse, line: Line) -> None:
    """Send what waits, until the line is hung up."""
    while True:
        said = await line.queue.get()
        if isinstance(said, str):
            await spoken.send_str(said)
        elif said.code is not None:
            await spoken.close(code=said.code)
            return
        else:
            assert isinstance(said, Hangup)
            if asked.transport is not None:
                asked.transport.abort()
            return


def _handled(server: Server, request: Request) -> Response:
    """The server's answer; a fault of our own becomes a 500 whose cause is printed for whoever runs the sandbox."""
    try:
        with exact():
            return server.handle(request)
    except Exception:  # the edge of a request: it must not take the process down
        traceback.print_exc()
        return answer({"error": "the sandbox itself failed; its output says why"}, 500)


def _request(asked: web.Request, body: bytes) -> Request:
    path, _, query = asked.raw_path.partition("?")
    prefix, _, rest = path.lstrip("/").partition("/")
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return Request(asked.method, f"/{rest}", query, headers, body, prefix)


def _sent(response: Response) -> web.Response:
    return web.Response(
        status=response.status, body=response.body, headers={**response.headers, "Content-Type": response.content_type}
    )


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


class Runner:
    """The web server around the application: quiet, and it says when it listens. Whoever runs it sets `should_exit`."""

    def __init__(self, sandbox: Sandbox, on_ready: Callable[[], None]) -> None:
        self.sandbox = sandbox
        self.on_ready = on_ready
        self.should_exit = False

    async def serve(self, sock: socket.socket) -> None:
        """Serve on a bound socket until it shall exit."""
        runner = web.AppRunner(self.sandbox.application(), access_log=None, shutdown_timeout=STOP_TIMEOUT_S)
        await runner.setup()
        await web.SockSite(runner, sock).start()
        self.on_ready()
        try:
            while not self.should_exit:  # noqa: ASYNC110 - set by a signal or from another thread
                await asyncio.sleep(LOOK_S)
        finally:
            await runner.cleanup()


@contextmanager
def running(state: State, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Run the sandbox in a thread of this process and give its base URL; it stops with the block."""
    ready = threading.Event()
    runner = Runner(Sandbox(state), ready.set)
    with listener(host, port) as sock:
        thread = threading.Thread(target=asyncio.run, args=(runner.serve(sock),), name="omnifolio-sandbox", daemon=True)
        thread.start()
        if not ready.wait(START_TIMEOUT_S):
            raise RuntimeError(f"the sandbox did not start on {url_of(sock)} within {START_TIMEOUT_S} s")
        try:
            yield url_of(sock)
        finally:
            runner.should_exit = True
            thread.join(START_TIMEOUT_S)
