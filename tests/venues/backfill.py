"""A wallet's history read into a database by a process that may be killed at any moment, and the test's side of it.

The process prints a line for each page: transactions so far, and the memory that it holds, in bytes.
"""

import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.ledger import accounts, coverage
from omnifolio.model import amounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Batch
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import open_store
from omnifolio.store.migrate import prepare
from omnifolio.store.schema import accounts as table
from omnifolio.sync.pages import commit_page
from omnifolio.tenancy.owner import ensure
from omnifolio.tenancy.principals import operator

BEGIN = 1_800_000_000_000
KILLED = -signal.SIGKILL


def _opened(conn: Connection, venue: str, now: EpochMs) -> tuple[Principal, AccountId, int]:
    """The owner's one account, made at the first turn, and a lease on it."""
    principal = ensure(conn, operator("test"), actor="test", pepper=bytes(32), now=now).principal
    known = conn.execute(sa.select(table.c.id)).scalar()
    account = AccountId(known) if known else accounts.add(conn, principal, venue=venue, fingerprint=b"f", now=now)
    fence = accounts.lease(conn, principal, account, owner=f"turn {now}", now=now, length_ms=DAY_MS)
    assert fence is not None, "the killed turn's lease has ended a day later"
    return principal, account, fence


async def backfill(database: str, turn: int, stream: str, pages: Callable[[str], AsyncIterator[Batch]]) -> None:
    """Reads on from the stored cursor to the end; `pages` gives those after a cursor's token."""
    amounts.install()
    store = open_store(database)
    await store.write(prepare)
    now = EpochMs(BEGIN + turn * 2 * DAY_MS)
    principal, account, fence = await store.write(_opened, stream.partition("/")[2], now)
    token = await store.read(coverage.cursor_of, account, stream)
    count = 0
    async for page in pages(token):
        await commit_page(store, principal, account, page, fence=fence, now=now)
        count += len(page.claims)
        print(count, psutil.Process().memory_info().rss, flush=True)
    await store.close()
    print("done", flush=True)


def run(module: str, *words: str, pages: int | None) -> list[int]:
    """Runs a module that backfills, killed after so many pages; the memory at each page."""
    memory: list[int] = []
    with subprocess.Popen([sys.executable, "-m", module, *words], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "done\n":
                break
            memory.append(int(line.split()[1]))
            if len(memory) == pages:
                process.send_signal(signal.SIGKILL)
                break
        status = process.wait()
    assert status == (0 if pages is None else KILLED)
    return memory
