"""What is particular to WOO X: one wallet backs spot and futures, and its rows come in two spellings.

The third API writes `executedPrice` where the first, which recordings still hold, writes `executed_price`; both mean the same.
Tokens of transfers may bear their chain before their code, as in ARB_USDC. A negative holding is borrowed.
Source: developer.woox.io, asset/balances, asset/wallet/history, trade/transactionHistory, futures/fundingFee/history; for the
first API docs.woox.io, asset/history and client/hist_trades.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, product, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.telling import Held, Source, fill, history, snapshots, told
from omnifolio.venues.exchanges.times import from_ms, from_seconds

WALLET = "trading"
PAGE_FIELDS = (("currentPage", "recordsPerPage"), ("current_page", "records_per_page"))

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_STATUSES: Mapping[str, Status] = {
    "COMPLETED": "confirmed",
    "CANCELED": "cancelled",
    "CANCELLED": "cancelled",
    "FAILED": "failed",
    "REJECTED": "failed",
}
"""All others are on their way."""


def _rows(evidence: Evidence) -> list[Any]:
    """The rows of an answer, whichever envelope its API puts around them, with their fields spelled as the first API does."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    found = body.get("data", body)
    rows = expect_list(found.get("rows") if isinstance(found, dict) else found, evidence, where="rows")
    return [
        {_CAPITAL.sub(r"_\1", name).lower(): value for name, value in row.items()} if isinstance(row, dict) else row
        for row in rows
    ]


def _next_page(evidence: Evidence) -> Mapping[str, Any]:
    """The number of the following page, counted by what the answer says of itself."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    data = body.get("data", body)
    meta = data.get("meta") if isinstance(data, dict) else None
    if not isinstance(meta, dict):
        return {"next": ""}
    for page_field, size_field in PAGE_FIELDS:
        try:
            page, size, count = (int(meta[name]) for name in (page_field, size_field, "total"))
        except (KeyError, TypeError, ValueError):
            continue
        return {"next": str(page + 1) if page * size < count else ""}
    return {"next": ""}


def _at(raw: Any) -> EpochMs:
    """Seconds with a fraction as text, or milliseconds."""
    return from_seconds(raw) if "." in str(raw) else from_ms(raw)


def _holdings(evidence: Evidence) -> list[Any]:
    body = expect_dict(decode(evidence), evidence, where="the answer")
    data = expect_dict(body.get("data", body), evidence, where="data")
    return expect_list(data.get("holding"), evidence, where="data.holding")


def _holding(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """What is staked, unbonding or in a vault is beside the holding."""
    token = context.codes.token(row["token"])
    amount = parse_amount(row["holding"], where="holding")
    yield WALLET, "debt" if amount < 0 else "spot", token, amount
    yield WALLET, "staked", token, total(parse_amount(row.get(name) or 0, where=name) for name in ("staked", "unbonding"))
    yield WALLET, "earn", token, parse_amount(row.get("vault") or 0, where="vault")


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill; of futures the fee moves, and what was realized with it."""
    codes = context.codes
    market, _, pair = str(row["symbol"]).partition("_")
    base, separator, quote = pair.rpartition("_")
    if market not in ("SPOT", "PERP") or not separator:
        raise InvalidField("symbol: expected SPOT or PERP, base and quote")
    fee = parse_amount(row.get("fee") or 0, where="fee")
    fee_token = codes.token(row["fee_asset"] if fee else quote)
    legs: Iterable[Leg]
    kind: Kind = "trade"
    if market == "SPOT":
        amount, price = (parse_amount(row[name], where=name) for name in ("executed_quantity", "executed_price"))
        legs = fill(
            row["side"],
            base=codes.token(base),
            quote=codes.token(quote),
            amount=amount,
            cost=product(amount, price),
            fee=fee,
            fee_token=fee_token,
            wallet=WALLET,
        )
    else:
        gain = parse_amount(row.get("realized_pnl") or 0, where="realized_pnl")
        legs = (Leg("pnl", WALLET, codes.token(quote), gain), Leg("fee", WALLET, fee_token, -fee, "fee"))
        kind = "realized_pnl" if gain else "fee"
    label = f"{row['side']} {row['symbol']}"
    return told(context, ref=row["id"], at=_at(row["executed_timestamp"]), kind=kind, legs=legs, label=label)


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """Money in or out; between portfolios of the same user it is a transfer. The fee left beside the amount."""
    side = row["token_side"]
    if side not in ("DEPOSIT", "WITHDRAW"):
        raise InvalidField("token_side: expected DEPOSIT or WITHDRAW")
    chain_name, token = _split(context, row["token"])
    amount, fee = parse_amount(row["amount"]), parse_amount(row.get("fee_amount") or 0, where="fee_amount")
    is_in = side == "DEPOSIT"
    legs = [Leg("amount", WALLET, token, amount if is_in else -amount, "principal", None if is_in else row.get("target_address"))]
    if fee:
        legs.append(Leg("fee", WALLET, context.codes.token(row["fee_token"]), -fee, "fee"))
    is_inside = row.get("type") == "COLLATERAL"
    chain, hash_ = context.networks.get(chain_name), row.get("tx_id")
    return told(
        context,
        ref=row["id"],
        at=_at(row["created_time"]),
        kind="transfer" if is_inside else "deposit" if is_in else "withdrawal",
        legs=legs,
        label=f"{row.get('type') or ''} {side}".strip(),
        status=_STATUSES.get(row["status"], "pending"),
        event=f"{chain}:{hash_}" if chain and hash_ and not is_inside else None,
    )


def _split(context: Context, raw: Any) -> tuple[str, TokenId]:
    """Chain and token of a code that may bear its chain; without one the code names its own chain."""
    chain, separator, code = str(raw).partition("_")
    is_prefixed = bool(separator) and chain in context.networks
    return chain if is_prefixed else str(raw), context.codes.token(code if is_prefixed else raw)


def _funding(context: Context, row: Mapping[str, Any]) -> Claim:
    """A funding payment of a future, in its quote."""
    amount = parse_amount(row["funding_fee"], where="funding_fee")
    sign = {"Pay": -1, "Receive": 1}.get(row["payment_type"])
    if sign is None:
        raise InvalidField("payment_type: expected Pay or Receive")
    token = context.codes.token(str(row["symbol"]).rpartition("_")[2])
    return told(
        context,
        ref=row["id"],
        at=_at(row["updated_time"]),
        kind="funding_payment",
        legs=(Leg("amount", WALLET, token, sign * amount),),
        label=row["symbol"],
        status=_STATUSES.get(row["status"], "pending"),
    )


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: whole, its rows alone, or one row alone."""
    return [payload, {"rows": payload}, {"rows": [payload]}, {"holding": payload}, {"holding": [payload]}]


QUIRKS = Quirks(
    parsers={
        "trades": history(_rows, _trade, _next_page),
        "transfers": history(_rows, _transfer, _next_page),
        "funding": history(_rows, _funding, _next_page),
    },
    snapshots={
        "balances": snapshots(
            Source(
                path_end="/balances",
                rows_of=_holdings,
                read=_holding,
                tells=((WALLET, "spot"), (WALLET, "debt"), (WALLET, "staked"), (WALLET, "earn")),
            )
        )
    },
    forms=forms,
)
