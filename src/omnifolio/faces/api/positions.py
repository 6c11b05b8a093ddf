"""`/v1/positions` and `/v1/accounts/{id}/positions`: what is open, and what it is worth beside the balances."""

from litestar import Response, Router, get

from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.given import Account, DeskGiven, SessionGiven
from omnifolio.faces.api.position_shape import position_out
from omnifolio.faces.api.shape import wallet_id, wallet_key
from omnifolio.faces.api.wire import PositionOut
from omnifolio.model.ids import AccountId
from omnifolio.views.positions import OpenPositions


@get(
    "/positions",
    summary="List the open positions of all accounts",
    opt={SCOPE: "read"},
    responses=responses(list[PositionOut], refusals=(401, 403)),
)
async def list_all_positions(
    desk: DeskGiven, session: SessionGiven, fiat: query.Fiat = None, wallet: query.WalletId = None
) -> Response[bytes]:
    """Every open position of the user, by account."""
    currency = query.currency(fiat, desk.context.settings.fiat)
    key = None if wallet is None else wallet_key(wallet, desk.providers)
    return answer(_shown(desk, await desk.read.positions(session.principal, None, fiat=currency, wallet=key)))


@get(
    "/accounts/{account_id:str}/positions",
    summary="List the open positions of an account",
    opt={SCOPE: "read"},
    responses=responses(list[PositionOut], refusals=(401, 403, 404)),
)
async def list_positions(
    desk: DeskGiven, session: SessionGiven, account_id: Account, fiat: query.Fiat = None, wallet: query.WalletId = None
) -> Response[bytes]:
    """The open positions of one account."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    currency = query.currency(fiat, desk.context.settings.fiat)
    key = None if wallet is None else wallet_key(wallet, desk.providers)
    return answer(_shown(desk, await desk.read.positions(session.principal, account, fiat=currency, wallet=key)))


def _shown(desk: Desk, found: OpenPositions) -> list[PositionOut]:
    return [
        position_out(
            item,
            account=desk.context.ids.wire("account", item.held.account),
            venue=found.venues[item.held.account],
            wallet=wallet_id(found.venues[item.held.account], found.wallets[item.held.wallet]),
        )
        for item in found.positions
    ]


ROUTER = Router("/v1", tags=["positions"], route_handlers=[list_all_positions, list_positions])
