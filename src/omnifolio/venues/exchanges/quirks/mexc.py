"""What is particular to MEXC: fills are asked per symbol and kept for thirty days, transfers for ninety, seven days a question.

No ledger exists, so each endpoint is a book of its own. A withdrawal's amount contains its fee; small amounts are converted into
MX, and the fee of that is a part of what is stated as converted (it is exactly two per cent of it).
Source: mexcdevelop.github.io/apidocs, spot v3 (account, myTrades, exchangeInfo, capital/deposit/hisrec, capital/withdraw/history,
capital/transfer, capital/convert), www.mexc.com/api-docs/spot-v3 (apiKeyInfo) and contract v1 (account assets, funding records).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import ZERO, parse_amount, total
from omnifolio.model.clock import DAY_MS, EpochMs, day_of, start_of_day
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Claim, Evidence, Gap, Kind, Leg, Product, Snapshot, Status
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
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.times import from_ms

QUOTES = ("USDT", "USDC", "USDE", "USD1", "BTC", "ETH", "MX", "EUR", "BRL", "TRY")
"""Assets that others are quoted in: where a token was traded, it was against one of these or another token that is held."""
DUST_INTO = "MX"

_DEPOSIT_STATUSES: Mapping[str, Status] = {
    # Too small to be credited.
    "1": "failed",
    "5": "confirmed",
    "7": "failed",
}
_WITHDRAWAL_STATUSES: Mapping[str, Status] = {"7": "confirmed", "8": "failed", "9": "cancelled"}
_TRANSFER_STATUSES: Mapping[str, Status] = {"SUCCESS": "confirmed", "FAILED": "failed"}
_WALLETS = {"SPOT": "spot", "FUTURES": "futures"}

_SPOT: tuple[str, Product] = ("spot", "spot")
_FUTURES: tuple[str, Product] = ("futures", "collateral")

RowReader = Callable[[Context, Mapping[str, Any]], Claim]
Held = dict[TokenId, list[Decimal]]


def rows_of(evidence: Evidence, *path: str) -> tuple[list[Any], Mapping[str, Any]]:
    """The list at `path` of an answer, and the object around it. Raises: VenueBadResponse for any other form, errors included."""
    around: Any = {}
    body = decode(evidence)
    for name in path:
        around = expect_dict(body, evidence, where="the answer")
        body = around.get(name)
    return expect_list(body, evidence, where="/".join(path) or "the answer"), around


def history(path: tuple[str, ...], read: RowReader, *, total_field: str = "") -> Parser:
    """The parser of a history whose rows lie at `path` and become one claim each."""

    def parse(context: Context, evidence: Evidence) -> Page:
        rows, around = rows_of(evidence, *path)
        claims: list[Claim] = []
        gaps = read_list(context, rows, lambda row: claims.append(read(context, row)))
        times, count = [claim.at for claim in claims], around.get(total_field)
        seen = Seen(
            rows=distinct(len(rows), claims),
            oldest=min(times, default=None),
            newest=max(times, default=None),
            total=count if isinstance(count, int) and not isinstance(count, bool) else None,
        )
        return Page(seen=seen, claims=claims, gaps=gaps)

    return parse


def _claim(
    book: str, *, ref: str, at: EpochMs, kind: Kind, legs: Sequence[Leg], label: object = "", status: Status = "confirmed"
) -> Claim:
    moved = tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else ()
    return Claim(
        book=book,
        ref=ref,
        refs=(f"mexc:{book}/{ref}",),
        name=ref,
        at=at,
        kind=kind,
        legs=moved,
        label=str(label or ""),
        status=status,
        evidence=0,
    )


def _id(raw: Any, *, where: str) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int) or not str(raw):
        raise InvalidField(f"{where}: expected an id")
    return str(raw)


# Trades.


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    base, _, quote = context.scope.partition("-")
    codes, buys = context.codes, row["isBuyer"]
    if not isinstance(buys, bool):
        raise InvalidField("isBuyer: expected true or false")
    sign = 1 if buys else -1
    legs = [
        Leg("base", "spot", codes.token(base), sign * parse_amount(row["qty"], where="qty")),
        Leg("quote", "spot", codes.token(quote), -sign * parse_amount(row["quoteQty"], where="quoteQty")),
    ]
    fee = parse_amount(row.get("commission") or "0", where="commission")
    if fee:
        legs.append(Leg("fee", "spot", codes.token(row["commissionAsset"]), -fee, "fee"))
    ref, label = _id(row["id"], where="id"), "maker" if row.get("isMaker") else "taker"
    return _claim("trades", ref=ref, at=from_ms(row["time"]), kind="trade", legs=legs, label=label)


def _dust(context: Context, row: Mapping[str, Any]) -> Claim:
    """Small amounts for MX, as one trade."""
    codes, details = context.codes, row["convertDetails"]
    if not isinstance(details, list) or not details:
        raise InvalidField("convertDetails: expected a list with rows")
    mx = codes.token(DUST_INTO)
    legs = [
        Leg(f"out:{place}:{detail['asset']}", "spot", codes.token(detail["asset"]), -parse_amount(detail["amount"]))
        for place, detail in enumerate(details)
    ]
    legs.append(Leg("in", "spot", mx, parse_amount(row["totalConvert"], where="totalConvert")))
    legs.append(Leg("fee", "spot", mx, -parse_amount(row["totalFee"], where="totalFee"), "fee"))
    ref = _id(details[0]["id"], where="id")
    return _claim("dust", ref=ref, at=from_ms(row["convertTime"]), kind="trade", legs=legs, label="dust")


# Money in, out and between the wallets.


def _deposit(context: Context, row: Mapping[str, Any]) -> Claim:
    status = _DEPOSIT_STATUSES.get(str(row["status"]), "pending")
    coin = _coin(row["coin"])
    leg = Leg("amount", "spot", context.codes.token(coin), parse_amount(row["amount"]))
    # A deposit has no id: the place in its chain transaction is its name.
    ref = f"{_id(row['txId'], where='txId')}/{coin}"
    claim = _claim(
        "deposits", ref=ref, at=from_ms(row["insertTime"]), kind="deposit", legs=(leg,), label=row["status"], status=status
    )
    return _with_event(context, claim, row)


def _withdrawal(context: Context, row: Mapping[str, Any]) -> Claim:
    """The amount is what left the account, so what arrived is less by the fee."""
    status = _WITHDRAWAL_STATUSES.get(str(row["status"]), "pending")
    token = context.codes.token(_coin(row["coin"]))
    fee = parse_amount(row.get("transactionFee") or "0", where="transactionFee")
    arrived = total((fee, -parse_amount(row["amount"])))
    legs = (
        Leg("amount", "spot", token, arrived, "principal", row.get("address") or None),
        Leg("fee", "spot", token, -fee, "fee"),
    )
    ref, at = _id(row["id"], where="id"), from_ms(row["applyTime"])
    claim = _claim("withdrawals", ref=ref, at=at, kind="withdrawal", legs=legs, label=row["status"], status=status)
    return _with_event(context, claim, row)


def _coin(raw: Any) -> str:
    """The coin without its chain: `USDC-TRX` is USDC. Raises: InvalidField."""
    if not isinstance(raw, str):
        raise InvalidField(f"coin: expected text, got {type(raw).__name__}")
    return raw.partition("-")[0]


def _with_event(context: Context, claim: Claim, row: Mapping[str, Any]) -> Claim:
    """Names the chain's transaction, unless the transfer stayed inside the venue (transferType 1)."""
    chain = context.networks.get(str(row.get("netWork") or row.get("network") or ""))
    hash_ = row.get("transHash") or str(row.get("txId") or "").partition(":")[0]
    if not chain or not hash_ or str(row.get("transferType") or "0") == "1":
        return claim
    return replace(claim, event=f"{chain}:{hash_}")


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    token, amount = context.codes.token(row["asset"]), parse_amount(row["amount"])
    source, target = _WALLETS.get(str(row["fromAccountType"])), _WALLETS.get(str(row["toAccountType"]))
    if source is None or target is None:
        raise InvalidField("fromAccountType, toAccountType: expected SPOT or FUTURES")
    status = _TRANSFER_STATUSES.get(str(row["status"]), "pending")
    label = f"{row['fromAccountType']} to {row['toAccountType']}"
    legs = (Leg("out", source, token, -amount), Leg("in", target, token, amount))
    ref = _id(row["tranId"], where="tranId")
    return _claim("transfers", ref=ref, at=from_ms(row["timestamp"]), kind="transfer", legs=legs, label=label, status=status)


def _funding(context: Context, row: Mapping[str, Any]) -> Claim:
    """A funding payment; positive was received. It is paid in what the contract settles in."""
    base, separator, quote = str(row["symbol"]).partition("_")
    if not separator:
        raise InvalidField("symbol: expected BASE_QUOTE")
    token = context.codes.token(base if quote == "USD" else quote)
    leg = Leg("funding", "futures", token, parse_amount(row["funding"], where="funding"))
    ref, at = _id(row["id"], where="id"), from_ms(row["settleTime"])
    return _claim("funding", ref=ref, at=at, kind="funding_payment", legs=(leg,), label=row["symbol"])


# Balances.


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """Spot, and the futures' equity without what is not realised. Raises: VenueBadResponse when a lone answer cannot be read."""
    gaps: list[Gap] = []
    snapshots: list[Snapshot] = []
    for item in evidence:
        held: Held = {}
        is_spot = item.request.endswith("/account")
        wallet, kind = _SPOT if is_spot else _FUTURES
        try:
            bad = _spot(context, item, held) if is_spot else _futures(context, item, held)
        except VenueBadResponse as error:
            if len(evidence) == 1:
                raise
            gaps.append(Gap(stream=context.stream, code=error.code, text=error.message))
            continue
        gaps += bad
        if not bad:
            snapshots.append(_snapshot(wallet, kind, held, received_at(evidence)))
    return Page(seen=Seen(rows=len(snapshots)), snapshots=snapshots, gaps=gaps)


def _spot(context: Context, item: Evidence, held: Held) -> list[Gap]:
    rows, _ = rows_of(item, "balances")
    return read_list(context, rows, lambda row: _hold(context.codes, held, row["asset"], _sum_of(row, "free", "locked")))


def _futures(context: Context, item: Evidence, held: Held) -> list[Gap]:
    rows, _ = rows_of(item, "data")

    def read(row: Mapping[str, Any]) -> None:
        equity, profit = _sum_of(row, "equity"), _sum_of(row, "unrealized")
        _hold(context.codes, held, row["currency"], total((equity, -profit)))

    return read_list(context, rows, read)


def _hold(codes: Codes, held: Held, code: Any, amount: Decimal) -> None:
    held.setdefault(codes.token(code), []).append(amount)


def _sum_of(row: Mapping[str, Any], *fields: str) -> Decimal:
    return total(parse_amount(row[field], where=field) for field in fields)


def _snapshot(wallet: str, kind: Product, held: Held, at: EpochMs) -> Snapshot:
    sums = ((token, total(amounts)) for token, amounts in sorted(held.items()))
    return Snapshot(
        wallet=wallet, product=kind, at=at, balances=tuple(Balance(*item) for item in sums if item[1] != ZERO), evidence=0
    )


# Which symbols there are to ask.


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """Symbols are looked up again when a token is held that was not before."""
    return bool(_tokens(context, known) != json.loads(token or "[]"))


def _tokens(context: Context, known: Known) -> list[str]:
    prefix = f"venue:{context.codes.venue}/"
    return sorted(context.codes.code_of(token) for token in known.tokens if token.startswith(prefix))


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Symbols of tokens that are or were held, where the venue lets them be asked. A scope is `<base>-<quote>`."""
    held, found = _tokens(context, known), list[str]()

    def read(row: Mapping[str, Any]) -> None:
        base, quote = context.codes.canonical(row["baseAsset"]), context.codes.canonical(row["quoteAsset"])
        if row.get("isSpotTradingAllowed") is not False and base in held and (quote in held or quote in QUOTES):
            found.append(f"trades/{base}-{quote}")

    gaps = read_list(context, rows_of(answers[0], "symbols")[0], read)
    return Scopes(streams=tuple(sorted(name for name in found if name not in known.cursors)), token=json.dumps(held), gaps=gaps)


def symbol_of(scope: str) -> str:
    """The symbol as MEXC spells it: BTC-USDT is BTCUSDT."""
    return scope.replace("-", "")


def scope_of(payload: Any) -> str:
    """The scope of recorded fills: their symbol, cut where a known quote begins. "" when they name none."""
    row = payload[0] if isinstance(payload, list) and payload and isinstance(payload[0], dict) else {}
    symbol = str(row.get("symbol", ""))
    quote = next((quote for quote in QUOTES if symbol.endswith(quote) and symbol != quote), "")
    return f"{symbol.removesuffix(quote)}-{quote}" if quote else ""


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from apiKeyInfo; a key that is bound to addresses does not end, others tell their remaining days."""
    info = expect_dict(decode(evidence), evidence, where="the answer")
    words, addresses, days = info.get("permissions"), info.get("ipWhiteList"), info.get("remainingValidity")
    granted = tuple(word.strip() for word in words.split(",") if word.strip()) if isinstance(words, str) else ()
    left_ms = days * DAY_MS if isinstance(days, int) and days > 0 else None
    return Rights(
        granted=granted,
        ip_restricted=bool(addresses) if isinstance(addresses, str) else None,
        # Whole days from now on: the start of today keeps the instant the same at every look of a day.
        expires_at=None if left_ms is None else start_of_day(day_of(evidence.received_at)) + left_ms,
        is_known=bool(granted),
    )


QUIRKS = Quirks(
    parsers={
        "trades": history((), _fill),
        "deposits": history((), _deposit),
        "withdrawals": history((), _withdrawal),
        "transfers": history(("rows",), _transfer, total_field="total"),
        "dust": history(("data",), _dust, total_field="totalRecords"),
        "funding": history(("data", "resultList"), _funding, total_field="totalCount"),
    },
    snapshots={"balances": balances},
    rights=rights,
    is_due=is_due,
    scopes=scopes,
    scope_value=symbol_of,
    scope_of=scope_of,
)
