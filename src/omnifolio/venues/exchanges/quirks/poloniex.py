"""What is particular to Poloniex: deposits and withdrawals share one answer, and what a withdrawal cost is part of its amount.

Spot holds what was borrowed as a negative amount. What moves inside the futures account, but for transfers, is not told: the
fields of its bills are not documented well enough.
Source: api-docs.poloniex.com, Spot: Accounts, Wallets, Trades, and Futures: account balance (seen 2026-11-27).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_ms, from_seconds

SPOT, FUTURES = "SPOT", "FUTURES"
SUCCESS = "200"

_WALLETS = {SPOT: "spot", FUTURES: "futures"}
_ACTIVITIES: Mapping[int, Kind] = {
    201: "airdrop",
    202: "rebate",
    204: "referral",
}
STAKING = 203
_STATES: Mapping[str, Status] = {"SUCCESS": "confirmed", "FAILED": "failed", "PROCESSING": "pending", "PENDING": "pending"}
_TRANSFER_STATES: tuple[tuple[str, Status], ...] = (
    ("COMPLETE ERROR", "failed"),
    ("COMPLETE", "confirmed"),
    ("FAIL", "failed"),
    ("CANCEL", "cancelled"),
)
"""How the state of a deposit or withdrawal begins; anything else is on its way."""


def _spot_rows(evidence: Evidence) -> list[Any]:
    """The balances of the spot account; the futures account has a call of its own. Raises: VenueBadResponse."""
    accounts = [expect_dict(row, evidence, where="the accounts") for row in rows_at()(evidence)]
    spot = (row for row in accounts if row.get("accountType") == SPOT)
    return [balance for row in spot for balance in expect_list(row.get("balances"), evidence, where="balances")]


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amount = total(parse_amount(row[name], where=name) for name in ("available", "hold"))
    yield "spot", "debt" if amount < 0 else "spot", context.codes.token(row["currency"]), amount


def _futures_rows(evidence: Evidence) -> list[Any]:
    """The currencies of the futures account. Raises: VenueBadResponse."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if str(body.get("code")) != SUCCESS:
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return expect_list(expect_dict(body.get("data"), evidence, where="data").get("details"), evidence, where="data.details")


def _collateral(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """What backs the positions: equity without the profit that is not realized."""
    equity, open_profit = (parse_amount(row[name], where=name) for name in ("eq", "upl"))
    yield "futures", "collateral", context.codes.token(row["ccy"]), total((equity, -open_profit))


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill; its sum is stated, or the product of quantity and price."""
    base, separator, quote = str(row["symbol"]).partition("_")
    if not separator or row["side"] not in ("BUY", "SELL"):
        raise InvalidField("symbol, side: expected BASE_QUOTE and BUY or SELL")
    quantity, price = parse_amount(row["quantity"], where="quantity"), parse_amount(row["price"], where="price")
    amount = parse_amount(row["amount"]) if row.get("amount") else product(quantity, price)
    fee = parse_amount(row.get("feeAmount") or "0", where="feeAmount")
    sign = 1 if row["side"] == "BUY" else -1
    legs = [
        Leg("base", "spot", context.codes.token(base), sign * quantity),
        Leg("quote", "spot", context.codes.token(quote), -sign * amount),
    ]
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(row["feeCurrency"]), -fee, "fee"))
    label = f"{row['side']} {row.get('matchRole') or ''}".strip().lower()
    return told(context, ref=row["id"], at=from_ms(row["createTime"]), kind="trade", legs=legs, label=label)


def _transfer_rows(evidence: Evidence) -> list[Any]:
    """Deposits and withdrawals; adjustments are told by the account's activity. Raises: VenueBadResponse."""
    return [row for name in ("deposits", "withdrawals") for row in rows_at(name)(evidence)]


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """A deposit or withdrawal, told apart by its number. A withdrawal's amount includes its fee."""
    number = row.get("withdrawalRequestsId") or row.get("withdrawalNumber")
    is_withdrawal = bool(number) or "fee" in row
    state, _, hash_ = str(row["status"]).partition(":")
    status: Status = next((status for word, status in _TRANSFER_STATES if state.upper().startswith(word)), "pending")
    token, amount = context.codes.token(row["currency"]), parse_amount(row["amount"])
    fee = parse_amount(row.get("fee") or "0", where="fee")
    legs = [Leg("amount", "spot", token, amount)]
    if is_withdrawal:
        legs = [
            Leg("amount", "spot", token, -total((amount, -fee)), "principal", row.get("address") or None),
            Leg("fee", "spot", token, -fee, "fee"),
        ]
    number = number or row.get("depositNumber") or row.get("txid") or hash_.strip()
    return told(
        context,
        ref=f"{'withdrawal' if is_withdrawal else 'deposit'}/{number}" if number else None,
        name=number,
        at=from_seconds(row["timestamp"]),
        kind="withdrawal" if is_withdrawal else "deposit",
        legs=legs,
        label=state,
        status=status,
    )


def _account_transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    token, amount = context.codes.token(row["currency"]), parse_amount(row["amount"])
    legs = [
        Leg(key, _WALLETS[row[field]], token, sign * amount)
        for key, field, sign in (("out", "fromAccount", -1), ("in", "toAccount", 1))
        if row[field] in _WALLETS
    ]
    return told(
        context,
        ref=row["id"],
        at=from_ms(row["createTime"]),
        kind="transfer",
        legs=legs,
        label=f"{row['fromAccount']} {row['toAccount']}",
        status=_STATES.get(str(row["state"]), "pending"),
    )


def _activity(context: Context, row: Mapping[str, Any]) -> Claim:
    """Airdrops, rebates, staking and adjustments; amounts bear their sign."""
    words, number, amount = str(row.get("description") or ""), row["activityType"], parse_amount(row["amount"])
    kind = _ACTIVITIES.get(number, "other")
    if number == STAKING:
        is_paid = any(word in words.lower() for word in ("reward", "interest", "payout"))
        kind = "staking_reward" if is_paid else "staking" if amount < 0 else "unstaking"
    leg = Leg("amount", "spot", context.codes.token(row["currency"]), amount)
    return told(
        context,
        ref=row["id"],
        at=from_ms(row["createTime"]),
        kind=kind,
        legs=(leg,),
        label=words or number,
        status=_STATES.get(str(row["state"]), "pending"),
    )


def _interest(context: Context, row: Mapping[str, Any]) -> Claim:
    """What borrowed money cost."""
    leg = Leg("amount", "spot", context.codes.token(row["currencyName"]), -parse_amount(row["interest"], where="interest"), "fee")
    return told(context, ref=row["id"], at=from_ms(row["interestAccuredTime"]), kind="fee", legs=(leg,), label="interest")


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: one row may have lost the list around it."""
    return [payload, [payload]] if isinstance(payload, dict) else [payload]


QUIRKS = Quirks(
    parsers={
        "trades": history(rows_at(), _trade),
        "transfers": history(_transfer_rows, _transfer),
        "account-transfers": history(rows_at(), _account_transfer),
        "activity": history(rows_at(), _activity),
        "interest": history(rows_at(), _interest),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/accounts/balances", rows_of=_spot_rows, read=_spot, tells=(("spot", "spot"), ("spot", "debt"))),
            Source(path_end="/v3/account/balance", rows_of=_futures_rows, read=_collateral, tells=(("futures", "collateral"),)),
        )
    },
    forms=forms,
)
