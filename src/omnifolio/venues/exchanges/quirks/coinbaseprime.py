"""What is particular to Coinbase Prime: a key's portfolios, whose transactions say their direction by type, and their fills.

What is staked stays in the balance, so moves into and out of staking move nothing; rewards do. A transfer between wallets of one
portfolio has a row on each side. Source: docs.cdp.coinbase.com/prime (List Portfolio Balances, Transactions, Fills, Orders; types
and statuses as the reference lists them), in excerpts and samples, 2026-11-28.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.answers import Context, Page, Quirks, Scopes, decode, expect_dict, read_list
from omnifolio.venues.exchanges.telling import Held, Source, fill, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_iso

WALLET = "main"
FILLS = "fills"
PORTFOLIOS = "/portfolios"
ORDERS_RANK = 1

_MOVES: Mapping[str, tuple[Kind, int]] = {
    "DEPOSIT": ("deposit", 1),
    "ONCHAIN_DEPOSIT": ("deposit", 1),
    "WITHDRAWAL": ("withdrawal", -1),
    "VAULT_WITHDRAWAL": ("withdrawal", -1),
    "INTERNAL_DEPOSIT": ("transfer", 1),
    "INTERNAL_WITHDRAWAL": ("transfer", -1),
    "SWEEP_DEPOSIT": ("transfer", 1),
    "SWEEP_WITHDRAWAL": ("transfer", -1),
    "PROXY_DEPOSIT": ("transfer", 1),
    "PROXY_WITHDRAWAL": ("transfer", -1),
    "BILLING_WITHDRAWAL": ("fee", -1),
    "REWARD": ("reward", 1),
    "COINBASE_REFUND": ("refund", 1),
    "DEPOSIT_ADJUSTMENT": ("other", 1),
    "WITHDRAWAL_ADJUSTMENT": ("other", -1),
}
"""What moves the balance, and which way."""
_STANDING = frozenset(
    {
        *("KEY_REGISTRATION", "DELEGATION", "UNDELEGATION", "RESTAKE", "COMPLETE_UNBONDING", "EVENT_UNBONDED"),
        *("STAKE_ACCOUNT_CREATE", "CHANGE_VALIDATOR", "STAKE", "UNSTAKE", "PORTFOLIO_STAKE", "PORTFOLIO_UNSTAKE"),
    }
)
"""What moves only inside the balance."""
_DONE = frozenset({"TRANSACTION_DONE", "TRANSACTION_IMPORTED"})
_FAILED: Mapping[str, Status] = {
    "TRANSACTION_CANCELLED": "cancelled",
    "TRANSACTION_REJECTED": "failed",
    "TRANSACTION_FAILED": "failed",
    "TRANSACTION_EXPIRED": "failed",
}


def _transaction(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """A transaction; its amount may bear a sign of its own. Raises: InvalidField for a type that tells no direction."""
    word, state = str(row["type"]), str(row["status"])
    kind, legs = _told(context, row, word)
    if kind is None:
        return None
    if row.get("fees") and kind != "fee":
        fee = abs(parse_amount(row["fees"], where="fees"))
        token = context.codes.token(row.get("fee_symbol") or row["symbol"])
        legs.append(Leg("fee", WALLET, token, -fee, "fee"))
    hashes, chain = row.get("blockchain_ids"), context.networks.get(str(row.get("network")))
    is_known = chain is not None and isinstance(hashes, list) and len(hashes) == 1
    return told(
        context,
        ref=row["id"],
        at=from_iso(row.get("completed_at") or row["created_at"]),
        kind=kind,
        legs=legs,
        label=word,
        status="confirmed" if state in _DONE else _FAILED.get(state, "pending"),
        event=f"{chain}:{hashes[0]}" if is_known and isinstance(hashes, list) else None,
    )


def _told(context: Context, row: Mapping[str, Any], word: str) -> tuple[Kind | None, list[Leg]]:
    if word in _STANDING:
        return None, []
    token, amount = context.codes.token(row["symbol"]), abs(parse_amount(row["amount"]))
    if word == "CONVERSION":
        # The documented conversions are between US dollars and USDC, one for one.
        target = context.codes.token(row["destination_symbol"])
        return "trade", [Leg("out", WALLET, token, -amount), Leg("in", WALLET, target, amount)]
    if word not in _MOVES:
        raise InvalidField(f"type: {word[:40]!r} does not say whether the amount came or went")
    kind, sign = _MOVES[word]
    outside = row.get("transfer_to") if sign < 0 and kind == "withdrawal" else None
    address = outside.get("address") if isinstance(outside, dict) else None
    if kind == "fee":
        return kind, [Leg("amount", WALLET, token, sign * amount, "fee")]
    return kind, [Leg("amount", WALLET, token, sign * amount, "principal", str(address) if address else None)]


def _sides(context: Context, row: Mapping[str, Any]) -> tuple[Leg, ...]:
    base, _, quote = str(row["product_id"]).partition("-")
    if not base or not quote:
        raise InvalidField("product_id: expected a pair such as BTC-USD")
    token = context.codes.token
    return fill(
        row["side"],
        base=token(base),
        quote=token(quote),
        amount=parse_amount(row["filled_quantity"], where="filled_quantity"),
        cost=parse_amount(row["filled_value"], where="filled_value"),
        fee=parse_amount(row.get("commission") or "0", where="commission"),
        fee_token=token(quote),
        wallet=WALLET,
    )


def _fill(context: Context, row: Mapping[str, Any]) -> Claim:
    return told(context, ref=row["id"], at=from_iso(row["time"]), kind="trade", legs=_sides(context, row), label=row["side"])


def _order(context: Context, row: Mapping[str, Any]) -> Claim | None:
    """What an order has brought in sum; one that was never filled moved nothing."""
    if not parse_amount(row.get("filled_quantity") or "0", where="filled_quantity"):
        return None
    legs = _sides(context, row)
    return told(
        context, ref=row["id"], at=from_iso(row["created_at"]), kind="trade", legs=legs, label=row["type"], rank=ORDERS_RANK
    )


def _next_page(evidence: Evidence) -> Mapping[str, Any]:
    """The venue's own token of the following page."""
    page = expect_dict(decode(evidence), evidence, where="the answer").get("pagination")
    is_more = isinstance(page, dict) and page.get("has_next") is True
    return {"next": str(page.get("next_cursor") or "")} if is_more and isinstance(page, dict) else {}


def _held(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    """`amount` has in it what is on hold."""
    yield WALLET, "spot", context.codes.token(row["symbol"].upper()), parse_amount(row["amount"])


_told_balances = snapshots(Source(path_end="/balances", rows_of=rows_at("balances"), read=_held, tells=((WALLET, "spot"),)))


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """What all portfolios hold together. Raises: VenueBadResponse, also where one of them did not answer."""
    portfolios = {name for item in evidence for name in _portfolios(item)}
    answers = [item for item in evidence if not item.request.endswith(PORTFOLIOS)]
    if len(answers) < len(portfolios):
        raise VenueBadResponse(f"{context.stream}: not every portfolio told what it holds")
    return _told_balances(context, answers)


def _portfolios(evidence: Evidence) -> list[str]:
    """The portfolios that an answer lists, if it is one that does."""
    rows = rows_at("portfolios")(evidence) if evidence.request.endswith(PORTFOLIOS) else []
    return [str(row["id"]) for row in rows if isinstance(row, dict) and row.get("id")]


def asked(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """Balances are asked for portfolio by portfolio."""
    if not call.endswith("/balances"):
        return [{}]
    names = [name for item in answers for name in _portfolios(item)]
    return [{"portfolio_id": name, "balance_type": "TOTAL_BALANCES"} for name in dict.fromkeys(names)]


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """The histories of portfolios that were never read."""
    found: list[str] = []

    def read(row: Any) -> None:
        streams = (f"{kind}/{row['id']}" for kind in ("transactions", FILLS))
        found.extend(stream for stream in streams if stream not in known.cursors)

    gaps = read_list(context, [row for item in answers for row in rows_at("portfolios")(item)], read)
    return Scopes(streams=tuple(found), token="", gaps=gaps)  # a cursor, no secret


def scope_of(payload: Any) -> str:
    """The scope of recorded rows, which need not name their portfolio."""
    return "recorded"


QUIRKS = Quirks(
    parsers={
        "transactions": history(rows_at("transactions"), _transaction, _next_page),
        FILLS: history(rows_at(FILLS), _fill, _next_page),
        "orders": history(rows_at("orders"), _order, _next_page),
    },
    snapshots={"balances": balances},
    asked=asked,
    scopes=scopes,
    scope_of=scope_of,
)
