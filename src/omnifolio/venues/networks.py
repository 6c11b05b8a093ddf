"""A chain that is read by public address from servers of one kind, as the rooms above see it: whom to ask, what to enter."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from omnifolio.transport.policy import Rule
from omnifolio.venues.depth import Depth
from omnifolio.venues.sources import Step


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
    has_history: bool = True

    def is_offered(self, own_url: str | None) -> bool:
        """Whether there is a server to ask."""
        return bool(own_url or self.urls)
