"""What is particular to Gemini: pairs without a separator, transfers whose fee is beside the amount, staking by provider.

Fills of perpetual contracts are gaps: they move the collateral by a profit that the fill does not tell.
Source: developer.gemini.com, REST: balances, mytrades, transfers, staking, roles (seen 2026-11-27).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from omnifolio.model.amounts import parse_amount, product
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Claim, Evidence, Kind, Leg, Status
from omnifolio.venues.exchanges.answers import Context, Quirks, decode, expect_dict, expect_list
from omnifolio.venues.exchanges.rights import Rights, flags_of
from omnifolio.venues.exchanges.telling import Held, Source, history, rows_at, snapshots, told
from omnifolio.venues.exchanges.times import from_ms

QUOTES = (
    "RLUSD",
    "USDT",
    "USDC",
    "USD",
    "EUR",
    "GBP",
    "SGD",
    "AUD",
    "CAD",
    "HKD",
    "BTC",
    "ETH",
    "BCH",
    "LTC",
    "FIL",
    "DOGE",
    "SOL",
)
GUSD_BASES = ("BTC", "ETH")
"""What is traded against Gemini's own dollar; any other symbol that ends in its name has a base that ends in G."""

_TRANSFERS: Mapping[str, tuple[Kind, int]] = {
    "Deposit": ("deposit", 1),
    "Withdrawal": ("withdrawal", -1),
    "Reward": ("reward", 1),
    "AdminCredit": ("other", 1),
    "AdminDebit": ("other", -1),
}
_STATUSES: Mapping[str, Status] = {
    "advanced": "confirmed",
    "complete": "confirmed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "failed": "failed",
    "rejected": "failed",
}
_STAKING: Mapping[str, tuple[Kind, int, int]] = {
    "Deposit": ("staking", -1, 1),
    "Redeem": ("unstaking", 1, -1),
    "AdminRedeem": ("unstaking", 1, -1),
    "RedeemPayment": ("unstaking", 0, 0),
    "Interest": ("staking_reward", 0, 1),
    "AdminCreditAdjustment": ("other", 0, 1),
    "AdminDebitAdjustment": ("other", 0, -1),
}
"""Kind, and which way the amount goes in the main and in the staking wallet. A redemption's payments repeat its amount."""


def _spot(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    amount = parse_amount(row["amount"])
    yield "spot", "debt" if amount < 0 else "spot", context.codes.token(row["currency"]), amount


def _staked(context: Context, row: Mapping[str, Any]) -> Iterable[Held]:
    yield "staking", "staked", context.codes.token(row["currency"]), parse_amount(row["balance"], where="balance")


def _pair_of(symbol: str, fee_currency: object) -> tuple[str, str]:
    """Base and quote; the fee is taken in the quote, which cuts pairs that could be read both ways. Raises: InvalidField."""
    base = symbol.removesuffix("GUSD")
    if base != symbol and (base in GUSD_BASES or fee_currency == "GUSD"):
        return base, "GUSD"
    quote = next((name for name in (str(fee_currency or ""), *QUOTES) if name and symbol.endswith(name) and symbol != name), "")
    if not quote:
        raise InvalidField("symbol: expected a pair of currencies")
    return symbol.removesuffix(quote), quote


def _trade(context: Context, row: Mapping[str, Any]) -> Claim:
    """A fill. One that was broken in full has moved nothing; what was reversed by hand is booked apart."""
    side = str(row["type"]).lower()
    if side not in ("buy", "sell"):
        raise InvalidField("type: expected Buy or Sell")
    base, quote = _pair_of(str(row["symbol"]).upper(), row.get("fee_currency"))
    amount, price = parse_amount(row["amount"]), parse_amount(row["price"], where="price")
    fee = parse_amount(row.get("fee_amount") or "0", where="fee_amount")
    sign = 1 if side == "buy" else -1
    legs = [
        Leg("base", "spot", context.codes.token(base), sign * amount),
        Leg("quote", "spot", context.codes.token(quote), -sign * product(amount, price)),
    ]
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(row["fee_currency"]), -fee, "fee"))
    status: Status = "cancelled" if row.get("break") == "full" else "confirmed"
    label = f"{side} {'taker' if row.get('aggressor') else 'maker'}"
    return told(context, ref=row["tid"], at=from_ms(row["timestampms"]), kind="trade", legs=legs, label=label, status=status)


def _transfer(context: Context, row: Mapping[str, Any]) -> Claim:
    """Money in or out; an advanced deposit can be traded already. A withdrawal's fee is on top of its amount."""
    kind, sign = _TRANSFERS.get(row["type"], ("other", 0))
    if not sign:
        raise InvalidField("type: not a known transfer")
    token, amount = context.codes.token(row["currency"]), parse_amount(row["amount"])
    fee = parse_amount(row.get("feeAmount") or "0", where="feeAmount")
    peer = row.get("destination") or None if kind == "withdrawal" else None
    legs = [Leg("amount", "spot", token, sign * amount, "principal", peer)]
    if fee:
        legs.append(Leg("fee", "spot", context.codes.token(row.get("feeCurrency") or row["currency"]), -fee, "fee"))
    return told(
        context,
        ref=row["eid"],
        name=row.get("txHash") or row["eid"],
        at=from_ms(row["timestampms"]),
        kind=kind,
        legs=legs,
        label=row.get("method") or row["type"],
        status=_STATUSES.get(str(row["status"]).lower(), "pending"),
    )


def _staking_rows(evidence: Evidence) -> list[Any]:
    """The rows of all providers. Raises: VenueBadResponse."""
    providers = [expect_dict(item, evidence, where="the answer") for item in rows_at()(evidence)]
    return [row for item in providers for row in expect_list(item.get("transactions"), evidence, where="transactions")]


def _staking(context: Context, row: Mapping[str, Any]) -> Claim:
    word = str(row["transactionType"])
    if word not in _STAKING:
        raise InvalidField("transactionType: not a known one")
    kind, main, staked = _STAKING[word]
    token, amount = context.codes.token(row["amountCurrency"]), parse_amount(row["amount"])
    legs = (Leg("main", "spot", token, main * amount), Leg("staked", "staking", token, staked * amount))
    return told(context, ref=row["transactionId"], at=from_ms(row["dateTime"]), kind=kind, legs=legs, label=word)


def rights(evidence: Evidence) -> Rights:
    """The roles of the key: every field that is set is a right, whether we know it or not."""
    info = expect_dict(decode(evidence), evidence, where="the answer")
    flags = flags_of(info, ignored=("counterparty_id",))
    return Rights(granted=flags, is_known=all(name in info for name in ("isAuditor", "isFundManager", "isTrader")))


QUIRKS = Quirks(
    parsers={
        "trades": history(rows_at(), _trade),
        "transfers": history(rows_at(), _transfer),
        "staking": history(_staking_rows, _staking),
    },
    snapshots={
        "balances": snapshots(
            Source(path_end="/v1/balances", rows_of=rows_at(), read=_spot, tells=(("spot", "spot"), ("spot", "debt"))),
            Source(path_end="/balances/staking", rows_of=rows_at(), read=_staked, tells=(("staking", "staked"),)),
        )
    },
    rights=rights,
)
