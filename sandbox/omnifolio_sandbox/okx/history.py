"""OKX's histories: the bills of both accounts, fills, deposits, withdrawals, and the interest of simple earn."""

from typing import Any

from omnifolio_sandbox.amounts import text
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.okx.book import OkxBook, Row
from omnifolio_sandbox.okx.errors import OkxError, Params, page, required
from omnifolio_sandbox.world.book import Event
from omnifolio_sandbox.world.okx import KEPT_MS, LENDING_KEPT_MS

WEEK_MS = 7 * MS_PER_DAY


def bills(book: OkxBook, params: Params, now_ms: int) -> Any:
    """`account/bills`: the last seven days."""
    return _bills(book, params, now_ms, since_ms=now_ms - WEEK_MS)


def bills_archive(book: OkxBook, params: Params, now_ms: int) -> Any:
    """`account/bills-archive`: the last three months, by bill ids."""
    return _bills(book, params, now_ms, since_ms=now_ms - KEPT_MS)


def _bills(book: OkxBook, params: Params, now_ms: int, *, since_ms: int) -> Any:
    wanted = {name: params.get(name, "") for name in ("ccy", "type", "instType")}
    rows = [_bill(row) for row in book.kept_bills(now_ms) if row["at"] >= since_ms]
    return page([row for row in rows if all(not value or row[name] == value for name, value in wanted.items())], params,
                field="billId")  # fmt: skip


def _bill(row: Row) -> dict[str, Any]:
    sides, fee = row.get("sides", ("", "")), row.get("fee")
    return {
        "bal": "", "balChg": text(row["change"]), "billId": row["id"], "ccy": row["ccy"], "clOrdId": "", "execType": "T",
        "fee": text(-fee) if fee else "0", "fillTime": str(row["at"]), "from": sides[0], "to": sides[1],
        "instId": row.get("inst", ""), "instType": row.get("inst_type", ""), "interest": "0",
        "mgnMode": "cross" if row.get("inst_type") == "SWAP" else "", "notes": "", "ordId": row.get("order", ""),
        "pnl": text(row["pnl"]) if "pnl" in row else "0", "posBal": "0", "posBalChg": "0",
        "px": text(row["price"]) if "price" in row else "", "subType": row["numbers"][1],
        "sz": text(abs(row["change"])), "tag": "", "tradeId": row.get("trade", ""), "ts": str(row["at"]),
        "type": row["numbers"][0],
    }  # fmt: skip


def cash_bills(book: OkxBook, params: Params, now_ms: int) -> Any:
    """`asset/bills-history`: everything, by times or, with `pagingType` 2, by bill ids."""
    if params.get("pagingType", "1") not in {"1", "2"}:
        raise OkxError("51000", "Parameter pagingType error", 400)
    rows = [
        {
            "billId": row["id"], "ccy": row["ccy"], "clientId": "", "balChg": text(row["change"]), "bal": text(row["after"]),
            "type": row["number"], "notes": "", "ts": str(row["at"]),
        }
        for row in book.cash
        if params.get("ccy", "") in {"", row["ccy"]} and params.get("type", "") in {"", row["number"]}
    ]  # fmt: skip
    return page(rows, params, field="billId" if params.get("pagingType") == "2" else "ts")


def fills(book: OkxBook, params: Params, now_ms: int) -> Any:
    """`trade/fills-history`: three months of fills of one kind of instrument."""
    kind = required(params, "instType")
    if kind not in {"SPOT", "MARGIN", "SWAP", "FUTURES", "OPTION"}:
        raise OkxError("51000", "Parameter instType error", 400)
    events = book.newest("fill", since_ms=now_ms - KEPT_MS) if kind == "SPOT" else []
    rows = [_fill(event) for event in events if params.get("instId", "") in {"", event.facts["inst"]}]
    return page(sorted(rows, key=lambda row: int(row["billId"]), reverse=True), params, field="billId")


def _fill(event: Event) -> dict[str, Any]:
    facts = event.facts
    return {
        "instType": "SPOT", "instId": facts["inst"], "tradeId": facts["trade"], "ordId": facts["order"], "clOrdId": "",
        "billId": facts["bills"][0]["id"], "subType": "", "tag": "", "fillPx": text(facts["price"]),
        "fillSz": text(facts["quantity"]), "fillIdxPx": "", "fillPnl": "0", "fillPxVol": "", "side":
        "buy" if facts["buying"] else "sell", "posSide": "net", "execType": "T", "feeCcy": facts["fee_asset"],
        "fee": text(-facts["fee"]), "ts": str(event.at), "fillTime": str(event.at), "feeRate": "-0.001",
    }  # fmt: skip


def deposits(book: OkxBook, params: Params, now_ms: int) -> Any:
    """`asset/deposit-history`: by times, newest first."""
    rows = [
        {
            "actualDepBlkConfirm": "12", "amt": text(event.legs[0].amount), "areaCodeFrom": "", "ccy": event.legs[0].code,
            "chain": event.facts["chain"], "depId": event.ref, "from": "", "fromWdId": "", "state": "2",
            "to": event.facts["address"], "ts": str(event.at), "txId": event.facts["txid"],
        }
        for event in book.newest("deposit")
        if params.get("ccy", "") in {"", event.legs[0].code}
    ]  # fmt: skip
    return page(rows, params, field="ts")


def withdrawals(book: OkxBook, params: Params, now_ms: int) -> Any:
    """`asset/withdrawal-history`: by times, failed ones included."""
    rows = [
        {
            "chain": event.facts["chain"], "fee": text(event.facts["fee"]), "feeCcy": event.facts["code"],
            "ccy": event.facts["code"], "clientId": "", "amt": text(event.facts["amount"]), "txId": event.facts["txid"],
            "from": "", "areaCodeFrom": "", "to": event.facts["address"], "areaCodeTo": "", "ts": str(event.at),
            "state": "2" if event.kind == "withdrawal" else "-1", "wdId": event.ref, "nonTradableAsset": False,
        }
        for event in book.newest("withdrawal", "failed_withdrawal")
        if params.get("ccy", "") in {"", event.facts["code"]}
    ]  # fmt: skip
    return page(rows, params, field="ts")


def lending(book: OkxBook, params: Params, now_ms: int) -> Any:
    """`finance/savings/lending-history`: a month of hours."""
    rows = [
        {
            "ccy": event.facts["asset"], "amt": text(event.facts["lent"]), "earnings": text(event.facts["amount"]),
            "rate": text(event.facts["rate"]), "ts": str(event.at),
        }
        for event in book.newest("lending", since_ms=now_ms - LENDING_KEPT_MS)
        if params.get("ccy", "") in {"", event.facts["asset"]}
    ]  # fmt: skip
    return page(rows, params, field="ts")
