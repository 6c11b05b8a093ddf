"""Stating what a manual account holds: the whole of it as one snapshot, with the statement as its evidence."""

from functools import partial

from sqlalchemy.engine import Connection

from omnifolio.app.context import Context
from omnifolio.ledger import accounts, overlays, overrides, read
from omnifolio.ledger.commit import commit
from omnifolio.ledger.tokens import by_number
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.errors import InvalidField, NotFound, SyncInProgress
from omnifolio.model.facts import Batch
from omnifolio.model.ids import AccountId
from omnifolio.model.tokens import TokenId
from omnifolio.venues import manual
from omnifolio.venues.manual import Holding

LEASE_MS = MINUTE_MS


async def hold(
    context: Context, principal: Principal, account: AccountId, holding: Holding, *, price: overrides.Override | None
) -> TokenId:
    """Sets one holding of a manual account and, with `price`, what one unit of it is worth to the user; gives its token.

    Raises: NotFound; InvalidField for an account that is not manual, a negative amount, or a price of cash; SyncInProgress.
    """
    token = manual.token_of(holding.asset, holding.kind).id
    if parse_amount(holding.amount) < 0:
        raise InvalidField("amount: what is owned is zero or more")
    if price is not None and holding.kind == "cash":
        raise InvalidField("price: cash is worth what it is")

    def op(conn: Connection) -> None:
        now = context.clock.now()
        _state(conn, principal, account, holding, now=now)
        if price is not None:
            overrides.set_price(conn, principal, token, price, day=None, now=now)

    await context.store.write_sync(op)
    return token


async def drop(context: Context, principal: Principal, account: AccountId, token: TokenId) -> None:
    """Takes a holding away, and the price that was set for it. Raises: NotFound; InvalidField; SyncInProgress."""
    await context.store.write_sync(partial(_drop, principal=principal, account=account, token=token, now=context.clock.now()))


def _drop(conn: Connection, *, principal: Principal, account: AccountId, token: TokenId, now: EpochMs) -> None:
    held = {manual.token_of(item.asset, item.kind).id: item for item in _held(conn, principal, account)}
    if token not in held:
        raise NotFound("the account holds nothing of that name and class")
    gone = held[token]
    _state(conn, principal, account, Holding(gone.asset, gone.kind, "0"), now=now)
    if any(item.token == token and item.day is None for item in overrides.listed(conn, principal)):
        overlays.drop(conn, principal, kind=overrides.OVERLAY_KIND, target=overrides.target_of(token, None), now=now)


def _state(conn: Connection, principal: Principal, account: AccountId, one: Holding, *, now: EpochMs) -> None:
    if accounts.get(conn, principal, account, now).venue != manual.VENUE:
        raise InvalidField("account: only a manual account's holdings are stated by hand")
    fence = accounts.lease(conn, principal, account, owner="holdings", now=now, length_ms=LEASE_MS)
    if fence is None:
        raise SyncInProgress(existing=account)
    page = manual.statement(manual.changed(_held(conn, principal, account), one), at=now)
    batch: Batch = manual.ManualReader().decode(manual.VENUE, manual.STREAM, (page,))
    commit(conn, principal, account, batch, fence=fence, now=now)
    accounts.release(conn, account, fence=fence)


def _held(conn: Connection, principal: Principal, account: AccountId) -> list[Holding]:
    rows = read.balances(conn, principal, account)
    tokens = by_number(conn, [row.token for row in rows])
    return [manual.holding_of(tokens[row.token].id, tokens[row.token].ticker, row.amount) for row in rows]
