"""What is particular to WhiteBIT: one account with several balances, between which it tells no transfers.

Money moves freely between the main, trade and collateral balances and into lending plans, and no history says so. So all are
products of one wallet, and what the account gained or lost adds up there. Fills come from all markets at once.
Source: docs.whitebit.com, Private HTTP API v4: main-account, trade-account, collateral-account, convert.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Product, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.telling import Held, RowsOf, Source, fill, history, named_rows, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_seconds

WALLET, PAGE_ROWS = "main", 100
FUTURES_END = "_PERP"

_DEPOSIT, _WITHDRAWAL = "1", "2"
_PARTIAL = "18"
_STATUSES: Mapping[str, Status] = {
    **dict.fromkeys(("3", "7", _PARTIAL), "confirmed"),
    **dict.fromkeys(("4", "9"), "cancelled"),
    "22": "failed",
}
"""All others wait: for confirmations, for the user, for an inspection."""


def _main(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amount = parse_amount(row["value"]["main_balance"], where="main_balance")
    yield WALLET, "funding", context.codes.token(row["asset"]), amount


def _trade(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amounts = (parse_amount(row["value"][name], where=name) for name in ("available", "freeze"))
    yield WALLET, "spot", context.codes.token(row["asset"]), total(amounts)


def _collateral(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    token = context.codes.token(row["asset"])
    yield WALLET, "collateral", token, parse_amount(row["balance"], where="balance")
    yield WALLET, "debt", token, -parse_amount(row["borrow"], where="borrow")


def _fixed_plan(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield WALLET, "lent", context.codes.token(row["plan"]["ticker"]), parse_amount(row["amount"])


def _flexible_plan(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield WALLET, "lent", context.codes.token(row["currency"]), parse_amount(row["invested"], where="invested")


_LENT: tuple[tuple[str, Product], ...] = ((WALLET, "lent"),)


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """Running plans come in pages; closed ones hold nothing."""
    first = {
        "v4PrivatePostMainAccountSmartInvestments": {"status": "1"},
        "v4PrivatePostMainAccountSmartFlexInvestments": {"investmentStatus": "1"},
    }.get(call)
    if first is None:
        return {} if last is None else None
    start = 0
    if last is not None:
        body = expect_dict(decode(last), last, where="the answer")
        rows = expect_list(body.get("records", body.get("data")), last, where="records")
        if len(rows) < PAGE_ROWS:
            return None
        start = int(last.params["offset"]) + PAGE_ROWS
    return {**first, "limit": str(PAGE_ROWS), "offset": str(start)}


def _deals(evidence: Evidence) -> list[Any]:
    """The fills of all markets, each with its market's name."""
    return [
        {**deal, "market": market["asset"]} if isinstance(deal, dict) else deal
        for market in named_rows(evidence)
        for deal in expect_list(market["value"], evidence, where=market["asset"])
    ]


def _deal(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill; of futures only its fee moves."""
    codes, market = context.codes, str(row["market"])
    base, separator, quote = market.rpartition("_")
    amount, cost, fee = (parse_amount(row[name], where=name) for name in ("amount", "deal", "fee"))
    if not separator:
        raise InvalidField("market: expected base and quote")
    fee_token = codes.token(row["feeAsset"] if fee else base)
    legs: Iterable[Leg] = (Leg("fee", WALLET, fee_token, -fee, "fee"),)
    kind: Kind = "fee"
    if not market.endswith(FUTURES_END):
        kind, legs = (
            "trade",
            fill(
                row["side"],
                base=codes.token(base),
                quote=codes.token(quote),
                amount=amount,
                cost=cost,
                fee=fee,
                fee_token=fee_token,
                wallet=WALLET,
            ),
        )
    return told(context, ref=row["id"], at=from_seconds(row["time"]), kind=kind, legs=legs, label=f"{row['side']} {market}")


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """A deposit or withdrawal. A withdrawal's amount is what was asked for, its fee included; a partial one tells both anew."""
    method, status = str(row["method"]), str(row["status"])
    if method not in (_DEPOSIT, _WITHDRAWAL):
        raise InvalidField("method: expected 1 or 2")
    token, amount = context.codes.token(row["ticker"]), parse_amount(row["amount"])
    fee = parse_amount(row.get("fee") or "0", where="fee")
    if status == _PARTIAL:
        part = row["details"]["partial"]
        amount, fee = (parse_amount(part[name], where=name) for name in ("processedAmount", "processedFee"))
    is_deposit = method == _DEPOSIT
    principal = amount if is_deposit else total((fee, -amount))
    legs = (
        Leg("amount", WALLET, token, principal, "principal", None if is_deposit else row.get("address") or None),
        Leg("fee", WALLET, token, -fee, "fee"),
    )
    chain, hash_ = context.networks.get(str(row.get("network") or row["ticker"])), row.get("transactionHash")
    return told(
        context,
        ref=row.get("transactionId") or row.get("uniqueId") or hash_,
        at=from_seconds(row["createdAt"]),
        kind="deposit" if is_deposit else "withdrawal",
        legs=legs,
        label=f"status {status}",
        status=_STATUSES.get(status, "pending"),
        event=f"{chain}:{hash_}" if chain and hash_ else None,
    )


def _conversion(context: Context, row: Mapping[str, Any]) -> Claim:
    """What went in at the path's beginning and came out at its end."""
    path = row["path"]
    legs = (
        Leg("from", WALLET, context.codes.token(path[0]["from"]), -parse_amount(row["give"], where="give")),
        Leg("to", WALLET, context.codes.token(path[-1]["to"]), parse_amount(row["receive"], where="receive")),
    )
    return told(context, ref=row["id"], at=from_seconds(row["date"]), kind="trade", legs=legs, label="convert")


def _fixed_interest(context: Context, row: Mapping[str, Any]) -> Claim:
    ref = f"{row['investmentId']}/{row['timestamp']}"
    leg = Leg("amount", WALLET, context.codes.token(row["ticker"]), parse_amount(row["amount"]))
    return told(context, ref=ref, at=from_seconds(row["timestamp"]), kind="interest", legs=(leg,), label="fixed plan")


def _flexible_interest(context: Context, row: Mapping[str, Any]) -> Claim:
    leg = Leg("amount", WALLET, context.codes.token(row["currency"]), parse_amount(row["amount"]))
    return told(
        context, ref=row["transactionId"], at=from_seconds(row["createdAt"]), kind="interest", legs=(leg,), label="flex plan"
    )


def _onwards(rows_of: RowsOf) -> Callable[[Evidence], Mapping[str, Any]]:
    """Lists without time bounds are read newest first; the following page's token is its offset."""

    def edges(evidence: Evidence) -> Mapping[str, Any]:
        body, rows = expect_dict(decode(evidence), evidence, where="the answer"), rows_of(evidence)
        try:
            end = int(body.get("offset", 0)) + len(rows)
            is_last = end >= int(body["total"]) if "total" in body else len(rows) < PAGE_ROWS
        except (TypeError, ValueError):
            raise VenueBadResponse(f"{evidence.request}: offset and total are no numbers") from None
        return {"next": "" if is_last or not rows else str(end)}

    return edges


def _counted(evidence: Evidence) -> Mapping[str, Any]:
    count = expect_dict(decode(evidence), evidence, where="the answer").get("total")
    return {"total": count if isinstance(count, int) and not isinstance(count, bool) else None}


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and as rows that have lost their envelope."""
    return [payload, {"records": payload}, {"data": payload}]


RECORDS, DATA = rows_at("records"), rows_at("data")

QUIRKS = Quirks(
    parsers={
        "trades": history(_deals, _deal),
        "transfers": history(RECORDS, _transfer, _onwards(RECORDS)),
        "convert": history(RECORDS, _conversion, _counted),
        "fixed-interest": history(RECORDS, _fixed_interest, _onwards(RECORDS)),
        "flexible-interest": history(DATA, _flexible_interest, _onwards(DATA)),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/main-account/balance", rows_of=named_rows, read=_main, tells=((WALLET, "funding"),)),
            Source(path_end="/trade-account/balance", rows_of=named_rows, read=_trade, tells=((WALLET, "spot"),)),
            Source(
                path_end="/balance-summary",
                rows_of=rows_at(),
                read=_collateral,
                tells=((WALLET, "collateral"), (WALLET, "debt")),
            ),
            Source(path_end="/smart/investments", rows_of=RECORDS, read=_fixed_plan, tells=_LENT),
            Source(path_end="/smart-flex/investments", rows_of=DATA, read=_flexible_plan, tells=_LENT),
        )
    },
    following=following,
    forms=forms,
)
