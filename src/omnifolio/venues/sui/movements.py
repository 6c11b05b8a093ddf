"""What a transaction changed for one address, as one claim: the changes of its coins decide, whatever was called in between.

The gas is a leg of its own where the address paid it: computing and storing, less what came back for storage that became free.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import structs

from omnifolio.catalog.sui_chains import COIN_DECIMALS
from omnifolio.model.amounts import EXACT, from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.model.tokens import TokenFacts
from omnifolio.venues.sui.address import coin_type
from omnifolio.venues.sui.coins import SUI_TYPE
from omnifolio.venues.sui.held import Subject
from omnifolio.venues.sui.shapes import Change, Effects, Transaction, millis
from omnifolio.venues.sui.staking import Staking, staking_of

BOOK, FEE = "chain", "fee"


def own_types(subject: Subject, changes: Sequence[Change]) -> set[str]:
    """The types of coins that changed for the address."""
    return {coin_type(row.coin_type.repr) for row in changes if _is_own(subject, row)}


def claim_of(
    subject: Subject,
    found: Transaction,
    changes: Sequence[Change],
    tokens: Mapping[str, TokenFacts],
    *,
    evidence: int | None = None,
) -> Claim | None:
    """The transaction as one claim; None when it changed nothing of the address. `changes` are all of the transaction's.

    Raises: VenueBadResponse.
    """
    effects = found.effects
    at = millis(effects.timestamp) if effects else None
    if effects is None or at is None or effects.status is None:
        raise VenueBadResponse("the server does not say what a transaction did, or when")
    fee = _fee(subject, found, effects)
    is_failed = effects.status != "SUCCESS"
    legs = tuple(_legs(subject, changes, tokens, fee=fee))
    kind, legs = _staking(legs, staking_of(effects, subject.address)) or (_kind(legs), legs)
    if fee:
        legs = (*legs, Leg(FEE, subject.wallet, subject.chain.native.id, from_units(-fee, COIN_DECIMALS), "fee"))
    if not legs:
        return None
    event = f"{subject.chain.caip2}:{found.digest}"
    return Claim(
        book=BOOK,
        ref=found.digest,
        refs=(f"tx:{event}",),
        name=found.digest,
        at=EpochMs(at),
        kind=kind,
        legs=legs,
        status="failed" if is_failed else "confirmed",
        confirmed_at=EpochMs(at),
        event=event,
        height=effects.checkpoint.sequence_number if effects.checkpoint else None,
        evidence=evidence,
    )


def _legs(subject: Subject, changes: Sequence[Change], tokens: Mapping[str, TokenFacts], *, fee: int) -> Iterator[Leg]:
    units: Counter[str] = Counter()
    for row in changes:
        if _is_own(subject, row):
            units[coin_type(row.coin_type.repr)] += int(row.amount)
    if fee:
        units[SUI_TYPE] += fee
    for name in sorted(units):
        if units[name] and name in tokens:
            facts = tokens[name]
            amount = from_units(units[name], facts.decimals or 0)
            yield Leg(name, subject.wallet, facts.id, amount, "principal", _other(subject, changes, name, units[name]))


def _fee(subject: Subject, found: Transaction, effects: Effects) -> int:
    """What the gas cost the address, in units; 0 where somebody else paid."""
    sponsor = found.gas_input.gas_sponsor if found.gas_input else None
    payer = sponsor or found.sender
    if payer is None or payer.address.lower() != subject.address:
        return 0
    if effects.gas_effects is None or effects.gas_effects.gas_summary is None:
        raise VenueBadResponse("the server does not say what a transaction cost")
    return effects.gas_effects.gas_summary.net


def _other(subject: Subject, changes: Sequence[Change], name: str, units: int) -> str | None:
    """Whose coins of that type went the other way, where that is one address alone."""
    others = {
        row.owner.address.lower()
        for row in changes
        if row.owner is not None
        and not _is_own(subject, row)
        and coin_type(row.coin_type.repr) == name
        and int(row.amount) * units < 0
    }
    return others.pop() if len(others) == 1 else None


def _is_own(subject: Subject, row: Change) -> bool:
    return row.owner is not None and row.owner.address.lower() == subject.address


def _staking(legs: Sequence[Leg], found: Staking) -> tuple[Kind, tuple[Leg, ...]] | None:
    """Coins that were staked or came back, what they earned as a leg of its own; None where the amounts are other ones."""
    if len(legs) != 1 or legs[0].key != SUI_TYPE:
        return None
    leg, put, taken, earned = legs[0], *(from_units(units, COIN_DECIMALS) for units in (found.put, found.taken, found.earned))
    if put and leg.amount == -put:
        return "staking", tuple(legs)
    if not taken or leg.amount != EXACT.add(taken, earned):
        return None
    reward = structs.replace(leg, key=f"{leg.key}:reward", amount=earned)
    return "unstaking", (structs.replace(leg, amount=taken), *((reward,) if earned else ()))


def _kind(legs: Sequence[Leg]) -> Kind:
    if not legs:
        return "fee"
    received, sent = (sum(leg.amount * sign > 0 for leg in legs) for sign in (1, -1))
    if not (received and sent):
        return "deposit" if received else "withdrawal"
    return "trade" if received == sent == 1 else "other"
