"""What a transaction changed for one address, as claims: the bank's events decide, the messages only say what it meant.

Each movement between the address and somebody else is a leg, summed by who and what. Coins that go to the pools of staked coins
stay the wallet's: a second leg brings them back. Outside of the messages coins move for the fee alone, so what the address paid
there, less what came back, is its fee; a failed transaction has nothing else. A coin that only passed through (a swap by several
pools) is no leg.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from omnifolio.catalog.cosmos_chains import CosmosChain
from omnifolio.model.amounts import from_units
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.venues.cosmos.address import BONDED, FEES, REWARDS, UNBONDING, module_address
from omnifolio.venues.cosmos.events import Happening, Movement, happenings, movements
from omnifolio.venues.cosmos.meaning import label_of, parties_of, returned
from omnifolio.venues.cosmos.shapes import Told

FEE, STAKE, EARNED = "fee", "stake", "rewards"


class Subject(Struct, frozen=True):
    """An address on a chain."""

    chain: CosmosChain
    address: str

    @property
    def wallet(self) -> str:
        """The wallet's key, CAIP-10."""
        return self.chain.wallet(self.address)


class Changes(Struct, frozen=True):
    """Units that the address gained or lost: by who was on the other side, earned, to the pools of stakes, and as fee."""

    flows: Mapping[tuple[str, str], int]
    earned: Mapping[str, int]
    staked: Mapping[str, int]
    fees: Mapping[str, int]

    @property
    def denoms(self) -> list[str]:
        """What moved."""
        return [*dict.fromkeys([*(denom for _, denom in self.flows), *self.earned, *self.staked, *self.fees])]


def claims_of(subject: Subject, told: Told, *, evidence: int | None = None) -> tuple[list[Claim], list[str]]:
    """The transaction as claims of book `chain`, and what moved; none when it changed nothing of the address.

    What is earned on the side, as by staking more, is a claim of its own. Raises: VenueBadResponse.
    """
    read = happenings(told.events or ())
    changes = _changes(subject, told, read)
    kind = _kind(told, read, changes)
    own, fee, earned = (tuple(legs(subject, changes)) for legs in (_legs, _fee_legs, _earned_legs))
    label = label_of(told, read, subject.address)
    parts: list[tuple[str, Kind, str, tuple[Leg, ...]]] = [
        ("", kind, label, (*own, *fee)),
        (EARNED, "staking_reward", EARNED, earned),
    ]
    if not own and kind == "fee" and earned:
        parts = [("", "staking_reward", label, (*earned, *fee))]
    event = f"{subject.chain.caip2}:{told.txhash.upper()}"
    claims = [
        Claim(
            book="chain",
            ref=":".join(filter(None, (told.txhash.upper(), part))),
            refs=(":".join(filter(None, ("tx", event, part))),),
            name=told.txhash.upper(),
            at=told.at,
            kind=what,
            label=words,
            legs=legs,
            status="failed" if told.code else "confirmed",
            confirmed_at=told.at,
            event=event,
            height=int(told.height),
            evidence=evidence,
        )
        for part, what, words, legs in parts
        if legs
    ]
    return claims, changes.denoms


def _changes(subject: Subject, told: Told, read: Sequence[Happening]) -> Changes:
    chain, own = subject.chain, subject.address
    pools = {module_address(chain, name) for name in (BONDED, UNBONDING)}
    collector, treasury = module_address(chain, FEES), module_address(chain, REWARDS)
    parties = parties_of(read, own)
    flows: Counter[tuple[str, str]] = Counter()
    earned: Counter[str] = Counter()
    staked: Counter[str] = Counter()
    fees: Counter[str] = Counter()
    for one in movements(read):
        if (one.source == own) == (one.target == own):
            continue
        sign, other = (-1, one.target) if one.source == own else (1, one.source)
        for denom, units in one.coins.items():
            if told.code or one.message is None or other == collector:
                fees[denom] += sign * units
            elif one.source == treasury:
                earned[denom] += units
            else:
                flows[_party(one, other, parties, sign), denom] += sign * units
                staked[denom] -= sign * units if other in pools else 0
    passed: Counter[str] = Counter()
    for (other, denom), units in flows.items():
        passed[denom] += units if other not in pools else 0
    stays = {denom for denom in passed if passed[denom] or any(other in pools for other, name in flows if name == denom)}
    return Changes(
        flows={key: units for key, units in flows.items() if units and (key[1] in stays or key[0] in pools)},
        earned=earned,
        staked={denom: units for denom, units in staked.items() if units},
        fees={denom: units for denom, units in fees.items() if units},
    )


def _party(one: Movement, other: str, parties: Mapping[tuple[int | None, int], str], sign: int) -> str:
    """Who is on the other side: of a transfer to or from another chain, the address there."""
    return parties.get((one.message, sign), other)


def _legs(subject: Subject, changes: Changes) -> Iterator[Leg]:
    chain = subject.chain
    for (other, denom), units in changes.flows.items():
        amount = from_units(units, chain.decimals_of(denom))
        yield Leg(f"{denom}:{other}", subject.wallet, chain.token(denom), amount, "principal", other or None)
    for denom, units in changes.staked.items():
        yield Leg(f"{STAKE}:{denom}", subject.wallet, chain.token(denom), from_units(units, chain.decimals_of(denom)))


def _earned_legs(subject: Subject, changes: Changes) -> Iterator[Leg]:
    chain, treasury = subject.chain, module_address(subject.chain, REWARDS)
    for denom, units in changes.earned.items():
        amount = from_units(units, chain.decimals_of(denom))
        yield Leg(f"{denom}:{treasury}", subject.wallet, chain.token(denom), amount, "principal", treasury)


def _fee_legs(subject: Subject, changes: Changes) -> Iterator[Leg]:
    chain = subject.chain
    for denom, units in changes.fees.items():
        amount = from_units(units, chain.decimals_of(denom))
        yield Leg(FEE if denom == chain.coin else f"{FEE}:{denom}", subject.wallet, chain.token(denom), amount, "fee")


def _kind(told: Told, read: Sequence[Happening], changes: Changes) -> Kind:
    """What the address did besides earning, by what moved; the messages tell only what nothing moved for."""
    net: Counter[str] = Counter(changes.staked)
    for (_, denom), units in changes.flows.items():
        net[denom] += units
    received, sent = (sum(units * sign > 0 for units in net.values()) for sign in (1, -1))
    if told.code:
        return "fee"
    if changes.staked:
        return "staking" if all(units > 0 for units in changes.staked.values()) else "unstaking"
    if any(one.type == "unbond" for one in read) and "MsgUndelegate" in told.kinds and not sent:
        return "unstaking"
    if received and not sent:
        return "refund" if returned(told) else "deposit"
    if sent and not received:
        return "withdrawal"
    if not sent:
        return "fee"
    return "trade" if received == sent == 1 else "other"
