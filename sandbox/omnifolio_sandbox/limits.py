"""Rate limits as venues count them: a counter that decays, a window of weights, and a ban for those who go on."""

from dataclasses import dataclass, field

MS_PER_SECOND = 1000
MINUTE_MS = 60_000


@dataclass
class DecayingCounter:
    """A counter per key that shrinks with time; a call that would lift it above `ceiling` is refused."""

    ceiling: int
    decay_per_second_milli: int  # thousandths of a point
    _levels: dict[str, tuple[int, int]] = field(default_factory=dict)  # key -> (thousandths, at)

    def spend(self, key: str, cost: int, at_ms: int) -> bool:
        """Count a call and say whether it is allowed."""
        level, since = self._levels.get(key, (0, at_ms))
        level = max(0, level - self.decay_per_second_milli * max(0, at_ms - since) // MS_PER_SECOND)
        allowed = level + cost * 1000 <= self.ceiling * 1000
        self._levels[key] = (level + cost * 1000 if allowed else level, at_ms)
        return allowed

    def clear(self) -> None:
        """Forget all levels."""
        self._levels.clear()


@dataclass(frozen=True)
class Verdict:
    """How a call stands: `status` 200, 429 or 418, weight used in this window, and when to come back."""

    status: int
    used: int
    retry_after_s: int = 0


@dataclass
class WeightWindow:
    """Weights per key and minute. Above the limit 429; who goes on calling is banned with 418, longer each time."""

    limit: int
    patience: int = 5  # refused calls within one window before the ban
    ban_s: int = 120
    _used: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # key -> (window, weight, refused)
    _banned: dict[str, tuple[int, int]] = field(default_factory=dict)  # key -> (until ms, length s)

    def spend(self, key: str, weight: int, at_ms: int) -> Verdict:
        """Count a call and judge it."""
        until, length_s = self._banned.get(key, (0, 0))
        window = at_ms // MINUTE_MS
        seen, used, refused = self._used.get(key, (window, 0, 0))
        if seen != window:
            used, refused = 0, 0
        if at_ms < until:
            return Verdict(418, used, -(-(until - at_ms) // MS_PER_SECOND))
        if used + weight <= self.limit:
            self._used[key] = (window, used + weight, refused)
            return Verdict(200, used + weight)
        refused += 1
        self._used[key] = (window, used, refused)
        if refused > self.patience:
            length_s = min(length_s * 2 or self.ban_s, 3 * 86_400)
            self._banned[key] = (at_ms + length_s * MS_PER_SECOND, length_s)
            return Verdict(418, used, length_s)
        return Verdict(429, used, -(-((window + 1) * MINUTE_MS - at_ms) // MS_PER_SECOND))

    def clear(self) -> None:
        """Forget all weights and bans."""
        self._used.clear()
        self._banned.clear()


@dataclass
class CallWindow:
    """Calls per key in a fixed span of time; those beyond the limit are refused until the span is over."""

    limit: int
    span_ms: int
    _used: dict[str, tuple[int, int]] = field(default_factory=dict)  # key -> (window, calls)

    def spend(self, key: str, at_ms: int) -> tuple[int, int]:
        """Count a call; gives how many are left (below zero: refused) and when the span ends."""
        window = at_ms // self.span_ms
        seen, used = self._used.get(key, (window, 0))
        used = used + 1 if seen == window else 1
        self._used[key] = (window, min(used, self.limit + 1))
        return self.limit - used, (window + 1) * self.span_ms

    def clear(self) -> None:
        """Forget all calls."""
        self._used.clear()
