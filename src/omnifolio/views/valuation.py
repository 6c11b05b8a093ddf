"""What amounts are worth: pure functions over legs, prices and rates. Exact, and never zero for what is unknown.

A value is amount times price in the price's currency; in another currency it is that by the day's reference rates. A trade has
one value: both sides carry it with their own sign, so that a trade's principal legs sum to zero in every currency.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.assets import UNRANKED, Assets
from omnifolio.model import amounts
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import Role
from omnifolio.model.prices import Price, Quotes, Rates, Unpriced
from omnifolio.model.tokens import TokenId, TokenKind


class Money(Struct, frozen=True, kw_only=True, gc=False):
    """A value. `price` is the quote that gave it (None for fiat at par); `is_stale` when that was carried forward."""

    amount: Decimal
    currency: str
    price: Price | None = None

    @property
    def is_stale(self) -> bool:
        """Whether the price was carried forward from too long before."""
        return self.price is not None and self.price.is_stale


Value = Money | Unpriced


class Valued(Struct, frozen=True, kw_only=True):
    """A leg or balance as valuation sees it: what moved, and which token it is.

    `number` is the ledger's integer of the token; `ticker` of a fiat token is its ISO 4217 code.
    """

    key: str
    number: int
    token: TokenId
    kind: TokenKind
    ticker: str
    amount: Decimal
    role: Role = "principal"


class Part(Struct, frozen=True):
    """One part of a total that is not as it should be: its name, and the reason (or the age) for people."""

    name: str
    text: str


class Total(Struct, frozen=True, kw_only=True):
    """A sum of values. `complete` is false when a part is missing or stale; those are named, and missing ones are not in it."""

    amount: Decimal
    currency: str
    complete: bool
    missing: tuple[Part, ...] = ()
    stale: tuple[Part, ...] = ()


def value_of(amount: Decimal, quote: Price | Unpriced) -> Value:
    """`amount` times its price, exact, in the price's currency."""
    if isinstance(quote, Unpriced):
        return quote
    return Money(amount=amounts.product(amount, quote.price), currency=quote.currency, price=quote)


def convert(value: Value, *, currency: str, at: EpochMs, rates: Rates) -> Value:
    """The value in another currency by the rates of the instant's day; unpriced without a rate."""
    if isinstance(value, Unpriced):
        return value
    amount = rates.convert(value.amount, source=value.currency, target=currency, at=at)
    return amount if isinstance(amount, Unpriced) else Money(amount=amount, currency=currency, price=value.price)


def value_balance(balance: Valued, *, at: EpochMs, quotes: Quotes, rates: Rates, currency: str) -> Value:
    """What a balance is worth at an instant, by its own token's price."""
    return convert(_own(balance, at=at, quotes=quotes), currency=currency, at=at, rates=rates)


def value_transaction(
    legs: Sequence[Valued], *, at: EpochMs, quotes: Quotes, rates: Rates, currency: str, assets: Assets
) -> Mapping[str, Value]:
    """The value of every leg by its key.

    Two principal legs of different tokens and opposite signs are a trade: the leg that is best known gives the value (fiat,
    else a stablecoin, else a major coin, else the more liquid one, else the first by token id; the first of these that has a
    price), the other takes it with the opposite sign. Every other leg is valued by its own price.
    """
    values = {leg.key: convert(_own(leg, at=at, quotes=quotes), currency=currency, at=at, rates=rates) for leg in legs}
    principals = [leg for leg in legs if leg.role == "principal"]
    if len(principals) == 2 and _is_trade(*principals):
        ordered = sorted(principals, key=lambda leg: _standing(leg, at=at, assets=assets))
        for anchor, other in (ordered, reversed(ordered)):
            worth = values[anchor.key]
            if isinstance(worth, Money):
                values[other.key] = Money(amount=-worth.amount, currency=currency, price=worth.price)
                break
    return values


def sum_up(parts: Iterable[tuple[str, Value]], *, currency: str) -> Total:
    """The sum of named values of one currency; what is missing or stale is named once each, in order of first mention."""
    known: list[Decimal] = []
    missing: dict[str, Part] = {}
    stale: dict[str, Part] = {}
    for name, value in parts:
        # Asked for the kind that most are: a negative answer of `isinstance` costs ten times a positive one.
        if isinstance(value, Money):
            assert value.currency == currency, "values of one total have one currency"
            known.append(value.amount)
            price = value.price
            if price is not None and price.is_stale:
                stale.setdefault(name, Part(name, f"the last known price is from {price.as_of}"))
        else:
            missing.setdefault(name, Part(name, value.text))
    return Total(
        amount=amounts.total(known),
        currency=currency,
        complete=not missing and not stale,
        missing=tuple(missing.values()),
        stale=tuple(stale.values()),
    )


def _own(leg: Valued, *, at: EpochMs, quotes: Quotes) -> Value:
    """The value of a leg by itself: fiat at par in its own currency, everything else by its price."""
    if leg.kind == "fiat":
        return Money(amount=leg.amount, currency=leg.ticker)
    return value_of(leg.amount, quotes.at(leg.number, at))


def _is_trade(one: Valued, two: Valued) -> bool:
    return one.token != two.token and (one.amount > 0) != (two.amount > 0)


def _standing(leg: Valued, *, at: EpochMs, assets: Assets) -> tuple[int, int, str]:
    """How well a leg anchors a trade's value; the lowest does."""
    if leg.kind == "fiat":
        return 0, 0, leg.ticker
    asset = assets.of(leg.token, at)
    if asset is not None and asset.role == "stablecoin":
        return 1, 0, asset.ticker
    if asset is not None and asset.role == "major":
        return 2, asset.rank, leg.token
    return 3, UNRANKED if asset is None else asset.rank, leg.token
