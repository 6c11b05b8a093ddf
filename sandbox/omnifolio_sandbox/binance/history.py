"""Binance's histories: fills, orders, deposits, withdrawals, converts, dust, dividends, transfers, earn, fiat."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import divide, fixed, ratio, text
from omnifolio_sandbox.binance.book import HELD_CODE, BinanceBook, symbols
from omnifolio_sandbox.binance.errors import BinanceError, Params, limit, required, whole, window
from omnifolio_sandbox.binance.wallets import paged
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world.binance import FLEXIBLE, position_id
from omnifolio_sandbox.world.book import Event

TRADES_MAX = 1000
DUST_MAX = 100
DIVIDENDS_MAX = 500
CONVERTS_MAX = 1000
SUCCESS = 6
FAILURE = 5


def _symbol(params: Params) -> str:
    symbol = required(params, "symbol")
    if symbol not in symbols():
        raise BinanceError(-1121, "Invalid symbol.")
    return symbol


def my_trades(book: BinanceBook, params: Params) -> Any:
    """`myTrades`, oldest first: from an id, within 24 hours, or the latest."""
    symbol = _symbol(params)
    events = book.fills.get(symbol, [])
    most = limit(params, "limit", default=500, most=TRADES_MAX)
    start, end, from_id = whole(params, "startTime"), whole(params, "endTime"), whole(params, "fromId")
    order = whole(params, "orderId")
    if order is not None:
        events = [event for event in events if event.facts["order"] == order]
    if from_id is not None:
        if start is not None or end is not None:
            raise BinanceError(-1128, "Combination of optional parameters invalid.")
        return [_fill(event) for event in events if event.facts["id"] >= from_id][:most]
    if start is not None and end is not None and end - start > MS_PER_DAY:
        raise BinanceError(-1127, "More than 24 hours between startTime and endTime.")
    chosen = [event for event in events if (start is None or event.at >= start) and (end is None or event.at <= end)]
    return [_fill(event) for event in (chosen[:most] if start is not None else chosen[-most:])]


def _fill(event: Event) -> dict[str, Any]:
    facts = event.facts
    return {
        "symbol": facts["symbol"], "id": facts["id"], "orderId": facts["order"], "orderListId": -1,
        "price": fixed(facts["price"], 8), "qty": fixed(facts["quantity"], 8), "quoteQty": fixed(facts["cost"], 8),
        "commission": fixed(facts["fee"], 8), "commissionAsset": facts["fee_asset"], "time": event.at,
        "isBuyer": facts["buying"], "isMaker": facts["maker"], "isBestMatch": True,
    }  # fmt: skip


def all_orders(book: BinanceBook, params: Params) -> Any:
    """`allOrders`: filled orders of a symbol, oldest first, from an order id or within 24 hours."""
    symbol = _symbol(params)
    start, end, from_id = whole(params, "startTime"), whole(params, "endTime"), whole(params, "orderId")
    if start is not None and end is not None and end - start > MS_PER_DAY:
        raise BinanceError(-1127, "More than 24 hours between startTime and endTime.")
    orders: dict[int, list[Event]] = {}
    for event in book.fills.get(symbol, []):
        if (start is None or event.at >= start) and (end is None or event.at <= end):
            orders.setdefault(event.facts["order"], []).append(event)
    rows = [_order(fills) for order, fills in sorted(orders.items()) if from_id is None or order >= from_id]
    most = limit(params, "limit", default=500, most=TRADES_MAX)
    return rows[:most] if from_id is not None or start is not None else rows[-most:]


def _order(fills: list[Event]) -> dict[str, Any]:
    first = fills[0].facts
    quantity = sum((fill.facts["quantity"] for fill in fills), Decimal(0))
    cost = sum((fill.facts["cost"] for fill in fills), Decimal(0))
    return _order_row(
        symbol=first["symbol"], order=first["order"], price=first["price"], quantity=quantity, done=quantity, cost=cost,
        side="BUY" if first["buying"] else "SELL", status="FILLED", at=fills[0].at,
    )  # fmt: skip


def _order_row(
    *, symbol: str, order: int, price: Decimal, quantity: Decimal, done: Decimal, cost: Decimal, side: str, status: str,
    at: int,
) -> dict[str, Any]:  # fmt: skip
    return {
        "symbol": symbol, "orderId": order, "orderListId": -1, "clientOrderId": f"web_{order}",
        "price": fixed(price, 8), "origQty": fixed(quantity, 8), "executedQty": fixed(done, 8),
        "cummulativeQuoteQty": fixed(cost, 8), "status": status, "timeInForce": "GTC", "type": "LIMIT", "side": side,
        "stopPrice": "0.00000000", "icebergQty": "0.00000000", "time": at, "updateTime": at,
        "isWorking": True, "workingTime": at, "origQuoteOrderQty": "0.00000000", "selfTradePreventionMode": "NONE",
    }  # fmt: skip


def open_orders(book: BinanceBook, params: Params) -> Any:
    """`openOrders`: the one resting order that locks part of the bitcoin."""
    if params.get("symbol"):
        _symbol(params)
    held = book.held()
    if not held or params.get("symbol") not in {None, "", f"{HELD_CODE}USDT"}:
        return []
    return [
        _order_row(
            symbol=f"{HELD_CODE}USDT", order=7_999_999_999, price=Decimal(250_000), quantity=held, done=Decimal(0),
            cost=Decimal(0), side="SELL", status="NEW", at=book.at_ms,
        )
    ]  # fmt: skip


def _offset_page(rows: list[Any], params: Params) -> list[Any]:
    offset = whole(params, "offset") or 0
    return rows[offset : offset + limit(params, "limit", default=1000, most=1000)]


def deposits(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`capital/deposit/hisrec`: windows of 90 days, newest first."""
    start, end = window(params, now_ms, days=90, default_days=90)
    coin, status = params.get("coin"), whole(params, "status")
    rows = [
        {
            "id": event.ref, "amount": text(event.legs[0].amount), "coin": event.legs[0].code,
            "network": event.facts["network"], "status": 1, "address": event.facts["address"], "addressTag": "",
            "txId": event.facts["txid"], "insertTime": event.at, "completeTime": event.at + 60_000, "transferType": 0,
            "confirmTimes": "1/1", "unlockConfirm": 12, "walletType": 0, "travelRuleStatus": 0,
        }
        for event in book.between("deposit", start, end)
        if coin in {None, "", event.legs[0].code} and status in {None, 1}
    ]  # fmt: skip
    return _offset_page(rows, params)


def withdrawals(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`capital/withdraw/history`: windows of 90 days, newest first, times to the second, failed ones included."""
    start, end = window(params, now_ms, days=90, default_days=90)
    coin, status = params.get("coin"), whole(params, "status")
    found = [*book.between("withdrawal", start, end), *book.between("failed_withdrawal", start, end)]
    rows = []
    for event in sorted(found, key=lambda one: one.at, reverse=True):
        facts = event.facts
        state = SUCCESS if event.kind == "withdrawal" else FAILURE
        if coin in {None, "", facts["code"]} and status in {None, state}:
            moment = datetime.fromtimestamp(event.at // 1000, UTC)
            rows.append(
                {
                    "id": event.ref, "amount": text(facts["amount"]), "transactionFee": text(facts["fee"]),
                    "coin": facts["code"], "status": state, "address": facts["address"], "addressTag": "",
                    "txId": facts["txid"], "applyTime": moment.strftime("%Y-%m-%d %H:%M:%S"),
                    "network": facts["network"], "transferType": 0, "withdrawOrderId": "", "info": "", "confirmNo": 12,
                    "walletType": 0, "txKey": "", "completeTime": moment.strftime("%Y-%m-%d %H:%M:%S"),
                }
            )  # fmt: skip
    return _offset_page(rows, params)


def dividends(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`asset/assetDividend`: windows of 180 days, newest first, up to 500 rows."""
    start, end = window(params, now_ms, days=180, default_days=180)
    events = [e for e in book.between("dividend", start, end) if params.get("asset") in {None, "", e.facts["asset"]}]
    rows = [
        {
            "id": event.facts["id"], "amount": text(event.facts["amount"]), "asset": event.facts["asset"],
            "divTime": event.at, "enInfo": f"{event.facts['asset']} distribution", "tranId": event.facts["tran"],
            "direction": 1,
        }
        for event in events
    ]  # fmt: skip
    return {"rows": rows[: limit(params, "limit", default=20, most=DIVIDENDS_MAX)], "total": len(rows)}


def dribblets(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`asset/dribblet`: the last 100 conversions of dust within the window (all time by default)."""
    start, end = whole(params, "startTime") or 0, whole(params, "endTime") or now_ms
    events = book.between("dust", start, end)[:DUST_MAX]
    rows = [
        {
            "operateTime": event.at, "totalTransferedAmount": fixed(event.facts["got"], 8),
            "totalServiceChargeAmount": fixed(event.facts["charge"], 8), "transId": event.facts["id"],
            "userAssetDribbletDetails": [
                {
                    "transId": event.facts["id"], "serviceChargeAmount": fixed(one["charge"], 8),
                    "amount": text(one["amount"]), "operateTime": event.at, "transferedAmount": fixed(one["got"], 8),
                    "fromAsset": one["asset"],
                }
                for one in event.facts["details"]
            ],
        }
        for event in events
    ]  # fmt: skip
    return {"total": len(rows), "userAssetDribblets": rows}


def converts(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`convert/tradeFlow`: windows of 30 days, newest first; `moreData` says that the page was too small."""
    required(params, "startTime")
    required(params, "endTime")
    start, end = window(params, now_ms, days=30, default_days=30)
    most = limit(params, "limit", default=100, most=CONVERTS_MAX)
    events = book.between("convert", start, end)
    rows = [
        {
            "quoteId": f"{event.facts['order']:032x}", "orderId": event.facts["order"], "orderStatus": "SUCCESS",
            "fromAsset": event.facts["from"], "fromAmount": text(event.facts["from_amount"]),
            "toAsset": event.facts["to"], "toAmount": text(event.facts["to_amount"]),
            "ratio": text(ratio(event.facts["to_amount"], event.facts["from_amount"], 10)),
            "inverseRatio": text(divide(event.facts["from_amount"], event.facts["to_amount"], 10)),
            "createTime": event.at,
        }
        for event in events[:most]
    ]  # fmt: skip
    return {"list": rows, "startTime": start, "endTime": end, "limit": most, "moreData": len(events) > most}


def transfers(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`asset/transfer` (history): one direction a call, seven days by default."""
    kind = required(params, "type")
    if kind in FUTURES_TRANSFERS:
        return _futures_transfers(book, params, now_ms, kind)
    if kind not in {"MAIN_FUNDING", "FUNDING_MAIN"}:
        return {"total": 0, "rows": []}
    start, end = whole(params, "startTime") or now_ms - 7 * MS_PER_DAY, whole(params, "endTime") or now_ms
    rows = [
        {
            "asset": event.facts["asset"], "amount": text(event.facts["amount"]), "type": kind, "status": "CONFIRMED",
            "tranId": event.facts["id"], "timestamp": event.at,
        }
        for event in book.between("transfer", start, end)
        if event.facts["inward"] is (kind == "FUNDING_MAIN")
    ]  # fmt: skip
    page = paged(rows, params)
    return {"total": page["total"], "rows": page["rows"]} if rows else {"total": 0, "rows": []}


FUTURES_TRANSFERS = {
    "MAIN_UMFUTURE": "usdm_transfer", "UMFUTURE_MAIN": "usdm_transfer",
    "MAIN_CMFUTURE": "coinm_transfer", "CMFUTURE_MAIN": "coinm_transfer",
}  # fmt: skip


def _futures_transfers(book: BinanceBook, params: Params, now_ms: int, kind: str) -> Any:
    start, end = whole(params, "startTime") or now_ms - 7 * MS_PER_DAY, whole(params, "endTime") or now_ms
    rows = [
        {"asset": event.facts["asset"], "amount": text(abs(event.facts["amount"])), "type": kind, "status": "CONFIRMED",
         "tranId": event.facts["id"], "timestamp": event.at}
        for event in book.between(FUTURES_TRANSFERS[kind], start, end)
        if (event.facts["amount"] > 0) is kind.startswith("MAIN_")
    ]  # fmt: skip
    return paged(rows, params)


def earn_record(kind: str, *, flexible: bool) -> Callable[[BinanceBook, Params, int], Any]:
    """The handler of a Simple Earn history: windows of 90 days, 30 by default, newest first."""
    shapes = {"subscription": _subscription, "redemption": _redemption, "reward": _reward}

    def handler(book: BinanceBook, params: Params, now_ms: int) -> Any:
        start, end = window(params, now_ms, days=90, default_days=30)
        if kind == "reward" and flexible and required(params, "type") not in {"BONUS", "REALTIME", "REWARDS", "ALL"}:
            raise BinanceError(-1130, "Invalid data sent for a parameter: type.")
        if kind == "reward" and flexible and params["type"] in {"BONUS", "REWARDS"}:
            return {"rows": [], "total": 0}
        rows = [
            shapes[kind](event, flexible)
            for event in book.between(kind, start, end)
            if (event.facts["asset"] in FLEXIBLE) is flexible and params.get("asset") in {None, "", event.facts["asset"]}
        ]
        return paged(rows, params)

    return handler


def _subscription(event: Event, flexible: bool) -> dict[str, Any]:
    code, amount = event.facts["asset"], fixed(event.facts["amount"], 8)
    row = {"amount": amount, "asset": code, "time": event.at, "purchaseId": event.facts["id"], "type": "NORMAL",
           "sourceAccount": "SPOT", "amtFromSpot": amount, "amtFromFunding": "0", "status": "SUCCESS"}  # fmt: skip
    if flexible:
        return {**row, "productId": f"{code}001"}
    return {**row, "positionId": position_id(code), "purchaseId": str(event.facts["id"]), "lockPeriod": "90"}


def _redemption(event: Event, flexible: bool) -> dict[str, Any]:
    code = event.facts["asset"]
    row = {"amount": fixed(event.facts["amount"], 8), "asset": code, "time": event.at, "redeemId": event.facts["id"],
           "status": "PAID"}  # fmt: skip
    if flexible:
        return {**row, "projectId": f"{code}001", "destAccount": "SPOT"}
    return {**row, "positionId": position_id(code), "lockPeriod": "90", "type": "REDEEM", "deliverDate": str(event.at)}


def _reward(event: Event, flexible: bool) -> dict[str, Any]:
    code, amount = event.facts["asset"], fixed(event.facts["amount"], 8)
    if flexible:
        return {"asset": code, "rewards": amount, "projectId": f"{code}001", "type": "REALTIME", "time": event.at}
    return {"positionId": position_id(code), "time": event.at, "asset": code, "lockPeriod": "90", "amount": amount,
            "type": "Locked Rewards"}  # fmt: skip


def _fiat_page(rows: list[dict[str, Any]], params: Params) -> Any:
    size = limit(params, "rows", default=100, most=500)
    page = whole(params, "page") or 1
    return {"code": "000000", "message": "success", "data": rows[(page - 1) * size : page * size], "total": len(rows),
            "success": True}  # fmt: skip


def fiat_orders(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`fiat/orders`: bank deposits (transactionType 0) or withdrawals (1), 30 days by default."""
    direction = required(params, "transactionType")
    start, end = whole(params, "beginTime") or now_ms - 30 * MS_PER_DAY, whole(params, "endTime") or now_ms
    rows = [
        {
            "orderNo": event.ref, "fiatCurrency": event.facts["currency"],
            "indicatedAmount": fixed(event.facts["amount"] + event.facts["fee"], 2),
            "amount": fixed(event.facts["amount"], 2), "totalFee": fixed(event.facts["fee"], 2),
            "method": event.facts["method"], "status": "Successful", "createTime": event.at, "updateTime": event.at,
        }
        for event in book.between("fiat_order", start, end)
        if event.facts["direction"] == direction
    ]  # fmt: skip
    return _fiat_page(rows, params)


def fiat_payments(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`fiat/payments`: crypto bought for fiat (transactionType 0) or sold (1), 30 days by default."""
    direction = required(params, "transactionType")
    start, end = whole(params, "beginTime") or now_ms - 30 * MS_PER_DAY, whole(params, "endTime") or now_ms
    rows = [
        {
            "orderNo": event.ref, "sourceAmount": text(event.facts["source"]), "fiatCurrency": "EUR",
            "obtainAmount": text(event.facts["obtained"]), "cryptoCurrency": event.facts["crypto"],
            "totalFee": text(event.facts["fee"]), "status": "Completed", "paymentMethod": "Cash Balance",
            "price": text(divide(event.facts["source"] - event.facts["fee"], event.facts["obtained"], 8)),
            "createTime": event.at, "updateTime": event.at,
        }
        for event in book.between("fiat_payment", start, end)
        if direction == "0"
    ]  # fmt: skip
    return _fiat_page(rows, params)
