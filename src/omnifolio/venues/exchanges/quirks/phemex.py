"""What is particular to Phemex: scaled integers, spot fills by symbol, and a contract account for each currency of settlement.

There is no ledger, so each list is a book of its own, and every page is read together with the list of products, which says how
its integers are scaled. Of contracts in USDT and USDC the fills tell what a trade gained or lost, and its fee.
Source: phemex-docs.github.io of 2026-01-07: spot (wallets, trade history, recent deposits and withdrawals), deposit and withdraw
(amount received, real fee, states), transfer, convert, USDⓈ-M trades history.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, JoinedParser, Page, Quirks, Scopes, read_list
from omnifolio.venues.exchanges.positions import described, optional, together
from omnifolio.venues.exchanges.quirks.phemex_positions import (
    COIN_PATH,
    COINS,
    LINEAR,
    LINEAR_PATH,
    account_of,
    asks_for,
    standing,
    wallet_of,
)
from omnifolio.venues.exchanges.quirks.phemex_scales import Products, products_of, rows_of
from omnifolio.venues.exchanges.telling import Held, Source, fill, history, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

DISCOUNT_CODE = "PT"
"""The venue's own token, in which discounted fees are paid; their amounts are real."""
_NS = 1_000_000

_DEPOSIT_STATUSES: Mapping[str, Status] = {"Success": "confirmed", "Rejected": "failed", "SecurityCheckFailed": "failed"}
_WITHDRAWAL_STATUSES: Mapping[str, Status] = {
    "Success": "confirmed",
    "Succeed": "confirmed",
    "Rejected": "failed",
    "Security check failed": "failed",
    "Address Risk": "failed",
    "Expired": "failed",
    "Cancelled": "cancelled",
}
_MOVE_STATUSES: Mapping[str, Status] = {"3": "failed", "10": "confirmed", "11": "failed"}
_CONTRACT_KINDS: Mapping[str, Kind] = {
    "Trade": "realized_pnl",
    "AdlTrade": "realized_pnl",
    "LiqTrade": "liquidation",
    "Funding": "funding_payment",
}

Read = Callable[[Context, Mapping[str, Any], Products], Claim | None]


def _joined(read: Read) -> JoinedParser:
    """The parser of a history whose first answer are the rows and another the list of products."""

    def parse(context: Context, evidence: Sequence[Evidence]) -> Page:
        products = products_of(evidence[1:])
        return history(rows_of, lambda context, row: read(context, row, products))(context, evidence[0])

    return parse


def _at_ns(raw: Any) -> EpochMs:
    """Nanoseconds, cut at the millisecond. Raises: InvalidField."""
    text = str(raw)
    if isinstance(raw, bool) or not text.isdigit():
        raise InvalidField(f"time: expected epoch nanoseconds, got {text[:24]!r}")
    return from_ms(int(text) // _NS)


# Spot.


def _fill(context: Context, row: Mapping[str, Any], products: Products) -> Claim | None:
    """A fill; None for a row of an order that nothing was filled of."""
    about = described(products.symbols, str(row["symbol"]))
    base, quote = about["baseCurrency"], about["quoteCurrency"]
    amount, cost = products.value(row, "execBaseQtyEv", base), products.value(row, "execQuoteQtyEv", quote)
    if not amount and not cost:
        return None
    fee, fee_code = parse_amount(row["execFeeEv"], where="execFeeEv"), quote
    if fee:
        fee_code = row["feeCurrency"]
        fee = products.value(row, "execFeeEv", fee_code)
    legs = fill(
        row["side"],
        base=context.codes.token(base),
        quote=context.codes.token(quote),
        amount=amount,
        cost=cost,
        fee=fee,
        fee_token=context.codes.token(fee_code),
        wallet="spot",
    )
    return told(
        context,
        ref=row["execId"],
        at=_at_ns(row["transactTimeNs"]),
        kind="trade",
        legs=(*legs, *_discounted(context, row)),
        label=f"{row['side']} {row.get('ordType') or ''}".strip(),
    )


def _discounted(context: Context, row: Mapping[str, Any]) -> tuple[Leg, ...]:
    """The part of a fee that was paid in the venue's own token."""
    fee = optional(row, "ptFeeRv")
    return (Leg("discounted", "spot", context.codes.token(DISCOUNT_CODE), -fee, "fee"),) if fee else ()


def _chain_event(context: Context, row: Mapping[str, Any]) -> str | None:
    chain, hash_ = context.networks.get(str(row.get("chainName"))), row.get("txHash")
    return f"{chain}:{hash_}" if chain and hash_ else None


def _deposit(context: Context, row: Mapping[str, Any], products: Products) -> Claim:
    code = row["currency"]
    wallet = wallet_of(str(code)) if str(row.get("depositTo") or "").upper() == "CONTRACT" else "spot"
    return told(
        context,
        ref=row["id"],
        at=from_ms(row["createdAt"]),
        kind="deposit",
        legs=[Leg("amount", wallet, context.codes.token(code), products.value(row, "amountEv", code))],
        label=row.get("type"),
        status=_DEPOSIT_STATUSES.get(str(row["status"]), "pending"),
        event=_chain_event(context, row),
    )


def _withdrawal(context: Context, row: Mapping[str, Any], products: Products) -> Claim:
    """The amount is what arrived outside; the fee left the account beside it."""
    code = row["currency"]
    token = context.codes.token(code)
    return told(
        context,
        ref=row["id"],
        at=from_ms(row.get("submittedAt") or row["submitedAt"]),
        kind="withdrawal",
        legs=[
            Leg("amount", "spot", token, -products.value(row, "amountEv", code), "principal", row.get("address") or None),
            Leg("fee", "spot", token, -products.value(row, "feeEv", code), "fee"),
        ],
        label=row["status"],
        status=_WITHDRAWAL_STATUSES.get(str(row["status"]), "pending"),
        event=_chain_event(context, row),
    )


# Between the account's own wallets, and conversions.


def _transfer(context: Context, row: Mapping[str, Any], products: Products) -> Claim:
    code, side = row["currency"], str(row["side"])
    if side not in ("1", "2"):
        raise InvalidField("side: expected 1 or 2")
    amount, token, contracts = products.value(row, "amountEv", code), context.codes.token(code), wallet_of(str(code))
    source, target = (contracts, "spot") if side == "1" else ("spot", contracts)
    return told(
        context,
        ref=row["linkKey"],
        at=from_ms(row["createTime"]),
        kind="transfer",
        legs=[Leg("out", source, token, -amount), Leg("in", target, token, amount)],
        label="futures to spot" if side == "1" else "spot to futures",
        status=_MOVE_STATUSES.get(str(row["status"]), "pending"),
    )


def _conversion(context: Context, row: Mapping[str, Any], products: Products) -> Claim:
    sold, bought = row["fromCurrency"], row["toCurrency"]
    return told(
        context,
        ref=row["linkKey"],
        at=from_ms(row["createTime"]),
        kind="trade",
        legs=[
            Leg("out", "spot", context.codes.token(sold), -products.value(row, "fromAmountEv", sold)),
            Leg("in", "spot", context.codes.token(bought), products.value(row, "toAmountEv", bought)),
        ],
        label="convert",
        status=_MOVE_STATUSES.get(str(row["status"]), "pending"),
    )


# Contracts in USDT and USDC.


def _contract_fill(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """What a fill settled: the gain of what it closed, and its fee; None where it is nothing."""
    code, word = row["currency"], str(row["tradeType"])
    token, wallet = context.codes.token(code), wallet_of(str(code))
    gained, fee = (parse_amount(row[name], where=name) for name in ("closedPnlRv", "execFeeRv"))
    is_funding = word == "Funding"
    legs = [
        Leg("pnl", wallet, token, gained),
        Leg("funding" if is_funding else "fee", wallet, token, -fee, "principal" if is_funding else "fee"),
    ]
    if not any(leg.amount for leg in legs):
        return None
    return told(
        context,
        ref=row["execID"],
        at=_at_ns(row["transactTimeNs"]),
        kind=_CONTRACT_KINDS.get(word, "other"),
        legs=legs,
        label=f"{word} {row['side']} {row['symbol']}",
    )


# Balances.


def _spot(products: Products) -> Callable[[Context, Any], Iterable[Held]]:
    def read(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
        """The balance holds what orders and withdrawals lock."""
        yield "spot", "spot", context.codes.token(row["currency"]), products.value(row, "balanceEv", row["currency"])

    return read


def _collateral(code: str, amount_of: Callable[[Mapping[str, Any]], Decimal]) -> Callable[[Context, Any], Iterable[Held]]:
    def read(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
        if row["currency"] != code:
            raise InvalidField(f"currency: expected that of the account, {code}")
        yield wallet_of(code), "collateral", context.codes.token(code), amount_of(row)

    return read


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """The spot wallet and each contract account, with its open positions. Raises: VenueBadResponse when nothing can be read."""
    products = products_of(evidence)

    def real(row: Mapping[str, Any]) -> Decimal:
        return parse_amount(row["accountBalanceRv"], where="accountBalanceRv")

    def scaled(row: Mapping[str, Any]) -> Decimal:
        return products.value(row, "accountBalanceEv", row["currency"])

    accounts = [(LINEAR_PATH, code, real) for code in LINEAR] + [(COIN_PATH, code, scaled) for code in COINS]
    sources = [
        Source(
            path_end=path,
            is_one=asks_for(code),
            rows_of=account_of,
            read=_collateral(code, amount_of),
            tells=((wallet_of(code), "collateral"),),
        )
        for path, code, amount_of in accounts
    ]
    spot = Source(path_end="/spot/wallets", rows_of=rows_of, read=_spot(products), tells=(("spot", "spot"),))
    return together(snapshots(spot, *sources), *standing(products))(context, evidence)


# Which symbols and currencies there are to ask about.


def _codes(context: Context, known: Known) -> list[str]:
    prefix = f"venue:{context.codes.venue}/"
    return sorted(context.codes.code_of(token) for token in known.tokens if token.startswith(prefix))


def is_due(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """They are looked up again when a token is held that was not before."""
    return bool(_codes(context, known) != json.loads(token or "[]"))


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """The fills of spot symbols whose base is or was held, and the transfers of every such currency."""
    held, products = _codes(context, known), products_of(answers)
    found = [f"transfers/{code}" for code in held if code in products.currencies]

    def read(row: Mapping[str, Any]) -> None:
        if row["type"] == "Spot" and row["baseCurrency"] in held:
            found.append(f"trades/{row['symbol']}")

    gaps = read_list(context, products.symbols.values(), read)
    streams = tuple(sorted(name for name in found if name not in known.cursors))
    return Scopes(streams=streams, token=json.dumps(held), gaps=gaps)


def scope_of(payload: Any) -> str:
    """The scope of recorded fills or transfers, by their first row; "" when it names none."""
    data = payload.get("data") if isinstance(payload, dict) else payload
    rows = data.get("rows") if isinstance(data, dict) else data
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    return str(row.get("symbol") if "execBaseQtyEv" in row else row.get("currency") if "bizType" in row else "")


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was, and inside the envelope that a recording may have lost."""
    is_bare = isinstance(payload, dict) and not {"code", "error"} & payload.keys()
    return [payload, {"code": 0, "data": payload}] if is_bare else [payload]


QUIRKS = Quirks(
    parsers={"contract_fills": history(rows_of, _contract_fill)},
    joined={
        "trades": _joined(_fill),
        "deposits": _joined(_deposit),
        "withdrawals": _joined(_withdrawal),
        "transfers": _joined(_transfer),
        "conversions": _joined(_conversion),
    },
    snapshots={"balances": balances},
    is_due=is_due,
    scopes=scopes,
    scope_of=scope_of,
    forms=forms,
)
