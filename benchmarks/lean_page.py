"""lean_page_commit: pages of 1,000 fills of five exchanges from bytes to committed rows, against ccxt's parse of the same bytes.

There is one way from an answer to facts, and it is the lean one: our readers take the venue's rows as they come, and ccxt's
parser is not asked. That both say the same of every row is tested in `tests/venues/exchanges/test_fills.py`.

lean_page_memory: how much more memory the process holds after 100,000 fills than after the first 10,000.
"""

import gc
import os
import random
from pathlib import Path

from benchmarks.ccxt_page import sides
from benchmarks.figures import Figure, figure
from benchmarks.fills import VENUES, page_bytes, read_page
from benchmarks.stock import PAGE_ROWS, forget, new_account, stock
from omnifolio.model.accounts import Principal
from omnifolio.store.engine import Store, open_store
from omnifolio.sync.pages import commit_page
from omnifolio.venues.exchanges.reader import ExchangeReader

NAME = "lean_page_commit"
BAR = 1.8
PAGES = 12
MEMORY_BAR_MB = 8.0
FILLS = 100_000
SETTLED = 10_000


async def measure() -> list[Figure]:
    """The ratio over all five, each of them, and the memory."""
    figures = []
    ours_s = theirs_s = 0.0
    async with stock("sqlite") as made:
        store = open_store(made.url)
        for venue in VENUES:
            ours, theirs = await sides(store, made.principal, venue, pages=PAGES)
            ours_s, theirs_s = ours_s + sum(ours), theirs_s + sum(theirs)
            figures.append(figure(f"{NAME}_{venue.id}", sum(ours) / sum(theirs), "x", None, of=NAME))
        grown = await _growth_mb(store, made.principal)
        await store.close()
    memory = figure("lean_page_memory", grown, "MB", MEMORY_BAR_MB, of=NAME)
    return [figure(NAME, ours_s / theirs_s, "x", BAR, of=NAME), *figures, memory]


async def _growth_mb(store: Store, principal: Principal) -> float:
    venue, reader = VENUES[0], ExchangeReader()
    who, account, fence = await new_account(store, f"memory {random.random()}", principal)
    settled = 0.0
    for number in range(FILLS // PAGE_ROWS):
        batch = read_page(reader, venue, number, page_bytes(venue, number))
        await commit_page(store, who, account, batch, fence=fence, now=batch.observed_at)
        if (number + 1) * PAGE_ROWS == SETTLED:
            settled = _resident_mb()
    grown = _resident_mb() - settled
    await forget(store, account)
    return grown


def _resident_mb() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1_000_000
