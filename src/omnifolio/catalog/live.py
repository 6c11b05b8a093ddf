"""A venue's private stream as data: where its socket is, and every message that may be sent over it.

Part of the exchange's row (`data/exchanges/<id>.toml`, table `live`). How a session begins and what a message means is code in
`venues/exchanges/streams/<id>.py`.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct


class FrameRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of message that may be sent: `shape`, an object in which `<text>`, `<integer>` and `<flag>` stand for one value
    each and everything else for itself, or `word`, for venues that take a plain one."""

    purpose: Literal["authenticate", "subscribe", "ping"]
    shape: Mapping[str, Any] = {}
    word: str = ""


class LiveRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The private stream of one exchange.

    `urls`      sockets that may be opened; the first one, unless the session's answer names another of them.
    `session`   the call that gives a token to connect with, by its implicit method; "" where logging in needs none. It is on the
                row's list of allowed calls like any other.
    `frames`    every message that may be sent.
    `ping_ms`   how often we ping; 0 where the venue does. `idle_ms` how long it may say nothing before it is taken for dead.
    `renew_ms`  how long a connection lives before we open a new one, ahead of the venue's own limit; 0 = as long as it holds.
    `misses`    of which wallets or events it does not tell, in words; "" where it tells all.
    """

    urls: tuple[str, ...]
    session: str = ""
    frames: tuple[FrameRow, ...]
    ping_ms: int = 0
    idle_ms: int
    renew_ms: int = 0
    misses: str = ""
