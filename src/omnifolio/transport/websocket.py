"""The one door for sockets: which may be opened, what may be sent over them, and how much may come.

A socket is opened to a listed URL, by TLS unless the operator configured the URL, without redirects, proxies, cookies or
compression. What is sent is a message of a declared shape (`frames`): authenticate, subscribe, ping. Nothing else can leave, in
no way of writing it: this module writes the text itself, and hands out neither the connection nor a way to send bytes. What comes
is bounded in size, rate and silence.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace, TracebackType

import aiohttp
from msgspec import Struct
from yarl import URL

from omnifolio.model.clock import Clock
from omnifolio.model.errors import EgressRefused, ResponseTooLarge, VenueBadResponse, VenueBusy, VenueError, VenueUnavailable
from omnifolio.transport.addresses import socket_factory
from omnifolio.transport.frames import Frame, Message, written
from omnifolio.transport.pacing import retry_after_s

CONNECT_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
MESSAGE_BYTES_MAX = 1024 * 1024
HEARD_BURST, HEARD_PER_S = 2_000, 200
"""Messages that a venue may send at once, and each second: more is a flood, and the next round reads what it said."""
SENT_BURST, SENT_PER_S = 16, 1
"""Messages that we may send at once, and each second: a login, its subscriptions and a ping now and then are far below."""
CONNECTIONS_MAX = 4_096


class SocketRule(Struct, frozen=True, kw_only=True):
    """A socket that may be opened and what may be sent over it. `is_configured`: the operator wrote the URL."""

    url: str
    frames: tuple[Frame, ...]
    is_configured: bool = False


class Allowance:
    """`burst` at once and `per_s` each second after; `take` is false when there is none left."""

    def __init__(self, burst: int, per_s: int, *, now_s: float) -> None:
        self._burst, self._per_s, self._left, self._at_s = burst, per_s, float(burst), now_s

    def take(self, *, now_s: float) -> bool:
        """Takes one."""
        self._left = min(float(self._burst), self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Socket:
    """An open socket. A context manager: it is closed at the end of the block."""

    def __init__(
        self,
        connection: aiohttp.ClientWebSocketResponse,
        rule: SocketRule,
        *,
        venue: str,
        clock: Clock,
        on_refused: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._frames = rule.frames
        self._venue = venue
        self._clock = clock
        self._on_refused = on_refused
        now_s = clock.monotonic()
        self._heard = Allowance(HEARD_BURST, HEARD_PER_S, now_s=now_s)
        self._sent = Allowance(SENT_BURST, SENT_PER_S, now_s=now_s)

    async def send(self, message: Message) -> None:
        """Sends a message of a declared shape. Raises: EgressRefused before anything is written; VenueUnavailable."""
        try:
            text = written(message, self._frames)
        except EgressRefused as error:
            self._on_refused("message")
            raise EgressRefused(f"{self._venue}: {error.message}") from None
        if not self._sent.take(now_s=self._clock.monotonic()):
            self._on_refused("too many messages")
            raise EgressRefused(f"{self._venue}: too many messages in a short time")
        try:
            await self._connection.send_str(text)
        except (aiohttp.ClientError, OSError, RuntimeError):
            raise self._closed() from None

    async def receive(self, *, idle_s: float) -> str:
        """The next message, after however many pings of the venue, which are answered.

        Raises: VenueUnavailable when the venue closes or says nothing, not even a ping, for `idle_s`; ResponseTooLarge;
        VenueBusy for a flood; VenueBadResponse for what is no text.
        """
        while True:
            try:
                heard = await self._connection.receive(timeout=idle_s)
            except TimeoutError:
                raise VenueUnavailable(f"{self._venue}: the socket said nothing for {idle_s:.0f} s") from None
            if not self._heard.take(now_s=self._clock.monotonic()):
                raise VenueBusy(f"{self._venue}: more than {HEARD_PER_S} messages a second")
            match heard.type:
                case aiohttp.WSMsgType.TEXT:
                    return str(heard.data)
                case aiohttp.WSMsgType.PING:
                    await self._connection.pong(heard.data)
                case aiohttp.WSMsgType.PONG:
                    continue
                case aiohttp.WSMsgType.BINARY:
                    raise VenueBadResponse(f"{self._venue}: the socket sent bytes where text belongs")
                case aiohttp.WSMsgType.ERROR if self._connection.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG:
                    raise ResponseTooLarge(f"{self._venue}: a message is larger than {MESSAGE_BYTES_MAX} bytes")
                case aiohttp.WSMsgType.ERROR:
                    raise VenueBadResponse(f"{self._venue}: the socket breaks the protocol")
                case _:
                    raise self._closed()

    async def close(self) -> None:
        """Closes it, whether or not the venue answers."""
        await self._connection.close()

    async def __aenter__(self) -> "Socket":
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _closed(self) -> VenueUnavailable:
        code = self._connection.close_code
        return VenueUnavailable(f"{self._venue}: the venue closed the socket" + (f" ({code})" if code else ""))


class Sockets:
    """The process's door to sockets. `refuse(venue, door, what)` counts and tells what was stopped."""

    def __init__(self, clock: Clock, refuse: Callable[[str, str, str], None]) -> None:
        self._clock = clock
        self._refuse = refuse
        self._rules: dict[str, tuple[SocketRule, ...]] = {}
        self._sessions: dict[bool, aiohttp.ClientSession] = {}

    def allow(self, venue: str, rules: Iterable[SocketRule]) -> None:
        """Lets a venue's sockets be opened, beside those allowed before."""
        known = self._rules.get(venue, ())
        self._rules[venue] = (*known, *(rule for rule in rules if rule not in known))

    def rules(self) -> Mapping[str, tuple[SocketRule, ...]]:
        """Everything that may be opened, by venue."""
        return dict(self._rules)

    async def open(self, venue: str, url: str) -> Socket:
        """A socket to a listed URL; its query is not part of the list.

        Raises: EgressRefused before anything is sent; VenueUnavailable, VenueBusy.
        """
        target = URL(url, encoded=True)
        try:
            rule = self._check(venue, target)
        except EgressRefused as error:
            self._refuse(venue, "socket", f"{target.scheme}://{target.host}{target.raw_path[:80]}")
            raise error from None
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                connection = await self._session(is_configured=rule.is_configured).ws_connect(
                    target,
                    autoping=False,
                    compress=0,
                    max_msg_size=MESSAGE_BYTES_MAX,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                )
        except EgressRefused as error:
            self._refuse(venue, "connect", str(target.host))
            raise error from None
        except aiohttp.WSServerHandshakeError as error:
            raise self._refused(venue, error) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise VenueUnavailable(f"{venue}: the socket could not be opened ({type(error).__name__})") from None
        return Socket(
            connection, rule, venue=venue, clock=self._clock, on_refused=lambda what: self._refuse(venue, "socket", what)
        )

    async def close(self) -> None:
        """Closes all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    def _check(self, venue: str, url: URL) -> SocketRule:
        what = f"{venue}: a socket to {url.scheme}://{url.host}{url.raw_path[:80]}"
        for rule in self._rules.get(venue, ()):
            allowed = URL(rule.url, encoded=True)
            places = [(one.scheme, one.host, one.port, one.raw_path, one.raw_user) for one in (allowed, url)]
            if places[0] != places[1]:
                continue
            if url.scheme != "wss" and not rule.is_configured:
                raise EgressRefused(f"{what}: without TLS only where the operator configured the URL")
            return rule
        raise EgressRefused(f"{what} is on no list of sockets")

    def _refused(self, venue: str, error: aiohttp.WSServerHandshakeError) -> VenueError:
        if error.status in (418, 429):
            headers = {name.lower(): value for name, value in (error.headers or {}).items()}
            wait_s = retry_after_s(headers, now=self._clock.now())
            return VenueBusy(f"{venue}: too many sockets were opened", retry_after_s=wait_s)
        return VenueUnavailable(f"{venue}: the socket was refused with status {error.status}")

    def _session(self, *, is_configured: bool) -> aiohttp.ClientSession:
        if is_configured not in self._sessions:
            never_elsewhere = aiohttp.TraceConfig()
            never_elsewhere.on_request_redirect.append(_no_redirect)
            self._sessions[is_configured] = aiohttp.ClientSession(
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent",),
                trace_configs=[never_elsewhere],
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, socket_factory=socket_factory(is_configured=is_configured)),
            )
        return self._sessions[is_configured]


async def _no_redirect(
    session: aiohttp.ClientSession, context: SimpleNamespace, asked: aiohttp.TraceRequestRedirectParams
) -> None:
    raise EgressRefused(f"the socket's host {asked.url.host} sends its callers elsewhere, and no redirect is followed")
