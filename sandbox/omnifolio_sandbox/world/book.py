"""What happened and what it moved: events with signed legs, and the purse that never lets a balance go below zero."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from omnifolio_sandbox.world.tokens import FIAT, kind_of

Key = tuple[str, str, str]  # wallet, product, code

CONFIRMED = "confirmed"
PRINCIPAL = "principal"
FEE = "fee"
DEBT = "debt"


@dataclass(frozen=True, slots=True)
class Leg:
    """A signed movement of one token of the venue in one wallet; into the wallet is positive."""

    wallet: str
    product: str
    code: str
    amount: Decimal
    role: str = PRINCIPAL


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened at a venue. `facts` holds what only that venue's protocol shows of it.

    `visible_at` is when the venue first shows it; it is later than `at` for back-dated events. `type` None is an
    attempt that moved nothing (a failed withdrawal): venues list it, but it is no transaction.
    """

    kind: str
    ref: str
    at: int
    visible_at: int
    type: str | None
    subtype: str | None
    legs: tuple[Leg, ...]
    chain: str | None = None
    status: str = CONFIRMED
    facts: Mapping[str, Any] = field(default_factory=dict)


class Purse:
    """Balances by wallet, product and code while a history is being told."""

    def __init__(self) -> None:
        self.amounts: dict[Key, Decimal] = {}

    def of(self, wallet: str, product: str, code: str) -> Decimal:
        """What is there now."""
        return self.amounts.get((wallet, product, code), Decimal(0))

    def apply(self, legs: tuple[Leg, ...]) -> None:
        """Book the legs; a balance below zero would be a fault of the story that calls this."""
        for leg in legs:
            key = (leg.wallet, leg.product, leg.code)
            self.amounts[key] = self.amounts.get(key, Decimal(0)) + leg.amount
        for leg in legs:
            amount = self.amounts[(leg.wallet, leg.product, leg.code)]
            if leg.product == DEBT:
                assert amount <= 0, f"{leg.code} in {leg.wallet} is owed less than nothing: {amount}"
            else:
                assert amount >= 0, f"{leg.code} in {leg.wallet} went below zero: {amount}"


def trade_subtype(venue: str, *, given: str, got: str) -> str:
    """`buy`, `sell`, `trade_fiat` or `trade_crypto` by what was given and got; stablecoins count as crypto."""
    pays_fiat, gets_fiat = kind_of(venue, given) == FIAT, kind_of(venue, got) == FIAT
    if pays_fiat:
        return "trade_fiat" if gets_fiat else "buy"
    return "sell" if gets_fiat else "trade_crypto"


def fee_legs(wallet: str, product: str, code: str, fee: Decimal) -> tuple[Leg, ...]:
    """The fee as a leg of its own, or nothing where there was none."""
    return (Leg(wallet, product, code, -fee, FEE),) if fee else ()
