"""How fast each venue may be asked: budgets per (venue, address) and (venue, key), lowered by what the answers say.

The address is this server's own, so all accounts of a venue share that budget. Whoever comes first is served first, also
when a cheaper request waits behind a dear one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

from msgspec import Struct

from omnifolio.model.clock import MINUTE_MS, Clock, EpochMs
from omnifolio.model.errors import VenueBanned, VenueBusy

RETRY_AFTER_MAX_S = 6 * 60 * 60.0
BUSY_DEFAULT_S = 2.0
BAN_DEFAULT_S = 5 * 60.0
GRAIN_S = 0.001
"""The shortest wait: a rounding error of a budget is not worth spinning for."""
PATIENCE_S = 60.0
"""Who would wait longer than this gets an error that says how long, and its slice ends."""

Sleep = Callable[[float], Awaitable[None]]


class Budget(Struct, frozen=True, kw_only=True):
    """`burst` weight may be spent at once and `per_s` comes back each second, up to `burst` again."""

    burst: float
    per_s: float


DEFAULT_BUDGET = Budget(burst=30, per_s=10)
"""For venues that state none: ten requests of weight one a second."""

UNLIMITED = Budget(burst=1e9, per_s=1e9)
"""No budget, but a place to note a pause."""


class Bucket:
    """One budget, its level, and until when the venue wants to hear nothing. Times are monotonic seconds."""

    def __init__(self, budget: Budget, *, now_s: float) -> None:
        self.budget = budget
        self.turn = asyncio.Lock()
        self.blocked_until_s = now_s
        self.is_banned = False
        self._level = budget.burst
        self._at_s = now_s

    def level(self, now_s: float) -> float:
        """What may be spent now."""
        if now_s > self._at_s:
            self._level = min(self.budget.burst, self._level + (now_s - self._at_s) * self.budget.per_s)
            self._at_s = now_s
        return self._level

    def wait_s(self, cost: float, *, now_s: float) -> float:
        """Seconds until `cost` may be spent. A cost beyond the burst waits for a full bucket and leaves a debt."""
        missing = min(cost, self.budget.burst) - self.level(now_s)
        return max(self.blocked_until_s - now_s, missing / self.budget.per_s, 0.0)

    def spend(self, cost: float, *, now_s: float) -> None:
        """Takes `cost` out."""
        self._level = self.level(now_s) - cost
        self.is_banned = self.is_banned and self.blocked_until_s > now_s

    def lower(self, level: float, *, now_s: float) -> None:
        """The venue says that less is left than we thought; more is never believed."""
        self._level = min(self.level(now_s), level)

    def block(self, seconds: float, *, now_s: float, is_ban: bool) -> None:
        """Nothing for `seconds`, and what is left now is gone. A running block is never shortened."""
        self.blocked_until_s = max(self.blocked_until_s, now_s + seconds)
        self.is_banned = self.is_banned or is_ban
        self.lower(0.0, now_s=now_s)


class Pacer:
    """All budgets of this process."""

    def __init__(self, *, clock: Clock, sleep: Sleep) -> None:
        self._clock = clock
        self._sleep = sleep
        self._budgets: dict[str, tuple[Budget | None, Budget | None]] = {}
        self._used_headers: dict[str, Mapping[str, int]] = {}
        self._buckets: dict[tuple[str, str | None], Bucket] = {}

    def limit(
        self, venue: str, *, address: Budget | None, key: Budget | None, used_headers: Mapping[str, int] | None = None
    ) -> None:
        """Sets the budgets of a venue; None is no budget of that kind. Levels are kept when nothing changes.

        `used_headers`: header that states the weight used in the running minute → the weight allowed in it.
        """
        self._used_headers[venue] = used_headers or {}
        if self._budgets.get(venue) != (address, key):
            self._budgets[venue] = (address, key)
            for name in [name for name in self._buckets if name[0] == venue]:
                del self._buckets[name]

    def is_limited(self, venue: str) -> bool:
        """Whether somebody set budgets for this venue."""
        return venue in self._budgets

    def _of(self, venue: str, key_label: str) -> list[Bucket]:
        """The key's bucket, then the address's. A bucket exists for every budget, and for a block without a budget."""
        address, key = self._budgets.get(venue, (DEFAULT_BUDGET, None))
        found = []
        for name, budget in (((venue, key_label), key), ((venue, None), address)):
            if budget is not None and name not in self._buckets:
                self._buckets[name] = Bucket(budget, now_s=self._clock.monotonic())
            if name in self._buckets:
                found.append(self._buckets[name])
        return found

    async def admit(self, venue: str, *, key_label: str, cost: float, patience_s: float = PATIENCE_S) -> None:
        """Waits until the venue may be asked, and spends the cost. Raises: VenueBusy, VenueBanned instead of a long wait."""
        deadline_s = self._clock.monotonic() + patience_s
        await self._pass(self._of(venue, key_label), venue=venue, cost=cost, deadline_s=deadline_s)

    async def _pass(self, buckets: Sequence[Bucket], *, venue: str, cost: float, deadline_s: float) -> None:
        """Through the buckets one after the other, each held while the next is waited for, and spent together at the end.

        So what a key may send is never saved up while the address is waited for.
        """
        if not buckets:
            return
        bucket, rest = buckets[0], buckets[1:]
        async with bucket.turn:
            is_through = False
            while not is_through:
                while (wait_s := bucket.wait_s(cost, now_s=self._clock.monotonic())) > 0:
                    self._check_patience(bucket, venue=venue, wait_s=wait_s, deadline_s=deadline_s)
                    await self._sleep(max(wait_s, GRAIN_S))
                await self._pass(rest, venue=venue, cost=cost, deadline_s=deadline_s)
                # While the rest was waited for, an answer to an earlier request may have blocked this bucket.
                is_through = bucket.wait_s(cost, now_s=self._clock.monotonic()) <= 0
            bucket.spend(cost, now_s=self._clock.monotonic())

    def _check_patience(self, bucket: Bucket, *, venue: str, wait_s: float, deadline_s: float) -> None:
        if self._clock.monotonic() + wait_s > deadline_s:
            raise (VenueBanned if bucket.is_banned else VenueBusy)(
                f"{venue} wants to be asked again in {wait_s:.0f} s at the earliest", retry_after_s=wait_s
            )

    def slow_down(self, venue: str, *, key_label: str, seconds: float, is_ban: bool = False) -> None:
        """The venue asked for a pause: nothing for `seconds`, for this key and for the whole address."""
        capped_s = min(max(seconds, 0.0), RETRY_AFTER_MAX_S)
        now_s = self._clock.monotonic()
        self._buckets.setdefault((venue, None), Bucket(self._budgets.get(venue, (None, None))[0] or UNLIMITED, now_s=now_s))
        for bucket in self._of(venue, key_label):
            bucket.block(capped_s, now_s=now_s, is_ban=is_ban)

    def observe(self, venue: str, *, key_label: str, status: int, headers: Mapping[str, str], now: EpochMs) -> None:
        """Learns from an answer: 429, 418 and 503 with Retry-After pause the venue, used-weight headers lower the level."""
        asked_s = retry_after_s(headers, now=now)
        if status == 418:
            self.slow_down(venue, key_label=key_label, seconds=asked_s or BAN_DEFAULT_S, is_ban=True)
        elif status == 429 or (status == 503 and asked_s):
            self.slow_down(venue, key_label=key_label, seconds=asked_s or BUSY_DEFAULT_S)
        for name, allowed in self._used_headers.get(venue, {}).items():
            used = headers.get(name, "")
            if not used.isdecimal():
                continue
            left = 1 - int(used) / allowed
            if left <= 0:
                self.slow_down(venue, key_label=key_label, seconds=(MINUTE_MS - now % MINUTE_MS) / 1000)
            for bucket in self._of(venue, key_label):
                bucket.lower(left * bucket.budget.burst, now_s=self._clock.monotonic())


def retry_after_s(headers: Mapping[str, str], *, now: EpochMs) -> float:
    """The seconds of a Retry-After header (a number or an HTTP date); 0 when absent or unreadable, at most six hours."""
    raw = headers.get("retry-after", "").strip()
    if not raw:
        return 0.0
    if raw.replace(".", "", 1).isdecimal():
        seconds = float(raw)
    else:
        at = http_date_ms(raw)
        seconds = 0.0 if at is None else (at - now) / 1000
    return min(max(seconds, 0.0), RETRY_AFTER_MAX_S)


def http_date_ms(raw: str) -> EpochMs | None:
    """An HTTP date as an instant; None when it is not one."""
    try:
        moment = parsedate_to_datetime(raw)
        return EpochMs(round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000))
    except (TypeError, ValueError, OverflowError):
        return None
