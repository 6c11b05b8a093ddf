"""What must be remembered between two requests: how a venue's clock differs from ours, each key's last nonce and its turn.

It lives as long as the process. A nonce is a time in microseconds, so a restarted process goes on above the last one.
"""

import asyncio

from omnifolio.model.clock import EpochMs

OFFSET_MAX_MS = 24 * 60 * 60 * 1000


class Timing:
    """Clock offsets by venue, nonces and turns by key."""

    def __init__(self) -> None:
        self._offsets_ms: dict[str, int] = {}
        self._nonces_us: dict[tuple[str, str], int] = {}
        self._turns: dict[tuple[str, str], asyncio.Lock] = {}

    def offset_ms(self, venue: str) -> int:
        """Milliseconds to add to our clock to have the venue's; 0 until it was learnt."""
        return self._offsets_ms.get(venue, 0)

    def learn(self, venue: str, *, theirs: EpochMs, ours: EpochMs) -> None:
        """Notes the venue's time as read at our time `ours`. A difference of more than a day is taken for nonsense."""
        offset_ms = theirs - ours
        if abs(offset_ms) <= OFFSET_MAX_MS:
            self._offsets_ms[venue] = offset_ms

    def nonce_us(self, venue: str, key_label: str, *, now_ms: int) -> int:
        """A number greater than every one given before for this key: the time in microseconds, or one more than the last."""
        key = (venue, key_label)
        self._nonces_us[key] = max(self._nonces_us.get(key, 0) + 1, now_ms * 1000)
        return self._nonces_us[key]

    def turn(self, venue: str, key_label: str) -> asyncio.Lock:
        """The lock of a key whose requests must arrive in the order in which they were signed."""
        return self._turns.setdefault((venue, key_label), asyncio.Lock())
