"""Open positions on the wire. Values are rounded here and nowhere before, half to even at two places."""

from decimal import Decimal

from omnifolio.faces.api.shape import total_text
from omnifolio.faces.api.wire import ComponentOut, PositionOut
from omnifolio.model.amounts import canonical, money
from omnifolio.model.tokens import TokenId
from omnifolio.views.positions import PositionView
from omnifolio.views.valuation import Money


def position_out(view: PositionView, *, account: str, venue: str, wallet: str) -> PositionOut:
    """A position of an account and wallet that the wire names so."""
    found, held = view.held.position, view.held

    def ticker(token: TokenId | None) -> str | None:
        return None if token is None else view.tokens[token].ticker

    return PositionOut(
        id=f"{wallet}/{held.scope}/{found.key}",
        account=account,
        wallet=wallet,
        provider=venue,
        scope=held.scope,
        kind=found.kind,
        name=found.name,
        side="short" if found.size < 0 else "long",
        size=canonical(found.size),
        size_ticker=view.tokens[found.size_token].ticker,
        contracts=_text(found.contracts),
        base_ticker=ticker(found.base),
        quote_ticker=ticker(found.quote),
        settle_ticker=ticker(found.settle),
        entry_price=_text(found.entry_price),
        mark_price=_text(found.mark_price),
        liquidation_price=_text(found.liquidation_price),
        unrealised_pnl=_text(found.unrealised),
        margin=_text(found.margin),
        margin_mode=found.margin_mode,
        leverage=_text(found.leverage),
        expires_at=found.expires_at,
        strike=_text(found.strike),
        option=found.option,
        opened_at=found.opened_at,
        components=[
            ComponentOut(
                role=part.role,
                ticker=view.tokens[part.token].ticker,
                asset_id=part.token,
                amount=canonical(part.amount),
                fiat_value=money(value.amount) if isinstance(value, Money) else None,
                fiat_reason=None if isinstance(value, Money) else value.text,
            )
            for part, value in zip(found.components, view.values, strict=True)
        ],
        fiat_value=total_text(view.total),
        fiat_ticker=view.total.currency,
        complete=view.total.complete,
        updated_at=held.last_seen,
    )


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else canonical(amount)
