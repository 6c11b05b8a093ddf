"""What concerns the whole user: the portfolio, the change log, and the end."""

from typing import Annotated

from litestar import Response, Router, delete, get
from litestar.params import QueryParameter

from omnifolio.app import administer
from omnifolio.app.read import ChangePage
from omnifolio.faces.api import query
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.desk import Desk
from omnifolio.faces.api.given import DeskGiven, SessionGiven
from omnifolio.faces.api.shape import named, total_text, wallet_id
from omnifolio.faces.api.wire import AccountTotalOut, AssetOut, ChangeOut, ChangesOut, PortfolioOut, UnreadOut
from omnifolio.ledger.feed import CHANGES_MAX, Change
from omnifolio.model.amounts import canonical
from omnifolio.model.ids import WalletId

Cursor = Annotated[str | None, QueryParameter(max_length=64, description="The cursor of an earlier answer; none to begin.")]
Count = Annotated[
    int | None, QueryParameter(name="limit", ge=1, le=CHANGES_MAX, description="Changes in one answer; 100 by default.")
]


@get(
    "/portfolio",
    summary="See what the user owns in all",
    opt={SCOPE: "read"},
    responses=responses(PortfolioOut, refusals=(401, 403)),
)
async def get_portfolio(desk: DeskGiven, session: SessionGiven, fiat: query.Fiat = None) -> Response[bytes]:
    """Totals per account and asset."""
    currency = query.currency(fiat, desk.context.settings.fiat)
    found, at, seq = await desk.read.portfolio(session.principal, fiat=currency)
    return answer(
        PortfolioOut(
            fiat_value=total_text(found.total),
            fiat_ticker=currency,
            complete=found.total.complete,
            is_partial=found.is_partial,
            unread=[
                UnreadOut(
                    id=desk.context.ids.wire("account", item.account.id),
                    name=item.account.name,
                    provider=item.account.venue,
                    reason=item.text,
                )
                for item in found.unread
            ],
            missing=named(found.total.missing),
            stale=named(found.total.stale),
            positions_value=total_text(found.positions),
            accounts=[
                AccountTotalOut(
                    id=desk.context.ids.wire("account", view.account.id),
                    name=view.account.name,
                    provider=view.account.venue,
                    status=view.account.status,
                    fiat_value=total_text(view.total),
                    fiat_ticker=currency,
                    complete=view.total.complete,
                )
                for view in found.accounts
            ],
            assets=[
                AssetOut(
                    asset=line.asset,
                    ticker=line.ticker,
                    name=line.name,
                    amount=canonical(line.amount),
                    asset_is_verified=line.is_verified,
                    represents=line.represents or None,
                    fiat_value=total_text(line.value),
                    fiat_ticker=currency,
                    complete=line.value.complete,
                )
                for line in found.assets
            ],
            hidden=found.hidden,
            at=at,
            v=seq,
        )
    )


@get(
    "/changes",
    summary="Follow everything that changes, in order, without missing or repeating anything",
    opt={SCOPE: "read"},
    responses=responses(ChangesOut, refusals=(401, 403)),
)
async def list_changes(
    desk: DeskGiven, session: SessionGiven, cursor: Cursor = None, limit: Count = None, fiat: query.Fiat = None
) -> Response[bytes]:
    """The next rows of the change log."""
    currency = query.currency(fiat, desk.context.settings.fiat)
    page = await desk.read.changes(session.principal, cursor=cursor or "", limit=limit or query.LIMIT_DEFAULT, fiat=currency)
    shown = {row.id: row for row in desk.events.transactions(page.transactions)}
    changes = []
    for change in page.changes.changes:
        text = _id(desk, change, page)
        changes.append(
            ChangeOut(
                seq=change.seq,
                kind=change.kind,
                id=text,
                is_removed=change.is_removed,
                leads_to=desk.context.ids.wire("transaction", int(change.detail))
                if change.kind == "transaction" and change.detail
                else None,
                product=change.detail if change.kind == "balances" else None,
                scope=change.detail if change.kind == "positions" else None,
                transaction=shown.get(text),
            )
        )
    found = page.changes
    return answer(ChangesOut(changes=changes, cursor=found.cursor, has_more=found.has_more, is_reset=found.is_reset))


@delete(
    "/users/me",
    summary="Delete the user with all accounts, facts and keys",
    status_code=204,
    opt={SCOPE: "link"},
    responses=responses(None, status=204, refusals=(401, 403, 404), text="Gone."),
)
async def delete_user(desk: DeskGiven, session: SessionGiven) -> None:
    """Deletes the user whose token it is."""
    await administer.remove_user(desk.context, session.principal)


def _id(desk: Desk, change: Change, page: ChangePage) -> str:
    if change.kind == "balances" or change.kind == "positions":  # noqa: PLR1714 - so that the kinds left over are known
        purse = page.wallets[WalletId(change.id)]
        return wallet_id(page.transactions.venues[purse.account], purse)
    return desk.context.ids.wire(change.kind, change.id)


ROUTER = Router("/v1", tags=["user"], route_handlers=[get_portfolio, list_changes, delete_user])
