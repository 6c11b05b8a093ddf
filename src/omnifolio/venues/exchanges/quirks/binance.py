"""What is particular to Binance: many small histories, trades per symbol, and receipts (LD…) for flexible earn in spot.

No ledger exists, so each endpoint is a book of its own. Flexible earn shows in the spot account as `LD<code>`, which moves to
the earn wallet; only locked earn needs a call of its own, so all balances take three calls.
Source: developers.binance.com, Spot (account, myTrades, exchangeInfo), Wallet, Simple Earn, Convert, Fiat.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Balance, Claim, Evidence, Kind, Leg, Product, Snapshot, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Known, received_at
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
    expect_list,
    read_list,
)
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.rights import Rights, flags_of
from omnifolio.venues.exchanges.times import from_iso, from_ms

POSITION_ROWS = 100
RECEIPT_PREFIX = "LD"
NOT_RECEIPTS = frozenset({"LDO"})
"""Receipts of flexible earn are LD and the code; these codes merely begin so."""
QUOTES = ("USDT", "USDC", "FDUSD", "BTC", "ETH", "BNB", "EUR", "TRY", "BUSD", "TUSD", "BRL", "GBP", "AUD", "DAI")
"""Assets that others are quoted in: where a token was traded, it was against one of these or another token that is held."""
SWEEP_EVERY_MS = 90 * DAY_MS
ACCOUNT, FUNDING, FLEXIBLE, LOCKED = "/account", "/get-funding-asset", "/flexible/position", "/locked/position"

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
_REBATE_WORDS = ("rebate", "kickback", "commission")
_INTEREST_WORDS = ("earn", "savings", "staking", "vault", "interest")

RowReader = Callable[[Context, Mapping[str, Any]], Claim]


def rows_of(evidence: Evidence, *path: str) -> tuple[list[Any], dict[str, Any]]:
    """The list at `path` of an answer, and the object around it. Raises: VenueBadResponse for any other form, errors included."""
    body = decode(evidence)
    if not path:
        return expect_list(body, evidence, where="the answer"), {}
    around = expect_dict(body, evidence, where="the answer")
    return expect_list(around.get(path[0]), evidence, where=path[0]), around


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


# Trades.


def trades(context: Context, evidence: Evidence) -> Page:
    """A page of myTrades of one symbol: each fill is one claim."""
    rows, _ = rows_of(evidence)
    base_code, _, quote_code = context.scope.partition("-")
    base, quote = context.codes.token(base_code), context.codes.token(quote_code)
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(_fill(context.codes, row, base, quote)))
    ids = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]
    times = [claim.at for claim in claims]
    last = str(max(ids)) if ids else ""
    return Page(
        seen=Seen(rows=len(rows), oldest=min(times, default=None), newest=max(times, default=None), last_id=last),
        claims=claims,
        gaps=gaps,
    )


def _fill(codes: Codes, row: Mapping[str, Any], base: TokenId, quote: TokenId) -> Claim:
    quantity, cost = parse_amount(row["qty"], where="qty"), parse_amount(row["quoteQty"], where="quoteQty")
    fee = parse_amount(row["commission"], where="commission")
    name = f"{row['symbol']}/{row['id']}"
    buys = row["isBuyer"]
    if not isinstance(buys, bool):
        raise InvalidField("isBuyer: expected true or false")
    legs: tuple[Leg, ...] = (
        Leg("base", "spot", base, quantity if buys else -quantity),
        Leg("quote", "spot", quote, -cost if buys else cost),
    )
    if fee:
        legs = (*legs, Leg("fee", "spot", codes.token(row["commissionAsset"]), -fee, "fee"))
    return Claim(
        book="trades",
        ref=name,
        refs=(f"binance:{name}",),
        name=name,
        at=from_ms(row["time"]),
        kind="trade",
        legs=legs,
        label="maker" if row.get("isMaker") else "taker",
        evidence=0,
    )


# Money in and out.


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    status = _DEPOSIT_STATUSES.get(row["status"], "pending")
    wallet = "funding" if row.get("walletType") == 1 else "spot"
    amount = parse_amount(row["amount"])
    leg = Leg("amount", wallet, context.codes.token(row["coin"]), amount, "principal", None)
    ref = row.get("id") or f"{row['txId']}/{row['coin']}"
    claim = _claim(
        context, ref=ref, at=from_ms(row["insertTime"]), kind="deposit", legs=(leg,), status=status, label=row["status"]
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
    claim = _claim(context, ref=row["id"], at=at, kind="withdrawal", legs=legs, status=status, label=row["status"])
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
    legs = (Leg("out", _WALLETS[source], token, -amount), Leg("in", _WALLETS[target], token, amount))
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


# Balances.


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """Spot, funding and earn. Flexible earn is told by its positions where these were read, else by the receipts in spot."""
    accounts = _answered(evidence, ACCOUNT, "balances")
    funded = _answered(evidence, FUNDING)
    flexible = _answered(evidence, FLEXIBLE, "rows")
    locked = _answered(evidence, LOCKED, "rows")
    held: dict[Product, dict[TokenId, list[Decimal]]] = {"spot": {}, "funding": {}, "earn": {}}

    def account(row: Any) -> None:
        code = str(row["asset"])
        is_receipt = code.startswith(RECEIPT_PREFIX) and code not in NOT_RECEIPTS
        if is_receipt and flexible is not None:
            return
        product_: Product = "earn" if is_receipt else "spot"
        token = context.codes.token(code.removeprefix(RECEIPT_PREFIX) if is_receipt else code)
        held[product_].setdefault(token, []).append(_sum_of(row, "free", "locked"))

    def fund(row: Any) -> None:
        held["funding"].setdefault(context.codes.token(row["asset"]), []).append(
            _sum_of(row, "free", "locked", "freeze", "withdrawing")
        )

    def earn(row: Any) -> None:
        amount = parse_amount(row["totalAmount"] if "totalAmount" in row else row["amount"])
        held["earn"].setdefault(context.codes.token(row["asset"]), []).append(amount)

    bad = {
        "spot": read_list(context, accounts or (), account),
        "funding": read_list(context, funded or (), fund),
        "earn": read_list(context, (*(flexible or ()), *(locked or ())), earn),
    }
    tells_flexible = flexible is not None or accounts is not None
    tells_earn = flexible is not None or locked is not None
    is_whole: dict[Product, bool] = {
        "spot": accounts is not None and not bad["spot"],
        "funding": funded is not None and not bad["funding"],
        "earn": tells_flexible and tells_earn and not bad["spot"] and not bad["earn"],
    }
    at = received_at(evidence)
    snapshots = [_snapshot(product_, held[product_], at) for product_ in held if is_whole[product_]]
    return Page(seen=Seen(rows=len(accounts or ())), snapshots=snapshots, gaps=[gap for gaps in bad.values() for gap in gaps])


def _answered(evidence: Sequence[Evidence], call: str, *path: str) -> list[Any] | None:
    """All rows of one call's pages; None where the call has no answer."""
    answers = [item for item in evidence if item.request.endswith(call)]
    return [row for item in answers for row in rows_of(item, *path)[0]] if answers else None


def _sum_of(row: Mapping[str, Any], *fields: str) -> Decimal:
    return total(parse_amount(row[field], where=field) for field in fields)


def _snapshot(product_: Product, rows: Mapping[TokenId, list[Decimal]], at: EpochMs) -> Snapshot:
    sums = ((token, total(amounts)) for token, amounts in sorted(rows.items()))
    return Snapshot(
        wallet=product_, product=product_, at=at, balances=tuple(Balance(*item) for item in sums if item[1]), evidence=0
    )


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Locked positions come in pages; the catalogue of symbols comes without its permission sets."""
    if call == "publicGetExchangeInfo":
        return {"showPermissionSets": "false"} if last is None else None
    if call != "sapiGetSimpleEarnLockedPosition":
        return {} if last is None else None
    if last is None:
        return {"current": "1", "size": str(POSITION_ROWS)}
    rows, around = rows_of(last, "rows")
    current = int(last.params["current"])
    is_last = not rows or current * POSITION_ROWS >= int(around.get("total") or 0)
    return None if is_last else {"current": str(current + 1), "size": str(POSITION_ROWS)}


# Symbols.


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """Held tokens are looked up again when there is a new one; the sweep over all symbols after ninety days."""
    state = json.loads(token) if token else {}
    if context.scope == "held":
        return _held(context, known) != state.get("tokens")
    return "after" in state or now - int(state.get("swept", 0)) >= SWEEP_EVERY_MS


def _held(context: Context, known: Known) -> list[str]:
    prefix = f"venue:{context.codes.venue}/"
    return sorted(context.codes.code_of(token) for token in known.tokens if token.startswith(prefix))


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Symbols that were never asked: those of held tokens, or, in the sweep, every other one in the order of their names."""
    state = json.loads(token) if token else {}
    symbols, _ = rows_of(answers[0], "symbols")
    held = _held(context, known)
    found: list[str] = []

    def read(row: Any) -> None:
        base, quote = context.codes.canonical(row["baseAsset"]), context.codes.canonical(row["quoteAsset"])
        if context.scope == "held" and not (base in held and (quote in held or quote in QUOTES)):
            return
        if f"{base}-{quote}" > state.get("after", "") and f"trades/{base}-{quote}" not in known.cursors:
            found.append(f"{base}-{quote}")

    gaps = read_list(context, symbols, read)
    if context.scope == "held":
        return Scopes(streams=tuple(f"trades/{scope}" for scope in sorted(found)), token=json.dumps({"tokens": held}), gaps=gaps)
    return Scopes(
        streams=tuple(f"trades/{scope}" for scope in sorted(found)),
        token=json.dumps({"swept": answers[0].received_at}),
        progress=lambda stream: json.dumps({"after": stream.partition("/")[2]}),
        keeps_empty=False,
        gaps=gaps,
    )


def scope_of(payload: Any) -> str:
    """The scope of recorded fills: their symbol, cut where a known quote begins. "" when they name none."""
    row = payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], dict) else {}
    symbol = str(row.get("symbol", ""))
    quote = next((quote for quote in QUOTES if symbol.endswith(quote) and symbol != quote), "")
    return f"{symbol.removesuffix(quote)}-{quote}" if quote else ""


def symbol_of(scope: str) -> str:
    """The symbol as Binance spells it: BTC-USDT is BTCUSDT."""
    return scope.replace("-", "")


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
    },
    snapshots={"balances": balances},
    rights=rights,
    following=following,
    is_due=is_due,
    scopes=scopes,
    scope_value=symbol_of,
    scope_of=scope_of,
)
