"""What a transaction moved for one address: its events, its own value, its internal calls and its fee, as one claim.

Pure functions over what the node answered. Leg keys name the place on the chain: `log:<index>`, `value`, `mint`, `trace:<path>`,
`gas`. A movement from the address to itself is none, and neither is one of zero. Amounts are exact: base units and decimals.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Finality, Kind, Leg, Wallet
from omnifolio.venues.evm.events import (
    ZERO_ADDRESS,
    Movement,
    Subject,
    announced_tokens,
    has_own_words,
    split_interest,
    token_movements,
)
from omnifolio.venues.evm.explorer import Withdrawal
from omnifolio.venues.evm.shapes import Frame, Log, Receipt, Transaction
from omnifolio.venues.evm.words import TRANSFER, address_of, first_word, quantity

CALL_DEPTH_MAX = 1_024
"""The EVM's own limit of nested calls."""
PLAIN_TRANSFER_GAS = 21_000
"""A transaction that used no more ran no code, so it made no internal calls."""

LOG_TRANSFER = "0xe6497e3ee548a3372136af2fcb0696db31fc6cf20260707645068bd3fe97f3c4"
"""LogTransfer(address,address,address,uint256,…): each movement of Polygon's coin, internal ones included"""
ADDED_RECEIVER = "0x3c798bbcf33115b42c728b8504cff11dd58736e9fa789f1cda2738db7d696b2a"
"""AddedReceiver(uint256,address,address): coins that Gnosis makes for who brought DAI over its bridge"""
APPROVAL = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
"""Approval(address,address,uint256)"""
APPROVAL_FOR_ALL = "0x17307eab39ab6107e8899845ad3d59bd9653f200f220920489ca2b5937696c31"
"""ApprovalForAll(address,address,bool)"""

DEPOSIT_CONTRACT = "0x00000000219ab540356cbb839cbe05303d7705fa"
"""Where validators of Ethereum and Gnosis are staked for."""
REQUEST_CONTRACTS = frozenset({"0x00000961ef480eb55e80d19ad83579a64c007002", "0x0000bbddc7ce488642fb579f8b00f3a590007251"})
"""EIP-7002 and EIP-7251: what is sent to them is the fee of the request."""
STAKE = 32
"""Coins that a validator is staked with at least; so many come back at once only when it leaves."""
GWEI_DECIMALS = 9
FEELESS = frozenset({"0x7e", "0x64"})
"""Types of transactions that layer 1 asked for and paid: deposits of the OP Stack and of Arbitrum."""
ARBITRUM_DEPOSIT = "0x64"
"""The type of a transaction that only credits its target with what was deposited on layer 1."""

WRAP_LEGS = 2
"""Coins out and their wrapped form in, or the other way."""

_DONE, _NOTHING = "0x1", "0x0"
_MOVING = frozenset({"CALL", "CREATE", "CREATE2", "SELFDESTRUCT"})
"""Frames that move coins; in the others `value` is only what the called code sees."""


def wallet_of(subject: Subject) -> Wallet:
    """The address as a wallet."""
    short = f"{subject.address[:6]}…{subject.address[-4:]}"
    return Wallet(key=subject.wallet, name=f"{subject.chain.name} {short}", address=subject.address)


class Evident(Struct, frozen=True, kw_only=True):
    """What is known of one transaction. `transaction` and `frame` are None where they were not needed or not to be had."""

    receipt: Receipt
    at: EpochMs
    finality: Finality
    transaction: Transaction | None = None
    frame: Frame | None = None
    evidence: int | None = None


def native_movements(subject: Subject, known: Evident) -> list[Movement]:
    """The movements of the chain's own coin, the fee apart: the transaction's value, what a bridge makes, internal calls.

    Where the chain tells every movement as an event, those count and nothing else.
    """
    address, chain = subject.address, subject.chain
    found: list[Movement] = []
    if known.transaction is None and known.frame is None and not (chain.native_contract or chain.mints_by):
        return found
    tells_all = chain.native_events == "all" or (chain.native_events == "log_transfer" and known.frame is None)
    if chain.native_contract:
        found.extend(_native_events(subject, known.receipt.logs))
    if chain.native_events == "log_transfer" and not tells_all:
        found = []
    if known.transaction is not None and not (tells_all and found):
        found.extend(_asked(address, known.transaction, known.receipt))
    if known.frame is not None and not tells_all:
        for path, frame in _inner(known.frame):
            if frame.type in _MOVING and frame.value is not None:
                key = "trace:" + ".".join(map(str, path))
                found.extend(_moved(address, frame.sender, frame.to or "", frame.value, key))
    if chain.mints_by:
        found.extend(_minted(subject, known.receipt.logs))
    return [movement for movement in found if movement.units]


def _asked(address: str, asked: Transaction, receipt: Receipt) -> Iterator[Movement]:
    if asked.value == _NOTHING and asked.mint is None:
        return
    target = asked.to or receipt.contract_address or ""
    if asked.mint is not None and asked.sender.lower() == address:
        yield Movement("", quantity(asked.mint), "mint", ZERO_ADDRESS)
    if asked.type == ARBITRUM_DEPOSIT:
        if target.lower() == address:
            yield Movement("", quantity(asked.value), "mint", asked.sender.lower())
        return
    yield from _moved(address, asked.sender, target, asked.value, "value")


def _native_events(subject: Subject, logs: Sequence[Log]) -> Iterator[Movement]:
    """What the contract that stands for the native coin says. Raises: VenueBadResponse."""
    chain = subject.chain
    is_own = chain.native_events == "log_transfer"
    for log in logs:
        topics = log.topics
        if log.address.lower() != chain.native_contract or len(topics) != 3 + is_own:
            continue
        if topics[0] != (LOG_TRANSFER if is_own else TRANSFER):
            continue
        source, target = address_of(topics[1 + is_own]), address_of(topics[2 + is_own])
        if source not in chain.tolls and target not in chain.tolls:
            units = hex(first_word(log.data))
            yield from _moved(subject.address, source, target, units, f"log:{quantity(log.log_index)}")


def _minted(subject: Subject, logs: Sequence[Log]) -> Iterator[Movement]:
    """Coins that the chain itself makes for the address at the end of the block."""
    for log in logs:
        is_one = len(log.topics) == 3 and log.topics[0] == ADDED_RECEIVER and log.address.lower() == subject.chain.mints_by
        if is_one and log.topics[1].lower() == subject.topic:
            yield Movement("", first_word(log.data), f"log:{quantity(log.log_index)}", address_of(log.topics[2]))


def _moved(address: str, source: str, target: str, value: str, key: str) -> Iterator[Movement]:
    source, target = source.lower(), target.lower()
    if (source == address) == (target == address):
        return
    if target == address:
        yield Movement("", quantity(value), key, source)
    else:
        yield Movement("", -quantity(value), key, target)


def _inner(top: Frame) -> Iterator[tuple[tuple[int, ...], Frame]]:
    """The calls below the first that were not undone, with their paths. Without recursion: depth is the stranger's choice."""
    stack: list[tuple[tuple[int, ...], Frame]] = [((n,), frame) for n, frame in enumerate(top.calls)] if top.error is None else []
    stack.reverse()
    while stack:
        path, frame = stack.pop()
        if frame.error is not None:
            continue
        if len(path) > CALL_DEPTH_MAX:
            raise VenueBadResponse(f"a trace is nested deeper than {CALL_DEPTH_MAX} calls")
        yield path, frame
        stack.extend(((*path, n), inner) for n, inner in reversed(list(enumerate(frame.calls))))


def fee_units(receipt: Receipt, transaction: Transaction | None = None) -> int:
    """What the sender paid, in base units: gas at its effective price, the part of layer 1, and blobs.

    Raises: VenueBadResponse when neither the receipt nor the transaction states a gas price.
    """
    price = receipt.effective_gas_price or (transaction.gas_price if transaction is not None else None)
    if price is None and transaction is not None and transaction.type in FEELESS:
        return 0
    if price is None:
        raise VenueBadResponse("neither the receipt nor the transaction states a gas price")
    total = quantity(receipt.gas_used) * quantity(price)
    if receipt.l1_fee is not None:
        total += quantity(receipt.l1_fee)
    if receipt.blob_gas_used is not None and receipt.blob_gas_price is not None:
        total += quantity(receipt.blob_gas_used) * quantity(receipt.blob_gas_price)
    return total


def is_failed(known: Evident) -> bool:
    """The transaction was undone. Receipts from before Byzantium do not say so, but their trace does."""
    if known.receipt.status is not None:
        return known.receipt.status != _DONE and quantity(known.receipt.status) == 0
    return known.frame is not None and known.frame.error is not None


def claim_of(subject: Subject, known: Evident, decimals: Mapping[str, int]) -> Claim | None:
    """The transaction as one claim of book `chain`; None when it moved nothing of the address and cost it nothing.

    `decimals` by contract; a contract that is not in there is one whose amounts cannot be held, and gives no leg.
    """
    chain, receipt = subject.chain, known.receipt
    failed = is_failed(known)
    legs = [] if failed else _legs(subject, known, decimals)
    is_sender = receipt.sender.lower() == subject.address
    kind, label = _kind(legs), "" if failed else _label(subject, known, legs, is_sender=is_sender)
    if is_sender and (paid := fee_units(receipt, known.transaction)):
        legs.append(Leg("gas", subject.wallet, subject.native, from_units(-paid, chain.decimals), "fee"))
    if not legs:
        return None
    name = receipt.transaction_hash.lower()
    event = f"{chain.caip2}:{name}"
    return Claim(
        book="chain",
        ref=name,
        refs=(f"tx:{event}",),
        name=name,
        at=known.at,
        kind=kind,
        label=label,
        legs=tuple(legs),
        status="failed" if failed else "confirmed",
        confirmed_at=known.at,
        event=event,
        height=quantity(receipt.block_number),
        block_hash=receipt.block_hash.lower(),
        finality=known.finality,
        evidence=known.evidence,
    )


def _legs(subject: Subject, known: Evident, decimals: Mapping[str, int]) -> list[Leg]:
    chain, wallet, logs = subject.chain, subject.wallet, known.receipt.logs
    natives = native_movements(subject, known)
    moves = token_movements(subject, logs)
    if has_own_words(logs):
        moves += announced_tokens(subject, logs, transfers=moves, natives=natives, decimals=decimals)
        moves = split_interest(subject, logs, moves)
    found = []
    for move in natives:
        amount = from_units(move.units, chain.decimals)
        is_fee = move.key == "value" and move.counterparty in REQUEST_CONTRACTS
        found.append(Leg(move.key, wallet, subject.native, amount, "fee" if is_fee else "principal", move.counterparty or None))
    for move in moves:
        places = 0 if move.number >= 0 else decimals.get(move.contract)
        if places is not None:
            amount = from_units(move.units, places)
            found.append(Leg(move.key, wallet, move.token(subject), amount, "principal", move.counterparty))
    return found


def _kind(legs: Sequence[Leg]) -> Kind:
    """A chain does not say what an event is for: only in, only out, one token for another, or something else."""
    if len(legs) == 1 and legs[0].role == "principal" and legs[0].counterparty != DEPOSIT_CONTRACT:
        return "deposit" if legs[0].amount > 0 else "withdrawal"
    net: dict[str, Decimal] = {}
    for leg in legs:
        if leg.role == "principal":
            net[leg.token] = net.get(leg.token, Decimal(0)) + leg.amount
    received = sum(amount > 0 for amount in net.values())
    sent = sum(amount < 0 for amount in net.values())
    if not net:
        return "fee"
    if sent and any(leg.counterparty == DEPOSIT_CONTRACT for leg in legs):
        return "staking"
    if received and not sent:
        return "deposit"
    if sent and not received:
        return "withdrawal"
    return "trade" if received == sent == 1 else "other"


def _label(subject: Subject, known: Evident, legs: Sequence[Leg], *, is_sender: bool) -> str:
    """What the transaction visibly is, in a word; "" where its legs say it all."""
    if is_sender and known.receipt.to is None and known.receipt.contract_address:
        return "contract creation"
    wrapped, native = subject.chain.wrapped, subject.native
    if wrapped and len(legs) == WRAP_LEGS and {leg.token for leg in legs} == {native, subject.erc20 + wrapped}:
        return "wrap" if any(leg.amount < 0 and leg.token == native for leg in legs) else "unwrap"
    if not legs and any(_approves(subject, log) for log in known.receipt.logs):
        return "approval"
    return ""


def _approves(subject: Subject, log: Log) -> bool:
    return len(log.topics) >= 3 and log.topics[0] in (APPROVAL, APPROVAL_FOR_ALL) and log.topics[1].lower() == subject.topic


def withdrawal_claim(subject: Subject, row: Withdrawal) -> Claim:
    """What the beacon chain paid out to the address in a final block.

    A validator's stake is 32 coins and more, what it earned is less.
    """
    chain = subject.chain
    amount = from_units(int(row.amount), GWEI_DECIMALS)
    name = f"withdrawal:{row.withdrawal_index}"
    return Claim(
        book="chain",
        ref=name,
        refs=(f"tx:{chain.caip2}:{name}",),
        name=name,
        at=row.at,
        kind="unstaking" if amount >= STAKE else "staking_reward",
        label=f"withdrawal of validator {row.validator_index}",
        legs=(Leg("withdrawal", subject.wallet, subject.native, amount, "principal", None),),
        confirmed_at=row.at,
        event=f"{chain.caip2}:{name}",
        height=int(row.block_number),
    )
