"""What all simulated servers of one process share: clock, world, call log, violations, faults, rate limits."""

from dataclasses import dataclass, field
from typing import Any

from omnifolio_sandbox.clock import MS_PER_DAY, Clock
from omnifolio_sandbox.faults import Faults
from omnifolio_sandbox.grants import Grants
from omnifolio_sandbox.http import Request
from omnifolio_sandbox.limits import CallWindow, DecayingCounter, WeightWindow
from omnifolio_sandbox.sockets.keys import Keys
from omnifolio_sandbox.sockets.line import Exchange
from omnifolio_sandbox.world.world import World

CALLS_KEPT_MAX = 20_000
KRAKEN_COUNTER_MAX = 20
KRAKEN_DECAY_PER_SECOND_MILLI = 500
BINANCE_API_WEIGHT_PER_MINUTE = 6_000
BINANCE_SAPI_IP_WEIGHT_PER_MINUTE = 12_000
BINANCE_SAPI_UID_WEIGHT_PER_MINUTE = 180_000
BYBIT_CALLS_PER_SECOND = 20  # of one key at one path; the documentation's table has 10 to 50
BYBIT_CALLS_PER_ADDRESS, BYBIT_ADDRESS_SPAN_MS = 600, 5_000
OKX_CALLS, OKX_BILLS_CALLS, OKX_SPAN_MS = 10, 5, 2_000  # of one user at one path; the archive of bills allows the fewer
KEY_LIFE_MS = 10 * MS_PER_DAY
COINBASE_CALLS_PER_MINUTE = 10_000 // 60 * 10  # documented as 10,000 an hour; ten minutes' worth may come in one


@dataclass
class Limits:
    """All rate limits, multiplied by `scale` (1 = what the venues document)."""

    scale: int = 1

    def __post_init__(self) -> None:
        self.kraken = DecayingCounter(KRAKEN_COUNTER_MAX * self.scale, KRAKEN_DECAY_PER_SECOND_MILLI * self.scale)
        self.binance_api = WeightWindow(BINANCE_API_WEIGHT_PER_MINUTE * self.scale)
        self.binance_sapi_ip = WeightWindow(BINANCE_SAPI_IP_WEIGHT_PER_MINUTE * self.scale)
        self.binance_sapi_uid = WeightWindow(BINANCE_SAPI_UID_WEIGHT_PER_MINUTE * self.scale)
        self.bybit = CallWindow(BYBIT_CALLS_PER_SECOND * self.scale, 1_000)
        self.bybit_address = CallWindow(BYBIT_CALLS_PER_ADDRESS * self.scale, BYBIT_ADDRESS_SPAN_MS)
        self.okx = CallWindow(OKX_CALLS * self.scale, OKX_SPAN_MS)
        self.okx_bills = CallWindow(OKX_BILLS_CALLS * self.scale, OKX_SPAN_MS)
        self.coinbase = WeightWindow(COINBASE_CALLS_PER_MINUTE * self.scale)


@dataclass
class State:
    """The shared state; `skew_ms` is how far the servers' clocks are off."""

    clock: Clock
    world: World
    limits: Limits = field(default_factory=Limits)
    skew_ms: int = 0
    faults: Faults = field(default_factory=Faults)
    calls: list[dict[str, Any]] = field(default_factory=list)
    violations: list[dict[str, Any]] = field(default_factory=list)
    exchange: Exchange = field(default_factory=Exchange)
    tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Tokens that open sockets: whose each is, and when it was made."""
    keys: Keys = field(default_factory=Keys)
    grants: Grants = field(default_factory=Grants)
    keys_end_ms: int = 0
    """When the keys that expire do so: some days after the beginning."""

    def __post_init__(self) -> None:
        self.keys_end_ms = self.clock.wire_ms() + KEY_LIFE_MS

    def server_ms(self) -> int:
        """What the venues' servers believe the time is."""
        return self.clock.wire_ms() + self.skew_ms

    def log_call(self, venue: str, request: Request, status: int) -> None:
        """Keep a call for `GET /_sandbox/calls`."""
        self.calls.append(
            {
                "at": self.clock.wire_ms(),
                "venue": venue,
                "method": request.method,
                "path": request.path,
                "status": status,
                "weight": request.trace.weight,
                "key": request.trace.label,
            }
        )
        del self.calls[:-CALLS_KEPT_MAX]

    def log_violation(self, venue: str, request: Request) -> None:
        """Keep an attempt to write: a read-only client never makes one."""
        self.violations.append({"venue": venue, "method": request.method, "path": request.path, "key": request.trace.label})
