"""What a transaction moved for one address, as one claim: its contract, what contracts called inside, and their events.

Coins move by the transaction's own contract, by calls inside, or between the wallets of one address (staking); TRC-20 tokens by
events; the fee is the sender's. A type that is not known here moves what the node's balance trace of its block says.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from omnifolio.catalog.tron_chains import TRX_DECIMALS
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Kind, Leg
from omnifolio.model.tokens import TokenFacts, TokenId
from omnifolio.venues.answers import shaped
from omnifolio.venues.tron.address import spelt
from omnifolio.venues.tron.shapes import Info, Inside, Log, Operation, Owner, RawData, Value
from omnifolio.venues.tron.subject import Subject

TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""The event Transfer(address,address,uint256)."""
TRANSFERS = frozenset({"TransferContract", "TransferAssetContract"})
CALLS = frozenset({"TriggerSmartContract", "CreateSmartContract"})
STAKES: Mapping[str, Kind] = {
    "FreezeBalanceContract": "staking",
    "FreezeBalanceV2Contract": "staking",
    "UnfreezeBalanceContract": "unstaking",
    "UnfreezeBalanceV2Contract": "unstaking",
    "WithdrawExpireUnfreezeContract": "unstaking",
    "CancelAllUnfreezeV2Contract": "staking",
    "WithdrawBalanceContract": "staking_reward",
}
IDLE = frozenset(
    {
        "AccountCreateContract", "AccountPermissionUpdateContract", "AccountUpdateContract", "ClearABIContract",
        "DelegateResourceContract", "ProposalApproveContract", "ProposalCreateContract", "ProposalDeleteContract",
        "SetAccountIdContract", "UnDelegateResourceContract", "UpdateAssetContract", "UpdateBrokerageContract",
        "UpdateEnergyLimitContract", "UpdateSettingContract", "VoteAssetContract", "VoteWitnessContract",
        "WitnessCreateContract", "WitnessUpdateContract",
    }
)  # fmt: skip
"""Types that cost their fee alone."""
LABELS = {"TriggerSmartContract": "contract call", "CreateSmartContract": "contract creation"}
PAYING = frozenset(note.encode().hex() for note in ("", "call", "create", "suicide", "withdrawExpireUnfreezeWhileSuiciding"))
"""Notes of calls inside whose amounts change hands. Source: java-tron's `Program.java`."""
NUMBER_LENGTH_MAX = 10
"""Digits of a TRC-10 token's number; a longer one is written in hexadecimal."""
_WORD = 64

Where = Literal["spot", "staked", "unfreezing"]


class Happened(Struct, frozen=True, kw_only=True):
    """One transaction. `info` None where its contract says all; `trace` what a balance trace says, where one is needed."""

    name: str
    at: EpochMs
    height: int
    data: RawData
    fee: int
    is_failed: bool
    info: Info | None = None
    trace: Sequence[Operation] | None = None

    @property
    def type(self) -> str:
        """The type of its contract; every transaction has one."""
        return self.data.contract[0].type if self.data.contract else ""

    @property
    def sender(self) -> str:
        """Who sent it and pays its fee. Raises: VenueBadResponse."""
        told = shaped(self.data.contract[0].parameter.value, Owner).owner_address if self.data.contract else ""
        return spelt(told) if told else ""


def is_known(type_: str) -> bool:
    """Whether it is known here what a type of transaction moves."""
    return type_ in TRANSFERS or type_ in CALLS or type_ in STAKES or type_ in IDLE


def claim_of(
    subject: Subject, happened: Happened, known: Mapping[str, TokenFacts], *, evidence: int | None
) -> tuple[Claim, tuple[TokenFacts, ...]] | None:
    """The transaction as one claim of book `chain`, and the tokens that it names; None when it moved nothing of the address.

    Raises: VenueBadResponse.
    """
    fee = happened.fee if happened.sender == subject.address else 0
    moves = [] if happened.is_failed else list(_moves(subject, happened, fee))
    tokens: dict[str, TokenFacts] = {}
    legs = []
    for move in moves:
        facts = subject.chain.native if not move.token else known.get(move.token)
        if facts is not None and move.units:
            tokens[facts.id] = facts
            amount = from_units(move.units, facts.decimals or 0)
            legs.append(Leg(move.key, _wallet(subject, move.where), facts.id, amount, "principal", move.other))
    kind = _kind(happened, legs)
    if fee:
        tokens[subject.chain.native.id] = subject.chain.native
        legs.append(Leg("fee", subject.wallet, subject.chain.native.id, from_units(-fee, TRX_DECIMALS), "fee"))
    if not legs:
        return None
    event = f"{subject.chain.caip2}:{happened.name}"
    claim = Claim(
        book="chain",
        ref=happened.name,
        refs=(f"tx:{event}",),
        name=happened.name,
        at=happened.at,
        kind=kind,
        label=LABELS.get(happened.type, happened.type.removesuffix("Contract")),
        legs=tuple(legs),
        status="failed" if happened.is_failed else "confirmed",
        confirmed_at=happened.at,
        event=event,
        height=happened.height,
        evidence=evidence,
    )
    return claim, tuple(tokens.values())


def tokens_moved(subject: Subject, happened: Happened) -> list[str]:
    """The tokens that a transaction moved for the address: contracts of TRC-20, numbers of TRC-10. Raises: VenueBadResponse."""
    if happened.is_failed:
        return []
    return list(dict.fromkeys(move.token for move in _moves(subject, happened, 0) if move.token and move.units))


class _Passed(Struct, frozen=True):
    """Units that went from one address to another. `token` "" is the coin."""

    key: str
    token: str
    units: int
    source: str
    target: str


class _Move(Struct, frozen=True):
    """A signed movement in units. `token` "" is the coin."""

    key: str
    token: str
    units: int
    other: str | None = None
    where: Where = "spot"


def _moves(subject: Subject, happened: Happened, fee: int) -> Iterator[_Move]:
    type_, info = happened.type, happened.info
    if type_ in TRANSFERS or type_ in CALLS:
        yield from _by_contract(subject, happened)
    elif type_ in STAKES and happened.sender == subject.address:
        yield from _by_staking(happened)
    elif not is_known(type_) and happened.trace is not None:
        own = sum(change.amount for change in happened.trace if spelt(change.address) == subject.address)
        yield _Move("trace", "", own + fee)
    if info is not None:
        for place, call in enumerate(info.internal_transactions):
            yield from _by_call(subject, call, place)
        for place, log in enumerate(info.log):
            yield from _by_event(subject, log, place)


def _by_contract(subject: Subject, happened: Happened) -> Iterator[_Move]:
    value = shaped(happened.data.contract[0].parameter.value, Value)
    info = happened.info or Info()
    source, target = value.owner_address, value.to_address or value.contract_address or info.contract_address
    if happened.type == "TransferContract":
        amounts = [("value", "", value.amount)]
    elif happened.type == "TransferAssetContract":
        amounts = [("value", number_of(value.asset_name), value.amount)]
    else:
        coins = value.call_value + value.new_contract.call_value
        amounts = [("value", "", coins), ("value:token", str(value.token_id), value.call_token_value)]
    for key, token, units in amounts:
        if units:
            yield from _seen(subject, _Passed(key, token, units, spelt(source), spelt(target)))


def _by_staking(happened: Happened) -> Iterator[_Move]:
    """Coins between what can be moved, what is staked and what is unfreezing; rewards come from nowhere."""
    value, info = shaped(happened.data.contract[0].parameter.value, Value), happened.info or Info()
    passed: list[tuple[str, Where, Where, int]] = [
        ("stake", "spot", "staked", value.frozen_balance),
        ("unstake", "staked", "spot", info.unfreeze_amount),
        ("unfreeze", "staked", "unfreezing", value.unfreeze_balance),
        ("restake", "unfreezing", "staked", info.staked_again),
        ("withdraw", "unfreezing", "spot", info.withdraw_expire_amount),
    ]
    for key, source, target, sun in passed:
        if sun:
            yield _Move(f"{key}:out", "", -sun, where=source)
            yield _Move(f"{key}:in", "", sun, where=target)
    if info.withdraw_amount:
        yield _Move("reward", "", info.withdraw_amount)


def _by_call(subject: Subject, call: Inside, place: int) -> Iterator[_Move]:
    """What a call inside brought along; a rejected one was undone, and what a contract stakes or lends is no payment."""
    if not call.rejected and call.transfer_to_address and call.note.lower() in PAYING:
        for number, item in enumerate(call.call_value_info):
            if item.call_value:
                source, target = spelt(call.caller_address), spelt(call.transfer_to_address)
                yield from _seen(subject, _Passed(f"call:{place}.{number}", item.token_id, item.call_value, source, target))


def _by_event(subject: Subject, log: Log, place: int) -> Iterator[_Move]:
    if len(log.topics) == 3 and log.topics[0] == TRANSFER and len(log.data) >= _WORD:
        source, target = _party(log.topics[1]), _party(log.topics[2])
        if subject.address in (source, target):
            yield from _seen(subject, _Passed(f"log:{place}", spelt(log.address), _number(log.data[:_WORD]), source, target))


def _seen(subject: Subject, passed: _Passed) -> Iterator[_Move]:
    """The movement as the address sees it; what it sends to itself moves nothing."""
    if passed.source == subject.address != passed.target:
        yield _Move(passed.key, passed.token, -passed.units, passed.target)
    elif passed.target == subject.address != passed.source:
        yield _Move(passed.key, passed.token, passed.units, passed.source)


def number_of(name: str) -> str:
    """The number of a TRC-10 token, which nodes also write as the hexadecimal of its digits."""
    if len(name) > NUMBER_LENGTH_MAX:
        try:
            return bytes.fromhex(name).decode("ascii")
        except ValueError:
            return name
    return name


def _number(word: str) -> int:
    try:
        return int(word, 16)
    except ValueError:
        raise VenueBadResponse("an event's data is not hexadecimal") from None


def _party(topic: str) -> str:
    return spelt(topic[-40:])


def _wallet(subject: Subject, where: Where) -> str:
    return {"spot": subject.wallet, "staked": subject.staked, "unfreezing": subject.unfreezing}[where]


def _kind(happened: Happened, legs: Sequence[Leg]) -> Kind:
    """What staking is called by its type; else only in, only out, one token for another, or something else."""
    net: dict[TokenId, Decimal] = {}
    for leg in legs:
        net[leg.token] = net.get(leg.token, Decimal(0)) + leg.amount
    received, sent = (sum(amount * sign > 0 for amount in net.values()) for sign in (1, -1))
    if happened.type in STAKES and legs:
        return STAKES[happened.type]
    if not received and not sent:
        return "fee"
    if not (received and sent):
        return "deposit" if received else "withdrawal"
    return "trade" if received == sent == 1 else "other"
