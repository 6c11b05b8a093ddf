"""Binance's trading: fills and orders, asked per symbol and numbered within it.

A name is `<SYMBOL>/<id>`, as ids begin anew in each symbol.
Source: developers.binance.com, Spot: myTrades, allOrders, openOrders.
"""

from collections.abc import Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Leg, Order
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Page, Seen, read_list
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.quirks.binance_balances import rows_of
from omnifolio.venues.exchanges.quirks.binance_symbols import scope_of
from omnifolio.venues.exchanges.times import from_ms

_ORDER_STATUSES = {"NEW": "open", "PARTIALLY_FILLED": "open", "PENDING_NEW": "open", "CANCELED": "cancelled"}
_OPEN_ORDERS = frozenset({"open", "pending_cancel"})


def trades(context: Context, evidence: Evidence) -> Page:
    """A page of myTrades of one symbol: each fill is one claim."""
    rows, _ = rows_of(evidence)
    base_code, _, quote_code = context.scope.partition("-")
    base, quote = context.codes.token(base_code), context.codes.token(quote_code)
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(_fill(context.codes, row, base, quote)))
    ids = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]
    times = [claim.at for claim in claims]
    last = str(max(ids)) if ids else ""
    return Page(
        seen=Seen(rows=len(rows), oldest=min(times, default=None), newest=max(times, default=None), last_id=last),
        claims=claims,
        gaps=gaps,
    )


def _fill(codes: Codes, row: Mapping[str, Any], base: TokenId, quote: TokenId) -> Claim:
    quantity, cost = parse_amount(row["qty"], where="qty"), parse_amount(row["quoteQty"], where="quoteQty")
    fee = parse_amount(row["commission"], where="commission")
    name = f"{row['symbol']}/{row['id']}"
    buys = row["isBuyer"]
    if not isinstance(buys, bool):
        raise InvalidField("isBuyer: expected true or false")
    legs: tuple[Leg, ...] = (
        Leg("base", "spot", base, quantity if buys else -quantity),
        Leg("quote", "spot", quote, -cost if buys else cost),
    )
    if fee:
        legs = (*legs, Leg("fee", "spot", codes.token(row["commissionAsset"]), -fee, "fee"))
    return Claim(
        book="trades",
        ref=name,
        refs=(f"binance:{name}",),
        name=name,
        at=from_ms(row["time"]),
        kind="trade",
        legs=legs,
        label="maker" if row.get("isMaker") else "taker",
        evidence=0,
    )


def orders(context: Context, evidence: Evidence) -> Page:
    """A page of allOrders of one symbol, or all openOrders."""
    rows, _ = rows_of(evidence)
    found: list[Order] = []
    gaps = read_list(context, rows, lambda row: found.append(_order(context.codes, row)))
    ids = [row["orderId"] for row in rows if isinstance(row, dict) and isinstance(row.get("orderId"), int)]
    unsettled = [int(order.ref.partition("/")[2]) for order in found if order.status in _OPEN_ORDERS]
    seen = Seen(rows=len(set(ids)), last_id=str(max(ids)) if ids else "", open_id=str(min(unsettled)) if unsettled else "")
    return Page(seen=seen, orders=found, gaps=gaps)


def _order(codes: Codes, row: Mapping[str, Any]) -> Order:
    base, _, quote = scope_of([row]).partition("-")
    price = parse_amount(row["price"], where="price")
    if row["side"] not in ("BUY", "SELL"):
        raise InvalidField("side: expected BUY or SELL")
    return Order(
        ref=f"{row['symbol']}/{int(row['orderId'])}",
        wallet="spot",
        base=codes.token(base),
        quote=codes.token(quote),
        side="buy" if row["side"] == "BUY" else "sell",
        type=str(row["type"]),
        status=_ORDER_STATUSES.get(row["status"], str(row["status"]).lower()),
        quantity=parse_amount(row["origQty"], where="origQty"),
        price=price if price and row["type"] != "MARKET" else None,
        filled_quantity=parse_amount(row["executedQty"], where="executedQty"),
        filled_price=abs(parse_amount(row["cummulativeQuoteQty"], where="cummulativeQuoteQty")),
        created_at=from_ms(row["time"]),
        updated_at=from_ms(row["updateTime"]),
        time_in_force=str(row["timeInForce"]) if row.get("timeInForce") else None,
        evidence=0,
    )
