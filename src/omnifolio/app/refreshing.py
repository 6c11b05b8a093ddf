"""A sync that somebody waits for: marks accounts due, works, and waits for what another process is working on."""

import asyncio

from sqlalchemy.engine import Connection

from omnifolio.app.link import mark_due
from omnifolio.app.runtime import Runtime
from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import SyncInProgress, VaultUnavailable
from omnifolio.model.ids import AccountId

LOOK_S = 0.25
WAIT_MAX_S = 900.0
"""How long a sync is waited for; it goes on without us."""


async def sync_now(runtime: Runtime, principal: Principal, account: AccountId | None) -> None:
    """Synchronises one account, or all of the user. What another worker has begun is left to it and waited for.

    Raises: NotFound; VaultUnavailable in a process without workers.
    """
    if runtime.workers is None:
        raise VaultUnavailable("this process has no workers, so it cannot open credentials")
    context = runtime.context

    def mark(conn: Connection) -> set[AccountId]:
        now = context.clock.now()
        chosen = {a.id for a in accounts.listed(conn, principal, now)} if account is None else {account}
        for number in sorted(chosen):
            try:
                mark_due(conn, principal, number, now=now)
            except SyncInProgress:
                continue
        return chosen

    def unfinished(conn: Connection, chosen: set[AccountId]) -> bool:
        return any(a.id in chosen and a.status == "syncing" for a in accounts.listed(conn, principal, context.clock.now()))

    chosen = await context.store.write(mark)
    last_s = context.clock.monotonic() + WAIT_MAX_S
    await runtime.workers.run_until_idle()
    while await context.store.read(unfinished, chosen) and context.clock.monotonic() < last_s:
        await asyncio.sleep(LOOK_S)
        await runtime.workers.run_until_idle()
    await runtime.prices.bring()
