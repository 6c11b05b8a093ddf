"""A process that reads a wallet's history into a database and may be killed at any moment: `… backfill DATABASE TURN COUNT`.

It prints a line for each page: transactions so far, and the memory that it holds, in bytes.
"""

import asyncio
import sys

import psutil
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from tests.venues.evm.arithmetic import STREAM, Arithmetic, access_to

from omnifolio.ledger import accounts, coverage
from omnifolio.model import amounts
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Cursor
from omnifolio.model.ids import AccountId
from omnifolio.store.engine import open_store
from omnifolio.store.migrate import prepare
from omnifolio.store.schema import accounts as table
from omnifolio.sync.pages import commit_page
from omnifolio.tenancy.owner import ensure
from omnifolio.tenancy.principals import operator
from omnifolio.venues.evm.reader import EvmReader

BEGIN = 1_800_000_000_000


def opened(conn: Connection, now: EpochMs) -> tuple[Principal, AccountId, int]:
    """The owner's one account, made at the first turn, and a lease on it."""
    principal = ensure(conn, operator("test"), actor="test", pepper=bytes(32), now=now).principal
    known = conn.execute(sa.select(table.c.id)).scalar()
    account = AccountId(known) if known else accounts.add(conn, principal, venue="ethereum", fingerprint=b"f", now=now)
    fence = accounts.lease(conn, principal, account, owner=f"turn {now}", now=now, length_ms=DAY_MS)
    assert fence is not None, "the killed turn's lease has ended a day later"
    return principal, account, fence


async def main(database: str, turn: int, transactions: int) -> None:
    """Reads on from the stored cursor to the end."""
    amounts.install()
    store = open_store(database)
    await store.write(prepare)
    now = EpochMs(BEGIN + turn * 2 * DAY_MS)
    principal, account, fence = await store.write(opened, now)
    token = await store.read(coverage.cursor_of, account, STREAM)
    count = 0
    async for page in EvmReader().read(access_to(Arithmetic(transactions)), Cursor(STREAM, token)):
        await commit_page(store, principal, account, page, fence=fence, now=now)
        count += len(page.claims)
        print(count, psutil.Process().memory_info().rss, flush=True)
    await store.close()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
