"""Who is asked for an account before anybody was: hosts, what each one gives, and what that costs. Words for people."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

from omnifolio.venues.depth import Depth


class Step(Struct, frozen=True, kw_only=True):
    """One thing that is read. `calls` and `time` are rough, in words: `6 for each 500 transactions`, `80 s for each 1,000`."""

    reads: str
    source: str
    """The host that is asked; an own one as well."""
    calls: str
    time: str
    is_own: bool = False
    """The operator named this source, so nobody else learns of the address by it."""


def host_of(url: str) -> str:
    """The host of a URL, for showing."""
    return urlsplit(url).hostname or url


AS_FAST = "as fast as it answers"
"""The time that an operator's own server takes, which nobody paces."""


class Cost(Struct, frozen=True, kw_only=True):
    """What one part of a reading costs, in words. `own_time` is that of an operator's own server, where it differs."""

    calls: str
    time: str
    own_time: str = ""


def steps_by_address(
    urls: Sequence[str],
    own: str | None,
    depth: Depth,
    *,
    balances: Cost,
    history: Cost | None = None,
    more: Mapping[str, Cost] | None = None,
) -> tuple[Step, ...]:
    """The steps of reading one address: balances, and where it is wanted history and what belongs to it (`more`, by its name).

    Of the operator's own server, else of public ones.
    """
    past = ({"history": history} if history is not None else {}) | dict(more or {})
    parts = {"balances": balances} | (past if depth.has_history else {})
    source = ", else ".join(dict.fromkeys(host_of(url) for url in ((own,) if own else urls)))
    return tuple(
        Step(
            reads=reads,
            source=source,
            calls=cost.calls,
            time=(cost.own_time or cost.time) if own else cost.time,
            is_own=own is not None,
        )
        for reads, cost in parts.items()
    )
