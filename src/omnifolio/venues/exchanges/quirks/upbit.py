"""What is particular to Upbit, and to Bithumb, which speaks the same form: no list of fills, only orders with what they executed.

An order tells what it executed in sum and the fee, which is paid in the market's quote; a market is `quote-base`. It bears the
time of its creation alone. Lists of deposits and withdrawals have page numbers and no time bounds. Times are Korean.
Source: docs.upbit.com, accounts, orders/closed, deposits, withdraws; apidocs.bithumb.com, the same under v1.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, total
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Leg, Status
from omnifolio.venues.exchanges.answers import KEY_START, Context, Quirks
from omnifolio.venues.exchanges.rights import Rights
from omnifolio.venues.exchanges.telling import Held, Source, fill, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

PAGE_ROWS = 100
_SIDES = {"bid": "buy", "ask": "sell"}
_STATUSES: Mapping[str, Status] = {
    "accepted": "confirmed",
    "done": "confirmed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "rejected": "failed",
    "failed": "failed",
    "refunded": "failed",
}
"""All others are on their way, or wait for an inspection."""


def _account(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amounts = (parse_amount(row[name], where=name) for name in ("balance", "locked"))
    yield "spot", "spot", context.codes.token(row["currency"]), total(amounts)


def _order(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """What a closed order executed; nothing where it was cancelled untouched."""
    amount, fee = parse_amount(row["executed_volume"], where="executed_volume"), parse_amount(row["paid_fee"], where="paid_fee")
    if not amount and not fee:
        return None
    quote, separator, base = str(row["market"]).partition("-")
    if not separator:
        raise InvalidField("market: expected quote and base")
    token = context.codes.token(quote)
    legs = fill(
        _SIDES.get(row["side"]),
        base=context.codes.token(base),
        quote=token,
        amount=amount,
        cost=parse_amount(row["executed_funds"], where="executed_funds"),
        fee=fee,
        fee_token=token,
        wallet="spot",
    )
    label = f"{row['side']} {row.get('ord_type') or ''}".strip()
    # Orders that were filled and orders that were cancelled are one book, however they were asked for.
    return told(context, book="orders", ref=row["uuid"], at=from_iso(row["created_at"]), kind="trade", legs=legs, label=label)


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """A deposit or withdrawal; a withdrawal's fee left the account beside its amount."""
    is_deposit = row["type"] == "deposit"
    if not is_deposit and row["type"] != "withdraw":
        raise InvalidField("type: expected deposit or withdraw")
    token, amount = context.codes.token(row["currency"]), parse_amount(row["amount"])
    fee = parse_amount(row.get("fee") or "0", where="fee")
    state = str(row["state"])
    legs = (Leg("amount", "spot", token, amount if is_deposit else -amount), Leg("fee", "spot", token, -fee, "fee"))
    chain, hash_ = context.networks.get(str(row.get("net_type"))), row.get("txid")
    is_on_chain = chain and hash_ and row.get("transaction_type") != "internal"
    return told(
        context,
        ref=row["uuid"],
        at=from_iso(row["created_at"]),
        kind="deposit" if is_deposit else "withdrawal",
        legs=legs,
        label=state,
        status=_STATUSES.get(state.lower().removeprefix("deposit_"), "pending"),
        event=f"{chain}:{hash_}" if is_on_chain else None,
    )


def _pages(evidence: Evidence) -> Mapping[str, Any]:
    """The number of the following page, while pages are full."""
    page = int(evidence.params.get("page", "1"))
    return {"next": str(page + 1) if len(rows_at()(evidence)) >= PAGE_ROWS else ""}


_TRANSFERS = history(rows_at(), _transfer, _pages)


def rights(evidence: Evidence) -> Rights:
    """When the key ends, from the list of the user's keys, which tells nothing of what they may do."""
    start = evidence.params.get(KEY_START, "")
    rows = [row for row in rows_at()(evidence) if isinstance(row, dict) and str(row.get("access_key") or "").startswith(start)]
    if len(rows) != 1:
        return Rights(granted=(), is_known=False)
    try:
        return Rights(granted=(), expires_at=from_iso(rows[0]["expire_at"]), is_known=False)
    except (InvalidField, KeyError):
        raise VenueBadResponse(f"{evidence.request}: a key without expire_at") from None


QUIRKS = Quirks(
    parsers={"executed": history(rows_at(), _order, _pages), "deposits": _TRANSFERS, "withdrawals": _TRANSFERS},
    snapshots={"balances": snapshots(Source(path_end="/accounts", rows_of=rows_at(), read=_account, tells=(("spot", "spot"),)))},
    rights=rights,
)
