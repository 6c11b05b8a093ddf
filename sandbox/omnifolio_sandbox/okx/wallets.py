"""OKX's reads of what is there now: both accounts, simple earn, the sub-account, instruments, and what a key may do."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import cut, fixed, text
from omnifolio_sandbox.credentials import ADDRESS, Holder
from omnifolio_sandbox.okx.book import OkxBook
from omnifolio_sandbox.okx.errors import OkxError, Params, required
from omnifolio_sandbox.world.dice import number
from omnifolio_sandbox.world.okx import SUB, SUB_FUNDING, SUB_TRADING, SYMBOLS
from omnifolio_sandbox.world.prices import token_price

PERMISSIONS = {
    "read": "read_only",
    "trade": "read_only,trade",
    "withdraw": "read_only,withdraw",
    "unknown-flag": "read_only,teleport",
    "no-history": "read_only",
    "bound": "read_only",
    "expiring": "read_only",
}


def config(holder: Holder) -> Any:
    """`account/config`: the account, and the asking key's permissions and addresses."""
    uid = str(number("uid", holder.user) % 10**17)
    bound_to = ADDRESS if holder.permission == "bound" else ""
    return [
        {
            "acctLv": "2", "acctStpMode": "cancel_maker", "autoLoan": False, "ctIsoMode": "automatic", "enableSpotBorrow": False,
            "greeksType": "PA", "ip": bound_to, "type": "0", "kycLv": "3", "label": "books", "level": "Lv1", "levelTmp": "",
            "liquidationGear": "-1", "mainUid": uid, "mgnIsoMode": "automatic", "opAuth": "0",
            "perm": PERMISSIONS[holder.permission], "posMode": "net_mode", "roleType": "0", "spotBorrowAutoRepay": False,
            "spotOffsetType": "", "spotRoleType": "0", "spotTraderInsts": [], "traderInsts": [], "uid": uid,
        }
    ]  # fmt: skip


def balance(book: OkxBook, params: Params) -> Any:
    """`account/balance`: the trading account."""
    asked = {one for one in params.get("ccy", "").split(",") if one}
    return _trading(book, book.of("trading", "spot"), asked)


def _trading(book: OkxBook, held: dict[str, Decimal], asked: set[str]) -> Any:
    details = [_detail(book, code, amount) for code, amount in held.items() if not asked or code in asked]
    worth = sum((Decimal(one["eqUsd"]) for one in details), Decimal(0))
    return [{"adjEq": "", "imr": "", "isoEq": "0", "mgnRatio": "", "mmr": "", "notionalUsd": "", "ordFroz": "", "upl": "0",
             "totalEq": text(worth), "uTime": str(book.at_ms), "details": details}]  # fmt: skip


def _detail(book: OkxBook, code: str, amount: Decimal) -> dict[str, Any]:
    price = token_price("okx", code, book.at_ms)
    zeros = dict.fromkeys(("frozenBal", "ordFrozen", "isoEq", "isoUpl", "upl", "stgyEq", "spotIsoBal", "borrowFroz"), "0")
    return {**zeros, "ccy": code, "cashBal": text(amount), "eq": text(amount), "availBal": text(amount), "availEq": text(amount),
            "liab": "", "crossLiab": "", "isoLiab": "", "interest": "", "uTime": str(book.at_ms),
            "eqUsd": text(cut(amount * price, 8)) if price is not None else "0"}  # fmt: skip


def funding(held: dict[str, Decimal], params: Params) -> Any:
    """`asset/balances`: a funding account."""
    asked = {one for one in params.get("ccy", "").split(",") if one}
    return [
        {"ccy": code, "bal": text(amount), "frozenBal": "0", "availBal": text(amount)}
        for code, amount in held.items()
        if not asked or code in asked
    ]


def savings(book: OkxBook) -> Any:
    """`finance/savings/balance`: simple earn, with what it earned in it."""
    return [
        {"ccy": code, "amt": text(amount), "earnings": "0", "rate": "0.01", "loanAmt": text(amount), "pendingAmt": "0",
         "redemptAmt": "0"}
        for code, amount in book.of("earn", "earn").items()
    ]  # fmt: skip


def subaccounts(params: Params) -> Any:
    """`users/subaccount/list` of a master's key."""
    if params.get("subAcct", "") not in {"", SUB}:
        raise OkxError("59410", "Operation failed. Sub-account does not exist.", 400)
    return [{"type": "1", "enable": True, "subAcct": SUB, "uid": "446556474825342", "label": "savings", "mobile": "",
             "gAuth": False, "frozenFunc": [], "canTransOut": True, "ts": "1688169600000"}]  # fmt: skip


def sub_trading(book: OkxBook, params: Params) -> Any:
    """`account/subaccount/balances`."""
    _known(params)
    return _trading(book, book.of(*SUB_TRADING), set())


def sub_funding(book: OkxBook, params: Params) -> Any:
    """`asset/subaccount/balances`."""
    _known(params)
    return funding(book.of(*SUB_FUNDING), params)


def _known(params: Params) -> None:
    if required(params, "subAcct") != SUB:
        raise OkxError("59410", "Operation failed. Sub-account does not exist.", 400)


def instruments(params: Params) -> Any:
    """`public/instruments` of the spot markets."""
    return [
        {
            "instType": "SPOT", "instId": f"{base}-{quote}", "instFamily": "", "uly": "", "baseCcy": base, "quoteCcy": quote,
            "settleCcy": "", "ctVal": "", "ctMult": "", "ctValCcy": "", "optType": "", "stk": "", "listTime": "1611907686000",
            "expTime": "", "lever": "", "tickSz": fixed(Decimal(1).scaleb(-price), price),
            "lotSz": fixed(Decimal(1).scaleb(-lot), lot), "minSz": fixed(Decimal(1).scaleb(-lot), lot), "ctType": "", "alias": "",
            "state": "live", "maxLmtSz": "9999999999", "maxMktSz": "1000000", "maxLmtAmt": "20000000", "maxMktAmt": "1000000",
        }
        for base, quote, price, lot in SYMBOLS
        if required(params, "instType") == "SPOT" and params.get("instId", "") in {"", f"{base}-{quote}"}
    ]  # fmt: skip
