"""`/v1/accounts/{id}/history` and `/kyc-data`: values by day, and the personal data that is never collected."""

from litestar import Response, Router, get

from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import Account, DeskGiven, SessionGiven
from omnifolio.faces.api.shape import wallet_key
from omnifolio.faces.api.wire import HistoryOut
from omnifolio.model.errors import NotFound
from omnifolio.model.ids import AccountId


@get(
    "/history",
    summary="List the value of each wallet at the end of each day",
    opt={SCOPE: "read"},
    responses=responses(list[HistoryOut], refusals=(401, 403, 404)),
)
async def list_history(
    desk: DeskGiven,
    session: SessionGiven,
    *,
    account_id: Account,
    from_: query.From = None,
    to: query.To = None,
    wallet: query.WalletId = None,
    fiat: query.Fiat = None,
) -> Response[bytes]:
    """One row per wallet and day."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    asked = query.window(from_, to, now=desk.context.clock.now())
    venue, rows = await desk.read.history(
        session.principal,
        account,
        first=asked.first,
        last=asked.last,
        wallet=None if wallet is None else wallet_key(wallet, desk.providers),
        fiat=query.currency(fiat, desk.context.settings.fiat),
    )
    return answer(desk.events.history(rows, venue))


@get(
    "/kyc-data",
    summary="Personal data from the provider: never collected, so never found",
    opt={SCOPE: "read"},
    responses=responses(None, status=204, refusals=(401, 403, 404), text="Never answered."),
)
async def get_kyc_data(desk: DeskGiven, session: SessionGiven, account_id: Account) -> Response[bytes]:
    """Always not found."""
    await desk.read.version(session.principal, AccountId(desk.context.ids.integer("account", account_id)))
    raise NotFound("no personal data is collected from providers")


ROUTER = Router("/v1/accounts/{account_id:str}", tags=["history"], route_handlers=[list_history, get_kyc_data])
