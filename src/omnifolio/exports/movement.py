"""What an account as a whole sent and received in one event: the form in which tax programs think.

They know no wallets inside an account, so a move between two of them is nothing but its fee; and they know one sent and one
received amount a row, so an event with more of them becomes several rows.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from omnifolio.model.amounts import ZERO, total
from omnifolio.model.clock import EpochMs
from omnifolio.model.ids import AccountId, WireIds
from omnifolio.views.transactions import TransactionPage, TransactionView
from omnifolio.views.valuation import Money

SHARE_DECIMALS = 18
"""Decimals to which a received amount is shared out among several sent ones."""


class Part(Struct, frozen=True):
    """A positive amount of one token, and its value where it is known."""

    ticker: str
    amount: Decimal
    value: Decimal | None = None


def amount_of(part: Part | None) -> Decimal | None:
    """The amount of a part, if there is one."""
    return None if part is None else part.amount


def ticker_of(part: Part | None) -> str | None:
    """The ticker of a part, if there is one."""
    return None if part is None else part.ticker


def value_of(part: Part | None) -> Decimal | None:
    """The value of a part, if there is one and it is known."""
    return None if part is None else part.value


class Movement(Struct, frozen=True, kw_only=True):
    """One row: at most one sent, one received and one fee part. `id` is the transaction's on the wire."""

    id: str
    at: EpochMs
    type: str
    subtype: str | None
    account: str
    label: str
    hash: str
    sent: Part | None = None
    received: Part | None = None
    fee: Part | None = None
    currency: str = ""

    @property
    def is_fee(self) -> bool:
        """Whether there is nothing but a fee."""
        return self.sent is None and self.received is None

    @property
    def sides(self) -> "tuple[Part | None, Part | None, Part | None]":
        """What was sent, received and paid as a fee; a fee alone counts as sent, where a row needs one side."""
        if self.is_fee:
            return self.fee, None, None
        return self.sent, self.received, self.fee

    @property
    def value(self) -> Decimal | None:
        """What the row is worth in `currency`: the value of what was received, else of what was sent."""
        known = (part.value for part in (self.received, self.sent) if part is not None and part.value is not None)
        return next(known, None)

    @property
    def reference(self) -> str:
        """How the event is found again: an import of the written file knows it by this."""
        return f"omnifolio:{self.id}"


def movements(page: TransactionPage, *, ids: WireIds, accounts: Mapping[AccountId, str]) -> Iterator[Movement]:
    """The rows of a page's transactions that happened, in their order."""
    for view in page.rows:
        if view.transaction.status == "confirmed":
            yield from _of_transaction(view, page, ids=ids, accounts=accounts)


def _of_transaction(
    view: TransactionView, page: TransactionPage, *, ids: WireIds, accounts: Mapping[AccountId, str]
) -> Iterator[Movement]:
    row = view.transaction
    net = _net(view, page, "principal")
    sent = [Part(part.ticker, -part.amount, _abs(part.value)) for part in net if part.amount < 0]
    received = [part for part in net if part.amount > 0]
    charged = _net(view, page, "fee")
    fees = [Part(part.ticker, -part.amount, _abs(part.value)) for part in charged if part.amount < 0]
    bare = Movement(
        id=ids.wire("transaction", row.id),
        at=row.at,
        type=row.type,
        subtype=row.subtype,
        account=accounts[row.account],
        label=row.label,
        hash=row.event.rpartition(":")[2] if row.event else "",
        currency=page.currency,
    )
    for out, back, fee in _rows(sent, received, fees):
        if out or back:
            yield replace(bare, sent=out, received=back, fee=fee)
        else:
            yield replace(bare, type="other", subtype="fees", fee=fee)
    for rebate in charged:
        if rebate.amount > 0:  # a fee that the venue pays
            yield replace(bare, type="bonus", subtype="rebate", received=rebate)


def _net(view: TransactionView, page: TransactionPage, role: str) -> list[Part]:
    """What remains of the legs of a role by token, over all wallets; the value where that of every leg is known."""
    amounts: dict[int, list[Decimal]] = {}
    values: dict[int, list[Decimal | None]] = {}
    for leg in view.transaction.legs:
        if leg.role == role:
            amounts.setdefault(leg.token, []).append(leg.amount)
            value = view.values.get(leg.key)
            values.setdefault(leg.token, []).append(value.amount if isinstance(value, Money) else None)
    return [
        Part(page.tokens[token].ticker, left, _sum(values[token]))
        for token, parts in amounts.items()
        if (left := total(parts)) != ZERO
    ]


def _rows(
    sent: Sequence[Part], received: Sequence[Part], fees: Sequence[Part]
) -> Iterator[tuple[Part | None, Part | None, Part | None]]:
    """Triples of at most one part each. One against several is shared out by value; several against several stand alone."""
    pairs: list[tuple[Part | None, Part | None]] = []
    if len(received) == 1 and len(sent) > 1:
        pairs = list(zip(sent, _shared(received[0], sent), strict=True))
    elif len(sent) == 1 and len(received) > 1:
        pairs = list(zip(_shared(sent[0], received), received, strict=True))
    elif len(sent) <= 1 and len(received) <= 1:
        pairs = [(next(iter(sent), None), next(iter(received), None))] if sent or received else []
    else:
        pairs = [*((part, None) for part in sent), *((None, part) for part in received)]
    for place in range(max(len(pairs), len(fees))):
        out, back = pairs[place] if place < len(pairs) else (None, None)
        yield out, back, fees[place] if place < len(fees) else None


def _shared(one: Part, many: Sequence[Part]) -> list[Part]:
    """One part in as many as there are others, by their values where all are known, else equally; nothing is lost."""
    values = [part.value for part in many if part.value]
    weights = values if len(values) == len(many) else [Decimal(1)] * len(many)
    amounts = shares(one.amount, weights)
    worth = shares(one.value, weights) if one.value is not None else [None] * len(many)
    return [Part(one.ticker, amount, value) for amount, value in zip(amounts, worth, strict=True)]


def shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """A positive amount in proportion to positive weights, rounded down to 18 decimals; the last share takes what is left."""
    scale = max(SHARE_DECIMALS, _decimals(amount), *map(_decimals, weights))
    units, parts = int(amount.scaleb(scale)), [int(weight.scaleb(scale)) for weight in weights]
    step = 10 ** (scale - max(SHARE_DECIMALS, _decimals(amount)))
    found = [units * part // sum(parts) // step * step for part in parts[:-1]]
    return [Decimal(share).scaleb(-scale) for share in (*found, units - sum(found))]


def _decimals(amount: Decimal) -> int:
    exponent = amount.as_tuple().exponent
    assert isinstance(exponent, int), "amounts are finite"
    return max(0, -exponent)


def _sum(values: Iterable[Decimal | None]) -> Decimal | None:
    known = list(values)
    return None if None in known else total(value for value in known if value is not None)


def _abs(value: Decimal | None) -> Decimal | None:
    return None if value is None else abs(value)
