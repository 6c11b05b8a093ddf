"""transactions_page: a page of 100 out of 1,000,000 stored transactions with 3 legs each, for each filter of the wire.

Each filter is asked at places spread over the whole history, both ways; its figure is the 95th percentile of the wall time of the
store's unit of work, the way an API request runs it. The figure of a database is its slowest filter's.
"""

import random
from collections.abc import Iterator

from benchmarks.figures import Figure, figure, percentile, wall_ms
from benchmarks.stock import BEGINNING, COMMON, RARE_WALLET, RAREST, STEP_MS, TRANSACTIONS, Stock, stock
from omnifolio.ledger import read
from omnifolio.ledger.read import Filter
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.ids import TransactionId
from omnifolio.store.engine import Store, open_store

NAME = "transactions_page"
BAR_MS = 20.0
LIMIT = 100
REPEATS = 60
WARM_REPEATS = 5
END = EpochMs(BEGINNING + TRANSACTIONS * STEP_MS)
TYPES = ("trade", "deposit", "withdrawal", "staking", "unstaking", "reward", "bonus", "other")


async def measure() -> list[Figure]:
    """The slowest filter on both databases and on each, and every filter on its own."""
    single: dict[str, list[Figure]] = {}
    for dialect in ("sqlite", "postgresql"):
        async with stock(dialect) as made:
            store = open_store(made.url)
            single[dialect] = [await _one(store, made, name, dialect, wanted) for name, wanted in _filters().items()]
            await store.close()
    slowest = {dialect: max(item.value for item in items) for dialect, items in single.items()}
    return [
        figure(NAME, max(slowest.values()), "ms", BAR_MS, of=NAME),
        *(figure(f"{NAME}_{dialect}", value, "ms", BAR_MS, of=NAME) for dialect, value in slowest.items()),
        *(item for items in single.values() for item in items),
    ]


async def _one(store: Store, made: Stock, name: str, dialect: str, wanted: Filter) -> Figure:
    rng = random.Random(name)
    times = []
    for count, question in enumerate(_places(rng, wanted)):

        async def ask(question: Filter = question) -> None:
            rows = await store.read(read.page, made.principal, made.account, question)
            assert all(row.legs for row in rows)

        spent = await wall_ms(ask)
        if count >= WARM_REPEATS:
            times.append(spent)
    return figure(f"{NAME}_{dialect}_{name}", percentile(times, 95), "ms", BAR_MS, of=NAME)


def _filters() -> dict[str, Filter]:
    """Every filter that the wire has, alone and in the pairs that are hardest: a common thing and a rare one."""

    def ask(**more: object) -> Filter:
        return Filter(start=EpochMs(0), end=END, limit=LIMIT, **more)  # type: ignore[arg-type]

    return {
        "no_filter": ask(),
        "ticker_common": ask(ticker=COMMON),
        "ticker_rarest": ask(ticker=RAREST),
        "ticker_unknown": ask(ticker="NOWHERE"),
        "wallet_common": ask(wallet="spot"),
        "wallet_rare": ask(wallet=RARE_WALLET),
        **{f"type_{name}": ask(types=(name,)) for name in TYPES},
        "types_all": ask(types=TYPES),
        "ticker_and_common_type": ask(ticker=COMMON, types=("trade",)),
        "ticker_and_rare_type": ask(ticker=COMMON, types=("other",)),
        "wallet_and_rare_type": ask(wallet="spot", types=("other",)),
        "rare_wallet_and_common_ticker": ask(wallet=RARE_WALLET, ticker=COMMON),
        "wallet_and_rare_ticker": ask(wallet="spot", ticker=RAREST),
    }


def _places(rng: random.Random, wanted: Filter) -> Iterator[Filter]:
    """The filter from the newest row, from the oldest, after a row deep inside, and between two dates."""
    from msgspec.structs import replace

    for count in range(REPEATS + WARM_REPEATS):
        there = replace(wanted, is_ascending=count % 2 == 0)
        if count % 4 < 2:
            there = replace(there, last=TransactionId(rng.randint(1, TRANSACTIONS)))
        if count % 3 == 0:
            start = EpochMs(BEGINNING + rng.randint(0, TRANSACTIONS) * STEP_MS)
            there = replace(there, start=start, end=EpochMs(start + 365 * DAY_MS))
        yield there
