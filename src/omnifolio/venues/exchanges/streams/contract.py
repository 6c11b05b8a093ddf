"""What a venue's module of private streams gives: how to log in and subscribe, and which streams a message makes stale."""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import OmnifolioError, VenueBadResponse, VenueError
from omnifolio.model.facts import Evidence
from omnifolio.model.secrets import Secret
from omnifolio.transport.frames import Message


class Session(Struct, frozen=True, kw_only=True):
    """What the row's session call gave: a token, the socket where it counts ("" is the row's own), and how often to ping."""

    token: Secret
    url: str = ""
    ping_ms: int = 0


class Login(Struct, frozen=True, kw_only=True):
    """What a login is made of: the account's credentials by field, the session where there is one, and the venue's time."""

    secrets: Mapping[str, Secret]
    now: EpochMs
    session: Session | None = None

    def reveal(self, field: str) -> str:
        """One credential as text. Raises: VenueBadResponse where a session should have given it."""
        if field == "token":
            if self.session is None:
                raise VenueBadResponse("the socket needs a token, and none was given")
            return self.session.token.reveal()
        return self.secrets[field].reveal()


class Want(Struct, frozen=True):
    """Streams to read again: a kind of the row, and a scope of it as the row or the venue spells it; "" is every one."""

    kind: str
    scope: str = ""


class Told(Struct, frozen=True, kw_only=True):
    """What one message says.

    `wants`     what has changed at the venue. `mark` names the event, so that one which comes twice is known.
    `confirmed` how many of our subscriptions it confirms. `replies` what is to be sent now.
    `error`     why the socket is of no use (any more): the key is refused, or the venue ends the stream.
    """

    wants: tuple[Want, ...] = ()
    mark: str = ""
    confirmed: int = 0
    replies: tuple[Message, ...] = ()
    error: OmnifolioError | None = None


NOTHING = Told()
"""For heartbeats, and for whatever moves no funds."""


class Dialect(Struct, frozen=True, kw_only=True):
    """All that a venue's module gives.

    `session`       the answer of the row's session call → the session.
    `opening`       what is sent first; `told` what a message says, decoded (a word that is no JSON as it is).
    `ping`          the message that keeps it open, with a number of its own.
    `confirmations` how many subscriptions must be confirmed before everything that happens is heard.
    """

    opening: Callable[[Login], tuple[Message, ...]]
    told: Callable[[Any], Told]
    confirmations: int
    session: Callable[[Evidence], Session] | None = None
    address: Callable[[str, Login], str] | None = None
    """The socket's URL with what the venue wants in it, where it wants something there."""
    ping: Callable[[int], Message] | None = None


def ended(venue: str, why: str) -> Told:
    """The venue ends the stream: a new connection goes on."""
    return Told(error=VenueError(f"{venue}: the private stream ended ({why})"))
