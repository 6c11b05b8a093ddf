"""Binance's margin accounts, cross and isolated, and futures wallets, USD-M and COIN-M, for users who have opened them."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import fixed, text
from omnifolio_sandbox.binance.book import BinanceBook
from omnifolio_sandbox.binance.errors import Params, limit, whole, window
from omnifolio_sandbox.binance.wallets import paged
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world.binance_margin import CROSS, FLOW_KEPT_MS, HALF_YEAR_MS, ISOLATED, PAIR

FLOWS = ("fill", "borrow", "repay")


def _account(params: Params, name: str) -> str:
    """The margin account that is asked about: of one pair, where one is named, else cross."""
    return CROSS.margin if not params.get(name) else ISOLATED.margin if params[name] == PAIR else ""


def margin_account(book: BinanceBook) -> Any:
    """`margin/account`: what is held, and what is owed with the interest on it."""
    codes = sorted({*book.of("margin", "margin"), *book.of("margin", "debt")})
    return {"created": True, "borrowEnabled": True, "marginLevel": "999", "totalAssetOfBtc": "0", "totalLiabilityOfBtc": "0",
            "totalNetAssetOfBtc": "0", "tradeEnabled": True, "transferInEnabled": True, "transferOutEnabled": True,
            "accountType": "MARGIN_1", "userAssets": [_asset(book, "margin", code) for code in codes]}  # fmt: skip


def isolated_account(book: BinanceBook, params: Params) -> Any:
    """`margin/isolated/account`: the pair, where it was ever used."""
    asked = {one for one in params.get("symbols", "").split(",") if one}
    is_open = bool(book.by_kind.get("isolated_transfer")) and (not asked or PAIR in asked)
    pair = {
        "baseAsset": {**_asset(book, "isolated", "BTC"), "borrowEnabled": True, "repayEnabled": True},
        "quoteAsset": {**_asset(book, "isolated", "USDT"), "borrowEnabled": True, "repayEnabled": True},
        "symbol": PAIR, "isolatedCreated": True, "enabled": True, "marginLevel": "999", "marginLevelStatus": "EXCESSIVE",
        "marginRatio": "10", "indexPrice": "0", "liquidatePrice": "0", "liquidateRate": "0", "tradeEnabled": True,
    }  # fmt: skip
    return {"assets": [pair] if is_open else []}


def _asset(book: BinanceBook, wallet: str, code: str) -> dict[str, Any]:
    paid = sum((event.facts["interest"] for event in book.by_kind.get(f"{wallet}_interest", [])), Decimal(0))
    debt, amount = -book.of(wallet, "debt").get(code, Decimal(0)), book.of(wallet, "margin").get(code, Decimal(0))
    interest = min(debt, paid) if code == "USDT" else Decimal(0)
    return {"asset": code, "borrowed": fixed(debt - interest, 8), "free": fixed(amount, 8), "interest": fixed(interest, 8),
            "locked": "0", "netAsset": fixed(amount - debt, 8)}  # fmt: skip


def capital_flow(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`margin/capital-flow` of cross margin, or of a pair: three months, seven days by default; a transfer has no direction."""
    wallet = _account(params, "symbol")
    start, end = window(params, now_ms, days=90, default_days=7)
    begin = max(start, book.at_ms - FLOW_KEPT_MS)
    rows = [
        {"id": ident, "tranId": event.facts["tran"], "timestamp": event.at, "asset": code,
         "symbol": PAIR if wallet == ISOLATED.margin else event.facts["symbol"],
         "type": word, "amount": text(amount)}
        for kind in FLOWS
        for event in book.between(f"{wallet}_{kind}", begin, end)
        for ident, word, code, amount in event.facts["rows"]
    ]  # fmt: skip
    rows += [
        {"id": event.facts["id"], "tranId": event.facts["id"], "timestamp": event.at, "asset": event.facts["asset"],
         "symbol": params.get("symbol", ""), "type": "TRANSFER", "amount": text(abs(event.facts["amount"]))}
        for event in book.between(f"{wallet}_transfer", begin, end)
    ]  # fmt: skip
    from_id = whole(params, "fromId")
    found = sorted((row for row in rows if from_id is None or row["id"] > from_id), key=lambda row: (row["timestamp"], row["id"]))
    return found[: limit(params, "limit", default=500, most=1000)]


def interest_history(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`margin/interestHistory`: thirty days a question, six months back."""
    wallet = _account(params, "isolatedSymbol")
    pair = {"isolatedSymbol": PAIR} if wallet == ISOLATED.margin else {}
    start, end = window(params, now_ms, days=30, default_days=7)
    rows = [
        {"txId": event.facts["id"], "interestAccuredTime": event.at, "asset": event.facts["asset"],
         "rawAsset": event.facts["asset"], "principal": text(event.facts["principal"]), "interest": text(event.facts["interest"]),
         "interestRate": "0.0002", "type": "PERIODIC", **pair}
        for event in book.between(f"{wallet}_interest", max(start, book.at_ms - HALF_YEAR_MS), end)
    ]  # fmt: skip
    return paged(rows, params)


def margin_transfers(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`margin/transfer`: thirty days a question, six months back."""
    wallet = _account(params, "isolatedSymbol")
    place = "ISOLATED_MARGIN" if wallet == ISOLATED.margin else "CROSS_MARGIN"
    start, end = window(params, now_ms, days=30, default_days=7)
    rows = []
    for event in book.between(f"{wallet}_transfer", max(start, book.at_ms - HALF_YEAR_MS), end):
        inward = event.facts["amount"] > 0
        rows.append(
            {"amount": text(abs(event.facts["amount"])), "asset": event.facts["asset"], "status": "CONFIRMED",
             "timestamp": event.at, "txId": event.facts["id"], "type": "ROLL_IN" if inward else "ROLL_OUT",
             "transFrom": "SPOT" if inward else place, "transTo": place if inward else "SPOT"}
        )  # fmt: skip
    return paged(rows, params)


def usdm_balance(book: BinanceBook) -> Any:
    """`/fapi/v3/balance`."""
    return [
        {**_collateral(book, code, amount), "maxWithdrawAmount": fixed(amount, 8), "marginAvailable": True}
        for code, amount in book.of(CROSS.futures, "collateral").items()
    ]


def coinm_balance(book: BinanceBook) -> Any:
    """`/dapi/v1/balance`."""
    return [
        {**_collateral(book, code, amount), "withdrawAvailable": fixed(amount, 8)}
        for code, amount in book.of(ISOLATED.futures, "collateral").items()
    ]


def _collateral(book: BinanceBook, code: str, amount: Decimal) -> dict[str, Any]:
    return {"accountAlias": "SgsR", "asset": code, "balance": fixed(amount, 8), "crossWalletBalance": fixed(amount, 8),
            "crossUnPnl": "0.00000000", "availableBalance": fixed(amount, 8), "updateTime": book.at_ms}  # fmt: skip


def usdm_income(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`/fapi/v1/income`: three months, seven days by default, oldest first, in pages."""
    return _income(book, params, now_ms, wallet=CROSS.futures, symbol="BTCUSDT")


def coinm_income(book: BinanceBook, params: Params, now_ms: int) -> Any:
    """`/dapi/v1/income`: the same of the contracts that are margined in coin."""
    return _income(book, params, now_ms, wallet=ISOLATED.futures, symbol="BTCUSD_PERP")


def _income(book: BinanceBook, params: Params, now_ms: int, *, wallet: str, symbol: str) -> Any:
    start, end = whole(params, "startTime"), whole(params, "endTime") or now_ms
    begin = max(book.at_ms - FLOW_KEPT_MS, end - 7 * MS_PER_DAY if start is None else start)
    rows = [
        {"symbol": symbol, "incomeType": event.facts["word"], "income": text(event.facts["amount"]), "asset": event.legs[0].code,
         "info": event.facts["word"], "time": event.at, "tranId": event.facts["tran"], "tradeId": ""}
        for event in book.between(f"{wallet}_income", begin, end)
    ]  # fmt: skip
    rows += [
        {"symbol": "", "incomeType": "TRANSFER", "income": text(event.facts["amount"]), "asset": event.facts["asset"],
         "info": "TRANSFER", "time": event.at, "tranId": event.facts["id"], "tradeId": ""}
        for event in book.between(f"{wallet}_transfer", begin, end)
    ]  # fmt: skip
    size, page = limit(params, "limit", default=100, most=1000), whole(params, "page") or 1
    rows.sort(key=lambda row: (row["time"], row["tranId"]))
    return rows[(page - 1) * size : page * size]
