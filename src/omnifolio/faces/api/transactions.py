"""`/v1/accounts/{id}/transactions`: pages by the id of the last row that the client has."""

from litestar import Response, Router, get

from omnifolio.app.authenticate import Session
from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.given import Account, DeskGiven, SessionGiven, Transaction
from omnifolio.faces.api.shape import wallet_key
from omnifolio.faces.api.wire import TransactionOut
from omnifolio.ledger.read import Filter
from omnifolio.model.errors import NotFound
from omnifolio.model.ids import AccountId, TransactionId


@get(
    "/",
    summary="List transactions, page by page",
    opt={SCOPE: "read"},
    responses=responses(list[TransactionOut], refusals=(401, 403, 404)),
)
async def list_transactions(
    desk: DeskGiven,
    session: SessionGiven,
    *,
    account_id: Account,
    ticker: query.Ticker = None,
    wallet: query.WalletId = None,
    types: query.Types = None,
    from_: query.From = None,
    to: query.To = None,
    last: query.Last = None,
    limit: query.Limit = None,
    sort: query.Sort = None,
    exclude_fields: query.ExcludeFields = None,
    fiat: query.Fiat = None,
) -> Response[bytes]:
    """One page of an account's transactions."""
    ids = desk.context.ids
    account = AccountId(ids.integer("account", account_id))
    asked = query.window(from_, to, now=desk.context.clock.now())
    wanted = Filter(
        start=asked.start,
        end=asked.end,
        limit=limit or query.LIMIT_DEFAULT,
        is_ascending=sort == "asc",
        last=None if last is None else await _number(desk, session, account, last),
        ticker=ticker,
        wallet=None if wallet is None else wallet_key(wallet, desk.providers),
        types=query.types(types),
    )
    unwanted = query.excluded(exclude_fields)
    currency = query.currency(fiat, desk.context.settings.fiat)
    page = await desk.read.transactions(session.principal, account, wanted, fiat=currency)
    return answer(query.without(desk.events.transactions(page), unwanted))


@get(
    "/{transaction_id:str}",
    summary="Get a transaction",
    opt={SCOPE: "read"},
    responses=responses(TransactionOut, refusals=(401, 403, 404)),
)
async def get_transaction(
    desk: DeskGiven, session: SessionGiven, account_id: Account, transaction_id: Transaction, fiat: query.Fiat = None
) -> Response[bytes]:
    """One transaction."""
    ids = desk.context.ids
    account = AccountId(ids.integer("account", account_id))
    number = await _number(desk, session, account, transaction_id)
    currency = query.currency(fiat, desk.context.settings.fiat)
    page = await desk.read.transaction(session.principal, account, number, fiat=currency)
    return answer(desk.events.transactions(page)[0])


async def _number(desk: Desk, session: Session, account: AccountId, wire: str) -> TransactionId:
    """The transaction of an id of ours, or of one that it had where the account was brought from. Raises: NotFound."""
    try:
        return TransactionId(desk.context.ids.integer("transaction", wire))
    except NotFound:
        return await desk.read.transaction_named(session.principal, account, wire)


ROUTER = Router(
    "/v1/accounts/{account_id:str}/transactions", tags=["transactions"], route_handlers=[list_transactions, get_transaction]
)
