"""Which departure and which arrival are one transfer between a user's own wallets: evidence first, amounts and times last.

Ends come in, links go out: pure and whatever the order, because nothing here looks at the order or at ids that depend on it. The
evidence, strongest first: the user's word; one hash on a chain (`together`); the venue's own id on both sides; an address that
is the other side's own; amount and time alone (`score`). What is alike is never guessed: `choose` links only what is the clear
best for both ends, and offers the rest.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import groupby
from typing import Literal

from msgspec import Struct

from omnifolio.model.amounts import ZERO, exact, product, total
from omnifolio.model.clock import DAY_MS, HOUR_MS, MINUTE_MS, EpochMs

Evidence = Literal["user", "hash", "withdrawal_id", "address", "amount", "fee", "time"]
State = Literal["linked", "offered"]

RULES = 1
"""Rises with every change of what follows here, so that stored links are concluded anew."""
CERTAIN = 1000
"""The confidence of what a person says; everything else is counted in thousandths of it."""
LINK_FROM = 600
OFFER_FROM = 300
MARGIN = 950
"""A best is clear when no other comes nearer than this many thousandths of it."""
OFFERS_MAX = 5
"""Candidates that are offered for one end."""
ALIKE_MAX = 200
"""Candidates of one end; with more of them nothing can be told by amount and time."""

EARLIEST_MS = 2 * HOUR_MS
"""An arrival may be told so much before its departure: venues book late, and blocks of Bitcoin may be two hours off."""
CLOCKS_MS = 15 * MINUTE_MS
LATEST_MS = 15 * HOUR_MS
LATEST_OF = {"bip122": DAY_MS}
"""How long after the departure an arrival may come, by the namespace of the arrival's chain."""
EXIT_MS = 8 * DAY_MS
SLOW_EXITS = frozenset({"eip155:10", "eip155:8453", "eip155:42161"})
"""From these chains to Ethereum's main network the chain's own bridge takes a week."""
MAIN = "eip155:1"

_HASH = re.compile(r"[0-9a-f]{64}")
_LOSS_MAX = Decimal("0.01")
"""The share that may be missing at the arrival where nothing but amount and time speaks: a bridge's fee."""
_LOSS_WITH_ADDRESS_MAX = Decimal("0.1")
_TELLING_DIGITS = 4
"""An amount with so many significant digits is unlikely to be met twice by chance."""
_BASE = {"withdrawal_id": 990, "address": 970}
_CLASSES = {"withdrawal_id": 3, "address": 2}
_BY_AMOUNT, _BY_ROUND_AMOUNT = 900, 800
_BY_FEE = 985
_WITH_LOSS, _LOSS_COSTS = 940, 140
_TIME_COSTS = 250


class End(Struct, frozen=True, kw_only=True, gc=False):
    """One leg that left or reached a wallet of the user. `number` and `key` name it here; nothing is decided by them.

    `asset`   the reviewed asset, or the token's own id where nobody has reviewed it (`is_reviewed` false).
    `amount`  positive; `fee` is what the same transaction states to have paid in that token.
    `event`   the chain and hash, `chain` its CAIP-2 id; None where the venue does not tell.
    `own`     the wallet's own address; `party` whom the leg names on the other side.
    `name`    the venue's own id of the event, with `key` what orders ends that are alike.
    """

    number: int
    key: str
    account: int
    wallet: int
    venue: str
    asset: str
    is_reviewed: bool
    is_out: bool
    amount: Decimal
    fee: Decimal
    at: EpochMs
    event: str | None
    own: str | None
    party: str | None
    name: str

    @property
    def id(self) -> tuple[int, str]:
        """What names the end in the ledger."""
        return self.number, self.key

    @property
    def chain(self) -> str | None:
        """The chain of its event."""
        return None if self.event is None else self.event.rpartition(":")[0]


class Link(Struct, frozen=True, kw_only=True):
    """Two ends of one transfer, why, and how sure that is (in thousandths). `state` offered: a person has to say."""

    source: End
    target: End
    evidence: tuple[Evidence, ...]
    confidence: int
    state: State


Vetoes = Callable[[End, End], bool]
"""Whether the user has said that two ends are not one transfer."""


def plain_event(event: str | None) -> str | None:
    """Chain and hash as they are compared: hexadecimal hashes in lower case, with 0x on EVM chains and without elsewhere."""
    if event is None:
        return None
    chain, _, name = event.rpartition(":")
    bare = name.lower().removeprefix("0x")
    if not _HASH.fullmatch(bare):
        return event
    return f"{chain}:0x{bare}" if chain.startswith("eip155:") else f"{chain}:{bare}"


def plain_address(address: str | None) -> str | None:
    """An address as it is compared: of EVM chains in lower case."""
    return address.lower() if address is not None and address.startswith(("0x", "0X")) else address or None


def window(end: End) -> tuple[int, int]:
    """The instants between which the other side of an end can be."""
    if end.is_out:
        return end.at - EARLIEST_MS, end.at + (EXIT_MS if end.chain in SLOW_EXITS else DAY_MS)
    return end.at - (EXIT_MS if end.chain == MAIN else DAY_MS), end.at + EARLIEST_MS


def said(pair: Sequence[End]) -> list[Link]:
    """The link that a person has stated between the ends of two transactions; none where they do not fit."""
    fitting = [
        (one.asset != two.asset, abs(one.amount - two.amount), _order(one), _order(two), one, two)
        for one in pair
        for two in pair
        if one.is_out and not two.is_out and one.number != two.number
    ]
    if not fitting:
        return []
    *_, source, target = min(fitting, key=lambda item: item[:4])
    return [Link(source=source, target=target, evidence=("user",), confidence=CERTAIN, state="linked")]


def together(group: Iterable[End], is_vetoed: Vetoes) -> list[Link]:
    """The links between ends of one event on a chain: one hash, maybe with many outputs, so amounts and addresses count too."""
    found: list[Link] = []
    rest: list[End] = []
    for _, ends in groupby(sorted(group, key=lambda end: (end.asset, _order(end))), key=lambda end: end.asset):
        links, left = _of_one_asset(list(ends), is_vetoed)
        found += links
        rest += left
    # A venue's code that nobody has reviewed: hash and amount say that it is the same, where nothing else may be meant.
    for link, _ in _equal(rest, is_vetoed, is_across=True):
        if not (link.source.is_reviewed and link.target.is_reviewed):
            found.append(link)
    return found


def score(source: End, target: End) -> tuple[int, int, tuple[Evidence, ...]] | None:
    """How well two ends fit that no hash ties: the class of their evidence, the confidence, the evidence. None: not at all."""
    if source.asset != target.asset or source.wallet == target.wallet or source.number == target.number:
        return None
    if source.event is not None and target.event is not None and source.chain == target.chain:
        return None
    first: Literal["withdrawal_id", "address"] | None = None
    if source.venue == target.venue and source.account != target.account and source.name and source.name == target.name:
        first = "withdrawal_id"
    elif _addresses_meet(source, target):
        first = "address"
    elif source.own is None and source.party is not None and target.own is not None:
        return None
    by_amount = _amount(source, target, _LOSS_MAX if first is None else _LOSS_WITH_ADDRESS_MAX)
    latest = _latest(source, target)
    late = target.at - source.at
    earliest = CLOCKS_MS if first is None and not _is_loose(target) else EARLIEST_MS
    if by_amount is None or not -earliest <= late <= latest:
        return None
    how, amount = by_amount
    base = _BASE[first] if first is not None else _BY_AMOUNT if _is_telling(source.amount) else _BY_ROUND_AMOUNT
    timely = CERTAIN - _TIME_COSTS * abs(late) // latest
    confidence = base * amount * timely // (CERTAIN * CERTAIN)
    evidence: tuple[Evidence, ...] = (how, "time") if first is None else (first, how, "time")
    return (1 if first is None else _CLASSES[first]), confidence, evidence


class Candidate(Struct, frozen=True):
    """Another end that may be the other side, and how well it fits."""

    other: End
    rank: tuple[int, int]
    evidence: tuple[Evidence, ...]


def fits(end: End, others: Iterable[End]) -> list[Candidate]:
    """The ends among `others` that may be the other side of `end`."""
    found = []
    for other in others:
        fit = None if end.is_out is other.is_out else score(end, other) if end.is_out else score(other, end)
        if fit is not None and fit[1] >= OFFER_FROM:
            found.append(Candidate(other, fit[:2], fit[2]))
    return found


def best(found: list[Candidate]) -> list[Candidate]:
    """The same, the best first; none where there are too many to tell anything."""
    found.sort(key=lambda item: (-item.rank[0], -item.rank[1], _order(item.other)))
    return found if len(found) <= ALIKE_MAX else []


def choose(end: End, of: Mapping[tuple[int, str], Sequence[Candidate]]) -> list[Link]:
    """The link of `end`, or what is offered for it: ends of which each is as good for the other as any.

    `of` are the candidates of the end, and of each of these, the best first.
    """
    mine = _contenders(of[end.id])
    found = []
    for item in mine:
        theirs = _contenders(of[item.other.id])
        if end.id in {back.other.id for back in theirs}:
            is_clear = len(mine) == len(theirs) == 1 and item.rank[1] >= LINK_FROM
            source, target = (end, item.other) if end.is_out else (item.other, end)
            state: State = "linked" if is_clear else "offered"
            found.append(Link(source=source, target=target, evidence=item.evidence, confidence=item.rank[1], state=state))
    return found


def _contenders(found: Sequence[Candidate]) -> list[Candidate]:
    """The best, and those that come too near to it to be ruled out."""
    if not found:
        return []
    kind, most = found[0].rank
    alike = [item for item in found if item.rank[0] == kind and item.rank[1] * CERTAIN >= most * MARGIN]
    return alike[:OFFERS_MAX]


def _of_one_asset(ends: Sequence[End], is_vetoed: Vetoes) -> tuple[list[Link], list[End]]:
    """The links of one asset in one event, and the ends that have none."""
    found: list[Link] = []
    taken: set[tuple[int, str]] = set()
    for rule in (_equal, _addressed, _split):
        for link, used in rule([end for end in ends if end.id not in taken], is_vetoed):
            found.append(link)
            taken |= used
    left = [end for end in ends if end.id not in taken]
    offered = [
        Link(source=one, target=two, evidence=("hash",), confidence=CERTAIN // 2, state="offered")
        for one in left
        for two in left
        if one.is_out and _may(one, two, is_vetoed)
    ]
    return found + offered, [] if offered else left


Tied = Iterable[tuple[Link, set[tuple[int, str]]]]


def _equal(ends: Sequence[End], is_vetoed: Vetoes, *, is_across: bool = False) -> Tied:
    """Ends of exactly equal amount: the only two, those whose addresses meet, or any where all are between the same wallets."""
    for _, alike in groupby(sorted(ends, key=lambda end: (end.amount, _order(end))), key=lambda end: end.amount):
        group = list(alike)
        outs, ins = [end for end in group if end.is_out], [end for end in group if not end.is_out]
        is_one = len(outs) == len(ins) == 1
        are_same = len({end.wallet for end in outs}) == len({end.wallet for end in ins}) == 1 and len(outs) == len(ins)
        if is_one or (are_same and not is_across):
            for source, target in zip(outs, ins, strict=True):
                if _may(source, target, is_vetoed):
                    yield _tied(source, target, "amount", CERTAIN - 1 if not is_across else LINK_FROM + MARGIN // 3)


def _addressed(ends: Sequence[End], is_vetoed: Vetoes) -> Tied:
    """Ends of which one names the other's address, and no other does."""
    pairs = [
        (one, two)
        for one in ends
        for two in ends
        if one.is_out and _may(one, two, is_vetoed) and _addresses_meet(one, two) and two.amount <= one.amount
    ]
    for source, target in pairs:
        if sum(one is source for one, _ in pairs) == sum(two is target for _, two in pairs) == 1:
            yield _tied(source, target, "address", CERTAIN - 10)


def _split(ends: Sequence[End], is_vetoed: Vetoes) -> Tied:
    """One departure that arrives in parts, or several that arrive as one: the sums must fit."""
    outs, ins = [end for end in ends if end.is_out], [end for end in ends if not end.is_out]
    pairs = [(one, two) for one in outs for two in ins if _may(one, two, is_vetoed)]
    if not outs or not ins or len(pairs) < len(outs) * len(ins) or min(len(outs), len(ins)) > 1:
        return
    with exact():
        left, fees = total(end.amount for end in outs), total(end.fee for end in outs)
        came = total(end.amount for end in ins)
        is_whole = came == left or left - fees <= came < left
    if came > left or (len(outs) > 1 and not is_whole):
        return
    for source, target in pairs:
        yield _tied(source, target, "fee" if is_whole and came != left else "amount", CERTAIN - (20 if is_whole else 80))


def _tied(source: End, target: End, how: Evidence, confidence: int) -> tuple[Link, set[tuple[int, str]]]:
    link = Link(source=source, target=target, evidence=("hash", how), confidence=confidence, state="linked")
    return link, {source.id, target.id}


def _may(source: End, target: End, is_vetoed: Vetoes) -> bool:
    return (
        not target.is_out and source.wallet != target.wallet and source.number != target.number and not is_vetoed(source, target)
    )


def _addresses_meet(source: End, target: End) -> bool:
    if source.party is not None and source.party in (target.own, target.party):
        return True
    return target.party is not None and target.party == source.own


def _amount(source: End, target: End, loss_max: Decimal) -> tuple[Literal["amount", "fee"], int] | None:
    """How the amounts fit: equal, less by a stated fee, or less by no more than a share that depends on the rest."""
    with exact():
        gap = source.amount - target.amount
        if gap == ZERO:
            return "amount", CERTAIN
        if gap < ZERO:
            return None
        if gap in (source.fee, target.fee):
            return "fee", _BY_FEE
        most = product(source.amount, loss_max)
        if gap > most:
            return None
        return "fee", _WITH_LOSS - int(product(gap, Decimal(_LOSS_COSTS)) // most)


def _latest(source: End, target: End) -> int:
    if source.chain in SLOW_EXITS and target.chain == MAIN:
        return EXIT_MS
    return LATEST_OF.get((target.chain or source.chain or "").partition(":")[0], LATEST_MS)


def _is_loose(target: End) -> bool:
    """Whether the arrival's clock may be hours off: a block of Bitcoin's family."""
    return target.chain is not None and target.chain.startswith("bip122:")


def _is_telling(amount: Decimal) -> bool:
    return len(amount.normalize().as_tuple().digits) >= _TELLING_DIGITS


def _order(end: End) -> tuple[EpochMs, str, str, str]:
    """What puts ends in one order wherever they are met: nothing of it depends on when they came."""
    return end.at, end.venue, end.name, end.key
