"""What a measurement gives: a figure with its bar, and the two ways to take one (processor time, and wall time at a percentile).

Ratios are taken between things measured in the same run, in turns, so that a busy machine weighs on both alike.
"""

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence

from msgspec import Struct

COMMAND = 'make bench ARGS="{}"'


class Figure(Struct, frozen=True, kw_only=True):
    """One line of bench.json. `value` and `bar` are in `unit`; at or below the bar is good; no bar is for information."""

    name: str
    value: float
    unit: str
    bar: float | None
    command: str

    @property
    def holds(self) -> bool:
        """True when the value is within the bar."""
        return self.bar is None or self.value <= self.bar


def figure(name: str, value: float, unit: str, bar: float | None, *, of: str) -> Figure:
    """A figure that `make bench ARGS="<of>"` takes."""
    return Figure(name=name, value=round(value, 3), unit=unit, bar=bar, command=COMMAND.format(of))


async def cpu_s(work: Callable[[], Awaitable[object]]) -> float:
    """The processor time of one run of `work`, all threads of this process together, without garbage of earlier runs."""
    gc.collect()
    started = time.process_time()
    await work()
    return time.process_time() - started


async def wall_ms(work: Callable[[], Awaitable[object]]) -> float:
    """The wall time of one run of `work`."""
    started = time.perf_counter()
    await work()
    return (time.perf_counter() - started) * 1000


def percentile(values: Sequence[float], percent: int) -> float:
    """The value below which `percent` of 100 lie."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]
