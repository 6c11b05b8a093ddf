"""A sync that somebody waits for: marks accounts due and works until nothing is due any more."""

from sqlalchemy.engine import Connection

from omnifolio.app.link import mark_due
from omnifolio.app.runtime import Runtime
from omnifolio.ledger import accounts
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import SyncInProgress, VaultUnavailable
from omnifolio.model.ids import AccountId


async def sync_now(runtime: Runtime, principal: Principal, account: AccountId | None) -> None:
    """Synchronises one account, or all of the user, in this process; an account that another worker has is left to it.

    Raises: NotFound; VaultUnavailable in a process without workers.
    """
    if runtime.workers is None:
        raise VaultUnavailable("this process has no workers, so it cannot open credentials")
    context = runtime.context

    def mark(conn: Connection) -> None:
        now = context.clock.now()
        chosen = [a.id for a in accounts.listed(conn, principal, now)] if account is None else [account]
        for number in chosen:
            try:
                mark_due(conn, principal, number, now=now)
            except SyncInProgress:
                continue

    await context.store.write(mark)
    await runtime.workers.run_until_idle()
    await runtime.prices.bring()
