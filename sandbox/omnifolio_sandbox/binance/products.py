"""Binance's cross margin account and USD-M futures wallet, for users who have opened them."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import fixed, text
from omnifolio_sandbox.binance.book import BinanceBook
from omnifolio_sandbox.binance.errors import Params, limit, whole, window
from omnifolio_sandbox.binance.wallets import paged
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world.binance_margin import FLOW_KEPT_MS, HALF_YEAR_MS

FLOWS = ("margin_fill", "margin_borrow", "margin_repay")


def margin_account(book: BinanceBook) -> Any:
    """`margin/account`: what is held, and what is owed with the interest on it."""
    held, owed = book.of("margin", "margin"), book.of("margin", "debt")
    paid = sum((event.facts["interest"] for event in book.by_kind.get("margin_interest", [])), Decimal(0))
    rows = []
    for code in sorted({*held, *owed}):
        debt = -owed.get(code, Decimal(0))
        interest = min(debt, paid) if code == "USDT" else Decimal(0)
        amount = held.get(code, Decimal(0))
        rows.append(
            {"asset": code, "borrowed": fixed(debt - interest, 8), "free": fixed(amount, 8), "interest": fixed(interest, 8),
             "locked": "0", "netAsset": fixed(amount - debt, 8)}
        )  # fmt: skip
    return {"created": True, "borrowEnabled": True, "marginLevel": "999", "totalAssetOfBtc": "0", "totalLiabilityOfBtc": "0",
            "totalNetAssetOfBtc": "0", "tradeEnabled": True, "transferInEnabled": True, "transferOutEnabled": True,
            "accountType": "MARGIN_1", "userAssets": rows}  # fmt: skip


def capital_flow(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`margin/capital-flow` of cross margin: three months, seven days by default; a transfer has no direction here."""
    start, end = window(params, now_ms, days=90, default_days=7)
    begin = max(start, book.at_ms - FLOW_KEPT_MS)
    rows = [
        {"id": ident, "tranId": event.facts["tran"], "timestamp": event.at, "asset": code, "symbol": event.facts["symbol"],
         "type": word, "amount": text(amount)}
        for kind in FLOWS
        for event in book.between(kind, begin, end)
        for ident, word, code, amount in event.facts["rows"]
    ]  # fmt: skip
    rows += [
        {"id": event.facts["id"], "tranId": event.facts["id"], "timestamp": event.at, "asset": event.facts["asset"], "symbol": "",
         "type": "TRANSFER", "amount": text(abs(event.facts["amount"]))}
        for event in book.between("margin_transfer", begin, end)
    ]  # fmt: skip
    from_id = whole(params, "fromId")
    found = sorted((row for row in rows if from_id is None or row["id"] > from_id), key=lambda row: (row["timestamp"], row["id"]))
    return found[: limit(params, "limit", default=500, most=1000)] if not params.get("symbol") else []


def interest_history(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`margin/interestHistory`: thirty days a question, six months back."""
    start, end = window(params, now_ms, days=30, default_days=7)
    rows = [
        {"txId": event.facts["id"], "interestAccuredTime": event.at, "asset": event.facts["asset"],
         "rawAsset": event.facts["asset"], "principal": text(event.facts["principal"]), "interest": text(event.facts["interest"]),
         "interestRate": "0.0002", "type": "PERIODIC"}
        for event in book.between("margin_interest", max(start, book.at_ms - HALF_YEAR_MS), end)
    ]  # fmt: skip
    return paged(rows if not params.get("isolatedSymbol") else [], params)


def margin_transfers(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`margin/transfer`: thirty days a question, six months back."""
    start, end = window(params, now_ms, days=30, default_days=7)
    rows = []
    for event in book.between("margin_transfer", max(start, book.at_ms - HALF_YEAR_MS), end):
        inward = event.facts["amount"] > 0
        rows.append(
            {"amount": text(abs(event.facts["amount"])), "asset": event.facts["asset"], "status": "CONFIRMED",
             "timestamp": event.at, "txId": event.facts["id"], "type": "ROLL_IN" if inward else "ROLL_OUT",
             "transFrom": "SPOT" if inward else "CROSS_MARGIN", "transTo": "CROSS_MARGIN" if inward else "SPOT"}
        )  # fmt: skip
    return paged(rows if not params.get("isolatedSymbol") else [], params)


def futures_balance(book: BinanceBook) -> Any:
    """`/fapi/v3/balance`."""
    return [
        {"accountAlias": "SgsR", "asset": code, "balance": fixed(amount, 8), "crossWalletBalance": fixed(amount, 8),
         "crossUnPnl": "0.00000000", "availableBalance": fixed(amount, 8), "maxWithdrawAmount": fixed(amount, 8),
         "marginAvailable": True, "updateTime": book.at_ms}
        for code, amount in book.of("usdm", "collateral").items()
    ]  # fmt: skip


def income(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`/fapi/v1/income`: three months, seven days by default, oldest first, in pages."""
    start, end = whole(params, "startTime"), whole(params, "endTime") or now_ms
    begin = max(book.at_ms - FLOW_KEPT_MS, end - 7 * MS_PER_DAY if start is None else start)
    rows = [
        {"symbol": "BTCUSDT", "incomeType": event.facts["word"], "income": text(event.facts["amount"]), "asset": "USDT",
         "info": event.facts["word"], "time": event.at, "tranId": event.facts["tran"], "tradeId": ""}
        for event in book.between("futures_income", begin, end)
    ]  # fmt: skip
    rows += [
        {"symbol": "", "incomeType": "TRANSFER", "income": text(event.facts["amount"]), "asset": "USDT", "info": "TRANSFER",
         "time": event.at, "tranId": event.facts["id"], "tradeId": ""}
        for event in book.between("futures_transfer", begin, end)
    ]  # fmt: skip
    size, page = limit(params, "limit", default=100, most=1000), whole(params, "page") or 1
    rows.sort(key=lambda row: (row["time"], row["tranId"]))
    return rows[(page - 1) * size : page * size]
