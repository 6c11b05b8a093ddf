"""What is particular to Bybit: a ledger of the unified account, another of the funding account whose rows have no id.

The unified account's log gives the legs of all that happens there; spot fills annotate it. The funding account's log tells earn,
bonuses and the like; deposits, withdrawals, conversions and transfers are told by histories of their own, which bear ids, and its
rows of those are left to them, but for government money. A transfer between the two accounts is joined by amount and second.
Source: bybit-exchange.github.io/docs/v5 of 2026-07-24: Account (transaction log), Asset (deposits, withdrawals, transfers,
funding account transaction history, convert), Order (trade history), Earn, User (API key information).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import canonical, parse_amount, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Quirks, expect_dict
from omnifolio.venues.exchanges.paging import SHORT_PAGE_ROWS
from omnifolio.venues.exchanges.quirks import bybit_balances, bybit_positions
from omnifolio.venues.exchanges.quirks import bybit_kinds as kinds
from omnifolio.venues.exchanges.quirks.bybit_balances import amount_of, balances, list_of, result_of, rows_of
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.telling import Edges, RowsOf, fill, history, told
from omnifolio.venues.exchanges.times import from_iso, from_ms, from_seconds

LEDGER, FUNDING = "ledger", "funding"
DETAIL_RANK = 1
UNBOUND: tuple[list[str], ...] = (["*"], [])
"""What `ips` says of a key that works from everywhere."""
SPOT_QUOTES = ("USDT", "USDC", "USDE", "USDQ", "USD1", "USDR", "RLUSD", "EUR", "BRL", "TRY", "PLN", "BRZ", "IDR", "DAI", "MNT")
SPOT_QUOTES_SHORT = ("BTC", "ETH", "SOL")
"""Quotes of spot symbols, which have no separator; the short ones last, since they end other codes too."""

_TOLD_ELSEWHERE = re.compile(r"deposit|withdraw|transfer|conver|exchange", re.IGNORECASE)
_INTEREST = re.compile(r"interest|yield|reward|airdrop", re.IGNORECASE)
_DEPOSIT_STATUSES: Mapping[str, Status] = {
    "3": "confirmed",
    "10012": "confirmed",
    "7": "confirmed",
    "70012": "confirmed",
    "70013": "confirmed",
    "4": "failed",
    "70011": "cancelled",
}
_INTERNAL_STATUSES: Mapping[str, Status] = {"2": "confirmed", "3": "failed"}
_WITHDRAWAL_STATUSES: Mapping[str, Status] = {
    "success": "confirmed",
    "BlockchainConfirmed": "confirmed",
    "CancelByUser": "cancelled",
    "Reject": "failed",
    "Fail": "failed",
}
_STATUSES: Mapping[str, Status] = {
    "success": "confirmed",
    "partial_fulfillment": "confirmed",
    "fail": "failed",
    "failed": "failed",
    "failure": "failed",
}


def _pages(rows_in: RowsOf) -> Edges:
    """The page token; a short page is the last, although it may bear one."""

    def edges(evidence: Evidence) -> Mapping[str, Any]:
        token = result_of(evidence).get("nextPageCursor")
        is_last = not isinstance(token, str) or len(rows_in(evidence)) < SHORT_PAGE_ROWS
        return {} if is_last else {"next": token}

    return edges


def _text(row: Mapping[str, Any], field: str) -> str:
    """A field that must say something. Raises: KeyError, InvalidField."""
    value = row[field]
    if not isinstance(value, str) or not value:
        raise InvalidField(f"{field}: expected text")
    return value


# The ledgers.


def _entry(context: Context, row: Mapping[str, Any]) -> Claim:
    """A row of the unified account's log: `change` is what its cash changed by, fee and funding included."""
    word, currency, trade = _text(row, "type"), _text(row, "currency"), str(row.get("tradeId") or "")
    token, change, fee = context.codes.token(currency), parse_amount(row["change"], where="change"), amount_of(row, "fee")
    at, order = from_ms(row["transactionTime"]), str(row.get("orderId") or "")
    ref = f"{_text(row, 'id')}/{word}/{currency}/{at}/{trade}"
    legs = [Leg(ref, "unified", token, total((change, fee))), Leg(f"{ref}:fee", "unified", token, -fee, "fee")]
    kind: Kind = kinds.UNIFIED.get(word, "other")
    if kind == "trade" and row.get("category") in kinds.CONTRACTS:
        kind = "realized_pnl" if amount_of(row, "cashFlow") else "fee"
    if word in kinds.DEBT:
        # What is owed grows and shrinks with what was borrowed: the purse as a whole holds what it held before.
        legs.append(Leg(f"{ref}:debt", "unified", token, -change))
    if word in kinds.ONCHAIN_EARN:
        legs.append(Leg(f"{ref}:earn", "earn", token, -change))
    shared: tuple[str, ...] = ()
    rank = 0
    if word in kinds.FILLS and order and trade:
        shared = (f"bybit:fill/{order}/{trade}",)
    elif word in kinds.TRANSFERS:
        # The list of transfers has the id that the venue shows.
        shared, rank = _transfer_refs(currency, change, at), DETAIL_RANK
    label, name = f"{word} {row.get('symbol') or ''}".strip(), f"{order}/{trade}" if order and trade else order or ref
    return told(context, ref=ref, at=at, kind=kind, legs=legs, label=label, book=LEDGER, name=name, rank=rank, shared=shared)


def _funding_entry(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A row of the funding account's log; the balance after it tells two of one second apart."""
    token, words = context.codes.token(row["currency"]), f"{row['showBusiTypeEn']} {row.get('descriptionEn') or ''}".strip()
    if _TOLD_ELSEWHERE.search(words) and not context.codes.is_fiat(token):
        return None
    if row["ioDirection"] not in ("I", "O"):
        raise InvalidField("ioDirection: expected I or O")
    sign, at = (1 if row["ioDirection"] == "I" else -1), from_seconds(row["createTime"])
    amount = parse_amount(row["txnAmt"], where="txnAmt")
    kind: Kind = "other"
    if _INTEREST.search(words):
        kind = "interest" if sign > 0 else "other"
    elif "earn" in words.lower():
        kind = "unstaking" if sign > 0 else "staking"
    elif "deposit" in words.lower() or "withdraw" in words.lower():
        kind = "deposit" if sign > 0 else "withdrawal"
    ref = f"{row['createTime']}/{row['currency']}/{row['ioDirection']}/{row['txnAmt']}/{row['afterAmt']}"
    leg = Leg(ref, "funding", token, sign * amount)
    # The list of orders has the id that the venue shows, and its own time.
    shared, rank = (_earn_refs(row["currency"], amount, at), DETAIL_RANK) if kind in ("staking", "unstaking") else ((), 0)
    return told(context, ref=ref, at=at, kind=kind, legs=(leg,), label=words, book=FUNDING, rank=rank, shared=shared)


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A transfer between accounts: what the unified account gave or got, its own log tells."""
    sides = ((_text(row, "fromAccountType"), -1), (_text(row, "toAccountType"), 1))
    token, amount, at = context.codes.token(row["coin"]), parse_amount(row["amount"]), from_ms(row["timestamp"])
    transfer = _text(row, "transferId")
    legs = [
        Leg(f"{transfer}:{side}", "funding" if side == "FUND" else "classic", token, sign * amount)
        for side, sign in sides
        if side != "UNIFIED"
    ]
    if not legs:
        return None
    return told(
        context,
        ref=transfer,
        at=at,
        kind="transfer",
        legs=legs,
        label=f"{sides[0][0]} to {sides[1][0]}",
        status=_STATUSES.get(str(row["status"]).lower(), "pending"),
        book=LEDGER,
        shared=_transfer_refs(row["coin"], amount, at) if len(legs) == 1 else (),
    )


def _transfer_refs(currency: str, change: Decimal, at: EpochMs) -> tuple[str, ...]:
    """Names that the two records of one transfer share when they are less than a second apart."""
    second = at // 1000
    return tuple(f"bybit:transfer/{currency}/{canonical(abs(change))}/{place}" for place in (second, second + 1))


def _earn_refs(currency: str, amount: Decimal, at: EpochMs) -> tuple[str, ...]:
    """Names that the order of a position and the row of the account that paid it share, if they are of about one second."""
    second = at // 1000
    return tuple(f"bybit:earn/{currency}/{canonical(abs(amount))}/{place}" for place in (second, second + 1))


# Fills and conversions.


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    """A spot fill, which the unified account's log tells too."""
    base, quote = split_symbol(context, row["symbol"])
    order, trade, side = _text(row, "orderId"), _text(row, "execId"), row["side"]
    received = base if side == "Buy" else quote
    legs = fill(
        side,
        base=base,
        quote=quote,
        amount=parse_amount(row["execQty"], where="execQty"),
        cost=parse_amount(row["execValue"], where="execValue"),
        fee=amount_of(row, "execFee"),
        fee_token=context.codes.token(row["feeCurrency"]) if row.get("feeCurrency") else received,
        wallet="unified",
    )
    return told(
        context,
        ref=f"{order}/{trade}",
        at=from_ms(row["execTime"]),
        kind="trade",
        legs=legs,
        label=f"{side} {row['symbol']}",
        rank=DETAIL_RANK,
        shared=(f"bybit:fill/{order}/{trade}",),
    )


def _filled_order(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """What a spot order brought in all its fills, for recordings that hold orders only: by its last change."""
    amount = parse_amount(row["cumExecQty"], where="cumExecQty")
    if not amount:
        return None
    base, quote = split_symbol(context, row["symbol"])
    order, side = _text(row, "orderId"), row["side"]
    received = base if side == "Buy" else quote
    fees = row.get("cumFeeDetail") or {}
    legs = fill(
        side,
        base=base,
        quote=quote,
        amount=amount,
        cost=parse_amount(row["cumExecValue"], where="cumExecValue"),
        fee=amount_of(row, "cumExecFee") if not fees else Decimal(0),
        fee_token=received,
        wallet="unified",
    )
    detailed = (
        Leg(f"fee:{coin}", "unified", context.codes.token(coin), -parse_amount(fee, where="cumFeeDetail"), "fee")
        for coin, fee in fees.items()
    )
    at, label = from_ms(row["updatedTime"]), f"{side} {row['symbol']}"
    return told(context, ref=order, at=at, kind="trade", legs=(*legs, *detailed), label=label, rank=DETAIL_RANK)


def split_symbol(context: Context, symbol: Any) -> tuple[TokenId, TokenId]:
    """Base and quote of a spot symbol such as BTCUSDT. Raises: InvalidField."""
    for quote in (*SPOT_QUOTES, *SPOT_QUOTES_SHORT):
        if isinstance(symbol, str) and symbol.endswith(quote) and symbol != quote:
            return context.codes.token(symbol.removesuffix(quote)), context.codes.token(quote)
    raise InvalidField("symbol: its quote is not known")


def _conversion(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A conversion in the funding account; those in the unified account are rows of its log."""
    if row["accountType"] == kinds.CONVERTED_IN_UNIFIED:
        return None
    legs = (
        Leg("from", "funding", context.codes.token(row["fromCoin"]), -parse_amount(row["fromAmount"], where="fromAmount")),
        Leg("to", "funding", context.codes.token(row["toCoin"]), parse_amount(row["toAmount"], where="toAmount")),
    )
    status = _STATUSES.get(str(row["exchangeStatus"]).lower(), "pending")
    at, label = from_ms(row["createdAt"]), row["accountType"]
    return told(context, ref=row["exchangeTxId"], at=at, kind="trade", legs=legs, label=label, status=status)


def _dust(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """Small balances turned into one token in the funding account: `toAmount` is what arrived, after the fee."""
    if row["accountType"] == kinds.CONVERTED_IN_UNIFIED:
        return None
    parts = [part for part in row["subRecords"] if str(part["status"]).lower() in ("success", "partial_fulfillment")]
    legs = [
        Leg(
            f"out:{place}",
            "funding",
            context.codes.token(part["fromCoin"]),
            -parse_amount(part["fromAmount"], where="fromAmount"),
        )
        for place, part in enumerate(parts)
    ]
    fee, target = amount_of(row, "totalFeeAmount"), context.codes.token(row["toCoin"])
    received, paid_in = parse_amount(row["toAmount"], where="toAmount"), context.codes.token(row.get("feeCoin") or row["toCoin"])
    gross = total((received, fee)) if paid_in == target else received
    legs += [Leg("in", "funding", target, gross), Leg("fee", "funding", paid_in, -fee, "fee")]
    status = _STATUSES.get(str(row["status"]).lower(), "pending")
    at = from_ms(row["createdAt"])
    return told(context, ref=row["exchangeTxId"], at=at, kind="trade", legs=legs, label="small balances", status=status)


# Money in and out, and earn.


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    token, fee, hash_ = context.codes.token(row["coin"]), amount_of(row, "depositFee"), _text(row, "txID")
    legs = (
        Leg("amount", "funding", token, parse_amount(row["amount"])),
        Leg("fee", "funding", token, -fee, "fee"),
    )
    chain = context.networks.get(str(row.get("chain")))
    return told(
        context,
        ref=row.get("id") or f"{hash_}/{row.get('txIndex') or ''}/{row['coin']}",
        at=from_ms(row["successAt"]),
        kind="deposit",
        legs=legs,
        label=row.get("chain"),
        status=_DEPOSIT_STATUSES.get(str(row["status"]), "pending"),
        name=hash_,
        event=f"{chain}:{hash_}" if chain else None,
    )


def _internal_deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    """A deposit from another customer, which no chain saw."""
    leg = Leg("amount", "funding", context.codes.token(row["coin"]), parse_amount(row["amount"]))
    status = _INTERNAL_STATUSES.get(str(row["status"]), "pending")
    at = from_seconds(row["createdTime"])
    return told(context, ref=row["id"], at=at, kind="deposit", legs=(leg,), label="internal", status=status)


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    token, hash_ = context.codes.token(row["coin"]), str(row.get("txID") or "")
    is_onchain = str(row.get("withdrawType") or 0) == "0"
    legs = (
        Leg(
            "amount",
            "funding",
            token,
            -parse_amount(row["amount"]),
            "principal",
            str(row.get("toAddress") or "") or None if is_onchain else None,
        ),
        Leg("fee", "funding", token, -amount_of(row, "withdrawFee"), "fee"),
    )
    chain = context.networks.get(str(row.get("chain")))
    return told(
        context,
        ref=_text(row, "withdrawId"),
        at=from_ms(row["createTime"]),
        kind="withdrawal",
        legs=legs,
        label=row.get("chain"),
        status=_WITHDRAWAL_STATUSES.get(str(row["status"]), "pending"),
        event=f"{chain}:{hash_}" if chain and hash_ and is_onchain else None,
    )


def _earn_order(context: Context, row: Mapping[str, Any]) -> Claim:
    """What went into a flexible position or came out of it; the account on the other side is told by its own ledger, and the two
    are one event where they share a second and an amount."""
    kind: Kind = "staking" if row["orderType"] == "Stake" else "unstaking"
    if row["orderType"] not in ("Stake", "Redeem"):
        raise InvalidField("orderType: expected Stake or Redeem")
    amount = parse_amount(row["orderValue"], where="orderValue")
    leg = Leg("amount", "earn", context.codes.token(row["coin"]), amount if kind == "staking" else -amount)
    status = _STATUSES.get(str(row["status"]).lower(), "pending")
    at, label = from_ms(row["createdAt"]), f"{row['orderType']} {row.get('productId') or ''}".strip()
    shared = _earn_refs(row["coin"], amount, at)
    ref = _text(row, "orderId")
    return told(context, ref=ref, at=at, kind=kind, legs=(leg,), label=label, status=status, book=FUNDING, shared=shared)


def rights(evidence: Evidence) -> Rights:
    """What the key may do: a read-only key has its permissions for reading alone."""
    info = result_of(evidence)
    read_only, groups = info.get("readOnly"), expect_dict(info.get("permissions"), evidence, where="result.permissions")
    granted = tuple(
        f"{group}.{name}" for group, names in groups.items() for name in (names if isinstance(names, list) else [names]) if name
    )
    expires, addresses = info.get("expiredAt"), info.get("ips")
    try:
        expires_at = from_iso(expires) if expires else None
    except InvalidField as error:
        raise VenueBadResponse(f"{evidence.request}: expiredAt: {error.message}") from None
    return Rights(
        granted=("ReadOnly",) if read_only == 1 else granted,
        ip_restricted=addresses not in UNBOUND if isinstance(addresses, list) else None,
        expires_at=expires_at,
        is_known=read_only in (0, 1),
    )


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """The next page of balances or positions."""
    is_positions = call == bybit_positions.POSITIONS_CALL
    return bybit_positions.following(last) if is_positions else bybit_balances.following(call, last)


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    rows = payload if isinstance(payload, list) else [payload]
    return [payload, {"retCode": 0, "result": payload}, {"retCode": 0, "result": {"list": rows, "rows": rows}}]


QUIRKS = Quirks(
    parsers={
        "ledger": history(list_of, _entry, _pages(list_of)),
        "funding": history(list_of, _funding_entry, _pages(list_of)),
        "transfers": history(list_of, _transfer, _pages(list_of)),
        "trades": history(list_of, _fill, _pages(list_of)),
        "filled-orders": history(list_of, _filled_order, _pages(list_of)),
        "convert": history(list_of, _conversion),
        "dust": history(rows_of("records"), _dust),
        "deposits": history(rows_of("rows"), _deposit, _pages(rows_of("rows"))),
        "internal-deposits": history(rows_of("rows"), _internal_deposit, _pages(rows_of("rows"))),
        "withdrawals": history(rows_of("rows"), _withdrawal, _pages(rows_of("rows"))),
        "earn-orders": history(list_of, _earn_order, _pages(list_of)),
    },
    snapshots={"balances": balances, "positions": bybit_positions.open_positions},
    rights=rights,
    following=following,
    forms=forms,
)
