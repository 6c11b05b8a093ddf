"""What one Coinbase transaction means: what its account gained or lost, and the names that it shares with the row beside it.

Two rows of one event are found by what both tell: the conversion's id, the buy's or sell's id, the order with price and
commission of a fill, the time and size of a move between the user's own accounts.
Source: docs.cdp.coinbase.com, Track API, transactions.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec import Struct

from omnifolio.model.amounts import canonical, parse_amount, total
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Kind, Leg, Product, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.exchanges.answers import Context
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.times import from_iso

BOOK = "transactions"
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


class Row(Struct, frozen=True, kw_only=True):
    """A transaction with what every reading of it needs. `key` names its own leg."""

    context: Context
    wallet: str
    raw: Mapping[str, Any]
    key: str
    code: str
    token: TokenId
    amount: Decimal
    kind: Kind


Told = tuple[list[Leg], tuple[str, ...]]
"""What a row moved, and the names that it shares with the other row of its event."""


def split_code(codes: Codes, code: Any) -> tuple[TokenId, Product]:
    """Token and product of a currency code: ETH2 is staked ETH. Raises: InvalidField."""
    if code in STAKED_CODES:
        return codes.token(STAKED_CODES[code]), "staked"
    return codes.token(code), "spot"


def claim_of(context: Context, wallet: str, raw: Mapping[str, Any]) -> Claim:
    """The claim of one transaction. Raises: KeyError, InvalidAmount, InvalidField."""
    amount, code = money_of(raw["amount"])
    token, _ = split_code(context.codes, code)
    # The venue may give both sides of an event one id: with the currency it is a side's own name.
    ref = f"{raw['id']}/{code}"
    kind = _kind(str(raw["type"]), raw, amount)
    row = Row(context=context, wallet=wallet, raw=raw, key=ref, code=code, token=token, amount=amount, kind=kind)
    legs, shared = _told(row)
    status = _STATUSES.get(str(raw.get("status")), "pending")
    return Claim(
        book=BOOK,
        ref=ref,
        refs=(*shared, f"coinbase:{ref}"),
        name=_name(row),
        at=from_iso(raw["created_at"]),
        kind=kind,
        legs=tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else (),
        label=str(raw["type"]),
        status=status,
        event=_event(context, raw),
        evidence=0,
    )


def money_of(raw: Any) -> tuple[Decimal, str]:
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


def _name(row: Row) -> str:
    """The event's name: the conversion's own id, else the row that stands for the event; "" for the row beside it."""
    trade, fill = row.raw.get("trade"), row.raw.get("advanced_trade_fill")
    if isinstance(trade, dict) and trade.get("id"):
        return str(trade["id"])
    is_beside = (
        (isinstance(fill, dict) and _base_of(fill) != row.code)
        or (row.raw["type"] in ("buy", "sell") and _is_money_side(row))
        or (row.kind in _MOVES and row.amount > 0)
    )
    return "" if is_beside else str(row.raw["id"])


def _told(row: Row) -> Told:
    if row.raw["type"] in ("buy", "sell"):
        return _purchase(row)
    if isinstance(row.raw.get("advanced_trade_fill"), dict):
        return _fill(row)
    if isinstance(row.raw.get("trade"), dict):
        return _conversion(row)
    if row.kind in _MOVES:
        move = f"coinbase-move:{row.raw['type']}/{row.raw['created_at']}/{canonical(abs(row.amount))}"
        return [_own(row)], (move,)
    if row.kind == "withdrawal":
        return _sent(row), ()
    return [_own(row)], ()


def _own(row: Row) -> Leg:
    """What the row's account gained or lost, as one leg."""
    return Leg(row.key, row.wallet, row.token, row.amount)


def _purchase(row: Row) -> Told:
    """A buy or sell against money: subtotal and fee where the row tells them, else its value in the user's money.

    Paid from the account's own cash there is a second row there that tells the same; both name the same legs.
    """
    sign, detail, codes = (1 if row.raw["type"] == "buy" else -1), _purchase_of(row.raw), row.context.codes
    event = f"{row.raw['type']}:{detail.get('id') or row.raw['id']}"
    paid, code = money_of(detail["subtotal"] if detail.get("subtotal") else row.raw["native_amount"])
    legs = [Leg(f"{event}:money", row.wallet, codes.token(code), -sign * abs(paid))]
    if not _is_money_side(row):
        legs.append(Leg(f"{event}:token", row.wallet, row.token, sign * abs(row.amount)))
    if detail.get("fee") and detail.get("subtotal"):
        fee, fee_code = money_of(detail["fee"])
        legs.append(Leg(f"{event}:fee", row.wallet, codes.token(fee_code), -abs(fee), "fee"))
    return legs, (f"coinbase-{event}",)


def _purchase_of(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    detail = raw.get(raw["type"]) or raw.get("buy")
    return detail if isinstance(detail, dict) else {}


def _is_money_side(row: Row) -> bool:
    """Whether the row is the cash account's side of a buy or sell."""
    subtotal = _purchase_of(row.raw).get("subtotal")
    paid_in = subtotal["currency"] if isinstance(subtotal, dict) else row.raw["native_amount"]["currency"]
    return bool(row.code == paid_in) and row.context.codes.is_fiat(row.token)


def _base_of(fill: Mapping[str, Any]) -> str:
    return str(fill["product_id"]).partition("-")[0]


def _fill(row: Row) -> Told:
    """One side of a fill. The commission is part of what the quote's account gained or lost."""
    fill = row.raw["advanced_trade_fill"]
    commission = parse_amount(fill.get("commission") or "0", where="commission")
    price = parse_amount(fill["fill_price"], where="fill_price")
    shared = (f"coinbase-fill:{fill['order_id']}/{canonical(price)}/{canonical(commission)}",)
    if row.code == _base_of(fill):
        return [_own(row)], shared
    legs = [
        Leg(row.key, row.wallet, row.token, total((row.amount, commission))),
        Leg(f"{row.key}:fee", row.wallet, row.token, -commission, "fee"),
    ]
    return legs, shared


def _conversion(row: Row) -> Told:
    """One side of a conversion. A row that is its own trade has no other row: money came or went in its place."""
    trade, legs = row.raw["trade"], [_own(row)]
    if trade["id"] == row.raw["id"]:
        value, code = money_of(row.raw["native_amount"])
        legs.append(Leg(f"{row.key}:money", row.wallet, row.context.codes.token(code), -value))
    if trade.get("fee"):
        fee, fee_code = money_of(trade["fee"])
        legs.append(Leg(f"{row.key}:fee", row.wallet, row.context.codes.token(fee_code), -abs(fee), "fee"))
    return legs, (f"coinbase-trade:{trade['id']}",)


def _sent(row: Row) -> list[Leg]:
    """What left: the part that arrived outside and the network's fee, where both make up the account's loss."""
    target, network = row.raw.get("to"), row.raw.get("network")
    peer = target.get("address") if isinstance(target, dict) else None
    if isinstance(network, dict) and network.get("transaction_fee") and network.get("transaction_amount"):
        fee, code = money_of(network["transaction_fee"])
        arrived, _ = money_of(network["transaction_amount"])
        if code == row.code and total((arrived, fee)) == -row.amount:
            return [
                Leg(row.key, row.wallet, row.token, -arrived, "principal", peer),
                Leg(f"{row.key}:fee", row.wallet, row.token, -fee, "fee"),
            ]
    return [Leg(row.key, row.wallet, row.token, row.amount, "principal", peer)]


def _event(context: Context, row: Mapping[str, Any]) -> str | None:
    """The chain's transaction that the row is, where it names a chain that we know."""
    network = row.get("network")
    if not isinstance(network, dict) or not network.get("hash"):
        return None
    chain = context.networks.get(str(network.get("network_name") or network.get("name") or ""))
    return f"{chain}:{network['hash']}" if chain else None
