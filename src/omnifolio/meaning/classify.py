"""What type a transaction has: Vezgo's eight types and thirty subtypes, derived from what the sources say and from the legs.

Sources say what an event is (`Kind`); the legs say what it did. Where they disagree, legs win for trades: a "trade" with legs
of one sign only is no trade.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from omnifolio.model.amounts import EXACT, ZERO
from omnifolio.model.errors import InvalidField
from omnifolio.model.facts import Kind, Leg
from omnifolio.model.tokens import TokenId

TransactionType = Literal["deposit", "withdrawal", "trade", "staking", "unstaking", "reward", "bonus", "other"]

TYPES: tuple[TransactionType, ...] = ("deposit", "withdrawal", "trade", "staking", "unstaking", "reward", "bonus", "other")
TYPE_NUMBERS: Mapping[str, int] = {name: number for number, name in enumerate(TYPES)}
"""How a type is stored where a word is too long, so a new type stands last in `TYPES`."""


SUBTYPES: Mapping[TransactionType, tuple[str, ...]] = {
    "deposit": ("onchain_deposit", "offchain_deposit", "fiat_deposit", "vault_deposit", "transfer_in", "receive_payment"),
    "withdrawal": (
        "onchain_withdrawal", "offchain_withdrawal", "fiat_withdrawal", "vault_withdrawal", "transfer_out", "liquidation",
        "send_payment",
    ),
    "trade": ("buy", "sell", "trade_crypto", "trade_fiat"),
    "staking": (),
    "unstaking": (),
    "reward": ("income_reward", "interest_income", "staking_reward"),
    "bonus": ("distribution", "cashback", "rebate", "referral_bonus"),
    "other": ("refund", "cancel", "fees", "spam", "fork", "mining"),
}  # fmt: skip
"""What a transaction of each type may be in particular."""


class Meaning(Struct, frozen=True, gc=False):
    """The derived labels of a transaction."""

    type: TransactionType
    subtype: str | None = None


def meaning_of(text: str) -> Meaning:
    """A type with or without a subtype as people write it: `deposit`, `reward/staking_reward`. Raises: InvalidField."""
    kind, slash, subtype = text.partition("/")
    known = next((name for name in TYPES if name == kind), None)
    if known is None:
        raise InvalidField(f"type: expected one of {', '.join(TYPES)}")
    if slash and subtype not in SUBTYPES[known]:
        raise InvalidField(f"type: a {known} is {' or '.join(SUBTYPES[known]) or 'nothing in particular'}, got {subtype[:40]!r}")
    return Meaning(known, subtype or None)


_FIXED: dict[Kind, Meaning] = {
    "staking": Meaning("staking"),
    "unstaking": Meaning("unstaking"),
    "staking_reward": Meaning("reward", "staking_reward"),
    "interest": Meaning("reward", "interest_income"),
    "reward": Meaning("reward", "income_reward"),
    "airdrop": Meaning("bonus", "distribution"),
    "referral": Meaning("bonus", "referral_bonus"),
    "rebate": Meaning("bonus", "rebate"),
    "cashback": Meaning("bonus", "cashback"),
    "fee": Meaning("other", "fees"),
    "refund": Meaning("other", "refund"),
    "mining": Meaning("other", "mining"),
    "fork": Meaning("other", "fork"),
    "liquidation": Meaning("withdrawal", "liquidation"),
    "funding_payment": Meaning("other"),
    "realized_pnl": Meaning("other"),
    "borrow": Meaning("other"),
    "repay": Meaning("other"),
}
_TRADE, _TRADE_FIAT, _TRADE_CRYPTO = Meaning("trade"), Meaning("trade", "trade_fiat"), Meaning("trade", "trade_crypto")
_DEPOSIT, _DEPOSIT_FIAT = Meaning("deposit", "onchain_deposit"), Meaning("deposit", "fiat_deposit")
_WITHDRAWAL, _WITHDRAWAL_FIAT = Meaning("withdrawal", "onchain_withdrawal"), Meaning("withdrawal", "fiat_withdrawal")
_BUY, _SELL = Meaning("trade", "buy"), Meaning("trade", "sell")
# Of several claims of one event the most telling kind counts: the order of this tuple.
_TELLING: tuple[Kind, ...] = (
    "liquidation", "trade", "staking", "unstaking", "staking_reward", "interest", "airdrop", "referral", "rebate", "cashback",
    "reward", "mining", "fork", "funding_payment", "realized_pnl", "borrow", "repay", "refund", "deposit", "withdrawal",
    "transfer", "fee", "other",
)  # fmt: skip


_ONE_WAY: frozenset[Kind] = frozenset({"deposit", "withdrawal", "transfer"})


def telling(kinds: Sequence[Kind]) -> Kind:
    """The most specific of what several claims call one event."""
    if len(kinds) == 1:
        return kinds[0]
    found = set(kinds)
    return next((kind for kind in _TELLING if kind in found), "other")


def classify(kinds: Sequence[Kind], legs: Sequence[Leg], is_fiat: Callable[[TokenId], bool]) -> Meaning:
    """The type and subtype of an event. `is_fiat` tells government money from everything else."""
    kind = telling(kinds)
    fixed = _FIXED.get(kind)
    if fixed is not None:
        return fixed
    if len(kinds) > 1 and _ONE_WAY.issuperset(kinds):
        kind = _by_balance(legs, kind)
    incoming: list[Leg] = []
    outgoing: list[Leg] = []
    for leg in legs:
        if leg.role == "principal" and leg.amount:
            (incoming if leg.amount > ZERO else outgoing).append(leg)
    if kind == "trade" or (kind == "other" and incoming and outgoing and incoming[0].token != outgoing[0].token):
        return _trade(incoming, outgoing, is_fiat)
    if kind == "deposit":
        return _DEPOSIT_FIAT if incoming and _are_all(incoming, is_fiat) else _DEPOSIT
    if kind == "withdrawal":
        return _WITHDRAWAL_FIAT if outgoing and _are_all(outgoing, is_fiat) else _WITHDRAWAL
    if kind == "transfer":
        return _transfer(incoming, outgoing)
    return Meaning("other", "fees") if legs and not incoming and not outgoing else Meaning("other")


def _by_balance(legs: Sequence[Leg], kind: Kind) -> Kind:
    """What ways in and out of one event amount to that were each told by themselves; `kind` where that is no other thing."""
    left: dict[TokenId, Decimal] = {}
    for leg in legs:
        if leg.role == "principal":
            left[leg.token] = EXACT.add(left.get(leg.token, ZERO), leg.amount)
    gains, costs = (any(amount * sign > 0 for amount in left.values()) for sign in (1, -1))
    if gains and costs:
        return "trade"
    return "withdrawal" if costs and kind == "deposit" else kind


def _trade(incoming: Sequence[Leg], outgoing: Sequence[Leg], is_fiat: Callable[[TokenId], bool]) -> Meaning:
    if not incoming or not outgoing:
        return _TRADE
    gets_fiat = _are_all(incoming, is_fiat)
    gives_fiat = _are_all(outgoing, is_fiat)
    if gives_fiat:
        return _TRADE_FIAT if gets_fiat else _BUY
    return _SELL if gets_fiat else _TRADE_CRYPTO


def _are_all(legs: Sequence[Leg], is_fiat: Callable[[TokenId], bool]) -> bool:
    return is_fiat(legs[0].token) if len(legs) == 1 else all(is_fiat(leg.token) for leg in legs)


def _transfer(incoming: Sequence[Leg], outgoing: Sequence[Leg]) -> Meaning:
    if incoming and not outgoing:
        return Meaning("deposit", "transfer_in")
    if outgoing and not incoming:
        return Meaning("withdrawal", "transfer_out")
    return Meaning("other")
