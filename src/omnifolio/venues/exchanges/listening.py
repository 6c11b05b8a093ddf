"""An account's private stream: opened and logged in by what the row and the venue's module say, and read message by message.

Credentials are used to open it and not kept. What it says is never taken for a fact: it only names streams worth reading.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from omnifolio.catalog import exchanges
from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.catalog.live import LiveRow
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.errors import OmnifolioError, VenueBadResponse, VenueUnavailable
from omnifolio.transport.frames import Frame, Message
from omnifolio.transport.pacing import Sleep
from omnifolio.transport.websocket import Socket, SocketRule
from omnifolio.venues.contract import Access, Stream
from omnifolio.venues.exchanges.ccxt_bridge import Bridge
from omnifolio.venues.exchanges.reader import ExchangeReader, Venue, venue_of
from omnifolio.venues.exchanges.streams.contract import Dialect, Login, Session, Want
from omnifolio.venues.exchanges.streams.registry import DIALECTS

CONFIRM_S = 15.0
"""How long the confirmation of all subscriptions is waited for."""
FIRST_PING = 100
"""Pings are numbered from here; subscriptions have smaller numbers."""
MARKS_MAX = 512
"""So many of the latest events are known again when they come twice."""


class Event(Struct, frozen=True):
    """What a message made worth reading."""

    wants: tuple[Want, ...]


class Listening:
    """An account's open stream, confirmed: whatever happens from now on is heard. Iterate over it for events, until it ends."""

    def __init__(self, socket: Socket, dialect: Dialect, *, venue: str, idle_s: float) -> None:
        self._socket = socket
        self._dialect = dialect
        self._venue = venue
        self._idle_s = idle_s
        self._marks: dict[str, None] = {}
        self._waiting: list[Event] = []
        self.doubled = 0
        """Events that came again."""

    async def begin(self, messages: Iterable[Message]) -> None:
        """Logs in and subscribes. Raises: BadCredentials, MissingPermission, VenueError, EgressRefused."""
        for message in messages:
            await self._socket.send(message)
        confirmed = 0
        try:
            async with asyncio.timeout(CONFIRM_S):
                while confirmed < self._dialect.confirmations:
                    confirmed += await self._next()
        except TimeoutError:
            raise VenueUnavailable(f"{self._venue}: the private stream was not confirmed within {CONFIRM_S:.0f} s") from None

    async def __aiter__(self) -> AsyncIterator[Event]:
        """Events as they come. Ends by raising: VenueError and its kin."""
        while True:
            while self._waiting:
                yield self._waiting.pop(0)
            await self._next()

    async def _next(self) -> int:
        """Takes one message; gives how many subscriptions it confirms."""
        text = await self._socket.receive(idle_s=self._idle_s)
        told = self._dialect.told(_decoded(text, venue=self._venue))
        if told.error is not None:
            raise told.error
        for reply in told.replies:
            await self._socket.send(reply)
        if told.wants:
            self._note(told.mark or text, Event(told.wants))
        return told.confirmed

    def _note(self, mark: str, event: Event) -> None:
        if mark in self._marks:
            self.doubled += 1
            return
        self._marks[mark] = None
        while len(self._marks) > MARKS_MAX:
            del self._marks[next(iter(self._marks))]
        self._waiting.append(event)


@asynccontextmanager
async def listening(access: Access) -> AsyncIterator[Listening]:
    """Opens the account's private stream and closes it at the end of the block; the access is not needed once it is open.

    Raises: BadCredentials, MissingPermission, VenueError, EgressRefused.
    """
    row = exchanges.load(access.venue)
    live, dialect = live_of(row), DIALECTS[row.quirks or row.id]
    access.egress.sockets.allow(row.id, socket_rules(row, access.base_url))
    login = Login(
        secrets=access.secrets,
        session=await _session(access, row, live, dialect),
        now=EpochMs(access.clock.now() + access.egress.timing.offset_ms(row.id)),
    )
    place = login.session.url if login.session is not None and login.session.url else live.urls[0]
    url = wire_url(place, access.base_url)
    if dialect.address is not None:
        url = dialect.address(url, login)
    ping_ms = (login.session.ping_ms if login.session is not None else 0) or live.ping_ms
    async with await access.egress.sockets.open(row.id, url) as socket:
        opened = Listening(socket, dialect, venue=row.id, idle_s=live.idle_ms / SECOND_MS)
        messages = dialect.opening(login)
        del login
        with _pinging(socket, dialect, access.egress.wait, ping_ms / SECOND_MS):
            await opened.begin(messages)
            del messages
            yield opened


def live_of(row: ExchangeRow) -> LiveRow:
    """The row of the private stream. Raises: VenueBadResponse where there is none."""
    if row.live is None:
        raise VenueBadResponse(f"{row.id} has no private stream that is listened to")
    return row.live


def renewal_s(venue: str) -> float | None:
    """How long a connection may live before a new one is opened; None for as long as it holds."""
    live = live_of(exchanges.load(venue))
    return live.renew_ms / SECOND_MS if live.renew_ms else None


def socket_rules(row: ExchangeRow, base_url: str | None = None) -> tuple[SocketRule, ...]:
    """What the door lets pass for this exchange: its sockets, under the override if there is one, and its declared messages."""
    if row.live is None:
        return ()
    frames = tuple(Frame(purpose=item.purpose, shape=item.word or item.shape) for item in row.live.frames)
    return tuple(SocketRule(url=wire_url(url, base_url), frames=frames, is_configured=bool(base_url)) for url in row.live.urls)


def wire_url(url: str, base_url: str | None) -> str:
    """The socket's URL: the venue's own, or the same path under the override."""
    if not base_url:
        return url
    base = urlsplit(base_url.rstrip("/"))
    return f"{'wss' if base.scheme == 'https' else 'ws'}://{base.netloc}{base.path}{urlsplit(url).path}"


def chosen(access: Access, wants: Sequence[Want]) -> list[Stream]:
    """The account's streams that `wants` name, as far as the ledger knows them."""
    venue = venue_of(access.venue)
    return [stream for stream in ExchangeReader().streams(access) if any(_is(venue, stream, want) for want in wants)]


def _is(venue: Venue, stream: Stream, want: Want) -> bool:
    kind, _, scope = stream.name.partition("/")
    return kind == want.kind and want.scope in ("", scope, venue.quirks.scope_value(scope))


async def _session(access: Access, row: ExchangeRow, live: LiveRow, dialect: Dialect) -> Session | None:
    if not live.session or dialect.session is None:
        return None
    bridge = Bridge(access, row)
    try:
        return dialect.session(await bridge.call(live.session))
    finally:
        await bridge.close()


@contextmanager
def _pinging(socket: Socket, dialect: Dialect, sleep: Sleep, every_s: float) -> Iterator[None]:
    """Pings for the length of the block. A ping that cannot be sent is no news: whoever reads hears that the socket is closed."""
    if dialect.ping is None or not every_s:
        yield
        return
    make = dialect.ping

    async def keep() -> None:
        with suppress(OmnifolioError):
            for number in count(FIRST_PING):
                await sleep(every_s)
                await socket.send(make(number))

    task = asyncio.create_task(keep(), name="ping")
    try:
        yield
    finally:
        task.cancel()


def _decoded(text: str, *, venue: str) -> Any:
    """A message's JSON, or the word itself where it is none. Raises: VenueBadResponse for half an object."""
    try:
        return json.loads(text, parse_float=str)
    except (ValueError, RecursionError):
        if text[:1] in ("{", "["):
            raise VenueBadResponse(f"{venue}: a message of the private stream is cut off") from None
        return text
