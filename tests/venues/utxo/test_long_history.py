"""A wallet with a long history: few round trips for its scan, memory that does not grow with the pages, and kills in between."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.venues.backfill import run
from tests.venues.utxo.long_chain import LongChain
from tests.venues.utxo.made_up import WALLET
from tests.venues.utxo.purse import CHAIN, READER, Shelf, access_to, held, summed, sync

from omnifolio.model.facts import Cursor

MEBI = 1 << 20
GROWTH_MAX = 48 * MEBI
"""What the process may hold more at its last page than at its tenth, of a listing of 100,000 transactions and all."""


async def test_a_scan_of_forty_addresses_takes_three_round_trips() -> None:
    chain = LongChain(60, 20)
    running = await asyncio.start_server(chain.serve, "127.0.0.1", 0)
    url = f"tcp://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    async with access_to(url, WALLET) as access:
        (batch,) = [batch async for batch in READER.read(access, Cursor(f"balances/{CHAIN.id}"))]
    running.close()
    assert batch.cursor.token == '{"ends":[40,20]}'
    assert chain.trips == 3, "the greeting, the first forty scripts, and the twenty behind the last used one"


async def test_a_history_is_read_page_by_page_from_any_of_its_cursors() -> None:
    chain = LongChain(1_000, 30)
    running = await asyncio.start_server(chain.serve, "127.0.0.1", 0, limit=1 << 24)
    url = f"tcp://127.0.0.1:{running.sockets[0].getsockname()[1]}"
    shelf = Shelf()
    batches = await sync(shelf, url, WALLET)
    assert len(shelf.claims) == 1_000
    assert held(shelf) == summed(shelf) == chain.balance
    done, names = 0, list(shelf.claims)
    for batch in batches[1:-1]:
        done += len(batch.claims)
        async with access_to(url, WALLET) as access:
            again = [claim.ref async for page in READER.read(access, batch.cursor) for claim in page.claims]
        assert again == names[done:]
    running.close()


@contextmanager
def _started(*command: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-m", *command], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _turn(url: str, database: Path, number: int, *, pages: int | None) -> list[int]:
    return run("tests.venues.utxo.backfill", url, f"sqlite:///{database}", str(number), pages=pages)


@pytest.mark.soak
def test_a_hundred_thousand_transactions_come_in_with_flat_memory_through_kills(tmp_path: Path) -> None:
    database = tmp_path / "ledger.db"
    with _started("tests.venues.utxo.long_chain", "100000", "2000") as server:
        assert server.stdout is not None
        url = f"tcp://127.0.0.1:{int(server.stdout.readline())}"
        for number, pages in enumerate((3, 40, 1)):
            assert len(_turn(url, database, number, pages=pages)) == pages
        memory = _turn(url, database, 3, pages=None)
    assert max(memory[10:]) - memory[10] < GROWTH_MAX, [size // MEBI for size in memory[::20]]
    print(f"memory at the tenth page {memory[10] // MEBI} MiB, at most {max(memory) // MEBI} MiB, pages {len(memory)}")
    with sqlite3.connect(database) as conn:
        assert conn.execute("SELECT count(*) FROM transactions").fetchone() == (100_000,)
