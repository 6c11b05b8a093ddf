"""The read-only gate: an exchange object that can neither sign nor send anything but the reads on its list.

ccxt signs writes inside reads (hyperliquid approves a builder's fee while it loads currencies) and its verbs say nothing
(Deribit withdraws by GET, Kraken reads by POST). So the gate knows endpoints - METHOD, API group, path template - and stands at
every way in: `request` and `fetch2` open a ticket for a listed endpoint before anything is signed; `sign` needs that ticket and
writes into it what was signed; `fetch` sends exactly what was signed, once, to an origin of the venue. The session that ccxt
would use refuses everything. A ticket dies with the call that opened it, so a task that inherited it holds nothing.

It stops ccxt and our own mistakes, not hostile code in this process.
"""

import inspect
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct

from omnifolio.model.errors import EgressRefused

Endpoint = tuple[str, str, str]
PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
PLAIN_SEGMENT = re.compile(r"[^/\\?#%\x00-\x20]{1,2000}")
_PROXY_KINDS = ("proxyUrl", "proxy_url", "httpProxy", "http_proxy", "httpsProxy", "https_proxy", "socksProxy", "socks_proxy")
PROXY_SETTINGS = (
    *("proxy", "proxies", "aiohttp_proxy", *_PROXY_KINDS),
    *(f"{name}_callback" if "_" in name else f"{name}Callback" for name in _PROXY_KINDS),
)


class Signed(Struct, frozen=True):
    """A request as it was signed."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: str | None


class Ticket:
    """The right to sign one endpoint and to send once what was signed, while the call that opened it runs."""

    __slots__ = ("endpoint", "gate", "live", "params", "signed")

    def __init__(self, gate: "Gate", endpoint: Endpoint, params: Mapping[str, Any]) -> None:
        self.gate = gate
        self.endpoint = endpoint
        self.params = params
        self.live = True
        self.signed: Signed | None = None


_ticket: ContextVar[Ticket | None] = ContextVar("read_only_ticket", default=None)


def endpoint_of(method: str, api: str | list[str] | tuple[str, ...], path: str) -> Endpoint:
    """The key of one endpoint: METHOD, API group joined by "/", path template."""
    return method.upper(), api if isinstance(api, str) else "/".join(api), path


class Gate:
    """The checks of one exchange object. `origins` are `https://host[:port]`.

    `on_refused(venue, door, what)` hears of each refusal. Rely on the callback, not on the
    exception alone: ccxt swallows exceptions in places.
    """

    def __init__(
        self,
        *,
        venue: str,
        allowed: Collection[Endpoint],
        origins: Collection[str],
        on_refused: Callable[[str, str, str], None],
    ) -> None:
        self.venue = venue
        self.allowed = frozenset(allowed)
        self.origins = frozenset(origins)
        self._on_refused = on_refused

    def refuse(self, door: str, what: str) -> NoReturn:
        """Reports and raises EgressRefused."""
        self._on_refused(self.venue, door, what)
        raise EgressRefused(f"{self.venue}: {door} refused: {what} is not an allowed read")

    @contextmanager
    def ticket(self, endpoint: Endpoint, params: object = None) -> Iterator[Ticket]:
        """A live ticket for a listed endpoint, until the block ends. Raises: EgressRefused."""
        if endpoint not in self.allowed:
            self.refuse("fetch2", " ".join(endpoint))
        for name in PLACEHOLDER.findall(endpoint[2]):
            value = params.get(name) if isinstance(params, Mapping) else None
            if value is not None and (not PLAIN_SEGMENT.fullmatch(str(value)) or str(value) in (".", "..")):
                self.refuse("fetch2", f"{' '.join(endpoint)} with a path inside {name}")
        held = Ticket(self, endpoint, params if isinstance(params, Mapping) else {})
        token = _ticket.set(held)
        try:
            yield held
        finally:
            held.live = False
            _ticket.reset(token)

    def held(self) -> Ticket | None:
        """The live ticket of this gate in the running call, if there is one."""
        held = _ticket.get()
        return held if held is not None and held.live and held.gate is self else None

    def params(self) -> Mapping[str, Any]:
        """What the running call was asked with; empty outside of one."""
        held = self.held()
        return held.params if held else {}

    def check_sign(self, endpoint: Endpoint) -> Ticket:
        """The ticket that allows this endpoint to be signed. Raises: EgressRefused."""
        held = self.held()
        if held is None or held.endpoint != endpoint:
            self.refuse("sign", " ".join(endpoint))
        return held

    def bind(self, held: Ticket, signed: Mapping[str, Any]) -> None:
        """Notes in the ticket what was signed. Raises: EgressRefused when signing made another request out of it."""
        method = str(signed["method"]).upper()
        if method != held.endpoint[0]:
            self.refuse("sign", f"{' '.join(held.endpoint)} turned into {method}")
        action = body_action(signed.get("body"))
        if action is not None and held.endpoint[2] != action and not held.endpoint[2].endswith("/" + action):
            self.refuse("sign", f"{' '.join(held.endpoint)} with another action in its body")
        held.signed = request_of(method, signed["url"], signed.get("headers"), signed.get("body"))

    def check_send(self, signed: Signed) -> None:
        """Passes exactly what was signed, once. Raises: EgressRefused."""
        held, parts = self.held(), urlsplit(signed.url)
        if held is None or held.signed is None or held.signed != signed:
            self.refuse("fetch", f"{signed.method} {parts.hostname}{parts.path}")
        if f"{parts.scheme}://{parts.netloc}" not in self.origins:
            self.refuse("fetch", f"origin {parts.scheme}://{parts.hostname}")
        held.signed = None


def request_of(method: object, url: object, headers: object, body: object) -> Signed:
    """A request in the one form in which it is compared."""
    names = {str(name): str(value) for name, value in headers.items()} if isinstance(headers, Mapping) else {}
    return Signed(str(method).upper(), str(url), names, None if body is None or body == "" else str(body))


def body_action(body: object) -> str | None:
    """The `method` that a form or JSON body names, where a venue multiplexes its calls over one path; None when it names none."""
    if not isinstance(body, str) or "method" not in body:
        return None
    if body.startswith("{"):
        try:
            value = msgspec.json.decode(body)
        except msgspec.DecodeError:
            return None
        found = value.get("method") if isinstance(value, dict) else None
    else:
        found = parse_qs(body, keep_blank_values=True).get("method", [""])[-1] or None
    return found if isinstance(found, str) else None


class ClosedSession:
    """Stands where ccxt expects an HTTP session: whatever is asked of it is refused."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._gate.refuse("session", name)


@cache
def gated(cls: type[Any]) -> type[Any]:
    """A subclass of a ccxt exchange class (sync or async) whose objects reach the network through their gate and `wire` only.

    Its constructor takes `(config, gate=, wire=)`; `wire(signed)` carries a checked request and gives what ccxt shall see.
    """
    base: Any = cls

    class Gated(base):  # type: ignore[misc]  # ccxt is untyped
        def __init__(self, config: Mapping[str, Any], *, gate: Gate, wire: Callable[[Signed], Any]) -> None:
            self.gate = gate
            self.wire = wire
            super().__init__({**config, "enableRateLimit": False, "session": ClosedSession(gate)})

        def __del__(self) -> None:
            """ccxt warns here of open sessions; there are none."""

        def sign(self, path: str, api: Any = "public", method: str = "GET", params: Any = None, *args: Any) -> Any:
            held = self.gate.check_sign(endpoint_of(method, api, path))
            signed = super().sign(path, api, method, {} if params is None else params, *args)
            self.gate.bind(held, signed)
            return signed

        def checked(self, url: object, method: object, headers: object, body: object) -> Signed:
            """The request, if it is the one that was signed. Raises: EgressRefused."""
            for name in PROXY_SETTINGS:
                if getattr(self, name, None):
                    self.gate.refuse("fetch", f"proxy setting {name}")
            signed = request_of(method, url, headers, body)
            self.gate.check_send(signed)
            return signed

        def open(self, lazy: bool = False) -> None:
            """ccxt opens its own session here; it has none."""

        def client(self, url: object) -> NoReturn:
            self.gate.refuse("websocket", "a socket")

        def get_socks_proxy_session(self, proxy: object) -> NoReturn:
            self.gate.refuse("session", "a proxy")

    class SyncGated(Gated):
        def fetch2(self, path: str, api: Any = "public", method: str = "GET", params: Any = None, *args: Any) -> Any:
            with self.gate.ticket(endpoint_of(method, api, path), params):
                return super().fetch2(path, api, method, {} if params is None else params, *args)

        def fetch(self, url: Any, method: Any = "GET", headers: Any = None, body: Any = None) -> Any:
            return self.wire(self.checked(url, method, headers, body))

    class AsyncGated(Gated):
        async def fetch2(self, path: str, api: Any = "public", method: str = "GET", params: Any = None, *args: Any) -> Any:
            with self.gate.ticket(endpoint_of(method, api, path), params):
                return await super().fetch2(path, api, method, {} if params is None else params, *args)

        async def fetch(self, url: Any, method: Any = "GET", headers: Any = None, body: Any = None) -> Any:
            return await self.wire(self.checked(url, method, headers, body))

        async def close(self, *args: Any) -> None:
            self.session = None

    gate = AsyncGated if inspect.iscoroutinefunction(cls.fetch2) else SyncGated
    gate.__name__ = gate.__qualname__ = cls.__name__
    return gate
