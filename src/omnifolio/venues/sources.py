"""Who is asked for an account before anybody was: hosts, what each one gives, and what that costs. Words for people."""

from urllib.parse import urlsplit

from msgspec import Struct


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
