"""What every route works with: the process's context, the questions it may ask, the shapes of the wire and the kept answers."""

from collections import OrderedDict
from typing import NamedTuple

from msgspec import Struct

from omnifolio.app.context import Context
from omnifolio.app.read import Read
from omnifolio.faces.api.shape import Shape
from omnifolio.ledger.freshness import Freshness
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.ids import UserId

BODIES_BYTES_MAX = 64 * 1024 * 1024
"""Kept answers in all; the longest unused go first."""
BODY_AGE_MAX_MS = MINUTE_MS
"""A price grows stale by the minute, so no valued answer is kept for longer."""

BodyKey = tuple[UserId, str, str]
"""Whose, which resource, in which currency."""


class Body(NamedTuple):
    """An encoded answer and what it was made from."""

    seq: int
    prices: int
    made_at: EpochMs
    data: bytes

    @property
    def etag(self) -> bytes:
        """A weak validator: the same data under the same prices."""
        return b'W/"%x-%x-%x"' % (self.seq, self.prices, self.made_at)


class Bodies:
    """Encoded answers by user. One is given again only while the user's sequence and the prices are those it was made from."""

    def __init__(self, bytes_max: int = BODIES_BYTES_MAX) -> None:
        self._kept: OrderedDict[BodyKey, Body] = OrderedDict()
        self._size_bytes = 0
        self._bytes_max = bytes_max

    def find(self, key: BodyKey, state: Freshness, now: EpochMs) -> Body | None:
        """The kept answer if it still holds."""
        body = self._kept.get(key)
        if body is None or body.seq != state.seq or body.prices != state.prices:
            return None
        if not 0 <= now - body.made_at < BODY_AGE_MAX_MS:
            return None
        self._kept.move_to_end(key)
        return body

    def keep(self, key: BodyKey, state: Freshness, data: bytes, now: EpochMs) -> Body:
        """Keeps an answer that was made after `state` was read: a change in between makes it unusable, never wrong."""
        body = Body(state.seq, state.prices, now, data)
        old = self._kept.pop(key, None)
        self._size_bytes += len(data) - (len(old.data) if old else 0)
        self._kept[key] = body
        while self._size_bytes > self._bytes_max:
            _, dropped = self._kept.popitem(last=False)
            self._size_bytes -= len(dropped.data)
        return body


class Desk(Struct, frozen=True):
    """One per process. `poll_wait_s` is how long a poll waits for a change."""

    context: Context
    read: Read
    shape: Shape
    bodies: Bodies
    poll_wait_s: float
