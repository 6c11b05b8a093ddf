"""What is particular to Bit2Me: each transaction names both of its ends, and which of them are the account's own.

Moves to and from Pro and Earn stand among the wallet's transactions, so only fills and rewards are read elsewhere.
Source: api.bit2me.com (wallet, earn), api.bit2me.com/trading-spot-rest (trading).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

EARN_ROWS = 100

_OWN = {"pocket": "pockets", "trading": "pro", "earn": "earn"}
"""Classes of ends that are the account's own → wallet; the others are chains, banks, cards and other people."""
_STATUSES: Mapping[str, Status] = {
    "completed": "confirmed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
    "failed": "failed",
}


def _count(name: str) -> Any:
    def edges(evidence: Evidence) -> Mapping[str, Any]:
        count = expect_dict(decode(evidence), evidence, where="the answer").get(name)
        return {"total": count} if type(count) is int else {}

    return edges


def _transaction(context: Context, row: Mapping[str, Any]) -> Claim:
    """What left an own end and what reached one; amounts are all that was taken and all that was received."""
    origin, target = row["origin"], row["destination"]
    source, wallet = _OWN.get(str(origin["class"])), _OWN.get(str(target["class"]))
    legs: list[Leg] = []
    if source:
        legs += _taken(context, row, source, target if not wallet else {})
    if wallet:
        token = context.codes.token(target["currency"])
        legs.append(Leg("in", wallet, token, parse_amount(target["amount"], where="destination.amount")))
    label = " ".join(filter(None, (str(row["type"]), str(row.get("subtype") or ""))))
    chain, network = context.networks.get(str(target.get("addressNetwork"))), row.get("transaction")
    hash_ = network.get("hash") if isinstance(network, dict) else None
    return told(
        context,
        ref=row["id"],
        at=from_iso(row["date"]),
        kind=_kind(source, wallet, is_same=origin["currency"] == target["currency"]),
        legs=legs,
        label=label,
        status=_STATUSES.get(str(row["status"]), "pending"),
        event=f"{chain}:{hash_}" if chain and hash_ else None,
    )


def _kind(source: str | None, wallet: str | None, *, is_same: bool) -> Kind:
    if source and wallet:
        if not is_same:
            return "trade"
        if "earn" in (source, wallet) and source != wallet:
            return "staking" if wallet == "earn" else "unstaking"
        return "transfer"
    return "withdrawal" if source else "deposit" if wallet else "other"


def _taken(context: Context, row: Mapping[str, Any], source: str, outside: Mapping[str, Any]) -> Iterator[Leg]:
    """What an own end lost, its fees apart where they were paid in the same currency."""
    origin = row["origin"]
    token, amount = context.codes.token(origin["currency"]), parse_amount(origin["amount"], where="origin.amount")
    fees = [
        (name, parse_amount(fee["amount"], where=f"fee.{name}"))
        for name, fee in (row.get("fee") or {}).items()
        if isinstance(fee, dict) and fee.get("amount") is not None and fee.get("currency") == origin["currency"]
    ]
    left = total((amount, *(-fee for _, fee in fees)))
    if left < 0:
        raise InvalidField("fee: it is more than what was taken")
    yield Leg("out", source, token, -left, "principal", outside.get("address") or None)
    for name, fee in fees:
        yield Leg(f"fee/{name}", source, token, -fee, "fee")


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    base, quote = context.codes.token(row["amountCurrency"]), context.codes.token(row["priceCurrency"])
    amount, cost = (parse_amount(row[name], where=name) for name in ("amount", "cost"))
    if row["side"] not in ("buy", "sell"):
        raise InvalidField("side: expected buy or sell")
    sign = 1 if row["side"] == "buy" else -1
    legs = [Leg("base", "pro", base, sign * amount), Leg("quote", "pro", quote, -sign * cost)]
    fee = parse_amount(row.get("feeAmount") or "0", where="feeAmount")
    if fee:
        legs.append(Leg("fee", "pro", context.codes.token(row["feeCurrency"]), -fee, "fee"))
    return told(
        context,
        ref=row["id"],
        at=from_iso(row["createdAt"]),
        kind="trade",
        legs=legs,
        label=f"{row['side']} {row.get('orderType') or ''}".strip(),
    )


def _reward(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A reward of Earn, what was withheld of it apart; what was paid in and taken out stands among the transactions."""
    word = str(row["type"])
    if word in ("deposit", "withdrawal"):
        return None
    legs = [_money(context, row["amount"], "amount", sign=1)]
    withheld = row.get("withholdingAmount")
    if isinstance(withheld, dict) and withheld.get("value"):
        legs.append(_money(context, withheld, "withholdingAmount", sign=-1))
    return told(
        context,
        ref=row["movementId"],
        at=from_iso(row["createdAt"]),
        kind="interest" if word == "reward" else "other",
        legs=legs,
        label=word,
        status=_STATUSES.get(str(row.get("status") or "completed").lower(), "pending"),
    )


def _money(context: Context, raw: Mapping[str, Any], key: str, *, sign: int) -> Leg:
    amount = parse_amount(raw["value"], where=key)
    return Leg(key, "earn", context.codes.token(raw["currency"]), sign * amount, "principal" if sign > 0 else "fee")


def _pocket(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """A pocket's balance has its blocked part in it."""
    yield "pockets", "spot", context.codes.token(row["currency"]), parse_amount(row["balance"], where="balance")


def _pro(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """Pro states what is free and, beside it, what orders hold."""
    amounts = (parse_amount(row[name], where=name) for name in ("balance", "blockedBalance"))
    yield "pro", "spot", context.codes.token(row["currency"]), total(amounts)


def _earn(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield "earn", "earn", context.codes.token(row["currency"]), parse_amount(row["balance"], where="balance")


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """The next page of the wallets of Earn; the other lists come whole."""
    if not call.endswith("v2/earn/wallets"):
        return {} if last is None else None
    if last is None:
        return {"limit": str(EARN_ROWS), "offset": "0"}
    body = expect_dict(decode(last), last, where="the answer")
    rows, count, offset = body.get("data"), body.get("total"), int(last.params["offset"])
    seen = offset + (len(rows) if isinstance(rows, list) else 0)
    is_more = type(count) is int and seen < count and seen > offset
    return {"limit": str(EARN_ROWS), "offset": str(seen)} if is_more else None


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    return [payload, {"data": payload}] if isinstance(payload, list) else [payload]


QUIRKS = Quirks(
    parsers={
        "transactions": history(rows_at("data"), _transaction, _count("total")),
        "trades": history(rows_at("data"), _trade, _count("count")),
        "earn": history(rows_at("data"), _reward, _count("total")),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/v1/wallet/pocket", rows_of=rows_at(), read=_pocket, tells=(("pockets", "spot"),)),
            Source(path_end="/wallet/balance", rows_of=rows_at(), read=_pro, tells=(("pro", "spot"),)),
            Source(path_end="/earn/wallets", rows_of=rows_at("data"), read=_earn, tells=(("earn", "earn"),)),
        )
    },
    following=following,
    forms=forms,
)
