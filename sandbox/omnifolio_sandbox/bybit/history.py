"""Bybit's histories: the unified account's log, fills, transfers, deposits, withdrawals, conversions, savings, funding's log."""

from typing import Any

from omnifolio_sandbox.amounts import ratio, text
from omnifolio_sandbox.bybit.book import BybitBook, Row
from omnifolio_sandbox.bybit.errors import BybitError, Params, limit, page, required, whole, window
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.bybit import PRODUCTS
from omnifolio_sandbox.world.dice import number

WEEK_MS, MONTH_MS = 7 * MS_PER_DAY, 30 * MS_PER_DAY
SUCCESS, CREDITED, INTERNAL_DONE = "success", 3, 2


def transaction_log(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`account/transaction-log`: seven days a question, two years back, newest first, fifty a page."""
    if params.get("accountType", "UNIFIED") != "UNIFIED":
        raise BybitError(10001, "accountType is invalid")
    start, end = window(params, now_ms, span_ms=WEEK_MS, default_ms=MS_PER_DAY)
    wanted = {name: params.get(name, "") for name in ("category", "currency", "type")}
    rows = [
        row
        for row in book.rows(book.log, start, end, now_ms)
        if all(not value or row.get(name, "") == value for name, value in wanted.items())
    ]
    found, cursor = page([_log_row(row) for row in rows], params, most=50, default=20)
    return {"list": found, "nextPageCursor": cursor}


def _log_row(row: Row) -> dict[str, Any]:
    symbol, flow = str(row.get("symbol", "")), row.get("flow")
    cash = row["change"] + row["fee"] if flow is None else flow
    return {
        "id": row["id"], "symbol": symbol, "category": row.get("category", ""), "side": row.get("side", "None"),
        "transactionTime": str(row["at"]), "type": row["type"], "transSubType": "",
        "qty": text(row["quantity"]) if "quantity" in row else text(abs(row["change"])),
        "size": text(row["quantity"]) if "quantity" in row else "", "currency": row["currency"],
        "tradePrice": text(row["price"]) if "price" in row else "", "funding": text(row["funding"]) if "funding" in row else "",
        "fee": text(row["fee"]), "cashFlow": text(cash), "change": text(row["change"]), "cashBalance": "",
        "feeRate": "", "bonusChange": "", "tradeId": row.get("trade", ""), "orderId": row.get("order", ""),
        "orderLinkId": "", "extraFees": "",
    }  # fmt: skip


def funding_log(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`asset/fundinghistory`: seconds, seven days a question, rows without a number of their own."""
    start, end = window(
        params, now_ms, span_ms=WEEK_MS, default_ms=WEEK_MS, names=("createTimeFrom", "createTimeTo"), unit_ms=1000
    )
    rows = [
        {
            "currency": row["currency"], "createTime": str(row["at"] // 1000), "ioDirection": "I" if row["amount"] > 0 else "O",
            "txnAmt": text(abs(row["amount"])), "afterAmt": text(row["after"]), "showBusiTypeEn": row["words"][0],
            "descriptionEn": row["words"][1],
        }
        for row in book.rows(book.cash, start, end, now_ms)
        if params.get("currency", "") in {"", row["currency"]}
    ]  # fmt: skip
    found, cursor = page(rows, params, most=100, default=20)
    return {"list": found, "nextPageCursor": cursor}


def executions(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`execution/list`: fills of one category, seven days a question."""
    category = required(params, "category")
    if category not in {"spot", "linear", "inverse", "option"}:
        raise BybitError(10001, "Illegal category")
    start, end = window(params, now_ms, span_ms=WEEK_MS, default_ms=WEEK_MS)
    events = book.between(("fill",), start, end, now_ms) if category == "spot" else []
    rows = [_fill(event) for event in events if params.get("symbol", "") in {"", event.facts["symbol"]}]
    found, cursor = page(rows, params, most=100, default=50)
    return {"nextPageCursor": cursor, "category": category, "list": found}


def _fill(event: Event) -> dict[str, Any]:
    facts = event.facts
    return {
        "symbol": facts["symbol"], "orderType": "Market", "underlyingPrice": "", "orderLinkId": "", "side": facts["side"],
        "indexPrice": "", "orderId": facts["order"], "stopOrderType": "", "leavesQty": "0", "execTime": str(event.at),
        "feeCurrency": facts["fee_asset"], "isMaker": False, "execFee": text(facts["fee"]), "feeRate": "0.001",
        "execId": facts["trade"], "tradeIv": "", "blockTradeId": "", "markPrice": "", "execPrice": text(facts["price"]),
        "markIv": "", "orderQty": text(facts["quantity"]), "orderPrice": text(facts["price"]),
        "execValue": text(facts["cost"]), "execType": "Trade", "execQty": text(facts["quantity"]), "closedSize": "",
        "seq": number(facts["trade"]) % 10**9, "extraFees": "",
    }  # fmt: skip


def transfers(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`asset/transfer/query-inter-transfer-list`: seven days a question."""
    start, end = window(params, now_ms, span_ms=WEEK_MS, default_ms=WEEK_MS)
    rows = [
        {
            "transferId": event.facts["transfer"], "coin": event.facts["asset"], "amount": text(abs(event.facts["amount"])),
            "fromAccountType": "FUND" if event.facts["amount"] > 0 else "UNIFIED",
            "toAccountType": "UNIFIED" if event.facts["amount"] > 0 else "FUND", "timestamp": str(event.at), "status": "SUCCESS",
        }
        for event in book.between(("transfer",), start, end, now_ms)
        if params.get("coin", "") in {"", event.facts["asset"]}
    ]  # fmt: skip
    found, cursor = page(rows, params, most=50, default=20)
    return {"list": found, "nextPageCursor": cursor}


def deposits(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`asset/deposit/query-record`: thirty days a question, by the time of the credit."""
    start, end = window(params, now_ms, span_ms=MONTH_MS, default_ms=MONTH_MS)
    rows = [
        {
            "id": "", "coin": event.legs[0].code, "chain": event.facts["network"], "amount": text(event.legs[0].amount),
            "txID": event.facts["txid"], "status": CREDITED, "toAddress": event.facts["address"], "tag": "", "depositFee": "",
            "successAt": str(event.at), "confirmations": "12", "txIndex": "0", "blockHash": "", "batchReleaseLimit": "-1",
            "depositType": "0", "fromAddress": "", "taxDepositRecordsId": "", "taxStatus": 0,
        }
        for event in book.between(("deposit",), start, end, now_ms)
        if params.get("coin", "") in {"", event.legs[0].code}
    ]  # fmt: skip
    found, cursor = page(rows, params, most=50, default=50)
    return {"rows": found, "nextPageCursor": cursor}


def internal_deposits(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`asset/deposit/query-internal-record`: what other customers sent."""
    start, end = window(params, now_ms, span_ms=MONTH_MS, default_ms=MONTH_MS)
    rows = [
        {
            "id": event.ref, "type": 1, "coin": event.legs[0].code, "amount": text(event.legs[0].amount), "status": INTERNAL_DONE,
            "address": "xxxx***@example.org", "createdTime": str(event.at // 1000), "txID": "",
        }
        for event in book.between(("internal",), start, end, now_ms)
    ]  # fmt: skip
    found, cursor = page(rows, params, most=50, default=50)
    return {"rows": found, "nextPageCursor": cursor}


def withdrawals(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`asset/withdraw/query-record`: thirty days a question, failed ones included."""
    start, end = window(params, now_ms, span_ms=MONTH_MS, default_ms=MONTH_MS)
    if params.get("withdrawType", "0") not in {"0", "1", "2"}:
        raise BybitError(10001, "withdrawType is invalid")
    rows = [
        {
            "coin": event.facts["code"], "chain": event.facts["network"], "amount": text(event.facts["amount"]),
            "txID": event.facts["txid"], "status": SUCCESS if event.kind == "withdrawal" else "Fail",
            "toAddress": event.facts["address"], "tag": "", "withdrawFee": text(event.facts["fee"]),
            "createTime": str(event.at), "updateTime": str(event.at), "withdrawId": event.ref, "withdrawType": 0,
        }
        for event in book.between(("withdrawal", "failed_withdrawal"), start, end, now_ms)
        if params.get("withdrawType", "0") in {"0", "2"} and params.get("coin", "") in {"", event.facts["code"]}
    ]  # fmt: skip
    found, cursor = page(rows, params, most=50, default=50)
    return {"rows": found, "nextPageCursor": cursor}


def conversions(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`asset/exchange/query-convert-history`: pages from 1."""
    size, index = limit(params, "limit", default=20, most=100), whole(params, "index") or 1
    rows = [
        {
            "accountType": "eb_convert_funding", "exchangeTxId": event.ref, "userId": "", "fromCoin": event.facts["from"],
            "fromCoinType": "crypto", "fromAmount": text(event.facts["from_amount"]), "toCoin": event.facts["to"],
            "toCoinType": "crypto", "toAmount": text(event.facts["to_amount"]), "exchangeStatus": SUCCESS, "extInfo": {},
            "convertRate": text(ratio(event.facts["to_amount"], event.facts["from_amount"], 10)), "createdAt": str(event.at),
        }
        for event in book.between(("convert",), 0, now_ms, now_ms)
    ]  # fmt: skip
    return {"list": rows[(index - 1) * size : index * size]}


def small_balances(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`asset/covert/small-balance-history` (the venue's own spelling): pages from 1, `size` up to 100."""
    size, current = limit(params, "size", default=50, most=100), whole(params, "cursor") or 1
    rows = [
        {
            "accountType": "eb_convert_funding", "exchangeTxId": event.ref, "toCoin": "USDT",
            "toAmount": text(event.facts["got"]), "subRecords": [
                {
                    "fromCoin": part["asset"], "fromAmount": text(part["amount"]), "toCoin": "USDT",
                    "toAmount": text(part["got"]), "feeCoin": "USDT", "feeAmount": text(part["fee"]), "status": SUCCESS,
                    "taxFeeInfo": {},
                }
                for part in event.facts["parts"]
            ],
            "status": SUCCESS, "createdAt": str(event.at), "exchangeSource": "small_asset_uta_web", "feeCoin": "USDT",
            "totalFeeAmount": text(event.facts["fee"]), "totalTaxFeeInfo": {},
        }
        for event in book.between(("dust",), 0, now_ms, now_ms)
    ]  # fmt: skip
    chosen = rows[(current - 1) * size : current * size]
    return {"cursor": str(current), "size": str(size), "lastPage": str(-(-len(rows) // size)), "totalCount": str(len(rows)),
            "records": chosen}  # fmt: skip


def savings_orders(book: BybitBook, params: Params, now_ms: int) -> Any:
    """`earn/order`: one category, seven days a question."""
    category = required(params, "category")
    if category not in {"FlexibleSaving", "OnChain"}:
        raise BybitError(10001, "category is invalid")
    start, end = window(params, now_ms, span_ms=WEEK_MS, default_ms=WEEK_MS)
    events = book.between(("savings",), start, end, now_ms) if category == "FlexibleSaving" else []
    rows = [
        {
            "coin": event.facts["asset"], "orderValue": text(abs(event.facts["amount"])),
            "orderType": "Stake" if event.facts["amount"] > 0 else "Redeem", "orderId": event.ref, "orderLinkId": "",
            "status": "Success", "createdAt": str(event.at), "productId": PRODUCTS[event.facts["asset"]],
            "updatedAt": str(event.at), "swapOrderValue": "", "estimateRedeemTime": "", "estimateStakeTime": "",
        }
        for event in events
    ]  # fmt: skip
    found, cursor = page(rows, params, most=100, default=50)
    return {"list": found, "nextPageCursor": cursor}
