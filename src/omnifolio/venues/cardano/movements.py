"""What a transaction moved for one account, as one claim: own change moves nothing; fee, rewards, deposits stand by themselves.

A transaction whose inputs are all the account's own paid each foreign output and the fee. One without an own input brought each
own output. Where others put coins in as well there is one net leg, and of the fee the share that follows from what each address
put in more than it got back. Of each other asset there is one net leg. A failed script costs its collateral and moves nothing.
Legs always add up to what the account's outputs, rewards and deposit gained and lost.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.cardano_chains import ADA_DECIMALS
from omnifolio.model.amounts import EXACT, ZERO, from_units
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Finality, Kind, Leg
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.answers import shaped
from omnifolio.venues.cardano.shapes import Coin, Concerned, Transaction, units
from omnifolio.venues.cardano.subject import Subject
from omnifolio.venues.cardano.tokens import Known

FEE = "fee"
_REGISTRATION, _DEREGISTRATION = "stake_registration", "stake_deregistration"
_DEPOSITS = frozenset({_REGISTRATION, _DEREGISTRATION, "drep_registration", "drep_retire", "pool_update"})
"""Certificates that may lock something or give it back."""
Movement = tuple[str, str, int, str | None]
"""Key, wallet, signed lovelace, counterparty."""


class Flow(Struct, frozen=True):
    """What a transaction spent and made, and what of it is the account's own."""

    spent: tuple[Coin, ...]
    made: tuple[Coin, ...]
    fee: int
    withdrawn: int
    """Own rewards that were withdrawn."""
    withdrawn_by_others: int
    locked: int
    """What the account's own stake key locked; negative: got back."""
    deposits: int
    """What was locked altogether."""
    donated: int


def assets_of(subject: Subject, told: Transaction) -> set[str]:
    """The assets of which the account has more or less, by policy and name."""
    return set() if told.is_failed else {key for key, owners in _assets(subject, told).items() if owners.get("", 0)}


def claim_of(
    subject: Subject, told: Transaction, assets: Mapping[str, Known], *, finality: Finality, evidence: int | None = None
) -> tuple[Claim, tuple[TokenFacts, ...]] | None:
    """The transaction as one claim of book `chain`, and its tokens; None when it moved nothing of the account.

    Raises: VenueBadResponse.
    """
    chain, flow = subject.chain, _flow(subject, told)
    legs = [
        Leg(key, wallet, chain.native.id, from_units(amount, ADA_DECIMALS), "fee" if key == FEE else "principal", who)
        for key, wallet, amount, who in _coins(subject, flow, is_failed=told.is_failed)
    ]
    tokens = [chain.native]
    for key in sorted(assets_of(subject, told)):
        owners = _assets(subject, told)[key]
        found = assets[key]
        tokens.append(found.facts)
        leg = Leg(f"token:{key}", subject.wallet, found.facts.id, found.amount(owners[""]), "principal", _other(owners))
        legs.append(leg)
    if not legs:
        return None
    event = f"{chain.caip2}:{told.tx_hash}"
    claim = Claim(
        book="chain",
        ref=told.tx_hash,
        refs=(f"tx:{event}",),
        name=told.tx_hash,
        at=told.at,
        kind=_kind(legs),
        label=_label(subject, told),
        legs=tuple(legs),
        status="failed" if told.is_failed else "confirmed",
        confirmed_at=told.at,
        event=event,
        height=told.block_height,
        block_hash=told.block_hash,
        finality=finality,
        evidence=evidence,
    )
    return claim, tuple(tokens)


def _flow(subject: Subject, told: Transaction) -> Flow:
    if told.is_failed:
        spent = told.collateral_inputs or told.inputs
        made = _given_back(told, spent)
        return Flow(spent, made, _sum(spent) - _sum(made), 0, 0, 0, 0, 0)
    own = sum(units(one.amount) for one in told.withdrawals or () if subject.is_account and one.stake_addr == subject.address)
    deposits = units(told.deposit)
    return Flow(
        told.inputs,
        told.outputs,
        units(told.fee),
        own,
        sum(units(one.amount) for one in told.withdrawals or ()) - own,
        _locked(subject, told, deposits),
        deposits,
        units(told.treasury_donation),
    )


def _given_back(told: Transaction, spent: Sequence[Coin]) -> tuple[Coin, ...]:
    """What a failed script left of the collateral: the output for that, which some servers list among the outputs instead."""
    for made in (told.returned, told.outputs):
        if _sum(spent) - _sum(made) == units(told.fee):
            return made
    return told.returned


def _locked(subject: Subject, told: Transaction, deposits: int) -> int:
    """What the account's own stake key locked by being registered, negative where it got it back."""
    concerning = [(one.type, shaped(one.info, Concerned | None)) for one in told.certificates or () if one.type in _DEPOSITS]  # type: ignore[arg-type]  # a union is no type to the checker, but one to msgspec
    own = [(kind, info) for kind, info in concerning if info is not None and info.stake_address == subject.address]
    if not own or not subject.is_account:
        return 0
    if len(own) == len(concerning) == 1 and deposits:
        return deposits
    each = subject.chain.key_deposit
    return sum(units(info.deposit or str(each)) if kind == _REGISTRATION else -each for kind, info in own)


def _coins(subject: Subject, flow: Flow, *, is_failed: bool) -> Iterator[Movement]:
    """(key, wallet, lovelace, counterparty) of each leg in the coin. Their sum is what the account gained and lost."""
    wallet, found = subject.wallet, list(_plain(subject, flow))
    if flow.withdrawn:
        yield "rewards", subject.rewards, -flow.withdrawn, None
    if flow.locked:
        yield "locked", wallet, flow.locked, None
    total = _own(subject, flow.made) - _own(subject, flow.spent) + flow.locked
    rest = total - flow.locked - sum(amount for _, _, amount, _ in found)
    if is_failed:
        # Of collateral nothing is paid to anybody.
        found, rest = [(FEE, wallet, total, None)] if total else [], 0
    yield from found
    if rest:
        yield "net", wallet, rest, _other(_gained(subject, flow))


def _plain(subject: Subject, flow: Flow) -> Iterator[Movement]:
    """The legs that can be told one by one; what is left of the account's gain is one net leg."""
    wallet = subject.wallet
    own = [coin for coin in flow.spent if subject.owns(coin)]
    if flow.withdrawn and own:
        yield "withdrawal", wallet, flow.withdrawn, None
    if not own:
        payers = {coin.payment_addr.bech32 for coin in flow.spent}
        payer = payers.pop() if len(payers) == 1 else None
        for coin in flow.made:
            if subject.owns(coin) and units(coin.value):
                yield f"out:{coin.tx_index}", wallet, units(coin.value), payer
    elif len(own) == len(flow.spent) and not flow.withdrawn_by_others:
        for coin in flow.made:
            if not subject.owns(coin) and units(coin.value):
                yield f"out:{coin.tx_index}", wallet, -units(coin.value), coin.payment_addr.bech32
        if flow.locked:
            yield "deposit", wallet, -flow.locked, None
        if flow.deposits - flow.locked:
            yield "deposit:other", wallet, flow.locked - flow.deposits, None
        if flow.donated:
            yield "donation", wallet, -flow.donated, None
        yield FEE, wallet, -flow.fee, None
    else:
        share = _share(subject, flow)
        if share:
            yield FEE, wallet, -share, None


def _share(subject: Subject, flow: Flow) -> int:
    """The account's share of the fee, half a unit to the even one. An address that got back what it put in paid none of it."""
    put_in: Counter[tuple[bool, str]] = Counter()
    for coin in flow.spent:
        put_in[subject.owns(coin), coin.payment_addr.bech32] += units(coin.value)
    for coin in flow.made:
        who = (subject.owns(coin), coin.payment_addr.bech32)
        if who in put_in:
            put_in[who] -= units(coin.value)
    given = {who: amount for who, amount in put_in.items() if amount > 0}
    total, own = sum(given.values()), sum(amount for (is_own, _), amount in given.items() if is_own)
    if not total:
        return 0
    share, rest = divmod(flow.fee * own, total)
    return share + (2 * rest > total or (2 * rest == total and share % 2 == 1))


def _gained(subject: Subject, flow: Flow) -> Counter[str]:
    """What each address gained in the coin; the account's own stands under ""."""
    found: Counter[str] = Counter()
    for sign, coins in ((-1, flow.spent), (1, flow.made)):
        for coin in coins:
            found["" if subject.owns(coin) else coin.payment_addr.bech32] += sign * units(coin.value)
    return found


def _assets(subject: Subject, told: Transaction) -> dict[str, Counter[str]]:
    """What each address gained of each asset; the account's own stands under ""."""
    found: dict[str, Counter[str]] = {}
    for sign, coins in ((-1, told.inputs), (1, told.outputs)):
        for coin in coins:
            who = "" if subject.owns(coin) else coin.payment_addr.bech32
            for asset in coin.assets:
                found.setdefault(asset.key, Counter())[who] += sign * units(asset.quantity)
    return found


def _other(owners: Mapping[str, int]) -> str | None:
    """Who gave or got what the account did: the one who lost or gained as much, else the only one on the other side."""
    own = owners.get("", 0)
    exact = [who for who, amount in owners.items() if who and amount == -own]
    opposite = [who for who, amount in owners.items() if who and amount * own < 0]
    return next((found[0] for found in (exact, opposite) if len(found) == 1), None)


def _own(subject: Subject, coins: Sequence[Coin]) -> int:
    return sum(units(coin.value) for coin in coins if subject.owns(coin))


def _sum(coins: Sequence[Coin]) -> int:
    return sum(units(coin.value) for coin in coins)


def _kind(legs: Sequence[Leg]) -> Kind:
    """Only in, only out, one token for another, from one place of its own to another, or something else."""
    net: dict[TokenId, Decimal] = {}
    moved = [leg for leg in legs if leg.role == "principal"]
    for leg in moved:
        net[leg.token] = EXACT.add(net.get(leg.token, ZERO), leg.amount)
    received, sent = (sum(amount * sign > 0 for amount in net.values()) for sign in (1, -1))
    if not (received or sent):
        return "transfer" if moved else "fee"
    if not (received and sent):
        return "deposit" if received else "withdrawal"
    return "trade" if received == sent == 1 else "other"


def _label(subject: Subject, told: Transaction) -> str:
    """What was certified of the account's own stake key, and that rewards were withdrawn."""
    if told.is_failed:
        return "failed script"
    found = ["withdrawal of rewards"] if any(one.stake_addr == subject.address for one in told.withdrawals or ()) else []
    for one in told.certificates or ():
        try:
            info = shaped(one.info, Concerned | None)  # type: ignore[arg-type]  # a union is no type to the checker, but one to msgspec
        except VenueBadResponse:
            continue  # Certificates that are about nobody's stake are of many shapes.
        if info is not None and info.stake_address == subject.address:
            found.append(one.type.replace("_", " "))
    return ", ".join(dict.fromkeys(found))
