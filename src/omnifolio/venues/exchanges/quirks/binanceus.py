"""What is particular to Binance.US: trading and transfers as at Binance, money, quoted trades and staking of its own.

Left out, as their rows are not documented well enough: dust conversions, referral rewards, sub-accounts and the custodial desk.
Source: docs.binance.us, and the fields that clients of its documentation know (seen 2026-11-27).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.quirks import binance
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_ms, from_seconds

SECONDS_MAX = 100_000_000_000
"""An instant below this is in seconds: in milliseconds it would lie in 1973."""

_STATUSES: Mapping[str, Status] = {
    "success": "confirmed",
    "successful": "confirmed",
    "completed": "confirmed",
    "process": "pending",
    "processing": "pending",
    "pending": "pending",
}


def _status(raw: Any) -> Status:
    return _STATUSES.get(str(raw).lower(), "failed")


def _at(raw: Any) -> EpochMs:
    """An instant that some answers give in seconds."""
    return from_seconds(raw) if str(raw).isdigit() and int(raw) < SECONDS_MAX else from_ms(raw)


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amounts = (parse_amount(row[name], where=name) for name in ("free", "locked"))
    yield "spot", "spot", context.codes.token(row["asset"]), total(amounts)


def _staked(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield "staking", "staked", context.codes.token(row["asset"]), parse_amount(row["stakingAmount"], where="stakingAmount")


def _data(evidence: Evidence) -> list[Any]:
    """The rows of a staking answer, which tells of its success. Raises: VenueBadResponse."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    if body.get("success") is False:
        raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
    return expect_list(body.get("data"), evidence, where="data")


def _fiat(context: Context, row: Mapping[str, Any]) -> Claim:
    """Money in or out. What a bank or card took of a deposit was never in the account; a withdrawal's fees were."""
    token, is_deposit = context.codes.token(row["fiatCurrency"]), context.kind == "fiat-deposits"
    amount = parse_amount(row["amount"])
    legs = [Leg("amount", "spot", token, amount if is_deposit else -amount)]
    if not is_deposit:
        fees = (parse_amount(row.get(name) or "0", where=name) for name in ("transactionFee", "platformFee"))
        legs.append(Leg("fee", "spot", token, -total(fees), "fee"))
    return told(
        context,
        ref=row["orderId"],
        at=_at(row["createTime"]),
        kind="deposit" if is_deposit else "withdrawal",
        legs=legs,
        label=row.get("paymentMethod"),
        status=_status(row["orderStatus"]),
    )


def _quoted(context: Context, row: Mapping[str, Any]) -> Claim:
    """A trade at a quoted price. Where amount, ratio and fee say that the fee is inside what was paid, it is told apart."""
    paid, received = (parse_amount(row[name], where=name) for name in ("fromAmount", "toAmount"))
    fee = parse_amount(row.get("feeAmount") or "0", where="feeAmount")
    if fee and _is_fee_inside(row, paid, received, fee):
        paid = total((paid, -fee))
    legs = [
        Leg("from", "spot", context.codes.token(row["fromCoin"]), -paid),
        Leg("to", "spot", context.codes.token(row["toCoin"]), received),
    ]
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(row["feeCoin"]), -fee, "fee"))
    return told(
        context,
        ref=row["orderId"],
        at=_at(row["createTime"]),
        kind="trade",
        legs=legs,
        label=context.kind,
        status=_status(row["orderStatus"]),
    )


def _is_fee_inside(row: Mapping[str, Any], paid: Decimal, received: Decimal, fee: Decimal) -> bool:
    """Whether what was paid is nearer to the price with the fee than to the price alone."""
    if row.get("feeCoin") != row["fromCoin"] or not row.get("ratio"):
        return False
    off = total((paid, -product(received, parse_amount(row["ratio"], where="ratio"))))
    return abs(total((off, -fee))) < abs(off)


def _distribution(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """Airdrops and rebates; what staking pays is told by its own list."""
    words = str(row.get("category") or "")
    if "stak" in words.lower():
        return None
    kind: Kind = "rebate" if "rebate" in words.lower() else "airdrop"
    leg = Leg("amount", "spot", context.codes.token(row["asset"]), parse_amount(row["amount"]))
    ref = f"{row['tranId']}/{row['asset']}"
    return told(context, ref=ref, at=from_ms(row["divTime"]), kind=kind, legs=(leg,), label=words)


def _stake(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A move into or out of staking, which has no id; rewards are told by their own list."""
    word = str(row["type"]).lower()
    if word not in ("staked", "unstaked"):
        return None
    token, amount, sign = context.codes.token(row["asset"]), parse_amount(row["amount"]), 1 if word == "staked" else -1
    return told(
        context,
        ref=f"{row['initiatedTime']}/{row['asset']}/{word}/{row['amount']}",
        at=_at(row["initiatedTime"]),
        kind="staking" if sign > 0 else "unstaking",
        legs=(Leg("spot", "spot", token, -sign * amount), Leg("staking", "staking", token, sign * amount)),
        label=word,
        status=_status(row["status"]),
    )


def _reward(context: Context, row: Mapping[str, Any]) -> Claim:
    """A staking reward, paid out or staked again."""
    wallet = "staking" if row.get("autoRestaked") is True else "spot"
    leg = Leg("amount", wallet, context.codes.token(row["asset"]), parse_amount(row["amount"]))
    ref = f"{row['tranId']}/{row['asset']}"
    return told(context, ref=ref, at=_at(row["time"]), kind="staking_reward", legs=(leg,))


QUIRKS = Quirks(
    parsers={
        **{kind: binance.QUIRKS.parsers[kind] for kind in ("trades", "orders", "deposits", "withdrawals")},
        "fiat-deposits": history(rows_at("assetLogRecordList"), _fiat),
        "fiat-withdrawals": history(rows_at("assetLogRecordList"), _fiat),
        "otc": history(rows_at("rows"), _quoted),
        "ocbs": history(rows_at("dataList"), _quoted),
        "distributions": history(rows_at("rows"), _distribution),
        "stakes": history(rows_at(), _stake),
        "staking-rewards": history(_data, _reward),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/account", rows_of=rows_at("balances"), read=_spot, tells=(("spot", "spot"),)),
            Source(path_end="/stakingBalance", rows_of=_data, read=_staked, tells=(("staking", "staked"),)),
        )
    },
    following=binance.QUIRKS.following,
    is_due=binance.QUIRKS.is_due,
    scopes=binance.QUIRKS.scopes,
    scope_value=binance.QUIRKS.scope_value,
    scope_of=binance.QUIRKS.scope_of,
)
