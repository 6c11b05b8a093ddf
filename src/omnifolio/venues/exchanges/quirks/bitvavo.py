"""What is particular to Bitvavo: one transaction history for all but deposits and withdrawals, which have lists of their own.

The history tells trades, rewards and gifts with what was sent, received and paid as a fee. Deposits and withdrawals are read
from their own lists, which alone know states, addresses and chain hashes; the history's rows of them are not read twice.
Source: docs.bitvavo.com, REST: account/history, depositHistory, withdrawalHistory, balance, stakingBalance, account.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso, from_ms

_KINDS: Mapping[str, Kind] = {
    "buy": "trade",
    "sell": "trade",
    "staking": "staking_reward",
    "fixed_staking": "staking_reward",
    "affiliate": "referral",
    "distribution": "airdrop",
    "rebate": "rebate",
}
_BY_SIGN = frozenset({"internal_transfer", "external_transferred_funds"})
_TOLD_ELSEWHERE = frozenset({"deposit", "withdrawal", "withdrawal_cancelled"})
_STATUSES: Mapping[str, Status] = {
    "completed": "confirmed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "failed": "failed",
}


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amounts = (parse_amount(row[name], where=name) for name in ("available", "inOrder"))
    yield "spot", "spot", context.codes.token(row["symbol"]), total(amounts)


def _staked(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """Fixed staking alone: what is staked flexibly stays available and is part of the spot balance."""
    yield "staking", "staked", context.codes.token(row["symbol"]), parse_amount(row["amount"])


def _transaction(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A row of the history, unless it is a deposit's or withdrawal's."""
    word = row["type"]
    if word in _TOLD_ELSEWHERE:
        return None
    sent, received, fee = (_side(context, row, name) for name in ("sent", "received", "fees"))
    if fee and _is_fee_inside(row):
        sent, received = _without(sent, fee), _without(received, fee)
    kind = _KINDS.get(word, "other")
    if word in _BY_SIGN:
        kind = "deposit" if received else "withdrawal"
    legs = [*received, *(Leg(leg.key, leg.wallet, leg.token, -leg.amount) for leg in sent)]
    legs += [Leg(leg.key, leg.wallet, leg.token, -leg.amount, "fee") for leg in fee]
    if word == "fixed_staking" and sent:
        kind = "staking"
        legs += [Leg("staked", "staking", leg.token, leg.amount) for leg in sent]
    return told(context, ref=row["transactionId"], at=from_iso(row["executedAt"]), kind=kind, legs=legs, label=word)


def _side(context: Context, row: Mapping[str, Any], name: str) -> list[Leg]:
    """What was sent, received or paid, as one leg without a sign; none where the row does not say."""
    currency, raw = row.get(f"{name}Currency"), row.get(f"{name}Amount")
    if currency in (None, "", "null") or raw in (None, "", "null"):
        return []
    return [Leg(name, "spot", context.codes.token(currency), abs(parse_amount(raw, where=f"{name}Amount")))]


def _is_fee_inside(row: Mapping[str, Any]) -> bool:
    """Whether a trade's stated sum of money already has the fee in it, which the price tells."""
    if row["type"] not in ("buy", "sell") or row.get("feesCurrency") != row.get("priceCurrency"):
        return False
    side, other = ("sent", "received") if row["type"] == "buy" else ("received", "sent")
    if row.get(f"{side}Currency") != row.get("priceCurrency"):
        return False
    names = (f"{side}Amount", f"{other}Amount", "priceAmount", "feesAmount")
    money, amount, price, fee = (parse_amount(row[name], where=name) for name in names)
    off = total((money, -product(amount, price)))
    return abs(total((off, -fee if row["type"] == "buy" else fee))) < abs(off)


def _without(side: list[Leg], fee: list[Leg]) -> list[Leg]:
    """The side's amount where the fee was in it: more was received, or less was paid for the tokens alone."""

    def bare(leg: Leg) -> Decimal:
        return total((leg.amount, fee[0].amount if leg.key == "received" else -fee[0].amount))

    return [Leg(leg.key, leg.wallet, leg.token, bare(leg)) if leg.token == fee[0].token else leg for leg in side]


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    """Only money's rows bear a status; a deposit of tokens is listed once it has arrived."""
    return _transfer(context, row, kind="deposit", status=_STATUSES.get(row.get("status", "completed"), "pending"))


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    """`amount` is what arrives outside; the fee left the account beside it."""
    return _transfer(context, row, kind="withdrawal", status=_STATUSES.get(row["status"], "pending"))


def _transfer(context: Context, row: Mapping[str, Any], *, kind: Kind, status: Status) -> Claim:
    """Rows have no id: time, token, amount and address are what stays the same while a transfer is on its way."""
    token, amount = context.codes.token(row["symbol"]), parse_amount(row["amount"])
    fee = parse_amount(row.get("fee") or "0", where="fee")
    if amount < 0:
        raise InvalidField("amount: expected no sign")
    peer = row.get("address") or None if kind == "withdrawal" else None
    legs = (
        Leg("amount", "spot", token, amount if kind == "deposit" else -amount, "principal", peer),
        Leg("fee", "spot", token, -fee, "fee"),
    )
    ref = "/".join(str(row.get(name) or "") for name in ("timestamp", "symbol", "amount", "address"))
    if kind == "deposit":
        ref += f"/{row.get('txId') or ''}"
    return told(
        context,
        ref=ref,
        name=row.get("txId") or ref,
        at=from_ms(row["timestamp"]),
        kind=kind,
        legs=legs,
        label=row.get("status"),
        status=status,
    )


def _pages(evidence: Evidence) -> Mapping[str, Any]:
    """The count of pages as a count of rows: full ones, but for the last, whose own rows end the count."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    try:
        page, pages, size = (int(body[name]) for name in ("currentPage", "totalPages", "maxItems"))
    except (KeyError, TypeError, ValueError):
        return {}
    rows = expect_list(body.get("items"), evidence, where="items")
    return {"total": pages * size if page < pages else (page - 1) * size + len(rows)}


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from the capabilities of its account call."""
    info = expect_dict(decode(evidence), evidence, where="the answer")
    flags = info.get("capabilities")
    return Rights(granted=tuple(map(str, flags)) if isinstance(flags, list) else (), is_known=isinstance(flags, list))


QUIRKS = Quirks(
    parsers={
        "history": history(rows_at("items"), _transaction, _pages),
        "deposits": history(rows_at(), _deposit),
        "withdrawals": history(rows_at(), _withdrawal),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/balance", rows_of=rows_at(), read=_spot, tells=(("spot", "spot"),)),
            Source(path_end="/stakingBalance", rows_of=rows_at(), read=_staked, tells=(("staking", "staked"),)),
        )
    },
    rights=rights,
)
