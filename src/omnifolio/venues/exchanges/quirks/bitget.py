"""What is particular to Bitget: classic and unified accounts answer different calls, and each refuses the other's.

So a finder asks once which account it is, and the streams that fit are read. For classic accounts the spot bills tell all but
trades, deposits, withdrawals and conversions, which have records of their own; futures have one bill stream each. A
withdrawal's size contains its fee. History reaches three months back.
Source: bitget.com/api-doc, v2: spot account bills, fills, deposit and withdrawal records, convert record, mix account bill,
account info; v3 (unified): fills, deposit and withdrawal records, convert records, account info.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import ZERO, canonical, parse_amount, total
from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Role, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Page, Parser, Quirks, Scopes, Seen, distinct, expect_list, read_list
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.positions import together
from omnifolio.venues.exchanges.quirks import bitget_subaccounts
from omnifolio.venues.exchanges.quirks.bitget_balances import asked, balances, code_of, data_of
from omnifolio.venues.exchanges.quirks.bitget_positions import open_positions
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.subaccounts import SCOPE
from omnifolio.venues.exchanges.times import from_ms

QUOTES = ("USDT", "USDC", "USDE", "BTC", "ETH", "BGB", "EUR", "BRL", "GBP", "TRY", "USD")
"""Where neither end of a symbol is told by the fee's coin, it is cut before one of these."""
CLASSIC_STREAMS = (
    *("spot-bills/classic", "trades/classic", "deposits/classic", "withdrawals/classic", "convert/classic"),
    *("futures-bills/USDT-FUTURES", "futures-bills/USDC-FUTURES", "futures-bills/COIN-FUTURES"),
)
UNIFIED_STREAMS = (
    *("unified-trades/SPOT", "unified-trades/MARGIN"),
    *("unified-deposits/all", "unified-withdrawals/all", "unified-convert/all"),
)
READ_ONLY = "readonly"

_STATUSES: Mapping[str, Status] = {
    "success": "confirmed",
    "pending": "pending",
    "pending_review": "pending",
    "pending_review_fail": "failed",
    "fail": "failed",
    "reject": "failed",
}
_GROUPS_TOLD_ELSEWHERE = frozenset({"transaction", "deposit", "withdraw"})
_SPOT_KINDS: Mapping[str, Kind] = {
    "transferin": "transfer",
    "transferout": "transfer",
    "strategytransferin": "transfer",
    "strategytransferout": "transfer",
    "inneraddresswithdrawin": "deposit",
    "rebaterewards": "rebate",
    "airdroprewards": "airdrop",
    "usdtcontractrewards": "reward",
    "mixcontractrewards": "reward",
    "activityassetrewarduserin": "reward",
    "smallexchangeuserin": "trade",
    "smallexchangeuserout": "trade",
    "orderexchangein": "trade",
    "orderexchangeout": "trade",
    "deductionofhandlingfee": "fee",
    "deductionhandlingfee": "fee",
}
_GROUP_KINDS: Mapping[str, Kind] = {"transfer": "transfer", "strategy": "transfer"}
_FUTURES_KINDS: Mapping[str, Kind] = {
    "contract_settle_fee": "funding_payment",
    "cash_gift_issue": "reward",
    "cash_gift_recycle": "reward",
    "bonus_issue": "reward",
    "bonus_recycle": "reward",
    "bonus_expired": "reward",
}
_LIQUIDATIONS = ("force_", "burst_")
_POSITIONS = ("open_", "close_", "delivery_", "buy", "sell")
_INSIDE = frozenset({"append_margin", "adjust_down_lever_append_margin", "reduce_margin", "auto_append_margin"})
"""Moves between an account's balance and the margin of one of its positions: the account's sum stays what it is."""
_CODE = re.compile(r"[a-z]{3}(?P<right>[rw])")

RowReader = Callable[[Context, Mapping[str, Any]], Claim | None]


def history(read: RowReader, *path: str) -> Parser:
    """The parser of a history whose rows lie at `path` below `data` and become one claim each, or none."""

    def parse(context: Context, evidence: Evidence) -> Page:
        data = data_of(evidence)
        for name in path:
            data = data.get(name) if isinstance(data, dict) else None
        # An empty page may come as null.
        rows = [] if data is None else expect_list(data, evidence, where="/".join(("data", *path)))
        claims: list[Claim] = []

        def take(row: Mapping[str, Any]) -> None:
            claim = read(context, row)
            if claim is not None:
                claims.append(claim)

        gaps = read_list(context, rows, take)
        times = [claim.at for claim in claims]
        seen = Seen(rows=distinct(len(rows), claims), oldest=min(times, default=None), newest=max(times, default=None))
        return Page(seen=seen, claims=claims, gaps=gaps)

    return parse


def _claim(
    book: str, *, ref: object, at: EpochMs, kind: Kind, legs: Sequence[Leg], label: object = "", status: Status = "confirmed"
) -> Claim:
    if not isinstance(ref, str) or not ref:
        raise InvalidField("id: expected text")
    moved = tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else ()
    return Claim(
        book=book,
        ref=ref,
        refs=(f"bitget:{book}/{ref}",),
        name=ref,
        at=at,
        kind=kind,
        legs=moved,
        label=str(label or ""),
        status=status,
        evidence=0,
    )


# Trades.


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    """A classic fill: what was paid is told, and fees are negative; a fee in BGB is the deducted one."""
    detail = row["feeDetail"]
    if not isinstance(detail, dict):
        raise InvalidField("feeDetail: expected an object")
    fee = parse_amount(detail.get("totalFee") or "0", where="totalFee")
    legs = _sides(context.codes, row, detail.get("feeCoin"), "spot", size=row["size"], cost=row["amount"])
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(code_of(detail["feeCoin"])), fee, "fee"))
    label = f"{row['side']} {row.get('tradeScope') or ''}".strip()
    return _claim("trades", ref=row["tradeId"], at=from_ms(row["cTime"]), kind="trade", legs=legs, label=label)


def _unified_fill(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill of a unified account: fees are positive there, and a rebate is negative."""
    details = row["feeDetail"]
    if not isinstance(details, list):
        raise InvalidField("feeDetail: expected a list")
    first = details[0].get("feeCoin") if details else None
    legs = _sides(context.codes, row, first, "unified", size=row["execQty"], cost=row["execValue"])
    for place, detail in enumerate(details):
        token = context.codes.token(code_of(detail["feeCoin"]))
        legs.append(Leg(f"fee:{place}", "unified", token, -parse_amount(detail["fee"], where="fee"), "fee"))
    label = f"{row['side']} {row.get('tradeScope') or ''}".strip()
    return _claim("trades", ref=row["execId"], at=from_ms(row["createdTime"]), kind="trade", legs=legs, label=label)


def _sides(codes: Codes, row: Mapping[str, Any], fee_coin: Any, wallet: str, *, size: Any, cost: Any) -> list[Leg]:
    if row["side"] not in ("buy", "sell"):
        raise InvalidField("side: expected buy or sell")
    base, quote = pair_of(codes, row["symbol"], fee_coin)
    sign = 1 if row["side"] == "buy" else -1
    return [
        Leg("base", wallet, base, sign * parse_amount(size, where="size")),
        Leg("quote", wallet, quote, -sign * parse_amount(cost, where="amount")),
    ]


def pair_of(codes: Codes, symbol: Any, fee_coin: Any) -> tuple[TokenId, TokenId]:
    """Base and quote of a symbol such as BTCUSDT; the fee's coin is mostly one of its ends. Raises: InvalidField."""
    text, fee = code_of(symbol), str(fee_coin or "").upper()
    quote = next((quote for quote in QUOTES if text.endswith(quote) and text != quote), "")
    if not quote and fee and text != fee:
        quote = fee if text.endswith(fee) else text.removeprefix(fee) if text.startswith(fee) else ""
    if not quote:
        raise InvalidField("symbol: its quote asset is not known")
    return codes.token(text.removesuffix(quote)), codes.token(quote)


def _convert(context: Context, row: Mapping[str, Any]) -> Claim:
    wallet = "unified" if context.kind.startswith("unified") else "spot"
    codes, at = context.codes, from_ms(row["ts"])
    out = parse_amount(row["fromCoinSize"], where="fromCoinSize")
    came = parse_amount(row["toCoinSize"], where="toCoinSize")
    legs = (
        Leg("from", wallet, codes.token(code_of(row["fromCoin"])), -out),
        Leg("to", wallet, codes.token(code_of(row["toCoin"])), came),
    )
    # Unified accounts give conversions no id.
    ref = row.get("id") or f"{at}/{row['fromCoin']}/{row['toCoin']}/{canonical(out)}"
    return _claim("convert", ref=ref, at=at, kind="trade", legs=legs, label="convert")


# Money in and out.


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    amount = parse_amount(row["size"], where="size")
    return _chain(context, row, "deposit", amount)


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    """The size is what left the account, so what arrived is less by the fee."""
    fee = abs(parse_amount(row.get("fee") or "0", where="fee"))
    left = parse_amount(row["size"], where="size")
    return _chain(context, row, "withdrawal", total((fee, -left)), fee=fee, peer=row.get("toAddress") or None)


def _chain(
    context: Context, row: Mapping[str, Any], kind: Kind, amount: Decimal, *, fee: Decimal = ZERO, peer: str | None = None
) -> Claim:
    is_unified = context.kind.startswith("unified")
    wallet, token = "funding" if is_unified else "spot", context.codes.token(code_of(row["coin"]))
    status = _STATUSES.get(str(row["status"]).lower(), "pending")
    legs = (Leg("amount", wallet, token, amount, "principal", peer), Leg("fee", wallet, token, -fee, "fee"))
    at = from_ms(row["createdTime"] if is_unified else row["cTime"])
    claim = _claim(f"{kind}s", ref=row["orderId"], at=at, kind=kind, legs=legs, label=row["status"], status=status)
    chain, hash_ = context.networks.get(str(row.get("chain") or "").upper()), row.get("recordId" if is_unified else "tradeId")
    if chain is None or not hash_ or row.get("dest") != "on_chain":
        return claim
    return replace(claim, event=f"{chain}:{hash_}")


# Bills.


def _spot_bill(context: Context, row: Mapping[str, Any]) -> Claim | None:
    group, word = str(row.get("groupType") or "").lower(), str(row["businessType"])
    plain = word.lower().replace("_", "").replace("-", "")
    is_dust = plain.startswith("smallexchange")
    if group in _GROUPS_TOLD_ELSEWHERE or (group == "convert" and not is_dust):
        return None
    kind = _SPOT_KINDS.get(plain) or _GROUP_KINDS.get(group, "other")
    token = context.codes.token(code_of(row["coin"]))
    legs = [Leg("size", "spot", token, parse_amount(row["size"], where="size"), _role(kind))]
    fee = parse_amount(row.get("fees") or "0", where="fees")
    if fee:
        legs.append(Leg("fee", "spot", token, fee, "fee"))
    label = f"{group}/{word}" if group else word
    return _claim("spot-bills", ref=row["billId"], at=from_ms(row["cTime"]), kind=kind, legs=legs, label=label)


def _role(kind: Kind) -> Role:
    return "fee" if kind == "fee" else "principal"


def _futures_bill(context: Context, row: Mapping[str, Any]) -> Claim:
    word, wallet = str(row["businessType"]), context.scope.lower()
    token = context.codes.token(code_of(row["coin"]))
    kind = _FUTURES_KINDS.get(word, "other")
    if word.startswith(_LIQUIDATIONS):
        kind = "liquidation"
    elif word.startswith(_POSITIONS):
        kind = "realized_pnl"
    elif word.startswith("trans_") or word in ("transfer_in", "transfer_out"):
        kind = "transfer"
    legs = (
        Leg("amount", wallet, token, parse_amount(row["amount"])),
        Leg("fee", wallet, token, parse_amount(row.get("fee") or "0", where="fee"), "fee"),
    )
    moved = () if word in _INSIDE else legs
    return _claim("futures-bills", ref=row["billId"], at=from_ms(row["cTime"]), kind=kind, legs=moved, label=word)


# Which account it is, and what its key may do.


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """The account is asked once a day: it may be changed to a unified one."""
    return not token or now - int(token.partition("/")[2] or 0) >= DAY_MS


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """The streams of the account's kind; a unified account has no answer for the classic call."""
    found = CLASSIC_STREAMS if answers else UNIFIED_STREAMS
    at = answers[0].received_at if answers else 0
    return Scopes(
        streams=tuple(name for name in found if name not in known.cursors), token=f"{'classic' if answers else 'unified'}/{at}"
    )


def scope_of(payload: Any) -> str:
    """The scope of recorded rows: classic, or the product that they name."""
    data = payload.get("data") if isinstance(payload, dict) else None
    if isinstance(data, dict):
        rows = data.get("list")
        row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        return str(row.get("category") or "USDT-FUTURES")
    return "classic"


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    return [payload] if isinstance(payload, dict) and "data" in payload else [{"code": "00000", "data": payload}]


_own = together(balances, *open_positions)


def _asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """What a call is asked about: products, and which of them the account has."""
    return bitget_subaccounts.asked(call, answers) if call == bitget_subaccounts.FUTURES_CALL else asked(call, answers)


def _balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The account's own balances, or those of its sub-accounts. Raises: VenueBadResponse."""
    return (bitget_subaccounts.of_subaccounts if context.scope.startswith(SCOPE) else _own)(context, evidence)


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from account info. Classic names are words, or codes that end in r where they read, in w where they
    write; a unified key has a type and the products it is for."""
    info = data_of(evidence)
    if not isinstance(info, dict):
        return Rights(granted=(), is_known=False)
    words = info.get("permissions") if "permType" in info else info.get("authorities")
    names = [str(word) for word in words] if isinstance(words, list) else []
    if "permType" in info:
        is_reading = str(info["permType"]).lower().replace("-", "").replace("_", "") == READ_ONLY
        names = [READ_ONLY, *(name for name in names if not is_reading or name == "withdraw")]
    ips = info.get("ips")
    return Rights(
        granted=tuple(_right(name) for name in names),
        ip_restricted=bool(ips) if isinstance(ips, str) else None,
        is_known=bool(names),
    )


def _right(name: str) -> str:
    """A code as the kind of right that it ends in; words stay as they are."""
    match = _CODE.fullmatch(name)
    if match is None:
        return name
    return READ_ONLY if match["right"] == "r" else "wallet:write" if name.startswith("w") else "trade"


QUIRKS = Quirks(
    parsers={
        "spot-bills": history(_spot_bill),
        "trades": history(_fill),
        "deposits": history(_deposit),
        "withdrawals": history(_withdrawal),
        "convert": history(_convert, "dataList"),
        "futures-bills": history(_futures_bill, "bills"),
        "unified-trades": history(_unified_fill, "list"),
        "unified-deposits": history(_deposit),
        "unified-withdrawals": history(_withdrawal),
        "unified-convert": history(_convert, "list"),
    },
    snapshots={"balances": _balances},
    following=bitget_subaccounts.following,
    rights=rights,
    asked=_asked,
    is_due=is_due,
    scopes=scopes,
    scope_of=scope_of,
    forms=forms,
)
