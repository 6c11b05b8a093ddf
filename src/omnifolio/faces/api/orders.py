"""`/v1/accounts/{id}/orders`: orders at exchanges, page by page."""

from litestar import Response, Router, get

from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import Account, DeskGiven, Order, SessionGiven
from omnifolio.faces.api.wire import OrderOut
from omnifolio.model.ids import AccountId, OrderId


@get(
    "/",
    summary="List orders, page by page",
    opt={SCOPE: "read"},
    responses=responses(list[OrderOut], refusals=(401, 403, 404)),
)
async def list_orders(
    desk: DeskGiven,
    session: SessionGiven,
    *,
    account_id: Account,
    from_: query.From = None,
    to: query.To = None,
    last: query.Last = None,
    limit: query.Limit = None,
    sort: query.Sort = None,
) -> Response[bytes]:
    """One page of an account's orders."""
    ids = desk.context.ids
    asked = query.window(from_, to, now=desk.context.clock.now())
    account = AccountId(ids.integer("account", account_id))
    page = await desk.read.orders(
        session.principal,
        account,
        start=asked.start,
        end=asked.end,
        limit=limit or query.LIMIT_DEFAULT,
        is_ascending=sort == "asc",
        last=None if last is None else OrderId(ids.integer("order", last)),
    )
    return answer(desk.events.orders(page, account=account))


@get(
    "/{order_id:str}",
    summary="Get an order",
    opt={SCOPE: "read"},
    responses=responses(OrderOut, refusals=(401, 403, 404)),
)
async def get_order(desk: DeskGiven, session: SessionGiven, account_id: Account, order_id: Order) -> Response[bytes]:
    """One order."""
    ids = desk.context.ids
    account = AccountId(ids.integer("account", account_id))
    page = await desk.read.order(session.principal, account, OrderId(ids.integer("order", order_id)))
    return answer(desk.events.orders(page, account=account)[0])


ROUTER = Router("/v1/accounts/{account_id:str}/orders", tags=["orders"], route_handlers=[list_orders, get_order])
