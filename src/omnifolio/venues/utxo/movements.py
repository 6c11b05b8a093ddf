"""What a transaction moved for one wallet, as one claim: own change moves nothing, and the fee stands by itself.

A transaction whose inputs are all the wallet's own paid each foreign output (`out:<n>`) and the fee. One without an own input
brought each own output. Where others put coins in as well, nobody can say who paid whom: there is one net leg, and of the fee the
share that follows from what each address put in more than it got back, to the nearest unit. Legs always add up to what the
wallet's outputs gained and lost.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Finality, Kind, Leg
from omnifolio.venues.utxo.subject import Subject

FEE = "fee"


class Coin(Struct, frozen=True):
    """An output, or the output that an input spends. `address` is for people, None where the script has none."""

    units: int
    is_own: bool
    address: str | None = None


class Transaction(Struct, frozen=True, kw_only=True):
    """What a source says of one transaction. `inputs` None: not looked up, because none of them can be the wallet's own."""

    name: str
    inputs: tuple[Coin, ...] | None
    outputs: tuple[Coin, ...]
    is_coinbase: bool = False
    at: EpochMs
    height: int | None = None
    block_hash: str = ""
    shielded: int = 0
    """Units that came out of a shielded pool; negative: that went into it."""


def claim_of(subject: Subject, moved: Transaction, *, finality: Finality, evidence: int | None) -> Claim | None:
    """The transaction as one claim of book `chain`; None when it moved nothing of the wallet. Raises: VenueBadResponse."""
    chain = subject.chain
    legs = tuple(
        Leg(key, subject.wallet, chain.native.id, from_units(units, chain.decimals), "fee" if key == FEE else "principal", who)
        for key, units, who in _movements(moved)
    )
    if not legs:
        return None
    event = f"{chain.caip2}:{moved.name}"
    is_settled = finality != "pending"
    return Claim(
        book="chain",
        ref=moved.name,
        refs=(f"tx:{event}",),
        name=moved.name,
        at=moved.at,
        kind=_kind(moved, legs),
        legs=legs,
        status="confirmed" if is_settled else "pending",
        confirmed_at=moved.at if is_settled else None,
        event=event,
        height=moved.height if is_settled else None,
        block_hash=moved.block_hash if is_settled else None,
        finality=finality,
        evidence=evidence,
    )


def _movements(moved: Transaction) -> Iterator[tuple[str, int, str | None]]:
    """(key, signed units, counterparty) of each leg."""
    inputs = moved.inputs or ()
    if not any(coin.is_own for coin in inputs):
        payers = {coin.address for coin in inputs}
        payer = payers.pop() if len(payers) == 1 else None
        for n, coin in enumerate(moved.outputs):
            if coin.is_own and coin.units:
                yield f"out:{n}", coin.units, payer
        return
    fee = sum(coin.units for coin in inputs) + moved.shielded - sum(coin.units for coin in moved.outputs)
    if fee < 0:
        raise VenueBadResponse("a transaction pays out more than it takes in")
    if all(coin.is_own for coin in inputs) and moved.shielded <= 0:
        for n, coin in enumerate(moved.outputs):
            if not coin.is_own and coin.units:
                yield f"out:{n}", -coin.units, coin.address
        if moved.shielded:
            yield "shielded", moved.shielded, None
    else:
        net = sum(coin.units for coin in moved.outputs if coin.is_own) - sum(coin.units for coin in inputs if coin.is_own)
        fee = _share(moved, fee)
        if net + fee:
            yield "net", net + fee, None
    if fee:
        yield FEE, -fee, None


def _share(moved: Transaction, fee: int) -> int:
    """The wallet's share of the fee, half a unit to the even one. An address that got back what it put in paid none of it."""
    inputs = moved.inputs or ()
    # Coins without an address stand each for itself.
    put_in: Counter[tuple[bool, str]] = Counter()
    for n, coin in enumerate(inputs):
        put_in[coin.is_own, coin.address or f"#{n}"] += coin.units
    for coin in moved.outputs:
        if coin.address is not None and (coin.is_own, coin.address) in put_in:
            put_in[coin.is_own, coin.address] -= coin.units
    given = {who: units for who, units in put_in.items() if units > 0}
    total = sum(given.values()) + max(0, moved.shielded)
    own = sum(units for (is_own, _), units in given.items() if is_own)
    if not total:
        return 0
    share, rest = divmod(fee * own, total)
    return share + (2 * rest > total or (2 * rest == total and share % 2 == 1))


def _kind(moved: Transaction, legs: Sequence[Leg]) -> Kind:
    """A chain does not say what an event is for: only whether coins came, went, or were made."""
    net = sum((leg.amount for leg in legs if leg.key != FEE), Decimal(0))
    if moved.is_coinbase:
        return "mining"
    return "deposit" if net > 0 else "withdrawal" if net < 0 else "fee"
