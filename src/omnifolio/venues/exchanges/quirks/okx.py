"""What is particular to OKX: two ledgers, one of the trading and one of the funding account, that tell nearly everything.

Trading bills reach three months back, funding bills to 2021. A fill is two bills, one of each currency; the fills' history
annotates them by order and trade id. A transfer between the two accounts is a bill in each, joined by amount and second, since
they share no id; unjoined they would still add up. Deposits and withdrawals are bills without a hash or an id of their own, so
the deposit and withdrawal histories tell those instead, but for government money, which only the bills know.
Source: okx.com/docs-v5, Trading account (bills), Funding account (bills, deposits, withdrawals), Order book trading (transaction
details), Financial product (lending history), Get account configuration.
"""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import canonical, parse_amount, product, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, expect_dict
from omnifolio.venues.exchanges.paging import SHORT_PAGE_ROWS
from omnifolio.venues.exchanges.quirks import okx_balances, okx_positions
from omnifolio.venues.exchanges.quirks import okx_kinds as kinds
from omnifolio.venues.exchanges.quirks.okx_balances import amount_of, balances, of_subaccounts, rows_of
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.subaccounts import SCOPE
from omnifolio.venues.exchanges.telling import Edges, fill, history, told
from omnifolio.venues.exchanges.times import from_ms

DETAIL_RANK = 1

_DEPOSIT_STATUSES: Mapping[str, Status] = {"1": "confirmed", "2": "confirmed"}
_WITHDRAWAL_STATUSES: Mapping[str, Status] = {"-2": "cancelled", "-1": "failed", "2": "confirmed"}
_FEE = re.compile(r"(?P<amount>[0-9.]+)(?P<code>[A-Za-z0-9]*)")
"""Older withdrawals write the fee's currency behind the number: 0.01eth."""


def _after(field: str) -> Edges:
    """The token of the following page out of the oldest row: a bill's id, or the instant just after an older one's.

    What shares that instant comes again, and is known.
    """

    def edges(evidence: Evidence) -> Mapping[str, Any]:
        rows = rows_of(evidence)
        if len(rows) < SHORT_PAGE_ROWS or not isinstance(rows[-1], dict):
            return {}
        value = str(rows[-1].get(field) or "")
        if field == "ts":
            value = str(int(value) + 1) if value.isdecimal() else ""
        return {"next": value}

    return edges


def _text(row: Mapping[str, Any], field: str) -> str:
    """A field that must say something. Raises: KeyError, InvalidField."""
    value = row[field]
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise InvalidField(f"{field}: expected text")
    return str(value)


# The two ledgers.


def _bill(context: Context, row: Mapping[str, Any]) -> Claim | None:
    return _trading_bill(context, row) if context.scope == "trading" else _funding_bill(context, row)


def _trading_bill(context: Context, row: Mapping[str, Any]) -> Claim:
    """A bill of the trading account; its change of an isolated position's margin is a leg of the purse `isolated`."""
    bill, number, subtype = _text(row, "billId"), _text(row, "type"), _text(row, "subType")
    token, change, fee = context.codes.token(row["ccy"]), parse_amount(row["balChg"], where="balChg"), amount_of(row, "fee")
    is_contract = row.get("instType") in kinds.CONTRACTS
    margin = amount_of(row, "posBalChg") if is_contract else Decimal(0)
    # A fee that was charged to a position's margin is no part of the change of the cash.
    fee = fee if change and not margin else Decimal(0)
    principal = total((change, -fee))
    legs = [Leg(bill, "trading", token, principal), Leg(f"{bill}:fee", "trading", token, fee, "fee")]
    if margin:
        legs.append(Leg(f"{bill}:margin", "isolated", token, margin))
    if number == kinds.STRATEGY_TRANSFER:
        legs.append(Leg(f"{bill}:bots", "bots", token, -change))
    kind: Kind = kinds.TRADING_SUBTYPES.get(subtype) or kinds.TRADING.get(number, "other")
    if is_contract and kind == "trade":
        kind = "realized_pnl" if principal or margin else "fee"
    at, order, trade = from_ms(row["ts"]), str(row.get("ordId") or ""), str(row.get("tradeId") or "")
    shared: list[str] = []
    if order and trade not in ("", "0"):
        shared.append(f"okx:fill/{order}/{trade}")
    elif number in kinds.CONVERSIONS:
        # The two sides of a conversion have nothing in common but their instant.
        shared.append(f"okx:conversion/{number}/{at}")
    elif {str(row.get("from")), str(row.get("to"))} == {"6", "18"}:
        shared += _transfer_refs(token, change, at)
    label, name = f"{number}/{subtype}", f"{order}/{trade}" if order and trade not in ("", "0") else order
    return told(context, ref=bill, at=at, kind=kind, legs=legs, label=label, name=name, shared=tuple(shared))


def _funding_bill(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A bill of the funding account, with the other side where that is a position which OKX reports."""
    if "subType" in row:
        raise InvalidField("subType: this is a bill of the trading account")
    bill, number = _text(row, "billId"), _text(row, "type")
    token, change = context.codes.token(row["ccy"]), parse_amount(row["balChg"], where="balChg")
    if number in kinds.TOLD_ELSEWHERE and not context.codes.is_fiat(token):
        return None
    legs = [Leg(bill, "funding", token, change)]
    other = "earn" if number in kinds.SAVINGS | kinds.ONCHAIN else "loan" if number in kinds.LOAN else ""
    if other:
        legs.append(Leg(f"{bill}:{other}", other, token, -change))
    at = from_ms(row["ts"])
    shared: list[str] = []
    if number in kinds.FUNDING_CONVERSIONS:
        shared.append(f"okx:funding-conversion/{at}")
    elif number in kinds.BETWEEN_ACCOUNTS:
        shared += _transfer_refs(token, change, at)
    kind: Kind = kinds.FUNDING.get(number, "other")
    ref = f"funding/{bill}"
    return told(context, ref=ref, at=at, kind=kind, legs=legs, label=number, name=bill, shared=tuple(shared))


def _transfer_refs(token: TokenId, change: Decimal, at: EpochMs) -> list[str]:
    """Names that the two bills of one transfer share when they are less than a second apart."""
    second = at // 1000
    return [f"okx:transfer/{token}/{canonical(abs(change))}/{place}" for place in (second, second + 1)]


# What annotates them, and what they leave to others.


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill, which the trading bills tell too."""
    base, quote = split_pair(context, row["instId"])
    size, fee = parse_amount(row["fillSz"], where="fillSz"), amount_of(row, "fee")
    legs = fill(
        row["side"],
        base=base,
        quote=quote,
        amount=size,
        cost=product(size, parse_amount(row["fillPx"], where="fillPx")),
        fee=-fee,
        fee_token=context.codes.token(row["feeCcy"]) if fee else quote,
        wallet="trading",
    )
    order, trade = _text(row, "ordId"), _text(row, "tradeId")
    return told(
        context,
        rank=DETAIL_RANK,
        ref=f"{order}/{trade}",
        shared=(f"okx:fill/{order}/{trade}",),
        at=from_ms(row["ts"]),
        kind="trade",
        legs=legs,
        label=f"{row['side']} {row['instId']}",
    )


def _filled_order(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """What an order brought in all its fills, for recordings that hold orders only: by its latest fill."""
    size = parse_amount(row["accFillSz"], where="accFillSz")
    if not size:
        return None
    base, quote = split_pair(context, row["instId"])
    fee = amount_of(row, "fee")
    token = context.codes.token(row["feeCcy"]) if fee else quote
    cost, at = product(size, parse_amount(row["avgPx"], where="avgPx")), row.get("fillTime") or row.get("uTime") or row["cTime"]
    legs = fill(row["side"], base=base, quote=quote, amount=size, cost=cost, fee=-fee, fee_token=token, wallet="trading")
    order, label = _text(row, "ordId"), f"{row['side']} {row['instId']}"
    return told(context, rank=DETAIL_RANK, ref=order, at=from_ms(at), kind="trade", legs=legs, label=label)


def split_pair(context: Context, pair: Any) -> tuple[TokenId, TokenId]:
    """Base and quote of an instrument such as BTC-USDT. Raises: InvalidField."""
    base, separator, quote = pair.partition("-") if isinstance(pair, str) else ("", "", "")
    if not separator or "-" in quote:
        raise InvalidField("instId: expected a spot pair such as BTC-USDT")
    return context.codes.token(base), context.codes.token(quote)


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    leg = Leg("amount", "funding", context.codes.token(row["ccy"]), parse_amount(row["amt"], where="amt"))
    status = _DEPOSIT_STATUSES.get(_text(row, "state"), "pending")
    return _movement(context, row, row_id=_text(row, "depId"), legs=(leg,), kind="deposit", status=status)


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    token, status = context.codes.token(row["ccy"]), _WITHDRAWAL_STATUSES.get(_text(row, "state"), "pending")
    fee = _FEE.fullmatch(str(row.get("fee") or "0"))
    if fee is None:
        raise InvalidField("fee: expected an amount")
    paid_in = context.codes.token(row.get("feeCcy") or fee["code"].upper() or row["ccy"])
    address = str(row.get("to") or "") if row.get("txId") else ""
    legs = (
        Leg("amount", "funding", token, -parse_amount(row["amt"], where="amt"), "principal", address or None),
        Leg("fee", "funding", paid_in, -parse_amount(fee["amount"], where="fee"), "fee"),
    )
    return _movement(context, row, row_id=_text(row, "wdId"), legs=legs, kind="withdrawal", status=status)


def _movement(context: Context, row: Mapping[str, Any], *, row_id: str, legs: Sequence[Leg], kind: Kind, status: Status) -> Claim:
    """A deposit or withdrawal; `chain` is the currency and the network's name: USDT-Arbitrum One."""
    chain, hash_ = context.networks.get(str(row.get("chain") or "").partition("-")[2]), row.get("txId")
    is_onchain = chain and isinstance(hash_, str) and hash_ and not row.get("fromWdId")
    return told(
        context,
        ref=f"{row_id}/{row['ccy']}",
        at=from_ms(row["ts"]),
        kind=kind,
        legs=legs,
        label=row.get("chain"),
        name=row_id,
        status=status,
        event=f"{chain}:{hash_}" if is_onchain else None,
    )


def _lending(context: Context, row: Mapping[str, Any]) -> Claim:
    """An hour's interest of simple earn, which grows inside the position."""
    leg = Leg("amount", "earn", context.codes.token(row["ccy"]), parse_amount(row["earnings"], where="earnings"))
    ref = f"{row['ccy']}/{row['ts']}/{row['rate']}/{row['amt']}"
    at = from_ms(row["ts"])
    return told(context, ref=ref, at=at, kind="interest", legs=(leg,), label="lending")


def _balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The account's own balances, or those of its sub-accounts. Raises: VenueBadResponse."""
    return (of_subaccounts if context.scope == SCOPE else balances)(context, evidence)


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from the account's configuration."""
    rows = rows_of(evidence)
    if not rows:
        raise VenueBadResponse(f"{evidence.request}: the answer has no account")
    info = expect_dict(rows[0], evidence, where="data")
    words, addresses = info.get("perm"), info.get("ip")
    granted = tuple(word.strip() for word in words.split(",") if word.strip()) if isinstance(words, str) else ()
    return Rights(granted=granted, ip_restricted=bool(addresses) if isinstance(addresses, str) else None, is_known=bool(granted))


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """The contracts of open positions, and sub-accounts, are asked for by name."""
    return okx_positions.asked(answers) if call == okx_positions.CONTRACTS_CALL else okx_balances.asked(call, answers)


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    rows = payload if isinstance(payload, list) else [payload]
    return [payload, {"code": "0", "msg": "", "data": rows}]


QUIRKS = Quirks(
    parsers={
        "bills": history(rows_of, _bill, _after("billId")),
        "trades": history(rows_of, _fill, _after("billId")),
        "filled-orders": history(rows_of, _filled_order, _after("ordId")),
        "deposits": history(rows_of, _deposit, _after("ts")),
        "withdrawals": history(rows_of, _withdrawal, _after("ts")),
        "lending": history(rows_of, _lending, _after("ts")),
    },
    snapshots={"balances": _balances, "positions": okx_positions.open_positions},
    rights=rights,
    asked=asked,
    forms=forms,
)
