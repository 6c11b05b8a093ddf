"""What a transaction moved for one address: its events, its own value, its internal calls and its fee, as one claim.

Pure functions over what the node answered. Leg keys name the place on the chain: `log:<index>`, `value`, `mint`, `trace:<path>`,
`gas`. A movement from the address to itself is none, and neither is one of zero. Amounts are exact: base units and decimals.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from omnifolio.catalog.chains import EvmChain
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.model.facts import Claim, Finality, Kind, Leg, Wallet
from omnifolio.venues.evm.shapes import Frame, Log, Receipt, Transaction
from omnifolio.venues.evm.words import DEPOSIT, TRANSFER, WITHDRAWAL, address_of, first_word, quantity, topic_of

ZERO_ADDRESS = "0x" + "00" * 20
CALL_DEPTH_MAX = 1_024
"""The EVM's own limit of nested calls."""
PLAIN_TRANSFER_GAS = 21_000
"""A transaction that used no more ran no code, so it made no internal calls."""

_MOVING = frozenset({"CALL", "CREATE", "CREATE2", "SELFDESTRUCT"})
"""Frames that move coins; in the others `value` is only what the called code sees."""


class Subject:
    """Whose movements are read: an address (lower case) on a chain, and the address as it stands in a topic."""

    __slots__ = ("address", "chain", "topic")

    def __init__(self, chain: EvmChain, address: str) -> None:
        self.chain = chain
        self.address = address
        self.topic = topic_of(address)

    @property
    def wallet(self) -> str:
        """The wallet's key: the address as CAIP-10."""
        return self.chain.wallet(self.address)


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


class Movement(Struct, frozen=True, gc=False):
    """One event of a token that names the address: `units` is positive into it."""

    contract: str
    units: int
    key: str
    counterparty: str


def token_movements(subject: Subject, logs: Sequence[Log]) -> list[Movement]:
    """The ERC-20 movements of the address in a transaction's logs; Deposit and Withdrawal only of the wrapped native coin.

    Where a wrapped coin announces a deposit as a Transfer as well, the Transfer is taken and its echo left out.
    Raises: VenueBadResponse for an event that is not what its topic says.
    """
    found: list[Movement] = []
    mints: Counter[int] = Counter()
    wrapped = subject.chain.wrapped
    for log in logs:
        movement = _transfer(subject.topic, log)
        if movement is not None:
            found.append(movement)
            if movement.contract == wrapped and movement.counterparty == ZERO_ADDRESS:
                mints[movement.units] += 1
    for log in logs:
        movement = _wrapping(subject, log)
        if movement is None:
            continue
        if mints[movement.units]:
            mints[movement.units] -= 1
        else:
            found.append(movement)
    return found


def _transfer(mine: str, log: Log) -> Movement | None:
    topics = log.topics
    if len(topics) != 3 or topics[0] != TRANSFER:
        return None
    source, target = topics[1].lower(), topics[2].lower()
    if (source == mine) == (target == mine):
        return None
    units = first_word(log.data)
    if not units:
        return None
    key = f"log:{quantity(log.log_index)}"
    if target == mine:
        return Movement(log.address.lower(), units, key, address_of(source))
    return Movement(log.address.lower(), -units, key, address_of(target))


def _wrapping(subject: Subject, log: Log) -> Movement | None:
    if len(log.topics) != 2 or log.topics[0] not in (DEPOSIT, WITHDRAWAL) or log.address.lower() != subject.chain.wrapped:
        return None
    units = first_word(log.data)
    if log.topics[1].lower() != subject.topic or not units:
        return None
    signed = units if log.topics[0] == DEPOSIT else -units
    return Movement(subject.chain.wrapped, signed, f"log:{quantity(log.log_index)}", subject.chain.wrapped)


def is_nft_transfer(address: str, log: Log) -> bool:
    """The log is an ERC-721 transfer from or to the address: four topics, the last is the token's number."""
    return (
        len(log.topics) == 4 and log.topics[0] == TRANSFER and address in (address_of(log.topics[1]), address_of(log.topics[2]))
    )


def native_movements(subject: Subject, known: Evident) -> list[Movement]:
    """The movements of the chain's own coin, the fee apart: the transaction's value, a deposit's mint, internal calls."""
    address, found = subject.address, []
    if known.transaction is not None:
        asked = known.transaction
        target = asked.to or known.receipt.contract_address or ""
        if asked.mint is not None and asked.sender.lower() == address:
            found.append(Movement("", quantity(asked.mint), "mint", ZERO_ADDRESS))
        found.extend(_moved(address, asked.sender, target, asked.value, "value"))
    if known.frame is not None:
        for path, frame in _inner(known.frame):
            if frame.type in _MOVING and frame.value is not None:
                key = "trace:" + ".".join(map(str, path))
                found.extend(_moved(address, frame.sender, frame.to or "", frame.value, key))
    return [movement for movement in found if movement.units]


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
        return quantity(known.receipt.status) == 0
    return known.frame is not None and known.frame.error is not None


def claim_of(subject: Subject, known: Evident, decimals: Mapping[str, int]) -> Claim | None:
    """The transaction as one claim of book `chain`; None when it moved nothing of the address and cost it nothing.

    `decimals` by contract; a contract that is not in there is one whose amounts cannot be held, and gives no leg.
    """
    chain, receipt = subject.chain, known.receipt
    failed = is_failed(known)
    legs = [] if failed else list(_legs(subject, known, decimals))
    kind = _kind(legs)
    if receipt.sender.lower() == subject.address and (paid := fee_units(receipt, known.transaction)):
        amount = from_units(-paid, chain.decimals)
        legs.append(Leg("gas", subject.wallet, chain.native.id, amount, "fee"))
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
        legs=tuple(legs),
        status="failed" if failed else "confirmed",
        confirmed_at=known.at,
        event=event,
        height=quantity(receipt.block_number),
        block_hash=receipt.block_hash.lower(),
        finality=known.finality,
        evidence=known.evidence,
    )


def _legs(subject: Subject, known: Evident, decimals: Mapping[str, int]) -> Iterator[Leg]:
    chain, wallet = subject.chain, subject.wallet
    for move in native_movements(subject, known):
        amount = from_units(move.units, chain.decimals)
        yield Leg(move.key, wallet, chain.native.id, amount, "principal", move.counterparty or None)
    for move in token_movements(subject, known.receipt.logs):
        if move.contract in decimals:
            amount = from_units(move.units, decimals[move.contract])
            yield Leg(move.key, wallet, chain.erc20(move.contract), amount, "principal", move.counterparty)


def _kind(legs: Sequence[Leg]) -> Kind:
    """A chain does not say what an event is for: only in, only out, one token for another, or something else."""
    net: dict[str, Decimal] = {}
    for leg in legs:
        net[leg.token] = net.get(leg.token, Decimal(0)) + leg.amount
    received = sum(amount > 0 for amount in net.values())
    sent = sum(amount < 0 for amount in net.values())
    if not legs:
        return "fee"
    if received and not sent:
        return "deposit"
    if sent and not received:
        return "withdrawal"
    return "trade" if received == sent == 1 else "other"
