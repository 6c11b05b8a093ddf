"""What every route works with: the process's context, the questions it may ask, the shapes of the wire and the kept answers."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct

from omnifolio.app.context import Context
from omnifolio.app.read import Read
from omnifolio.faces.api.account_shape import AccountShape
from omnifolio.faces.api.event_shape import EventShape
from omnifolio.faces.api.provider_shape import Providers
from omnifolio.faces.api.request_log import RequestLog
from omnifolio.ledger.freshness import Freshness
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.ids import AccountId, UserId

BODIES_BYTES_MAX = 64 * 1024 * 1024
"""Kept answers in all; the longest unused go first."""
BODY_AGE_MAX_MS = MINUTE_MS
"""A price grows stale by the minute, so no valued answer is kept for longer."""

BodyKey = tuple[UserId, str]
"""Whose accounts, in which currency."""


class Piece(NamedTuple):
    """One account in an encoded list: the version of it, and where it stands."""

    v: int
    start: int
    end: int


class Body(NamedTuple):
    """The encoded list of a user's accounts, and what it was made from.

    `made_at` is when the oldest of its pieces was valued; `is_shared`: no price in it is the user's own. The pieces are kept as
    places in `data`: fresh memory costs as much as what is written into it.
    """

    seq: int
    prices: int
    made_at: EpochMs
    is_shared: bool
    pieces: Mapping[AccountId, Piece]
    data: bytes

    def parts(self) -> dict[AccountId, memoryview]:
        """The accounts one by one, encoded."""
        view = memoryview(self.data)
        return {number: view[piece.start : piece.end] for number, piece in self.pieces.items()}

    @property
    def etag(self) -> bytes:
        """A weak validator: the same data under the same prices."""
        return b'W/"%x-%x-%x"' % (self.seq, self.prices, self.made_at)


class Bodies:
    """Encoded lists of accounts. One is given again only while the user's sequence and the prices are those it was made from.

    After a change, the accounts that have not changed are taken from the list before, as long as the prices are the same.
    """

    def __init__(self, bytes_max: int = BODIES_BYTES_MAX) -> None:
        self._kept: OrderedDict[BodyKey, Body] = OrderedDict()
        self._size_bytes = 0
        self._bytes_max = bytes_max

    def find(self, key: BodyKey, state: Freshness, now: EpochMs) -> Body | None:
        """The kept answer if it still holds."""
        body = self.usable(key, state, now)
        return body if body is not None and body.seq == state.seq else None

    def usable(self, key: BodyKey, state: Freshness, now: EpochMs) -> Body | None:
        """A kept answer whose prices still hold, whatever has changed for the user."""
        body = self._kept.get(key)
        if body is None or body.prices != state.prices or not 0 <= now - body.made_at < BODY_AGE_MAX_MS:
            return None
        self._kept.move_to_end(key)
        return body

    def keep(self, key: BodyKey, body: Body) -> None:
        """Keeps an answer. Its sequence was read before its data: a change in between makes it unusable, never wrong."""
        old = self._kept.pop(key, None)
        self._size_bytes += len(body.data) - (len(old.data) if old else 0)
        self._kept[key] = body
        while self._size_bytes > self._bytes_max:
            _, dropped = self._kept.popitem(last=False)
            self._size_bytes -= len(dropped.data)


class Desk(Struct, frozen=True):
    """One per process. `poll_wait_s` is how long a poll waits for a change."""

    context: Context
    read: Read
    providers: Providers
    accounts: AccountShape
    events: EventShape
    bodies: Bodies
    requests: RequestLog
    poll_wait_s: float
