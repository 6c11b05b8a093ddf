"""`/v1/accounts`: a user's connections, their balances and values, and their syncs."""

import asyncio
from typing import Annotated

from litestar import Response, Router, delete, get, post, put
from litestar.params import JSONBody, QueryParameter

from omnifolio.app import connecting, link
from omnifolio.faces.api import query
from omnifolio.faces.api.account_list import account_list
from omnifolio.faces.api.admission import CONNECT, COST, SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.edge import ACCOUNTS_ROUTE
from omnifolio.faces.api.given import Account, DeskGiven, SessionGiven
from omnifolio.faces.api.shape import wallet_key
from omnifolio.faces.api.wire import AccountChangeIn, AccountIn, AccountOut
from omnifolio.model.accounts import Principal
from omnifolio.model.errors import InvalidField
from omnifolio.model.ids import AccountId

POLL_EVERY_S = 1.0
VERSION_MAX = 2**62
SYNC_COST = 5
"""Requests that one asked sync counts as, because it also costs requests at the provider."""


@get(
    "/",
    name=ACCOUNTS_ROUTE,
    summary="List all accounts with wallets, balances and values",
    opt={SCOPE: "read", CONNECT: "also"},
    responses=responses(list[AccountOut], refusals=(401, 403)),
)
async def list_accounts(
    desk: DeskGiven, session: SessionGiven, fiat: query.Fiat = None, wallet: query.WalletId = None
) -> Response[bytes]:
    """All accounts of the user, oldest first."""
    context = desk.context
    currency = query.currency(fiat, context.settings.fiat)
    if wallet is not None:
        views = await desk.read.accounts(session.principal, fiat=currency, wallet=wallet_key(wallet, desk.providers))
        return answer([desk.accounts.account(view, now=context.clock.now()) for view in views])
    body = await account_list(desk, session, currency)
    return Response(body.data, media_type="application/json", headers={"etag": body.etag.decode()})


@post(
    "/",
    summary="Connect an account",
    status_code=202,
    opt={SCOPE: "link", COST: SYNC_COST, CONNECT: "also"},
    responses=responses(AccountOut, status=202, refusals=(401, 403, 404, 409), text="Connected; its first sync is due."),
)
async def add_account(
    desk: DeskGiven, session: SessionGiven, data: JSONBody[AccountIn], fiat: query.Fiat = None
) -> Response[bytes]:
    """Files the connection; a worker checks the key and reads."""
    connecting.may_connect(desk.context, session.page, data.provider)
    entered = await connecting.without_names(desk.context, session.page, data.credentials)
    options = {
        name: value
        for name, value in (
            ("sync_transactions", data.sync_transactions),
            ("sync_nfts", data.sync_nfts),
            ("daily_sync", data.daily_sync),
        )
        if value is not None
    }
    account = await link.link(
        desk.context, session.principal, provider=data.provider, entered=entered, name=data.name, options=options
    )
    await connecting.remember_made(desk.context, session.page, account)
    return await _shown(desk, session.principal, account, fiat, status=202)


@get(
    "/{account_id:str}",
    summary="Get an account",
    opt={SCOPE: "read", CONNECT: "also"},
    responses=responses(AccountOut, refusals=(401, 403, 404)),
)
async def get_account(
    desk: DeskGiven, session: SessionGiven, account_id: Account, fiat: query.Fiat = None, wallet: query.WalletId = None
) -> Response[bytes]:
    """One account."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    return await _shown(desk, session.principal, account, fiat, wallet=wallet)


@put(
    "/{account_id:str}",
    summary="Give an account new credentials, or another name",
    status_code=202,
    opt={SCOPE: "link", COST: SYNC_COST, CONNECT: "also"},
    responses=responses(AccountOut, status=202, refusals=(401, 403, 404, 409), text="Changed; a sync is due."),
)
async def change_account(
    desk: DeskGiven, session: SessionGiven, account_id: Account, data: JSONBody[AccountChangeIn], fiat: query.Fiat = None
) -> Response[bytes]:
    """Takes new credentials or a new name; the account's id and history stay."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    await desk.read.version(session.principal, account)
    connecting.may_change(session.page, account)
    if data.security_answer is not None:
        raise InvalidField("security_answer: this account has no open question")
    if data.credentials is None and data.name is None:
        raise InvalidField("credentials: expected the provider's fields, or a new name")
    if data.credentials is not None:
        await link.relink(desk.context, session.principal, account, data.credentials)
    if data.name is not None:
        await link.rename(desk.context, session.principal, account, data.name)
    return await _shown(desk, session.principal, account, fiat, status=202)


@delete(
    "/{account_id:str}",
    summary="Disconnect an account and delete everything of it",
    status_code=204,
    opt={SCOPE: "link", CONNECT: "also"},
    responses=responses(None, status=204, refusals=(401, 403, 404), text="Gone."),
)
async def delete_account(desk: DeskGiven, session: SessionGiven, account_id: Account) -> None:
    """Takes the account and its credentials away."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    connecting.may_remove(session.page, account)
    await link.unlink(desk.context, session.principal, account)


@post(
    "/{account_id:str}/sync",
    summary="Ask for a sync now",
    status_code=202,
    opt={SCOPE: "link", COST: SYNC_COST, CONNECT: "also"},
    responses=responses(AccountOut, status=202, refusals=(401, 403, 404, 409), text="A sync is due."),
)
async def sync_account(desk: DeskGiven, session: SessionGiven, account_id: Account, fiat: query.Fiat = None) -> Response[bytes]:
    """Makes the account due now."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    connecting.may_change(session.page, account)
    await link.request_sync(desk.context, session.principal, account)
    return await _shown(desk, session.principal, account, fiat, status=202)


@get(
    "/{account_id:str}/poll",
    summary="Wait for a change of an account",
    opt={SCOPE: "read", CONNECT: "also"},
    responses={
        **responses(AccountOut, refusals=(401, 403, 404)),
        **responses(None, status=304, refusals=(), text="Nothing has changed since that version."),
    },
)
async def poll_account(
    desk: DeskGiven,
    session: SessionGiven,
    *,
    account_id: Account,
    v: Annotated[
        int | None, QueryParameter(ge=0, le=VERSION_MAX, description="The `v` of the account that the caller has.")
    ] = None,
    fiat: query.Fiat = None,
) -> Response[bytes]:
    """Answers as soon as the account's version is above `v`, or 304 when the wait is over."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    deadline_s = desk.context.clock.monotonic() + desk.poll_wait_s
    while v is not None and await desk.read.version(session.principal, account) <= v:
        left_s = deadline_s - desk.context.clock.monotonic()
        if left_s <= 0:
            return Response(b"", status_code=304)
        await asyncio.sleep(min(POLL_EVERY_S, left_s))
    return await _shown(desk, session.principal, account, fiat)


async def _shown(
    desk: Desk,
    principal: Principal,
    account: AccountId,
    fiat: str | None,
    *,
    status: int = 200,
    wallet: str | None = None,
) -> Response[bytes]:
    chosen = None if wallet is None else wallet_key(wallet, desk.providers)
    currency = query.currency(fiat, desk.context.settings.fiat)
    view = await desk.read.account(principal, account, fiat=currency, wallet=chosen)
    return answer(desk.accounts.account(view, now=desk.context.clock.now()), status=status)


ROUTER = Router(
    "/v1/accounts",
    tags=["accounts"],
    route_handlers=[
        list_accounts,
        add_account,
        get_account,
        change_account,
        delete_account,
        sync_account,
        poll_account,
    ],
)
