"""What is particular to Bitstamp: one stream carries trades, transfers and rewards, with a field for each currency and pair.

A row names what moved by its fields: `btc` and `usd` are signed amounts, `btc_usd` the rate of the pair. The fee is the quote's
in a trade, else of the currency that moved. Withdrawal requests annotate rows by the transaction's number that they state.
Source: www.bitstamp.net/api, GetAccountBalances, EarnSubscriptions, GetUserTransactions, GetWithdrawalRequests (seen 2026-11-27).
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Product, Status
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, Seen, decode, read_list
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

DETAIL_RANK = 1
TRADE = "2"
BALANCE_SUFFIX = "_balance"

_PLAIN_FIELDS = frozenset({"id", "fee", "type", "datetime", "order_id", "self_trade", "self_trade_order_id", "market"})
"""Fields of a transaction that are neither a currency's amount nor a pair's rate."""
_KINDS: Mapping[str, tuple[Kind, str]] = {
    "0": ("deposit", "deposit"),
    "1": ("withdrawal", "withdrawal"),
    TRADE: ("trade", "market trade"),
    "14": ("transfer", "sub account transfer"),
    "25": ("unstaking", "credited with staked assets"),
    "26": ("staking", "sent assets to staking"),
    "27": ("staking_reward", "staking reward"),
    "32": ("referral", "referral reward"),
    "33": ("transfer", "settlement transfer"),
    "35": ("transfer", "inter account transfer"),
    "58": ("realized_pnl", "derivatives periodic settlement"),
    "59": ("other", "insurance fund claim"),
    "60": ("fee", "insurance fund premium"),
    "61": ("liquidation", "collateral liquidation"),
}
_EARNING: Mapping[str, Product] = {"STAKING": "staked", "LENDING": "lent"}
_REQUEST_STATUSES: Mapping[str, Status] = {"2": "confirmed", "3": "cancelled", "4": "failed", "11": "failed"}


def _balance_rows(evidence: Evidence) -> list[Any]:
    """Rows of account_balances; the older `balance` states a field for each currency. Raises: VenueBadResponse."""
    body = decode(evidence)
    if isinstance(body, dict) and (not body or any(name.endswith(BALANCE_SUFFIX) for name in body)):
        return [
            {"currency": name.removesuffix(BALANCE_SUFFIX), "total": amount}
            for name, amount in body.items()
            if name.endswith(BALANCE_SUFFIX)
        ]
    return rows_at()(evidence)


def _balance(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield "spot", "spot", context.codes.token(_code(row["currency"])), parse_amount(row["total"], where="total")


def _earning(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """What is subscribed to staking or lending."""
    product = _EARNING.get(str(row["type"]))
    if product is None:
        raise InvalidField("type: expected STAKING or LENDING")
    yield "earn", product, context.codes.token(_code(row["currency"])), parse_amount(row["amount"])


def _code(raw: Any) -> Any:
    return raw.upper() if isinstance(raw, str) else raw


def _transaction(context: Context, row: Mapping[str, Any]) -> Claim:
    """A row of user_transactions: its currencies' amounts, and the fee."""
    word = str(row["type"])
    kind, label = _KINDS.get(word, ("other", word))
    moved = _moved(row)
    fee = parse_amount(row.get("fee") or "0", where="fee")
    legs = [Leg(code, "spot", context.codes.token(code.upper()), amount) for code, amount in moved.items()]
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(_fee_code(row, moved)), -fee, "fee"))
    return told(context, ref=row["id"], at=from_iso(row["datetime"]), kind=kind, legs=legs, label=label)


def _moved(row: Mapping[str, Any]) -> dict[str, Decimal]:
    """The amounts of a row by currency; zeros say that a currency did not move."""
    names = [name for name in row if name not in _PLAIN_FIELDS and "_" not in name]
    amounts = {name: parse_amount(row[name] or "0", where=name) for name in names}
    return {name: amount for name, amount in amounts.items() if amount}


def _fee_code(row: Mapping[str, Any], moved: Mapping[str, Decimal]) -> str:
    """The currency of the fee: the quote of the pair that was traded, else what moved. Raises: InvalidField."""
    if len(moved) == 1 and str(row["type"]) != TRADE:
        return next(iter(moved)).upper()
    for name in row:
        base, separator, quote = name.partition("_")
        if separator and name not in _PLAIN_FIELDS and base in moved and quote in moved:
            return quote.upper()
    raise InvalidField("fee: no pair tells its currency")


def transactions(context: Context, evidence: Evidence) -> Page:
    """A page of user_transactions, by number."""
    rows = rows_at()(evidence)
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(_transaction(context, row)))
    ids = [row["id"] for row in rows if isinstance(row, dict) and isinstance(row.get("id"), int)]
    times = [claim.at for claim in claims]
    seen = Seen(
        rows=len(rows),
        oldest=min(times, default=None),
        newest=max(times, default=None),
        last_id=str(max(ids)) if ids else "",
    )
    return Page(seen=seen, claims=claims, gaps=gaps)


def _request(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A withdrawal request annotates the transaction that it names; one without a number is told by that transaction alone."""
    number = row.get("txid")
    if not number:
        return None
    status = _REQUEST_STATUSES.get(str(row["status"]), "pending")
    chain, hash_ = context.networks.get(str(row.get("network"))), row.get("transaction_id")
    amount, peer = parse_amount(row["amount"]), str(row.get("address") or "").partition("?")[0]
    leg = Leg("amount", "spot", context.codes.token(_code(row["currency"])), -abs(amount), "principal", peer or None)
    return told(
        context,
        ref=row["id"],
        name=number,
        at=from_iso(row["datetime"]),
        kind="withdrawal",
        legs=(leg,),
        label=row["status"],
        status=status,
        event=f"{chain}:{hash_}" if chain and hash_ else None,
        rank=DETAIL_RANK,
        shared=(f"bitstamp:transactions/{number}",),
    )


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: one transaction may have lost the list around it."""
    return [payload, [payload]] if isinstance(payload, dict) else [payload]


QUIRKS = Quirks(
    parsers={"transactions": transactions, "withdrawals": history(rows_at(), _request)},
    snapshots={
        "balances": snapshots(
            Source(path_end="/account_balances/", rows_of=_balance_rows, read=_balance, tells=(("spot", "spot"),)),
            Source(
                path_end="/earn/subscriptions/", rows_of=rows_at(), read=_earning, tells=(("earn", "staked"), ("earn", "lent"))
            ),
        )
    },
    forms=forms,
)
