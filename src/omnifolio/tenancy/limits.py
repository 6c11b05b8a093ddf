"""How often somebody may ask: a bucket that refills steadily (GCRA), shared by all processes or kept in one.

A key's whole state is one instant, its theoretical arrival time (`tat`): the moment at which the bucket would be full again. A
request of cost c moves it c intervals ahead, and is refused if that would be further ahead than a full bucket. So a refusal
writes nothing, and an idle key needs no row.
"""

import threading
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.clock import EpochMs
from omnifolio.store.schema import rate_limits

MINUTE_US = 60_000_000
SECOND_US = 1_000_000
KEYS_MAX = 100_000
"""Keys that one process remembers; when there are more, those whose bucket is full again are forgotten."""

# SQLite has no greatest() and PostgreSQL no two-argument max(), hence the CASE; a text, so that it is one statement on both.
_LATER = "CASE WHEN rate_limits.tat > :now THEN rate_limits.tat ELSE :now END"
_TAKE = sa.text(
    "INSERT INTO rate_limits (key, tat) VALUES (:key, :now + :step) "  # noqa: S608  constants of this module
    f"ON CONFLICT (key) DO UPDATE SET tat = {_LATER} + :step WHERE {_LATER} + :step <= :now + :depth RETURNING tat"
).bindparams(*(sa.bindparam(name, type_=sa.BigInteger()) for name in ("now", "step", "depth")))
_LOOK = sa.select(rate_limits.c.tat).where(rate_limits.c.key == sa.bindparam("key"))
_FORGET = sa.delete(rate_limits).where(rate_limits.c.tat <= sa.bindparam("now"))


class Verdict(NamedTuple):
    """`remaining` units may be taken at once; `reset_s` until all may be again; `retry_after_s` until this one may, 0 if allowed.

    A request that costs more than the whole bucket is never allowed; its `retry_after_s` is that of a full bucket.
    """

    allowed: bool
    remaining: int
    reset_s: int
    retry_after_s: int


def take(conn: Connection, key: str, *, cost: int, per_minute: int, burst: int, now: EpochMs) -> Verdict:
    """Takes `cost` units from the bucket of `key`, which holds `burst` and gains `per_minute`; refuses if they are not there.

    `key` names who and what is limited (`team:7/export`). One statement, two when it is refused.
    """
    interval, at, depth = MINUTE_US // per_minute, now * 1_000, burst * (MINUTE_US // per_minute)
    step = cost * interval
    moved = None
    if step <= depth:
        moved = conn.execute(_TAKE, {"key": key, "now": at, "step": step, "depth": depth}).scalar_one_or_none()
    if moved is not None:
        return _verdict(moved, at, interval, depth, refused_step=None)
    return _verdict(conn.execute(_LOOK, {"key": key}).scalar_one_or_none() or 0, at, interval, depth, refused_step=step)


def forget_idle(conn: Connection, *, now: EpochMs) -> int:
    """Deletes the rows of full buckets, which say nothing; gives their number."""
    return int(conn.execute(_FORGET, {"now": now * 1_000}).rowcount)


class ProcessLimits:
    """The same buckets in this process's memory, for installations of one process: no statement, no lock on the database."""

    def __init__(self, *, keys_max: int = KEYS_MAX) -> None:
        self._tats: dict[str, int] = {}
        self._keys_max = keys_max
        self._lock = threading.Lock()

    def take(self, key: str, *, cost: int, per_minute: int, burst: int, now: EpochMs) -> Verdict:
        """As the function `take`."""
        interval, at, depth = MINUTE_US // per_minute, now * 1_000, burst * (MINUTE_US // per_minute)
        step = cost * interval
        with self._lock:
            tat = self._tats.get(key, 0)
            moved = max(tat, at) + step
            if moved > at + depth:
                return _verdict(tat, at, interval, depth, refused_step=step)
            if key not in self._tats and len(self._tats) >= self._keys_max:
                self._make_room(at)
            self._tats[key] = moved
            return _verdict(moved, at, interval, depth, refused_step=None)

    def _make_room(self, at: int) -> None:
        self._tats = {key: tat for key, tat in self._tats.items() if tat > at}
        if len(self._tats) >= self._keys_max:  # all are busy: the one that is nearest to full loses least
            del self._tats[min(self._tats, key=self._tats.__getitem__)]


def _verdict(tat: int, at: int, interval: int, depth: int, *, refused_step: int | None) -> Verdict:
    remaining = max(0, (at + depth - max(tat, at)) // interval)
    wait = 0 if refused_step is None else max(tat, at) + min(refused_step, depth) - depth - at
    retry_after_s = 0 if refused_step is None else max(_seconds(wait), 1)
    return Verdict(refused_step is None, remaining, _seconds(tat - at), retry_after_s)


def _seconds(span_us: int) -> int:
    """Whole seconds, rounded up: a client that waits that long is not refused again."""
    return -(-max(span_us, 0) // SECOND_US)
