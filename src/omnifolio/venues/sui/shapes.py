"""The answers of Sui's GraphQL RPC, as far as they are read; what is used must have the type that is stated.

Source: the published schema of GraphQL RPC, seen 2026-11: `BigInt` is text, `UInt53` a number, `DateTime` ISO 8601 in UTC.
"""

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from msgspec import Meta, Raw, Struct

from omnifolio.model.errors import VenueBadResponse

T = TypeVar("T")
Whole = Annotated[str, Meta(pattern="^-?[0-9]{1,60}$")]
"""A whole number as text."""
Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]


class PageInfo(Struct, frozen=True, rename="camel"):
    """Where a page ends, at either end."""

    has_next_page: bool = False
    end_cursor: str | None = None
    has_previous_page: bool = False
    start_cursor: str | None = None


class Page(Struct, Generic[T], frozen=True, rename="camel"):
    """A page of rows."""

    page_info: PageInfo
    nodes: tuple[T, ...]


class Named(Struct, frozen=True):
    """Who is meant."""

    address: str


class MoveType(Struct, frozen=True):
    """A type, as Move writes it."""

    repr: str


class Held(Struct, frozen=True, rename="camel"):
    """What an address holds of one type of coins, in objects and in its account together."""

    coin_type: MoveType
    total_balance: Whole


class Bytes(Struct, frozen=True):
    """A value of Move as bytes in base64."""

    bcs: str | None = None


class Contents(Struct, frozen=True):
    """An object with its value."""

    contents: Bytes | None = None


class Jsoned(Struct, frozen=True):
    """A value of Move as JSON."""

    json: Raw = Raw(b"null")


class Validator(Struct, frozen=True):
    """A validator, as its object on the chain has it."""

    contents: Jsoned | None = None


class Validators(Struct, frozen=True, rename="camel"):
    """The validators of an epoch."""

    active_validators: Page[Validator]


class Epoch(Struct, frozen=True, rename="camel"):
    """An epoch."""

    epoch_id: Number | None = None
    validator_set: Validators | None = None


class FieldValue(Struct, frozen=True):
    """A field of a table; without bytes where its value is an object."""

    value: Bytes | None = None


class Owner(Struct, frozen=True, rename="camel"):
    """An address, as far as it was asked for."""

    balances: Page[Held] | None = None
    objects: Page[Contents] | None = None
    multi_get_dynamic_fields: tuple[FieldValue | None, ...] | None = None


class Scope(Struct, frozen=True):
    """What holds at a checkpoint."""

    address: Owner | None = None
    epoch: Epoch | None = None


class Checkpoint(Struct, frozen=True, rename="camel"):
    """A checkpoint, and what holds at it."""

    sequence_number: Number = 0
    timestamp: str | None = None
    epoch: Epoch | None = None
    query: Scope | None = None


class Range(Struct, frozen=True):
    """From where on a server keeps an index."""

    first: Checkpoint | None = None


class Service(Struct, frozen=True, rename="camel"):
    """What a server says of itself."""

    available_range: Range | None = None


class Gas(Struct, frozen=True, rename="camel"):
    """What a transaction cost, in units of the coin."""

    computation_cost: Number
    storage_cost: Number
    storage_rebate: Number

    @property
    def net(self) -> int:
        """What was paid in the end; below zero where more storage was given back than taken."""
        return self.computation_cost + self.storage_cost - self.storage_rebate


class GasEffects(Struct, frozen=True, rename="camel"):
    """See `Gas`."""

    gas_summary: Gas | None = None


class Change(Struct, frozen=True, rename="camel"):
    """What an owner's coins of one type changed by."""

    amount: Whole
    coin_type: MoveType
    owner: Named | None = None


class Announced(Struct, frozen=True):
    """What an event says, with its type."""

    type: MoveType | None = None
    json: Raw = Raw(b"null")


class Event(Struct, frozen=True):
    """Something that was announced."""

    contents: Announced | None = None


class Events(Struct, frozen=True):
    """The first events of a transaction."""

    nodes: tuple[Event, ...] = ()


class Effects(Struct, frozen=True, rename="camel"):
    """What a transaction did."""

    balance_changes: Page[Change]
    status: str | None = None
    timestamp: str | None = None
    checkpoint: Checkpoint | None = None
    gas_effects: GasEffects | None = None
    events: Events | None = None


class GasInput(Struct, frozen=True, rename="camel"):
    """Who pays."""

    gas_sponsor: Named | None = None


class Transaction(Struct, frozen=True, rename="camel"):
    """A transaction with its effects."""

    effects: Effects | None = None
    digest: str = ""
    sender: Named | None = None
    gas_input: GasInput | None = None


class CoinMetadata(Struct, frozen=True):
    """What a type of coins says of itself."""

    decimals: int | None = None
    symbol: str | None = None
    name: str | None = None


class Data(Struct, frozen=True, rename="camel"):
    """All parts that any question asks for."""

    chain_identifier: str | None = None
    checkpoint: Checkpoint | None = None
    service_config: Service | None = None
    transactions: Page[Transaction] | None = None
    transaction: Transaction | None = None


class Fault(Struct, frozen=True):
    """Why a question was not answered."""

    message: str = ""


class Answer(Struct, Generic[T], frozen=True):
    """An answer: data, or faults."""

    data: T | None = None
    errors: tuple[Fault, ...] | None = None


def millis(text: str | None) -> int | None:
    """An instant in milliseconds. Raises: VenueBadResponse for a text that is none."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise VenueBadResponse("the server states an instant in another form than its schema says") from None
    return round(found.timestamp() * 1000)
