"""A chain that is read by public address from servers of one kind, as the rooms above see it: whom to ask, what to enter."""

from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

from omnifolio.model.facts import Evidence
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.depth import Depth
from omnifolio.venues.sources import Step

AskOne = Callable[[Access, str, str, str], Awaitable[Sequence[Evidence]]]
"""Asks a server for one transaction: access, the server's URL, the address whose legs are meant, the transaction's name.

The answers are a page of the history, for `Reader.decode`. Raises: InvalidField, NotFound, VenueError.
"""


class Network(Struct, frozen=True, kw_only=True):
    """One chain of a family whose chains differ by data alone.

    `spelt` gives the one spelling of an address, or raises what is wrong with it (InvalidField, PrivateKeyRefused).
    `rules` says what may be asked of a server, given its URL and whether the operator named it.
    `steps` tells the reading before it begins, given the operator's own server (None: the public ones) and the depth.
    """

    id: str
    name: str
    caip2: str
    urls: tuple[str, ...]
    """The public servers; the next stands in where one fails. () where only an operator's own can be asked."""
    spelt: Callable[[str], str]
    rules: Callable[[str, bool], Sequence[Rule]]
    steps: Callable[[str | None, Depth], tuple[Step, ...]]
    also: tuple[str, ...] = ()
    label: str = "public address"
    """What has to be entered, in words."""
    is_long_hex: bool = False
    """Whether addresses are 32 bytes after `0x`, the form that private keys of Ethereum have."""
    has_history: bool = True
    key_label: str = ""
    """What the public servers' owner calls a key that may be entered as the secret `server_key`; "" where there is none."""
    ask_one: AskOne | None = None
    """None where no single transaction can be asked for."""

    def is_offered(self, own_url: str | None) -> bool:
        """Whether there is a server to ask."""
        return bool(own_url or self.urls)
