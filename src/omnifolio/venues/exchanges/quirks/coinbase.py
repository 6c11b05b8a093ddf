"""What is particular to Coinbase: one account an asset, each with a ledger of its own, whose rows belong together in pairs.

The v2 transactions are complete: every row is what one account gained or lost. A conversion, a fill of an order and a move into
staking are two rows in two accounts; they share a ref that both rows tell. Prices and fees of fills stand in the rows.
Source: docs.cdp.coinbase.com, Track API (accounts, transactions), Advanced Trade API (key permissions).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from omnifolio.model.amounts import canonical, parse_amount, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Balance, Claim, Evidence, Kind, Leg, Product, Snapshot, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import Known, received_at
from omnifolio.venues.exchanges.answers import (
    Context,
    Page,
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
from omnifolio.venues.exchanges.rights import Rights, flags_of
from omnifolio.venues.exchanges.times import from_iso

BOOK = "transactions"
PAGE_ROWS = 100
STAKED_CODES = {"ETH2": "ETH"}

_STATUSES: Mapping[str, Status] = {
    "completed": "confirmed",
    "pending": "pending",
    "waiting_for_clearing": "pending",
    "waiting_for_signature": "pending",
    "failed": "failed",
    "expired": "failed",
    "canceled": "cancelled",
    "cancelled": "cancelled",
}
_KINDS: Mapping[str, Kind] = {
    "staking_reward": "staking_reward",
    "inflation_reward": "staking_reward",
    "interest": "interest",
    "earn_payout": "reward",
    "incentives_rewards_payout": "reward",
    "incentives_shared_clawback": "reward",
    "clawback": "reward",
    "staking_transfer": "staking",
    "unstaking_transfer": "unstaking",
    "vault_deposit": "transfer",
    "vault_withdrawal": "transfer",
    "retail_eth2_deprecation": "transfer",
    "wrap_asset": "trade",
    "unwrap_asset": "trade",
    "retail_simple_dust": "trade",
    "trade": "trade",
    "advanced_trade_fill": "trade",
    "cardbuyback": "cashback",
    "subscription_rebate": "rebate",
}
_MOVES = frozenset({"staking", "unstaking", "transfer"})
_BY_SIGN = frozenset(
    {
        "send",
        "receive",
        "request",
        "transfer",
        "fiat_deposit",
        "fiat_withdrawal",
        "exchange_deposit",
        "exchange_withdrawal",
        "pro_deposit",
        "pro_withdrawal",
        "intx_deposit",
        "intx_withdrawal",
        "tx",
    }
)


def split_code(codes: Codes, code: Any) -> tuple[TokenId, Product]:
    """Token and product of a currency code: ETH2 is staked ETH. Raises: InvalidField."""
    if code in STAKED_CODES:
        return codes.token(STAKED_CODES[code]), "staked"
    return codes.token(code), "spot"


def data_of(evidence: Evidence) -> tuple[list[Any], str]:
    """The rows of a v2 answer, and the id after which the next page starts ("" for none). Raises: VenueBadResponse."""
    body = expect_dict(decode(evidence), evidence, where="the answer")
    rows = expect_list(body.get("data"), evidence, where="data")
    pagination = body.get("pagination")
    if not isinstance(pagination, dict) or not pagination.get("next_uri"):
        return rows, ""
    return rows, next(iter(parse_qs(urlsplit(str(pagination["next_uri"])).query).get("starting_after", [""])))


def transactions(context: Context, evidence: Evidence) -> Page:
    """A page of one account's transactions: each row is one claim with what this account gained or lost."""
    rows, following_id = data_of(evidence)
    wallet = context.scope.partition(":")[0] or "spot"
    claims: list[Claim] = []
    gaps = read_list(context, rows, lambda row: claims.append(_row(context, wallet, row)))
    times = [claim.at for claim in claims]
    seen = Seen(
        rows=distinct(len(rows), claims), oldest=min(times, default=None), newest=max(times, default=None), next=following_id
    )
    return Page(seen=seen, claims=claims, gaps=gaps)


def _row(context: Context, wallet: str, row: Mapping[str, Any]) -> Claim:
    amount, code = _money(row["amount"])
    token, _ = split_code(context.codes, code)
    word = str(row["type"])
    kind = _kind(word, row, amount)
    # Ids are unique within an account only where the venue repeats one for both sides of an event.
    ref = f"{row['id']}/{code}"
    legs, shared = _legs(context, wallet, row, token, amount, kind)
    status = _STATUSES.get(str(row.get("status")), "pending")
    return Claim(
        book=BOOK,
        ref=ref,
        refs=(*shared, f"coinbase:{ref}"),
        name=_name(context, row, kind, amount),
        at=from_iso(row["created_at"]),
        kind=kind,
        legs=tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else (),
        label=word,
        status=status,
        event=_event(context, row),
        evidence=0,
    )


def _money(raw: Any) -> tuple[Decimal, str]:
    """Amount and currency of `{"amount", "currency"}`. Raises: KeyError, InvalidAmount, InvalidField."""
    if not isinstance(raw, dict):
        raise InvalidField("amount: expected an object with amount and currency")
    return parse_amount(raw["amount"]), str(raw["currency"])


def _kind(word: str, row: Mapping[str, Any], amount: Decimal) -> Kind:
    if word in ("buy", "sell"):
        return "trade"
    if word in _BY_SIGN:
        subtitle = (row.get("details") or {}).get("subtitle") or ""
        if amount > 0 and subtitle == "From Coinbase Earn":
            return "reward"
        return "deposit" if amount > 0 else "withdrawal"
    return _KINDS.get(word, "other")


def _name(context: Context, row: Mapping[str, Any], kind: Kind, amount: Decimal) -> str:
    """The event's name: the conversion's own id, else the row that stands for the event; "" for the row beside it."""
    trade, fill = row.get("trade"), row.get("advanced_trade_fill")
    if isinstance(trade, dict) and trade.get("id"):
        return str(trade["id"])
    if isinstance(fill, dict) and str(fill.get("product_id", "")).partition("-")[0] != row["amount"]["currency"]:
        return ""
    if row["type"] in ("buy", "sell") and _is_money_side(context, row):
        return ""
    if kind in _MOVES and amount > 0:
        return ""
    return str(row["id"])


def _legs(
    context: Context, wallet: str, row: Mapping[str, Any], token: TokenId, amount: Decimal, kind: Kind
) -> tuple[list[Leg], tuple[str, ...]]:
    """What the row moved, and the names that it shares with the other row of its event."""
    key = f"{row['id']}/{row['amount']['currency']}"
    if row["type"] in ("buy", "sell"):
        return _purchase(context, wallet, row, token, amount)
    if isinstance(row.get("advanced_trade_fill"), dict):
        return _fill(wallet, row, key, token, amount)
    if isinstance(row.get("trade"), dict):
        return _conversion(context, wallet, row, key, token, amount)
    if kind in _MOVES:
        move = f"coinbase-move:{row['type']}/{row['created_at']}/{canonical(abs(amount))}"
        return [Leg(key, wallet, token, amount)], (move,)
    if kind == "withdrawal":
        return _sent(wallet, row, key, token, amount), ()
    return [Leg(key, wallet, token, amount)], ()


def _purchase(
    context: Context, wallet: str, row: Mapping[str, Any], token: TokenId, amount: Decimal
) -> tuple[list[Leg], tuple[str, ...]]:
    """A buy or sell against money: subtotal and fee where the row tells them, else its value in the user's money.

    Paid from the account's own cash there is a second row there that tells the same; both name the same legs.
    """
    sign, detail = (1 if row["type"] == "buy" else -1), _purchase_of(row)
    event = f"{row['type']}/{detail.get('id') or row['id']}"
    paid, code = _money(detail["subtotal"] if detail.get("subtotal") else row["native_amount"])
    legs = [Leg(f"{event}:money", wallet, context.codes.token(code), -sign * abs(paid))]
    if not _is_money_side(context, row):
        legs.append(Leg(f"{event}:token", wallet, token, sign * abs(amount)))
    if detail.get("fee") and detail.get("subtotal"):
        fee, fee_code = _money(detail["fee"])
        legs.append(Leg(f"{event}:fee", wallet, context.codes.token(fee_code), -abs(fee), "fee"))
    return legs, (f"coinbase-{event}",)


def _purchase_of(row: Mapping[str, Any]) -> Mapping[str, Any]:
    detail = row.get(row["type"]) or row.get("buy")
    return detail if isinstance(detail, dict) else {}


def _is_money_side(context: Context, row: Mapping[str, Any]) -> bool:
    """Whether the row is the cash account's side of a buy or sell."""
    code = row["amount"]["currency"]
    subtotal = _purchase_of(row).get("subtotal")
    paid_in = subtotal["currency"] if isinstance(subtotal, dict) else row["native_amount"]["currency"]
    return bool(code == paid_in) and context.codes.is_fiat(context.codes.token(code))


def _fill(wallet: str, row: Mapping[str, Any], key: str, token: TokenId, amount: Decimal) -> tuple[list[Leg], tuple[str, ...]]:
    """One side of a fill. The commission is part of what the quote's account gained or lost."""
    fill = row["advanced_trade_fill"]
    commission = parse_amount(fill.get("commission") or "0", where="commission")
    price = parse_amount(fill["fill_price"], where="fill_price")
    shared = (f"coinbase-fill:{fill['order_id']}/{canonical(price)}/{canonical(commission)}",)
    if row["amount"]["currency"] == str(fill["product_id"]).partition("-")[0]:
        return [Leg(key, wallet, token, amount)], shared
    legs = [Leg(key, wallet, token, total((amount, commission))), Leg(f"{key}:fee", wallet, token, -commission, "fee")]
    return legs, shared


def _conversion(
    context: Context, wallet: str, row: Mapping[str, Any], key: str, token: TokenId, amount: Decimal
) -> tuple[list[Leg], tuple[str, ...]]:
    """One side of a conversion. A row that is its own trade has no other row: money came or went in its place."""
    trade = row["trade"]
    legs = [Leg(key, wallet, token, amount)]
    if trade["id"] == row["id"]:
        value, code = _money(row["native_amount"])
        legs.append(Leg(f"{key}:money", wallet, context.codes.token(code), -value))
    if trade.get("fee"):
        fee, fee_code = _money(trade["fee"])
        legs.append(Leg(f"{key}:fee", wallet, context.codes.token(fee_code), -abs(fee), "fee"))
    return legs, (f"coinbase-trade:{trade['id']}",)


def _sent(wallet: str, row: Mapping[str, Any], key: str, token: TokenId, amount: Decimal) -> list[Leg]:
    """What left: the part that arrived outside and the network's fee, where both make up the account's loss."""
    target = row.get("to") or {}
    peer = target.get("address") if isinstance(target, dict) else None
    network = row.get("network")
    if isinstance(network, dict) and network.get("transaction_fee") and network.get("transaction_amount"):
        fee, code = _money(network["transaction_fee"])
        arrived, _ = _money(network["transaction_amount"])
        if code == row["amount"]["currency"] and total((arrived, fee)) == -amount:
            return [Leg(key, wallet, token, -arrived, "principal", peer), Leg(f"{key}:fee", wallet, token, -fee, "fee")]
    return [Leg(key, wallet, token, amount, "principal", peer)]


def _event(context: Context, row: Mapping[str, Any]) -> str | None:
    """The chain's transaction that the row is, where it names a chain that we know."""
    network = row.get("network")
    if not isinstance(network, dict) or not network.get("hash"):
        return None
    chain = context.networks.get(str(network.get("network_name") or network.get("name") or ""))
    return f"{chain}:{network['hash']}" if chain else None


def balances(context: Context, evidence: Sequence[Evidence]) -> Page:
    """All accounts of all pages: spot and staked in the wallet `spot`, vaults in `vault`."""
    held: dict[tuple[str, Product], dict[TokenId, list[Decimal]]] = {
        ("spot", "spot"): {},
        ("spot", "staked"): {},
        ("vault", "spot"): {},
    }
    accounts = [row for item in evidence for row in data_of(item)[0]]

    def read(row: Any) -> None:
        amount, code = _money(row["balance"])
        token, product = split_code(context.codes, code)
        wallet = wallet_of(row)
        held[wallet, "spot" if wallet == "vault" else product].setdefault(token, []).append(amount)

    gaps = read_list(context, accounts, read)
    at = received_at(evidence)
    snapshots = [] if gaps else [_snapshot(wallet, product, rows, at) for (wallet, product), rows in held.items()]
    return Page(seen=Seen(rows=len(accounts)), snapshots=snapshots, gaps=gaps)


def _snapshot(wallet: str, product: Product, rows: Mapping[TokenId, list[Decimal]], at: EpochMs) -> Snapshot:
    sums = ((token, total(amounts)) for token, amounts in sorted(rows.items()))
    return Snapshot(wallet=wallet, product=product, at=at, balances=tuple(Balance(*item) for item in sums if item[1]), evidence=0)


def wallet_of(row: Mapping[str, Any]) -> str:
    """The wallet that an account belongs to."""
    return "vault" if row.get("type") == "vault" else "spot"


def following(call: str, last: Evidence | None) -> dict[str, str] | None:
    """The next page of accounts."""
    if last is None:
        return {"limit": str(PAGE_ROWS)}
    _, after = data_of(last)
    return {"limit": str(PAGE_ROWS), "starting_after": after} if after else None


def scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """Accounts that were never asked. An account that was never used has no ledger, only its currency's code for an id."""
    found: list[str] = []

    def read(row: Any) -> None:
        stream = f"{BOOK}/{wallet_of(row)}:{row['id']}"
        if row.get("created_at") and stream not in known.cursors:
            found.append(stream)

    rows = [row for item in answers for row in data_of(item)[0]]
    gaps = read_list(context, rows, read)
    return Scopes(streams=tuple(found), token="", gaps=gaps)  # a cursor, no secret


def account_of(scope: str) -> str:
    """The account id in a scope such as `spot:2bbf394c-…`."""
    return scope.partition(":")[2]


def rights(evidence: Evidence) -> Rights:
    """What the key may do, from key_permissions: every field that is set is a right, whether we know it or not."""
    info = expect_dict(decode(evidence), evidence, where="the answer")
    return Rights(
        granted=flags_of(info, ignored=("portfolio_uuid", "portfolio_type")),
        is_known=all(name in info for name in ("can_view", "can_trade", "can_transfer")),
    )


def scope_of(payload: Any) -> str:
    """The scope of recorded transactions: the account in their resource path."""
    rows = payload.get("data") if isinstance(payload, dict) else None
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
    parts = str(row.get("resource_path", "")).split("/")
    return f"spot:{parts[3]}" if len(parts) > 3 else "spot:recorded"


def forms(payload: Any) -> list[Any]:
    """A recorded payload as the answer that it was: rows, one row, or rows grouped by their event, may have lost their envelope."""
    if isinstance(payload, list):
        return [{"data": payload}]
    if isinstance(payload, dict) and "data" not in payload:
        groups = list(payload.values())
        is_grouped = bool(groups) and all(isinstance(group, list) for group in groups)
        return [{"data": [row for group in groups for row in group] if is_grouped else [payload]}]
    return [payload]


QUIRKS = Quirks(
    parsers={BOOK: transactions},
    snapshots={"balances": balances},
    rights=rights,
    following=following,
    scopes=scopes,
    scope_value=account_of,
    scope_of=scope_of,
    forms=forms,
)
