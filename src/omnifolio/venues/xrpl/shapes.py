"""The answers of a server of the XRP Ledger, as far as they are read; what is used must have the type that is stated.

Transactions come in two shapes: `tx` with `meta` (version 1 of the API) and `tx_json` with `meta` and the hash beside it
(version 2). Source: xrpl.org (account_tx, account_lines, transaction metadata, ledger entry types), seen 2026-11.
"""

from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from msgspec import Raw, Struct, field, structs

from omnifolio.model.amounts import parse_amount
from omnifolio.model.clock import SECOND_MS, EpochMs
from omnifolio.model.errors import InvalidAmount, VenueBadResponse
from omnifolio.venues.answers import shaped

T = TypeVar("T")

DROPS_DIGITS_MAX = 20
"""Digits of a number of drops: there are a hundred thousand million XRP, a million drops each."""
EPOCH_S = 946_684_800
"""The ledger counts seconds from the year 2000."""


class Issued(Struct, frozen=True):
    """An amount of an issued currency."""

    currency: str
    value: str
    issuer: str = ""


class Account(Struct, frozen=True, rename="pascal"):
    """An AccountRoot: XRP in drops, and how many things count towards the reserve."""

    account: str
    balance: str
    owner_count: int = 0


class AccountInfo(Struct, frozen=True):
    """The answer of account_info."""

    account_data: Account
    ledger_index: int
    validated: bool = False


class Reserves(Struct, frozen=True):
    """The newest validated ledger and what it makes everybody keep, in XRP."""

    seq: int
    reserve_base_xrp: Decimal
    reserve_inc_xrp: Decimal


class Info(Struct, frozen=True):
    """What a server says of itself; without a validated ledger it is not in step with the network."""

    validated_ledger: Reserves | None = None


class ServerInfo(Struct, frozen=True):
    """The answer of server_info."""

    info: Info


class Line(Struct, frozen=True):
    """A trust line as the account sees it: what it holds of the other, or, negative, owes him."""

    account: str
    balance: str
    currency: str


class Lines(Struct, frozen=True):
    """A page of account_lines."""

    lines: tuple[Line, ...]
    marker: Raw = Raw()


class Objects(Struct, frozen=True):
    """A page of account_objects."""

    account_objects: tuple[Raw, ...]
    marker: Raw = Raw()


class Collectible(Struct, frozen=True):
    """A line of account_nfts."""

    name: str = field(name="NFTokenID")


class Collectibles(Struct, frozen=True):
    """A page of account_nfts."""

    account_nfts: tuple[Collectible, ...]
    marker: Raw = Raw()


class Escrow(Struct, frozen=True, rename="pascal"):
    """An escrow: whose it was, for whom, and how much (drops, an issued currency, or something newer)."""

    account: str
    amount: Raw
    destination: str = ""


class Channel(Struct, frozen=True, rename="pascal"):
    """A payment channel, in drops: all that was put in, and what was paid out of it."""

    account: str
    amount: str
    balance: str
    destination: str = ""


class Limit(Struct, frozen=True):
    """One side of a trust line: the account that stands there."""

    issuer: str


class Entry(Struct, frozen=True, rename="pascal"):
    """An entry of the ledger that a transaction made, changed or removed. Its fields depend on its type."""

    ledger_entry_type: str
    ledger_index: str
    new_fields: Raw = Raw(b"{}")
    final_fields: Raw = Raw(b"{}")
    previous_fields: Raw = Raw(b"{}")


class Affected(Struct, frozen=True, rename="pascal"):
    """What happened to an entry: one of the three."""

    created_node: Entry | None = None
    modified_node: Entry | None = None
    deleted_node: Entry | None = None


class Meta(Struct, frozen=True, rename="pascal"):
    """What a transaction did, and with what result."""

    transaction_result: str
    affected_nodes: tuple[Affected, ...]


class Sent(Struct, frozen=True, rename="pascal"):
    """A transaction as it was sent; the two last fields stand here in version 1."""

    account: str
    transaction_type: str
    fee: str
    delegate: str = ""
    date: int | None = field(name="date", default=None)
    hash: str = field(name="hash", default="")
    ledger_index: int | None = field(name="ledger_index", default=None)


class Row(Struct, frozen=True):
    """A line of account_tx in either shape."""

    meta: Meta
    tx: Sent | None = None
    tx_json: Sent | None = None
    hash: str = ""
    ledger_index: int | None = None
    ledger_hash: str = ""
    close_time_iso: str = ""
    validated: bool = False

    @property
    def sent(self) -> Sent:
        """The transaction. Raises: VenueBadResponse."""
        found = self.tx_json or self.tx
        if found is None:
            raise VenueBadResponse("the server lists a transaction without telling it")
        return found

    @property
    def name(self) -> str:
        """Its hash. Raises: VenueBadResponse."""
        name = self.hash or self.sent.hash
        if len(name) != 64:
            raise VenueBadResponse("the server lists a transaction without its hash")
        return name.upper()

    @property
    def height(self) -> int:
        """The ledger that holds it. Raises: VenueBadResponse."""
        found = self.ledger_index if self.ledger_index is not None else self.sent.ledger_index
        if found is None:
            raise VenueBadResponse("the server lists a transaction without its ledger")
        return found

    @property
    def at(self) -> EpochMs:
        """When its ledger closed. Raises: VenueBadResponse."""
        if self.sent.date is not None:
            return instant(self.sent.date)
        try:
            return EpochMs(int(datetime.fromisoformat(self.close_time_iso).timestamp()) * SECOND_MS)
        except ValueError:
            raise VenueBadResponse("the server does not say when a transaction was made") from None


def row_of(result: Raw) -> Row:
    """The answer of tx as a line of account_tx: in version 1 it has the transaction's own fields. Raises: VenueBadResponse."""
    row = shaped(result, Row)
    return row if row.tx_json is not None else structs.replace(row, tx=shaped(result, Sent))


class Transactions(Struct, frozen=True):
    """A page of account_tx, and the ledgers among which it was really searched."""

    ledger_index_min: int
    ledger_index_max: int
    transactions: tuple[Row, ...]
    marker: Raw = Raw()


class Header(Struct, frozen=True):
    """A ledger's header, as far as its time."""

    close_time: int


class Ledger(Struct, frozen=True):
    """The answer of ledger."""

    ledger: Header


def instant(seconds: int) -> EpochMs:
    """The instant of a number of the ledger's seconds."""
    return EpochMs((seconds + EPOCH_S) * SECOND_MS)


def drops(text: str) -> int:
    """A number of drops. Raises: VenueBadResponse."""
    if not (text.isascii() and text.isdigit() and len(text) <= DROPS_DIGITS_MAX):
        raise VenueBadResponse("the server states an amount of XRP that is no whole number of drops")
    return int(text)


def amount_of(text: str) -> Decimal | None:
    """An amount of an issued currency; None where it is finer or larger than can be held. Raises: VenueBadResponse."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        raise VenueBadResponse("the server states an amount that is no number") from None
    try:
        return parse_amount(number)
    except InvalidAmount:
        return None
