"""A line of progress while accounts are synchronised: what is being read, and how much has come."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

from sqlalchemy.engine import Connection

from omnifolio.faces.cli.session import Session
from omnifolio.ledger import accounts, overview

LOOK_S = 0.25


@contextlib.asynccontextmanager
async def watching(session: Session) -> AsyncIterator[None]:
    """Shows progress on stderr until the block ends; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield
        return
    task = asyncio.create_task(_watch(session))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _watch(session: Session) -> None:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

    with Live(console=Console(stderr=True), refresh_per_second=4, transient=True) as live:
        while True:
            live.update(Text(await _line(session)))
            await asyncio.sleep(LOOK_S)


async def _line(session: Session) -> str:
    context, principal = session.runtime.context, session.owner.principal

    def op(conn: Connection) -> str:
        found = accounts.listed(conn, principal, context.clock.now())
        parts = []
        for account in found:
            counted = overview.counts(conn, principal, account.id)
            state = "done" if account.round_at is None and account.synced_at else account.status
            parts.append(f"{account.venue}: {counted.balances} balances, {counted.transactions} transactions ({state})")
        return "   ".join(parts) or "nothing is linked yet"

    return await context.store.read(op)
