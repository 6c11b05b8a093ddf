"""The answers of a Horizon server, as far as they are read; what is used must have the type that is stated.

Source: Stellar's documentation of Horizon (objects and effects) and the types of its Go SDK, seen 2026-11.
"""

from datetime import datetime
from decimal import Decimal
from typing import Generic, TypeVar

from msgspec import Struct

from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidAmount, VenueBadResponse

T = TypeVar("T")
POOL_SHARES = "liquidity_pool_shares"
NATIVE = "native"
OPERATION_BITS, LEDGER_BITS = 12, 32
"""An operation's number holds its place in the transaction, above it the transaction's in the ledger, above that the ledger."""


class Root(Struct, frozen=True):
    """What a server says of itself. `elder` is the oldest ledger of which it has history."""

    network_passphrase: str
    history_latest_ledger: int
    history_elder_ledger: int


class Balance(Struct, frozen=True):
    """An amount of the coin, of an issuer's asset or of a pool's shares; liabilities are promised by open offers."""

    balance: str
    asset_type: str
    asset_code: str = ""
    asset_issuer: str = ""
    liquidity_pool_id: str = ""
    selling_liabilities: str = "0"


class Account(Struct, frozen=True):
    """An account as it stands."""

    balances: tuple[Balance, ...]
    subentry_count: int = 0
    num_sponsoring: int = 0
    num_sponsored: int = 0


class Claimant(Struct, frozen=True):
    """Who may claim, and on which condition."""

    destination: str
    predicate: dict[str, object] = {}

    @property
    def is_unconditional(self) -> bool:
        """Whether nothing has to happen before."""
        return self.predicate.get("unconditional") is True


class Claimable(Struct, frozen=True):
    """An amount that lies ready for one of its claimants. `asset` is `native` or `CODE:G…`."""

    id: str
    asset: str
    amount: str
    paging_token: str
    claimants: tuple[Claimant, ...] = ()


class AssetAmount(Struct, frozen=True):
    """An amount of `native` or `CODE:G…`."""

    asset: str
    amount: str


class Pool(Struct, frozen=True):
    """A liquidity pool and what lies in it."""

    id: str
    reserves: tuple[AssetAmount, ...] = ()


class Ledger(Struct, frozen=True):
    """A closed ledger."""

    sequence: int
    closed_at: datetime
    base_reserve_in_stroops: int = 0


class Transaction(Struct, frozen=True):
    """A transaction's end and price, in stroops."""

    hash: str
    paging_token: str
    successful: bool
    ledger: int
    created_at: datetime
    source_account: str
    fee_account: str
    fee_charged: str


class AssetChange(Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """An amount that a contract's call moved."""

    amount: str
    asset_type: str = ""
    asset_code: str = ""
    source: str = ""
    target: str = ""


class Operation(Struct, frozen=True, rename={"source": "from", "target": "to"}):
    """One operation of a transaction, with the parties that its type names."""

    id: str
    type: str
    source_account: str
    transaction_hash: str
    source: str = ""
    target: str = ""
    funder: str = ""
    account: str = ""
    into: str = ""
    asset_balance_changes: tuple[AssetChange, ...] | None = None

    @property
    def number(self) -> int:
        """The operation's number. Raises: VenueBadResponse."""
        return whole(self.id)


class Effect(Struct, frozen=True):
    """One consequence of an operation for one account; each type has fields of its own."""

    paging_token: str
    type: str
    created_at: datetime
    account: str = ""
    starting_balance: str = "0"
    amount: str = "0"
    asset_type: str = ""
    asset_code: str = ""
    asset_issuer: str = ""
    seller: str = ""
    sold_amount: str = "0"
    sold_asset_type: str = ""
    sold_asset_code: str = ""
    sold_asset_issuer: str = ""
    bought_amount: str = "0"
    bought_asset_type: str = ""
    bought_asset_code: str = ""
    bought_asset_issuer: str = ""
    liquidity_pool: Pool | None = None
    reserves_deposited: tuple[AssetAmount, ...] = ()
    reserves_received: tuple[AssetAmount, ...] = ()
    shares_received: str = "0"
    shares_redeemed: str = "0"

    @property
    def number(self) -> int:
        """The number of its operation. Raises: VenueBadResponse."""
        return whole(self.paging_token.partition("-")[0])

    @property
    def place(self) -> str:
        """Its place among the consequences of its operation."""
        return self.paging_token.partition("-")[2]


class Records(Struct, Generic[T], frozen=True):
    """The lines of a page."""

    records: tuple[T, ...]


class Page(Struct, Generic[T], frozen=True, rename={"embedded": "_embedded"}):
    """A page of a list."""

    embedded: Records[T]


def instant(told: datetime) -> EpochMs:
    """The instant that a server told; it states whole seconds of UTC. Raises: VenueBadResponse."""
    if told.tzinfo is None:
        raise VenueBadResponse("the server states a time without its zone")
    return EpochMs(round(told.timestamp()) * 1000)


def amount_in(text: str) -> Decimal:
    """An amount. Raises: VenueBadResponse."""
    try:
        return parse_amount(text)
    except InvalidAmount:
        raise VenueBadResponse("the server states an amount that is none") from None


def whole(text: str) -> int:
    """A whole number. Raises: VenueBadResponse."""
    if not (text.isascii() and text.isdigit()):
        raise VenueBadResponse("the server states a number that is none")
    return int(text)


def ledger_of(number: int) -> int:
    """The ledger of an operation or a transaction."""
    return number >> LEDGER_BITS
