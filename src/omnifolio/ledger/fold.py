"""Several claims of one event become one transaction: the same claims give the same transaction in whatever order they came."""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct, structs

from omnifolio.meaning.classify import classify
from omnifolio.model.clock import EpochMs
from omnifolio.model.facts import HANDED_ON_RANK, Claim, Finality, Leg, Status
from omnifolio.model.tokens import TokenId

_FINALITY_ORDER: tuple[Finality, ...] = ("pending", "provisional", "final")


class Event(Struct, frozen=True, gc=False):
    """What the claims of one event amount to. `legs` are keyed by the legs' own keys."""

    at: EpochMs
    type: str
    subtype: str | None
    status: Status
    name: str
    label: str
    event: str | None
    confirmed_at: EpochMs | None
    height: int | None
    finality: Finality
    legs: Mapping[str, Leg]


def fold(claims: Sequence[Claim], is_fiat: Callable[[TokenId], bool]) -> Event:
    """The transaction that the claims describe. At least one claim; their order does not matter.

    The book with the lowest rank that has legs gives the legs; inside it, what the venue's interface said wins over what a
    file said, leg by leg. The other books annotate: they fill what the leading claims leave open. What another service handed on
    counts only where nobody else tells of the event.
    """
    if len(claims) == 1:
        return _alone(claims[0], is_fiat)
    ordered = sorted(_firsthand(claims), key=_precedence)
    lead = next((claim for claim in ordered if claim.legs), ordered[0])
    told = [claim for claim in ordered if claim.book == lead.book]
    legs: dict[str, Leg] = {}
    for claim in told:
        for leg in claim.legs:
            if leg.amount and leg.key not in legs:
                legs[leg.key] = leg
    if len(ordered) > len(told):
        legs = _with_counterparties(legs, [claim for claim in ordered if claim.book != lead.book])
    meaning = classify([claim.kind for claim in ordered], list(legs.values()), is_fiat)
    return Event(
        # An export has whole seconds; where the venue's interface told the event too, its own instant stands.
        at=min(claim.at for claim in told if claim.origin == lead.origin),
        type=meaning.type,
        subtype=meaning.subtype,
        status=lead.status,
        name=next((claim.name for claim in ordered if claim.name), lead.refs[0].partition(":")[2]),
        label=next((claim.label for claim in ordered if claim.label), ""),
        event=next((claim.event for claim in ordered if claim.event), None),
        confirmed_at=next((claim.confirmed_at for claim in ordered if claim.confirmed_at is not None), None),
        height=next((claim.height for claim in ordered if claim.height is not None), None),
        finality=min((claim.finality for claim in told), key=_FINALITY_ORDER.index),
        legs=legs,
    )


def _firsthand(claims: Sequence[Claim]) -> Sequence[Claim]:
    """The claims without those that another service handed on, where a source of the event itself says what moved."""
    firsthand = [claim for claim in claims if claim.rank < HANDED_ON_RANK]
    return firsthand if len(firsthand) < len(claims) and any(claim.legs for claim in firsthand) else claims


def _alone(claim: Claim, is_fiat: Callable[[TokenId], bool]) -> Event:
    """What `fold` gives for one claim, which most events are, without the questions that only arise between several."""
    legs = {leg.key: leg for leg in claim.legs if leg.amount}
    if len(legs) < len(claim.legs):
        legs = {}
        for leg in claim.legs:
            if leg.amount and leg.key not in legs:
                legs[leg.key] = leg
    meaning = classify((claim.kind,), tuple(legs.values()), is_fiat)
    return Event(
        claim.at, meaning.type, meaning.subtype, claim.status, claim.name or claim.refs[0].partition(":")[2], claim.label,
        claim.event or None, claim.confirmed_at, claim.height, claim.finality, legs,
    )  # fmt: skip


def _precedence(claim: Claim) -> tuple[int, str, str, EpochMs, str]:
    # "api" sorts before "file": the venue's own interface has more digits and fewer edits than an export.
    return claim.rank, claim.book, claim.origin, claim.at, claim.ref


def _with_counterparties(legs: Mapping[str, Leg], others: Sequence[Claim]) -> dict[str, Leg]:
    known = {
        (leg.token, leg.amount > 0): leg.counterparty
        for claim in reversed(others)
        for leg in claim.legs
        if leg.role == "principal" and leg.counterparty
    }
    return {
        key: structs.replace(leg, counterparty=known[leg.token, leg.amount > 0])
        if leg.role == "principal" and not leg.counterparty and (leg.token, leg.amount > 0) in known
        else leg
        for key, leg in legs.items()
    }
