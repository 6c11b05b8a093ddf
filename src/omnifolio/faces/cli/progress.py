"""Progress while accounts are synchronised: a line each that says what has come and whether more is coming."""

import asyncio
import contextlib
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.faces.cli.session import Session, label_of
from omnifolio.ledger import accounts, overview

if TYPE_CHECKING:
    from rich.table import Table

LOOK_S = 0.125
TURNING = "|/-\\"
STATES = {"syncing": "reading", "ok": "done", "retry": "later again", "error": "stopped"}


class Step(Struct, frozen=True):
    """How far one account is."""

    account: str
    balances: int
    transactions: int
    status: str


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

    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as live:
        for sign in itertools.cycle(TURNING):
            live.update(_drawn(await _steps(session), sign))
            await asyncio.sleep(LOOK_S)


def _drawn(steps: Sequence[Step], sign: str) -> "Table":
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    for step in steps:
        state = STATES[step.status]
        grid.add_row(
            Text(step.account),
            Text(f"{step.balances} balances", justify="right"),
            Text(f"{step.transactions} transactions", justify="right"),
            Text(f"{sign if step.status == 'syncing' else ' '} {state}"),
        )
    return grid


async def _steps(session: Session) -> Sequence[Step]:
    context, principal = session.runtime.context, session.owner.principal

    def op(conn: Connection) -> Sequence[Step]:
        found = accounts.listed(conn, principal, context.clock.now())
        counts = [overview.counts(conn, principal, account.id) for account in found]
        return [
            Step(label_of(account), count.balances, count.transactions, account.status)
            for account, count in zip(found, counts, strict=True)
        ]

    return await context.store.read(op)
