"""Several nodes of one chain: which one is asked first, and when the next one takes over.

A node that did not answer, or not as the protocol says, rests for a while, and those that work come before it. Another node takes
over only where nothing of the read was given yet: a page never mixes the answers of two.
"""

from collections.abc import AsyncIterator, Callable, Sequence

from omnifolio.model.clock import Clock
from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Batch

REST_S = 300.0
"""How long a node that failed comes last."""

_RESTING: dict[str, float] = {}
"""URL → when it may come first again, by the clock that does not jump. Of this process alone: a new one tries anew."""


def in_turn(urls: Sequence[str], *, now_s: float) -> list[str]:
    """The nodes, those that rest last."""
    return sorted(urls, key=lambda url: _RESTING.get(url, 0.0) > now_s)


async def pages_of(urls: Sequence[str], pages: Callable[[str], AsyncIterator[Batch]], *, clock: Clock) -> AsyncIterator[Batch]:
    """The pages of the first node that gives any. Raises: the last node's VenueError, or what came in the middle."""
    turns = in_turn(urls, now_s=clock.monotonic())
    for place, url in enumerate(turns):
        is_begun = False
        try:
            async for page in pages(url):
                is_begun = True
                yield page
        except (VenueUnavailable, VenueBusy, VenueBadResponse):
            _RESTING[url] = clock.monotonic() + REST_S
            if is_begun or place + 1 == len(turns):
                raise
        else:
            _RESTING.pop(url, None)
            return
