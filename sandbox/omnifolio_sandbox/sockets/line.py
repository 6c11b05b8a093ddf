"""Open sockets: who is at the other end of each, what they asked to hear, and what waits to be sent to them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from omnifolio_sandbox.http import Request
from omnifolio_sandbox.world.book import Event

ENCODER = msgspec.json.Encoder(decimal_format="number")
SAID_KEPT_MAX = 20


@dataclass(frozen=True)
class Hangup:
    """The end of a socket: politely with a code, or as a cut wire where there is none."""

    code: int | None = None


@dataclass
class Line:
    """One open socket. `queue` holds texts and the end; `events` the last things told, for repeating them."""

    venue: str
    path: str
    query: Mapping[str, str]
    user: str | None = None
    channels: set[str] = field(default_factory=set)
    pings: int = 0
    number: int = 0
    events: list[str] = field(default_factory=list)
    queue: asyncio.Queue[str | Hangup] = field(default_factory=asyncio.Queue)

    def say(self, message: Any) -> None:
        """Send a message: an object as JSON, a text as it is."""
        self.queue.put_nowait(message if isinstance(message, str) else ENCODER.encode(message).decode())

    def tell(self, message: Any) -> None:
        """Send what happened, and keep it for a repetition."""
        self.say(message)
        self.events.append(message if isinstance(message, str) else ENCODER.encode(message).decode())
        del self.events[:-SAID_KEPT_MAX]

    def hang_up(self, code: int | None = None) -> None:
        """End it after what waits was sent."""
        self.queue.put_nowait(Hangup(code))


class Talk(Protocol):
    """How one venue speaks over its socket."""

    venue: str
    paths: tuple[str, ...]
    heartbeat_s: float | None

    def opened(self, line: Line) -> None:
        """Greet whoever has opened the socket."""
        ...

    def heard(self, line: Line, text: str) -> bool:
        """Answer a message; false for one that would change something."""
        ...

    def happened(self, line: Line, event: Event) -> None:
        """Tell an event of the line's user, as far as they asked to hear it."""
        ...


class Exchange:
    """All open lines of a running sandbox."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.opened = 0

    def chosen(self, venue: str | None, user: str | None) -> list[Line]:
        """Open lines of a venue and a user; None is every one."""
        return [line for line in self.lines if venue in {None, line.venue} and user in {None, line.user}]

    def shown(self) -> list[dict[str, Any]]:
        """Every line for people and tests."""
        return [
            {"venue": line.venue, "user": line.user, "channels": sorted(line.channels), "pings": line.pings}
            for line in self.lines
        ]


def as_request(line: Line) -> Request:
    """A message over a line as the log of violations knows calls."""
    found = Request("SOCKET", line.path, "", {}, b"", line.venue)
    found.trace.label = line.user
    return found
