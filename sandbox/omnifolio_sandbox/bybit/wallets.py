"""Bybit's reads of what is there now: both accounts, savings, markets, and what a key may do."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import cut, fixed, text
from omnifolio_sandbox.bybit.book import BybitBook
from omnifolio_sandbox.bybit.errors import BybitError, Params, required
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.credentials import ADDRESS, Holder
from omnifolio_sandbox.world.bybit import PRODUCTS, SYMBOLS
from omnifolio_sandbox.world.dice import number
from omnifolio_sandbox.world.prices import token_price

RIGHTS = {
    "read": {},
    "trade": {"Spot": ["SpotTrade"], "ContractTrade": ["Order", "Position"]},
    "withdraw": {"Wallet": ["AccountTransfer", "SubMemberTransfer", "Withdraw"]},
    "unknown-flag": {"Teleport": ["Teleport"]},
    "no-history": {},
    "bound": {},
    "expiring": {},
}
FOREVER_MS = 2_157_506_465_000
"""2038-05-15: the end of keys whose end nobody meets."""


def key_info(holder: Holder, key: str, now_ms: int, end_ms: int) -> Any:
    """`user/query-api`: the asking key. Only a key that is bound to no address has an end."""
    is_bound, end_ms = holder.permission == "bound", end_ms if holder.permission == "expiring" else FOREVER_MS
    end = {"deadlineDay": (end_ms - now_ms) // MS_PER_DAY, "expiredAt": f"{datetime.fromtimestamp(end_ms // 1000, UTC):%FT%TZ}"}
    can_write = holder.permission in {"trade", "withdraw", "unknown-flag"}
    groups: dict[str, list[str]] = {
        "ContractTrade": [], "Spot": [], "Wallet": [], "Options": [], "Derivatives": [], "CopyTrading": [], "BlockTrade": [],
        "Exchange": [], "NFT": [], "Affiliate": [], "Earn": [],
    }  # fmt: skip
    return {
        "id": str(number("key", holder.user) % 10**8), "note": "books", "apiKey": key, "readOnly": 0 if can_write else 1,
        "secret": "", "permissions": groups | RIGHTS[holder.permission], "ips": [ADDRESS if is_bound else "*"], "type": 1,
        **({} if is_bound else end), "createdAt": "2023-06-01T02:36:29Z", "unified": 0, "uta": 1,
        "userID": number("uid", holder.user) % 10**8, "inviterID": 0, "vipLevel": "No VIP", "mktMakerLevel": "0",
        "affiliateID": 0, "rsaPublicKey": "", "isMaster": True, "parentUid": "0", "kycLevel": "LEVEL_DEFAULT", "kycRegion": "",
    }  # fmt: skip


def account_info(now_ms: int) -> Any:
    """`account/info`: a unified account in cross margin."""
    return {"marginMode": "REGULAR_MARGIN", "updatedTime": str(now_ms), "unifiedMarginStatus": 5, "dcpStatus": "OFF",
            "timeWindow": 0, "smpGroup": 0, "isMasterTrader": False, "spotHedgingStatus": "OFF"}  # fmt: skip


def wallet_balance(book: BybitBook, params: Params) -> Any:
    """`account/wallet-balance`: what lies in the unified account, what was borrowed for it included, and what is owed."""
    if required(params, "accountType") != "UNIFIED":
        raise BybitError(10001, "accountType only support UNIFIED.")
    asked = {one for one in params.get("coin", "").split(",") if one}
    held, owed = book.of("unified", "spot"), book.of("unified", "debt")
    coins = [
        _coin(code, held.get(code, Decimal(0)), -owed.get(code, Decimal(0)), book.at_ms)
        for code in sorted({*held, *owed})
        if not asked or code in asked
    ]
    zeros = dict.fromkeys(("accountIMRate", "accountMMRate", "totalInitialMargin", "totalMaintenanceMargin", "totalPerpUPL",
                           "accountLTV"), "0")  # fmt: skip
    worth = sum((Decimal(coin["usdValue"]) for coin in coins), Decimal(0))
    totals = dict.fromkeys(("totalEquity", "totalWalletBalance", "totalMarginBalance", "totalAvailableBalance"), text(worth))
    return {"list": [{**totals, **zeros, "accountType": "UNIFIED", "coin": coins}]}


def _coin(code: str, held: Decimal, owed: Decimal, at_ms: int) -> dict[str, Any]:
    price = token_price("bybit", code, at_ms)
    return {
        "coin": code, "equity": text(held - owed), "usdValue": text(cut((held - owed) * price, 8)) if price is not None else "0",
        "walletBalance": text(held), "locked": "0", "spotHedgingQty": "0", "borrowAmount": text(owed), "spotBorrow": text(owed),
        "accruedInterest": "0", "availableToWithdraw": "", "totalOrderIM": "0", "totalPositionIM": "0", "totalPositionMM": "0",
        "unrealisedPnl": "0", "cumRealisedPnl": "0", "bonus": "0", "marginCollateral": True, "collateralSwitch": True,
    }  # fmt: skip


def coins_balance(book: BybitBook, params: Params) -> Any:
    """`asset/transfer/query-account-coins-balance`: the coins of one account."""
    account = required(params, "accountType")
    if account not in {"FUND", "UNIFIED"}:
        raise BybitError(131200, "accountType is invalid")
    held = book.of("funding", "funding") if account == "FUND" else book.of("unified", "spot")
    asked = {one for one in params.get("coin", "").split(",") if one}
    rows = [
        {"coin": code, "transferBalance": text(amount), "walletBalance": text(amount), "bonus": "0"}
        for code, amount in held.items()
        if not asked or code in asked
    ]
    return {"memberId": str(number("uid", book.user) % 10**8), "accountType": account, "balance": rows}


def savings(book: BybitBook, params: Params) -> Any:
    """`earn/position`: flexible savings, which have no id of their own; nothing on a chain."""
    category = required(params, "category")
    if category not in {"FlexibleSaving", "OnChain"}:
        raise BybitError(10001, "category is invalid")
    held = book.of("earn", "earn") if category == "FlexibleSaving" else {}
    return {
        "list": [
            {
                "coin": code, "productId": PRODUCTS[code], "amount": text(amount), "totalPnl": "0", "claimableYield": "0",
                "id": "", "status": "", "orderId": "", "estimateRedeemTime": "", "estimateStakeTime": "",
                "estimateInterestCalculationTime": "", "settlementTime": "",
            }
            for code, amount in held.items()
            if params.get("coin", "") in {"", code}
        ]
    }  # fmt: skip


def instruments(params: Params) -> Any:
    """`market/instruments-info` of the spot markets."""
    category = required(params, "category")
    rows = [
        {
            "symbol": base + quote, "baseCoin": base, "quoteCoin": quote, "innovation": "0", "status": "Trading",
            "marginTrading": "utaOnly", "stTag": "0",
            "lotSizeFilter": {"basePrecision": fixed(Decimal(1).scaleb(-lot), 8), "quotePrecision": "0.00000001",
                              "minOrderQty": fixed(Decimal(1).scaleb(-lot), 8), "maxOrderQty": "1000000",
                              "minOrderAmt": "1", "maxOrderAmt": "4000000"},
            "priceFilter": {"tickSize": fixed(Decimal(1).scaleb(-price), 8)}, "riskParameters": {},
        }
        for base, quote, price, lot in SYMBOLS
        if category == "spot" and params.get("symbol", "") in {"", base + quote}
    ]  # fmt: skip
    return {"category": category, "list": rows, "nextPageCursor": ""}


def positions(params: Params) -> Any:
    """`position/list`: none is open when it is asked."""
    return {"category": required(params, "category"), "nextPageCursor": "", "list": []}
