"""A wallet with a long history: pages of one size, memory that does not grow with them, and goings on from any cursor."""

import sqlite3
import tracemalloc
from decimal import Decimal
from pathlib import Path

import pytest
from tests.venues.backfill import run
from tests.venues.evm.arithmetic import STREAM, Arithmetic, access_to, word

from omnifolio.model.facts import Cursor
from omnifolio.venues.evm.reader import EvmReader

TRANSACTIONS = 5_000
PAGE_ROWS = 500
KILLED_AFTER = 4
GROWTH_MAX = 1.5
"""How much more a late page may hold than an early one."""
READER = EvmReader()
MANY = 100_000
MEBI = 1 << 20
RESIDENT_GROWTH_MAX = 24 * MEBI
"""What the process may hold more at any later page than at its tenth."""


async def read(token: str, *, pages_max: int) -> tuple[list[str], list[int], str]:
    """The names of what up to `pages_max` pages told, the peak of memory of each page, and the cursor after them."""
    access = access_to(Arithmetic(TRANSACTIONS))
    names: list[str] = []
    peaks: list[int] = []
    tracemalloc.reset_peak()
    async for page in READER.read(access, Cursor(STREAM, token)):
        assert len(page.claims) <= PAGE_ROWS
        assert all(len(claim.legs) == (2 if (claim.height or 0) % 3 == 0 else 1) for claim in page.claims)
        names += [claim.ref for claim in page.claims]
        token = page.cursor.token
        peaks.append(tracemalloc.get_traced_memory()[1])
        del page
        tracemalloc.reset_peak()
        if len(peaks) == pages_max:
            break
    return names, peaks, token


async def test_a_long_history_is_read_in_pages_of_one_size_and_goes_on_after_a_kill() -> None:
    tracemalloc.start()
    try:
        first, early, token = await read("", pages_max=KILLED_AFTER)
        assert len(first) == KILLED_AFTER * (PAGE_ROWS - 1), "a full list is whole up to the block before its last row"
        rest, late, token = await read(token, pages_max=10**6)
    finally:
        tracemalloc.stop()
    assert [*first, *rest] == [word(height) for height in range(1, TRANSACTIONS + 1)]
    assert max(late[-5:-1]) < GROWTH_MAX * max(early[1:])
    again, _, _ = await read(token, pages_max=10**6)
    assert again == []


def _turn(database: Path, number: int, *, pages: int | None) -> list[int]:
    return run("tests.venues.evm.backfill", f"sqlite:///{database}", str(number), str(MANY), pages=pages)


@pytest.mark.soak
def test_a_hundred_thousand_transactions_come_in_with_flat_memory_through_kills(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    for number, pages in enumerate((3, 40, 1)):
        assert len(_turn(database, number, pages=pages)) == pages
    memory = _turn(database, 3, pages=None)
    assert max(memory[10:]) - memory[10] < RESIDENT_GROWTH_MAX, [size // MEBI for size in memory[::20]]
    print(f"memory at the tenth page {memory[10] // MEBI} MiB, at most {max(memory) // MEBI} MiB, pages {len(memory)}")
    with sqlite3.connect(database) as conn:
        names = [row[0] for row in conn.execute("SELECT name FROM transactions WHERE state = 'live' ORDER BY height")]
        legs = conn.execute("SELECT count(*) FROM legs").fetchone()[0]
        sums = sorted(Decimal(row[0]) for row in conn.execute("SELECT amount FROM sums"))
    assert names == [word(height) for height in range(1, MANY + 1)]
    assert legs == MANY + MANY // 3
    assert sums == [Decimal(MANY).scaleb(-18), Decimal(5 * (MANY // 3)).scaleb(-18)]
