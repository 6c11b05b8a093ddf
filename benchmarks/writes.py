"""api_write_during_backfill: how long a small write of a request takes while a backfill commits pages in the sync lane.

The backfill commits pages of 1,000 trades without a pause into an account of its own; the request changes an account's name, as
the API does. On SQLite both wait for one writer, and requests go first; on PostgreSQL they meet in the pool and on the disk.
"""

import asyncio
import random

from msgspec.structs import replace

from benchmarks.figures import Figure, figure, percentile, wall_ms
from benchmarks.stock import BEGINNING, PAGE_ROWS, TRANSACTIONS, Stock, forget, new_account, page, stock
from omnifolio.ledger import accounts as ledger_accounts
from omnifolio.store.engine import Store, open_store
from omnifolio.sync.pages import commit_page

NAME = "api_write_during_backfill"
BAR_MS = 50.0
WRITES = 100
WARM_WRITES = 5
PAGES = 40
"""Different pages; they come again under other names."""
PAUSE_S_MAX = 0.1
"""A request comes at any moment of a page's commit."""


async def measure() -> list[Figure]:
    """The 95th percentile on both databases and on each."""
    worst: dict[str, float] = {}
    pages: dict[str, int] = {}
    for dialect in ("sqlite", "postgresql"):
        async with stock(dialect) as made:
            store = open_store(made.url)
            times, pages[dialect] = await _run(store, made)
            await store.close()
        worst[dialect] = percentile(times, 95)
    return [
        figure(NAME, max(worst.values()), "ms", BAR_MS, of=NAME),
        *(figure(f"{NAME}_{dialect}", value, "ms", BAR_MS, of=NAME) for dialect, value in worst.items()),
        *(figure(f"{NAME}_{dialect}_pages", count, "pages", None, of=NAME) for dialect, count in pages.items()),
    ]


async def _run(store: Store, made: Stock) -> tuple[list[float], int]:
    rng = random.Random(1)
    who, account, fence = await new_account(store, f"{NAME} {random.random()}")
    batches = [page(TRANSACTIONS // PAGE_ROWS + number) for number in range(PAGES)]
    pages, is_over = 0, False

    async def backfill() -> None:
        nonlocal pages
        while not is_over:
            batch = batches[pages % PAGES]
            mark = f"{pages // PAGES}"
            fresh = tuple(replace(claim, ref=claim.ref + mark, refs=(claim.refs[0] + mark,)) for claim in batch.claims)
            await commit_page(store, who, account, replace(batch, claims=fresh), fence=fence, now=batch.observed_at)
            pages += 1

    times = []
    running = asyncio.create_task(backfill())
    for count in range(WRITES + WARM_WRITES):
        await asyncio.sleep(rng.uniform(0, PAUSE_S_MAX))

        async def rename(count: int = count) -> None:
            await store.write(ledger_accounts.change, made.principal, made.account, BEGINNING, name=f"name {count}")

        spent = await wall_ms(rename)
        if count >= WARM_WRITES:
            times.append(spent)
    is_over = True
    await running
    await forget(store, account)
    return times, pages
