"""What is particular to Binance: many small histories, trades per symbol, and receipts (LD…) for flexible earn in spot.

No ledger exists, so each endpoint is a book of its own. Flexible earn shows in the spot account as `LD<code>`, which moves to
the earn wallet; only locked earn needs a call of its own, so all balances take three calls.
Source: developers.binance.com, Spot (account, myTrades, exchangeInfo), Wallet, Simple Earn, Convert, Fiat.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import (
    Context,
    Page,
    Parser,
    Quirks,
    Scopes,
    Seen,
    decode,
    distinct,
    expect_dict,
    read_list,
)
from omnifolio.venues.exchanges.quirks import binance_positions, binance_products, binance_symbols
from omnifolio.venues.exchanges.quirks.binance_balances import balances as common_balances
from omnifolio.venues.exchanges.quirks.binance_balances import rows_of
from omnifolio.venues.exchanges.quirks.binance_symbols import scope_of, symbol_of
from omnifolio.venues.exchanges.quirks.binance_trading import orders, trades
from omnifolio.venues.exchanges.rights import Rights, flags_of
from omnifolio.venues.exchanges.subaccounts import SCOPE
from omnifolio.venues.exchanges.times import from_iso, from_ms

POSITION_ROWS = 100
SUB_ACCOUNTS = 200

_DEPOSIT_STATUSES: Mapping[int, Status] = {0: "pending", 1: "confirmed", 2: "failed", 6: "confirmed", 7: "failed", 8: "pending"}
_WITHDRAWAL_STATUSES: Mapping[int, Status] = {
    0: "pending",
    1: "cancelled",
    2: "pending",
    3: "failed",
    4: "pending",
    5: "failed",
    6: "confirmed",
}
_STATUSES: Mapping[str, Status] = {
    "success": "confirmed",
    "successful": "confirmed",
    "finished": "confirmed",
    "completed": "confirmed",
    "confirmed": "confirmed",
    "paid": "confirmed",
    "process": "pending",
    "processing": "pending",
    "purchasing": "pending",
    "redeeming": "pending",
    "accept_success": "pending",
    "pending": "pending",
}
_WALLETS = {"SPOT": "spot", "FUNDING": "funding", "FUND": "funding", "MAIN": "spot"}
_FUTURES = frozenset({"UMFUTURE", "CMFUTURE"})
_REBATE_WORDS = ("rebate", "kickback", "commission")
_INTEREST_WORDS = ("earn", "savings", "staking", "vault", "interest")

RowReader = Callable[[Context, Mapping[str, Any]], Claim]


def history(path: tuple[str, ...], read: RowReader) -> Parser:
    """The parser of a history whose rows lie at `path` and become one claim each."""

    def parse(context: Context, evidence: Evidence) -> Page:
        rows, around = rows_of(evidence, *path)
        claims: list[Claim] = []
        gaps = read_list(context, rows, lambda row: claims.append(read(context, row)))
        return Page(seen=_seen(rows, claims, around), claims=claims, gaps=gaps)

    return parse


def _seen(rows: Sequence[Any], claims: Sequence[Claim], around: Mapping[str, Any]) -> Seen:
    times = [claim.at for claim in claims]
    count, more = around.get("total"), around.get("moreData")
    return Seen(
        rows=distinct(len(rows), claims),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        total=count if isinstance(count, int) and not isinstance(count, bool) else None,
        has_more=more if isinstance(more, bool) else None,
    )


def _claim(
    context: Context,
    *,
    ref: object,
    at: EpochMs,
    kind: Kind,
    legs: Sequence[Leg],
    label: object = "",
    status: Status = "confirmed",
) -> Claim:
    """A claim of the stream's own book; what failed moved nothing."""
    moved = tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else ()
    return Claim(
        book=context.kind,
        ref=str(ref),
        refs=(f"binance:{context.kind}/{ref}",),
        name=str(ref),
        at=at,
        kind=kind,
        legs=moved,
        label=str(label or ""),
        status=status,
        evidence=0,
    )


def _status(raw: Any) -> Status:
    return _STATUSES.get(str(raw).lower(), "failed")


# Money in and out.


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    status = _DEPOSIT_STATUSES.get(row["status"], "pending")
    wallet = "funding" if row.get("walletType") == 1 else "spot"
    amount = parse_amount(row["amount"])
    leg = Leg("amount", wallet, context.codes.token(row["coin"]), amount, "principal", None)
    ref = row.get("id") or f"{row['txId']}/{row['coin']}"
    claim = _claim(
        context, ref=ref, at=from_ms(row["insertTime"]), kind="deposit", legs=(leg,), status=status, label=str(row["status"])
    )
    return _with_event(context, claim, row)


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    status = _WITHDRAWAL_STATUSES.get(row["status"], "pending")
    wallet = "funding" if row.get("walletType") == 1 else "spot"
    token = context.codes.token(row["coin"])
    fee = parse_amount(row.get("transactionFee") or "0", where="transactionFee")
    legs = (
        Leg("amount", wallet, token, -parse_amount(row["amount"]), "principal", row.get("address") or None),
        Leg("fee", wallet, token, -fee, "fee"),
    )
    at = from_iso(row["applyTime"])
    claim = _claim(context, ref=row["id"], at=at, kind="withdrawal", legs=legs, status=status, label=str(row["status"]))
    return _with_event(context, claim, row)


def _with_event(context: Context, claim: Claim, row: Mapping[str, Any]) -> Claim:
    """Names the chain's transaction, unless the transfer stayed inside the venue (transferType 1)."""
    chain, hash_ = context.networks.get(str(row.get("network"))), row.get("txId")
    if not chain or not hash_ or row.get("transferType") == 1:
        return claim
    return replace(claim, event=f"{chain}:{hash_}")


def _fiat_order(context: Context, row: Mapping[str, Any]) -> Claim:
    token = context.codes.token(row["fiatCurrency"])
    fee = parse_amount(row.get("totalFee") or "0", where="totalFee")
    if context.scope == "deposit":
        amount = parse_amount(row.get("indicatedAmount") or row["amount"])
    else:
        amount = -parse_amount(row["amount"])
    legs = (Leg("amount", "spot", token, amount), Leg("fee", "spot", token, -fee, "fee"))
    kind: Kind = "deposit" if context.scope == "deposit" else "withdrawal"
    label = row.get("method")
    return _claim(
        context,
        ref=row["orderNo"],
        at=from_ms(row["createTime"]),
        kind=kind,
        legs=legs,
        label=label,
        status=_status(row["status"]),
    )


def _fiat_payment(context: Context, row: Mapping[str, Any]) -> Claim:
    fiat, crypto = context.codes.token(row["fiatCurrency"]), context.codes.token(row["cryptoCurrency"])
    obtained, fee = (
        parse_amount(row["obtainAmount"], where="obtainAmount"),
        parse_amount(row.get("totalFee") or "0", where="totalFee"),
    )
    if row.get("paymentMethod"):
        paid = total((parse_amount(row["sourceAmount"], where="sourceAmount"), -fee))
    else:
        # Older answers do not say how it was paid and round the sum: the price is what is exact there.
        paid = product(obtained, parse_amount(row["price"], where="price"))
    sign = 1 if context.scope == "buy" else -1
    legs = (
        Leg("crypto", "spot", crypto, sign * obtained),
        Leg("fiat", "spot", fiat, -sign * paid),
        Leg("fee", "spot", fiat, -fee, "fee"),
    )
    label = row.get("paymentMethod")
    return _claim(
        context,
        ref=row["orderNo"],
        at=from_ms(row["createTime"]),
        kind="trade",
        legs=legs,
        label=label,
        status=_status(row["status"]),
    )


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    source, _, target = str(row["type"]).partition("_")
    token, amount = context.codes.token(row["asset"]), parse_amount(row["amount"])
    sides = (("out", source, -amount), ("in", target, amount))
    # What futures lost or gained is told by their income.
    legs = [Leg(key, _WALLETS[place], token, change) for key, place, change in sides if place not in _FUTURES]
    at, status = from_ms(row["timestamp"]), _status(row["status"])
    return _claim(context, ref=row["tranId"], at=at, kind="transfer", legs=legs, label=row["type"], status=status)


# Conversions and gifts.


def _convert(context: Context, row: Mapping[str, Any]) -> Claim:
    legs = (
        Leg("from", "spot", context.codes.token(row["fromAsset"]), -parse_amount(row["fromAmount"], where="fromAmount")),
        Leg("to", "spot", context.codes.token(row["toAsset"]), parse_amount(row["toAmount"], where="toAmount")),
    )
    at, status = from_ms(row["createTime"]), _status(row["orderStatus"])
    return _claim(context, ref=row["orderId"], at=at, kind="trade", legs=legs, label="convert", status=status)


def _dust(context: Context, row: Mapping[str, Any]) -> Claim:
    """Small amounts for BNB: the sum stated is what arrived, after the service charge."""
    bnb = context.codes.token("BNB")
    charge = parse_amount(row["totalServiceChargeAmount"], where="totalServiceChargeAmount")
    received = parse_amount(row["totalTransferedAmount"], where="totalTransferedAmount")
    legs = [
        Leg(
            f"out:{place}:{detail['fromAsset']}",
            "spot",
            context.codes.token(detail["fromAsset"]),
            -parse_amount(detail["amount"]),
        )
        for place, detail in enumerate(row["userAssetDribbletDetails"])
    ]
    legs += [Leg("in", "spot", bnb, total((received, charge))), Leg("fee", "spot", bnb, -charge, "fee")]
    return _claim(context, ref=row["transId"], at=from_ms(row["operateTime"]), kind="trade", legs=legs, label="dust")


def _dividend(context: Context, row: Mapping[str, Any]) -> Claim:
    words = str(row.get("enInfo") or "")
    kind: Kind = "airdrop"
    if any(word in words.lower() for word in _REBATE_WORDS):
        kind = "rebate"
    elif any(word in words.lower() for word in _INTEREST_WORDS):
        kind = "interest"
    amount = parse_amount(row["amount"])
    signed = -amount if row.get("direction") == -1 else amount
    leg = Leg("amount", "spot", context.codes.token(row["asset"]), signed)
    return _claim(context, ref=row["id"], at=from_ms(row["divTime"]), kind=kind, legs=(leg,), label=words)


# Simple Earn.


def _subscription(context: Context, row: Mapping[str, Any]) -> Claim:
    token, amount = context.codes.token(row["asset"]), parse_amount(row["amount"])
    funding = parse_amount(row.get("amtFromFunding") or "0", where="amtFromFunding")
    if not row.get("amtFromSpot") and _WALLETS.get(str(row.get("sourceAccount"))) == "funding":
        funding = amount
    legs = (
        Leg("spot", "spot", token, -total((amount, -funding))),
        Leg("funding", "funding", token, -funding),
        Leg("earn", "earn", token, amount),
    )
    at, status = from_ms(row["time"]), _status(row["status"])
    return _claim(context, ref=row["purchaseId"], at=at, kind="staking", legs=legs, label=row.get("type"), status=status)


def _redemption(context: Context, row: Mapping[str, Any]) -> Claim:
    token, amount = context.codes.token(row["asset"]), parse_amount(row["amount"])
    target = _WALLETS.get(str(row.get("destAccount") or "SPOT"), "spot")
    legs = (Leg("earn", "earn", token, -amount), Leg("out", target, token, amount))
    at, status = from_ms(row["time"]), _status(row["status"])
    return _claim(context, ref=row["redeemId"], at=at, kind="unstaking", legs=legs, label=row.get("type"), status=status)


def _flexible_reward(context: Context, row: Mapping[str, Any]) -> Claim:
    """Real-time interest grows inside the position; bonuses are paid into spot."""
    wallet = "spot" if row.get("type") == "BONUS" else "earn"
    leg = Leg("amount", wallet, context.codes.token(row["asset"]), parse_amount(row["rewards"], where="rewards"))
    ref = f"{row['asset']}/{row['time']}/{row.get('projectId') or row['productId']}"
    if row.get("type") == "BONUS":
        ref += "/BONUS"
    return _claim(context, ref=ref, at=from_ms(row["time"]), kind="interest", legs=(leg,), label=row.get("type"))


def _locked_reward(context: Context, row: Mapping[str, Any]) -> Claim:
    leg = Leg("amount", "spot", context.codes.token(row["asset"]), parse_amount(row["amount"]))
    ref = f"{row['asset']}/{row['time']}/{row['positionId']}"
    return _claim(context, ref=ref, at=from_ms(row["time"]), kind="interest", legs=(leg,), label=row.get("type"))


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Locked positions come in pages; the catalogue of symbols comes without its permission sets."""
    if call == "publicGetExchangeInfo":
        return {"showPermissionSets": "false"} if last is None else None
    if call == "sapiGetSubAccountList":
        return {"limit": str(SUB_ACCOUNTS)} if last is None else None
    if call != "sapiGetSimpleEarnLockedPosition":
        return {} if last is None else None
    if last is None:
        return {"current": "1", "size": str(POSITION_ROWS)}
    rows, around = rows_of(last, "rows")
    current = int(last.params["current"])
    is_last = not rows or current * POSITION_ROWS >= int(around.get("total") or 0)
    return None if is_last else {"current": str(current + 1), "size": str(POSITION_ROWS)}


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """What a call needs of the answers before it: pairs of isolated margin, open positions."""
    return binance_positions.asked(answers) if call == binance_positions.CONTRACTS_CALL else binance_products.asked(call, answers)


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The balances of the wallets that everyone has, of an opened product, or of sub-accounts. Raises: VenueBadResponse."""
    if context.scope == SCOPE:
        return binance_products.of_subaccounts(context, evidence)
    of_product = context.scope in binance_products.PRODUCTS
    return binance_products.product_balances(context, evidence) if of_product else common_balances(context, evidence)


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """Whether the finder of products, or one of the finders of symbols, has anything to ask."""
    if context.kind == binance_products.KIND:
        return binance_products.is_due(token, now)
    return binance_symbols.is_due(context, known, token, now)


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """What the finder of products, or one of the finders of symbols, has found."""
    if context.kind == binance_products.KIND:
        return binance_products.scopes(context, known, answers)
    return binance_symbols.scopes(context, known, token, answers)


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from apiRestrictions: every field that is set is a right, whether we know it or not."""
    info = expect_dict(decode(evidence), evidence, where="the answer")
    expires = info.get("tradingAuthorityExpirationTime")
    return Rights(
        granted=flags_of(info, ignored=("ipRestrict", "createTime", "tradingAuthorityExpirationTime")),
        ip_restricted=info["ipRestrict"] if isinstance(info.get("ipRestrict"), bool) else None,
        expires_at=from_ms(expires) if expires else None,
        is_known="enableReading" in info and "enableWithdrawals" in info,
    )


QUIRKS = Quirks(
    parsers={
        "trades": trades,
        "orders": orders,
        "deposits": history((), _deposit),
        "withdrawals": history((), _withdrawal),
        "fiat-orders": history(("data",), _fiat_order),
        "fiat-payments": history(("data",), _fiat_payment),
        "transfers": history(("rows",), _transfer),
        "convert": history(("list",), _convert),
        "dust": history(("userAssetDribblets",), _dust),
        "dividends": history(("rows",), _dividend),
        "subscriptions": history(("rows",), _subscription),
        "redemptions": history(("rows",), _redemption),
        "flexible-rewards": history(("rows",), _flexible_reward),
        "locked-rewards": history(("rows",), _locked_reward),
        **binance_products.PARSERS,
    },
    snapshots={"balances": balances, "positions": binance_positions.open_positions},
    rights=rights,
    asked=asked,
    following=following,
    is_due=is_due,
    scopes=scopes,
    scope_value=symbol_of,
    scope_of=scope_of,
)
