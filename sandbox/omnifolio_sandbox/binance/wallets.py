"""Binance's reads of what is there now: account, funding, earn positions, coins, snapshots, key restrictions."""

from decimal import Decimal
from typing import Any

from omnifolio_sandbox.amounts import cut, fixed, near, ratio, text
from omnifolio_sandbox.binance.book import BinanceBook, listed
from omnifolio_sandbox.binance.errors import BinanceError, Params, limit, required, whole
from omnifolio_sandbox.clock import MS_PER_DAY
from omnifolio_sandbox.credentials import Holder
from omnifolio_sandbox.world.binance import WITHDRAWAL_FEES, position_id
from omnifolio_sandbox.world.chains import NETWORKS
from omnifolio_sandbox.world.dice import number
from omnifolio_sandbox.world.prices import token_price
from omnifolio_sandbox.world.tokens import ASSETS, FIAT

SNAPSHOT_DAYS_MAX = 30
FLAGS = {
    "read": {},
    "trade": {"enableSpotAndMarginTrading": True},
    "withdraw": {"enableWithdrawals": True},
    "unknown-flag": {"enableTeleport": True},
    "no-history": {"enableReading": False},
    "bound": {"ipRestrict": True},
    "expiring": {},
}


def restrictions(holder: Holder) -> Any:
    """`account/apiRestrictions`."""
    flags = {
        "ipRestrict": False, "createTime": 1_690_000_000_000 + number("key", holder.user) % 10**10,
        "enableReading": True, "enableSpotAndMarginTrading": False, "enableWithdrawals": False,
        "enableInternalTransfer": False, "enableMargin": False, "enableFutures": False,
        "permitsUniversalTransfer": False, "enableVanillaOptions": False, "enableFixApiTrade": False,
        "enableFixReadOnly": False, "enablePortfolioMarginTrading": False,
    }  # fmt: skip
    return {**flags, **FLAGS[holder.permission]}


def account(book: BinanceBook, params: Params, holder: Holder) -> Any:
    """`account`: the spot wallet, LD receipts of flexible Simple Earn included."""
    omit = params.get("omitZeroBalances") == "true"
    fee = {"maker": "0.00100000", "taker": "0.00100000", "buyer": "0.00000000", "seller": "0.00000000"}
    return {
        "makerCommission": 10, "takerCommission": 10, "buyerCommission": 0, "sellerCommission": 0,
        "commissionRates": fee, "canTrade": holder.permission == "trade",
        "canWithdraw": holder.permission == "withdraw",
        "canDeposit": True, "brokered": False, "requireSelfTradePrevention": False, "preventSor": False,
        "updateTime": book.at_ms, "accountType": "SPOT",
        "balances": [
            {"asset": code, "free": fixed(free, 8), "locked": fixed(locked, 8)}
            for code, free, locked in book.spot_rows()
            if free or locked or not omit
        ],
        "permissions": ["SPOT"], "uid": 100_000_000 + number("uid", book.user) % 900_000_000,
    }  # fmt: skip


def funding(book: BinanceBook, params: Params) -> Any:
    """`asset/get-funding-asset`."""
    asked = params.get("asset")
    return [
        {"asset": code, "free": fixed(amount, 8), "locked": "0", "freeze": "0", "withdrawing": "0",
         "btcValuation": _in_btc(code, amount, book.at_ms)}
        for code, amount in book.wallets["funding"].items()
        if asked in {None, "", code}
    ]  # fmt: skip


def _in_btc(code: str, amount: Decimal, at_ms: int) -> str:
    price, bitcoin = token_price("binance", code, at_ms), token_price("binance", "BTC", at_ms)
    assert bitcoin is not None
    return fixed(ratio(amount * price, bitcoin, 8), 8) if price is not None else "0"


def wallet_balance(book: BinanceBook) -> Any:
    """`asset/wallet/balance`: each wallet's worth in BTC."""
    names = {
        "Spot": "spot",
        "Funding": "funding",
        "Earn": "earn",
        "Cross Margin": "margin",
        "Isolated Margin": "isolated",
        "USDⓈ-M Futures": "usdm",
        "COIN-M Futures": "coinm",
    }
    rows = []
    for name in ("Spot", "Funding", "Cross Margin", "Isolated Margin", "USDⓈ-M Futures", "COIN-M Futures", "Earn",
                 "Options", "Trading Bots"):  # fmt: skip
        held = book.wallets.get(names.get(name, ""), {})
        worth = sum((Decimal(_in_btc(code, amount, book.at_ms)) for code, amount in held.items()), Decimal(0))
        rows.append({"activate": bool(held), "balance": text(worth), "walletName": name})
    return rows


def coin_list(book: BinanceBook) -> Any:
    """`capital/config/getall`."""
    spot = {code: (free, locked) for code, free, locked in book.spot_rows()}
    return [
        {
            "coin": code, "depositAllEnable": True, "withdrawAllEnable": True, "name": ASSETS[code].name,
            "free": fixed(spot[code][0], 8), "locked": fixed(spot[code][1], 8), "freeze": "0", "withdrawing": "0",
            "ipoing": "0", "ipoable": "0", "storage": "0", "isLegalMoney": ASSETS[code].kind == FIAT, "trading": True,
            "networkList": [_network(code)] if code in NETWORKS else [],
        }
        for code in listed()
    ]  # fmt: skip


def _network(code: str) -> dict[str, Any]:
    name = NETWORKS[code].binance_network
    return {
        "network": name, "coin": code, "withdrawIntegerMultiple": "0.00000001", "isDefault": True,
        "depositEnable": True, "withdrawEnable": True, "depositDesc": "", "withdrawDesc": "", "specialTips": "",
        "name": NETWORKS[code].kraken_network, "resetAddressStatus": False, "addressRegex": "", "memoRegex": "",
        "withdrawFee": WITHDRAWAL_FEES.get(code, "0"), "withdrawMin": "0.001", "withdrawMax": "100000",
        "minConfirm": 1, "unLockConfirm": 2, "sameAddress": False, "estimatedArrivalTime": 5, "busy": False,
    }  # fmt: skip


def paged(rows: list[dict[str, Any]], params: Params) -> Any:
    """Simple Earn's paging: `current` from 1, `size` up to 100."""
    size = limit(params, "size", default=10, most=100)
    current = whole(params, "current") or 1
    return {"rows": rows[(current - 1) * size : current * size], "total": len(rows)}


def flexible_positions(book: BinanceBook, params: Params) -> Any:
    """`simple-earn/flexible/position`."""
    rows = []
    for code, amount in book.positions(flexible=True):
        if params.get("asset") in {None, "", code}:
            paid = fixed(book.rewards_of(code), 8)
            rows.append(
                {
                    "totalAmount": fixed(amount, 8), "latestAnnualPercentageRate": "0.02599895",
                    "tierAnnualPercentageRate": {}, "yesterdayAirdropPercentageRate": "0", "asset": code,
                    "airDropAsset": "", "canRedeem": True, "collateralAmount": "0", "productId": f"{code}001",
                    "yesterdayRealTimeRewards": "0", "cumulativeBonusRewards": "0", "cumulativeRealTimeRewards": paid,
                    "cumulativeTotalRewards": paid, "autoSubscribe": False,
                }
            )  # fmt: skip
    return paged(rows, params)


def locked_positions(book: BinanceBook, params: Params) -> Any:
    """`simple-earn/locked/position`."""
    rows = []
    for code, amount in book.positions(flexible=False):
        if params.get("asset") in {None, "", code}:
            bought = max(e.at for e in book.by_kind["subscription"] if e.facts["asset"] == code)
            rows.append(
                {
                    "positionId": int(position_id(code)), "parentPositionId": int(position_id(code)),
                    "projectId": f"{code}*90", "asset": code, "amount": fixed(amount, 8), "purchaseTime": str(bought),
                    "duration": "90", "accrualDays": str((book.at_ms - bought) // MS_PER_DAY), "rewardAsset": code,
                    "APY": "0.0523", "rewardAmt": fixed(book.rewards_of(code), 8), "extraRewardAsset": "",
                    "extraRewardAPR": "0", "estExtraRewardAmt": "0", "nextPay": "0", "nextPayDate": "0",
                    "payPeriod": "1", "redeemAmountEarly": fixed(amount, 8), "rewardsEndDate": "0",
                    "deliverDate": str(bought + 90 * MS_PER_DAY), "redeemPeriod": "1", "redeemingAmt": "0",
                    "redeemTo": "SPOT", "canRedeemEarly": True, "canFastRedemption": False, "autoSubscribe": False,
                    "type": "AUTO", "status": "HOLDING", "canReStake": False,
                }
            )  # fmt: skip
    return paged(rows, params)


def snapshots(book: BinanceBook, params: Params) -> Any:
    """`accountSnapshot` of the spot wallet: the end of each of the last days."""
    if required(params, "type") != "SPOT":
        raise BinanceError(-1130, "Invalid data sent for a parameter: type.")
    days = limit(params, "limit", default=7, most=SNAPSHOT_DAYS_MAX)
    found = []
    midnight = book.at_ms - book.at_ms % MS_PER_DAY
    for back in range(days):
        at = midnight - back * MS_PER_DAY - 1000
        spot = {key[2]: amount for key, amount in book.account.balances(at).items() if key[0] == "spot"}
        total = sum((Decimal(_in_btc(code, amount, at)) for code, amount in spot.items()), Decimal(0))
        rows = [{"asset": code, "free": text(cut(amount, 8)), "locked": "0"} for code, amount in spot.items()]
        found.append({"data": {"balances": rows, "totalAssetOfBtc": text(near(total, 8))}, "type": "spot", "updateTime": at})
    return {"code": 200, "msg": "", "snapshotVos": found[::-1]}
