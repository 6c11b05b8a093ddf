"""Rebuilds accounts from their evidence with the decoders of today."""

from collections.abc import Sequence

from omnifolio.app.context import Context
from omnifolio.ledger import accounts
from omnifolio.ledger.rebuild import Rebuilt, rebuild
from omnifolio.model.accounts import Principal
from omnifolio.model.facts import Batch, Evidence
from omnifolio.model.ids import AccountId
from omnifolio.venues.registry import reader_for


async def rebuild_all(context: Context, principal: Principal, account: AccountId | None) -> list[tuple[AccountId, str, Rebuilt]]:
    """Rebuilds one account or all of the user, each in one transaction. Raises: NotFound, VenueBadResponse."""
    now = context.clock.now()
    if account is None:
        found = list(await context.store.read(accounts.listed, principal, now))
    else:
        found = [await context.store.read(accounts.get, principal, account, now)]
    done = []
    for item in found:

        def decode(stream: str, evidence: Sequence[Evidence], venue: str = item.venue) -> Batch:
            return reader_for(venue, stream).decode(venue, stream, evidence)

        result = await context.store.write_sync(rebuild, principal, item.id, decode, now=context.clock.now())
        done.append((item.id, item.venue, result))
    return done
