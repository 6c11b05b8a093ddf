"""What is particular to BingX: fills need a symbol and reach one day back, so the history of orders is what tells trades.

It needs no symbol, and each order is one trade of what was executed. Deposits name a coin with its network glued on. Records of
transfers ask for each direction; those between fund and spot account, and the futures' flow of money, are told only to keys that
may do more than read, so they are not asked. VST is play money and is left out everywhere.
Source: bingx-api.github.io/docs: spot account balance, fund account balance, historyOrders, myTrades, capital/deposit/hisrec,
capital/withdraw/history, asset/transfer, swap and cswap user/balance, contract balance, swap user/income, apiPermissions.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import ZERO, parse_amount, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Product, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.quirks.bingx_positions import asked, open_positions
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.telling import Held, RowsOf, Source, fill, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso, from_ms

PLAY_MONEY = "VST"
GLUED_NETWORKS = ("TRC20", "ERC20", "BEP20")
"""Networks whose name stands behind a coin's: USDTTRC20."""

_FUND: tuple[str, Product] = ("fund", "funding")
_SPOT: tuple[str, Product] = ("spot", "spot")
_STANDARD: tuple[str, Product] = ("standard", "collateral")
_PERPETUAL: tuple[str, Product] = ("perpetual", "collateral")
_COIN_PERPETUAL: tuple[str, Product] = ("coin_perpetual", "collateral")

_DEPOSIT_STATUSES: Mapping[str, Status] = {"1": "confirmed", "2": "failed"}
_WITHDRAWAL_STATUSES: Mapping[str, Status] = {"4": "pending", "5": "failed", "6": "confirmed"}
_TRANSFER_STATUSES: Mapping[str, Status] = {"CONFIRMED": "confirmed", "FAILED": "failed"}
_INSIDE = "2"
_WALLETS = {"FUND": "fund", "SFUTURES": "standard", "PFUTURES": "perpetual", "STRADING": "grid", "CTRADING": "copy"}
_INCOME_KINDS: Mapping[str, Kind] = {
    "REALIZED_PNL": "realized_pnl",
    "FUNDING_FEE": "funding_payment",
    "TRADING_FEE": "fee",
    "INSURANCE_CLEAR": "liquidation",
    "TRIAL_FUND": "reward",
    "ADL": "realized_pnl",
    "SYSTEM_DEDUCTION": "fee",
}
_TOLD_BY_TRANSFERS = "TRANSFER"


def _data(evidence: Evidence) -> Any:
    """What an envelope holds. Raises: VenueBadResponse for an answer that carries an error."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if str(body.get("code", "0")) != "0":
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return body.get("data")


def _rows_in(name: str) -> RowsOf:
    """Rows in a list of the enveloped object; "" is the enveloped list itself."""

    def rows(evidence: Evidence) -> list[Any]:
        data = _data(evidence)
        if name:
            data = expect_dict(data, evidence, where="data").get(name)
        return expect_list(data, evidence, where=name or "data")

    return rows


# Balances.


def _free_and_locked(place: tuple[str, Product]) -> Any:
    def read(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
        if row["asset"] != PLAY_MONEY:
            amounts = (parse_amount(row[name], where=name) for name in ("free", "locked"))
            yield *place, context.codes.token(row["asset"]), total(amounts)

    return read


def _collateral(place: tuple[str, Product]) -> Any:
    """What lies behind contracts, without profit that is not realised; a currency never used is told with an empty text."""

    def read(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
        if row["asset"] != PLAY_MONEY:
            amount = ZERO if row["balance"] == "" else parse_amount(row["balance"], where="balance")
            yield *place, context.codes.token(row["asset"]), amount

    return read


balances = snapshots(
    Source(path_end="/spot/v1/account/balance", rows_of=_rows_in("balances"), read=_free_and_locked(_SPOT), tells=(_SPOT,)),
    Source(path_end="/fund/v1/account/balance", rows_of=_rows_in("assets"), read=_free_and_locked(_FUND), tells=(_FUND,)),
    Source(path_end="/contract/v1/balance", rows_of=_rows_in(""), read=_collateral(_STANDARD), tells=(_STANDARD,)),
    Source(path_end="/swap/v3/user/balance", rows_of=_rows_in(""), read=_collateral(_PERPETUAL), tells=(_PERPETUAL,)),
    Source(path_end="/cswap/v1/user/balance", rows_of=_rows_in(""), read=_collateral(_COIN_PERPETUAL), tells=(_COIN_PERPETUAL,)),
)


# Trades.


def _order(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """What was executed of an order; its fee is told as a negative number, without `feeAsset` in what the side receives."""
    codes, executed = context.codes, parse_amount(row["executedQty"], where="executedQty")
    if not executed:
        return None
    base, quote = _pair(row)
    cost, fee = parse_amount(row["cummulativeQuoteQty"], where="cummulativeQuoteQty"), _fee(row.get("fee"))
    fee_code = row.get("feeAsset") or (base if str(row["side"]).upper() == "BUY" else quote)
    legs = fill(
        row["side"],
        base=codes.token(base),
        quote=codes.token(quote),
        amount=executed,
        cost=cost,
        fee=fee,
        fee_token=codes.token(fee_code),
        wallet="spot",
    )
    at = from_ms(row.get("updateTime") or row["time"])
    return told(context, ref=row["orderId"], at=at, kind="trade", legs=legs, label=f"{row['side']} {row['status']}".lower())


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    codes, buys = context.codes, row["isBuyer"]
    if not isinstance(buys, bool):
        raise InvalidField("isBuyer: expected true or false")
    base, quote = _pair(row)
    fee_code = row.get("commissionAsset") or (base if buys else quote)
    legs = fill(
        "buy" if buys else "sell",
        base=codes.token(base),
        quote=codes.token(quote),
        amount=parse_amount(row["qty"], where="qty"),
        cost=parse_amount(row["quoteQty"], where="quoteQty"),
        fee=_fee(row.get("commission")),
        fee_token=codes.token(fee_code),
        wallet="spot",
    )
    label = "maker" if row.get("isMaker") else "taker"
    return told(context, ref=row["id"], at=from_ms(row["time"]), kind="trade", legs=legs, label=label)


def _pair(row: Mapping[str, Any]) -> tuple[str, str]:
    base, separator, quote = str(row["symbol"]).partition("-")
    if not separator:
        raise InvalidField("symbol: expected BASE-QUOTE")
    return base, quote


def _fee(raw: Any) -> Decimal:
    """A fee as what is paid, whatever its sign: spot orders know no rebate."""
    return abs(parse_amount(raw or "0", where="fee"))


# Money in, out and between the wallets.


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    """A deposit has no id: the coin in its chain transaction is its name. What is seen on the chain alone is not credited."""
    coin = _coin(row)
    if not row["txId"]:
        raise InvalidField("txId: the row has none")
    legs = (Leg("amount", "fund", context.codes.token(coin), parse_amount(row["amount"])),)
    return told(
        context,
        ref=f"{row['txId']}/{coin}",
        at=from_ms(row["insertTime"]),
        kind="deposit",
        legs=legs,
        label=str(row["status"]),
        status=_DEPOSIT_STATUSES.get(str(row["status"]), "pending"),
        event=_event(context, row),
    )


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    """The amount is what was sent, its fee stands beside. Without a status a row with a transaction has been sent."""
    token = context.codes.token(_coin(row))
    legs = (
        Leg("amount", "fund", token, -parse_amount(row["amount"]), "principal", row.get("address") or None),
        Leg("fee", "fund", token, -parse_amount(row.get("transactionFee") or "0", where="transactionFee"), "fee"),
    )
    status = _WITHDRAWAL_STATUSES.get(str(row.get("status")), "pending")
    if row.get("status") is None and row.get("txId"):
        status = "confirmed"
    claim = told(
        context,
        ref=row["id"],
        at=from_iso(row["applyTime"]),
        kind="withdrawal",
        legs=legs,
        label=row.get("status"),
        status=status,
        event=_event(context, row),
    )
    return replace(claim, event=None) if str(row.get("transferType")) == _INSIDE else claim


def _coin(row: Mapping[str, Any]) -> str:
    """The coin without its network. Raises: InvalidField."""
    coin, network = row["coin"], row.get("network")
    if not isinstance(coin, str) or not coin:
        raise InvalidField("coin: expected text")
    return coin.removesuffix(network) if network in GLUED_NETWORKS and coin != network else coin


def _event(context: Context, row: Mapping[str, Any]) -> str | None:
    chain, hash_ = context.networks.get(str(row.get("network") or "")), row.get("txId")
    return f"{chain}:{hash_}" if chain and hash_ else None


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim | None:
    if row["asset"] == PLAY_MONEY:
        return None
    token, amount = context.codes.token(row["asset"]), parse_amount(row["amount"])
    source, _, target = str(row["type"]).partition("_")
    if source not in _WALLETS or target not in _WALLETS:
        raise InvalidField("type: expected two of the known accounts")
    legs = (Leg("out", _WALLETS[source], token, -amount), Leg("in", _WALLETS[target], token, amount))
    return told(
        context,
        ref=row["tranId"],
        at=from_ms(row["timestamp"]),
        kind="transfer",
        legs=legs,
        label=row["type"],
        status=_TRANSFER_STATUSES.get(str(row["status"]), "pending"),
    )


def _income(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A movement of the perpetual account's money; one transaction may be told once for each type."""
    word = str(row["incomeType"])
    if row["asset"] == PLAY_MONEY or word == _TOLD_BY_TRANSFERS:
        return None
    if not row["tranId"]:
        raise InvalidField("tranId: the row has none")
    kind = _INCOME_KINDS.get(word, "other")
    leg = Leg("income", "perpetual", context.codes.token(row["asset"]), parse_amount(row["income"], where="income"))
    ref, label = f"{word}/{row['tranId']}", f"{word} {row.get('symbol') or ''}".strip()
    return told(context, ref=ref, at=from_ms(row["time"]), kind=kind, legs=(leg,), label=label)


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelopes that a recording may have lost."""
    if isinstance(payload, dict):
        return [payload] if "data" in payload or "rows" in payload else [{"code": 0, "data": payload}]
    lists = ("orders", "fills", "balances", "assets")
    return [payload, {"code": 0, "data": payload}, {"rows": payload}, *({"code": 0, "data": {name: payload}} for name in lists)]


def rights(evidence: Evidence) -> Rights:
    """What the asking key may do. Raises: VenueBadResponse."""
    data = expect_dict(_data(evidence), evidence, where="data")
    flags = data.get("permissions")
    granted = tuple(str(flag) for flag in flags) if isinstance(flags, list) else ()
    addresses = data.get("ipAddresses")
    return Rights(granted=granted, ip_restricted=any(addresses) if isinstance(addresses, list) else None, is_known=bool(granted))


QUIRKS = Quirks(
    parsers={
        "trades": history(_rows_in("orders"), _order),
        "fills": history(_rows_in("fills"), _fill),
        "deposits": history(rows_at(), _deposit),
        "withdrawals": history(rows_at(), _withdrawal),
        "transfers": history(rows_at("rows"), _transfer),
        "income": history(_rows_in(""), _income),
    },
    snapshots={"balances": balances, "positions": open_positions},
    asked=asked,
    forms=forms,
    rights=rights,
)
