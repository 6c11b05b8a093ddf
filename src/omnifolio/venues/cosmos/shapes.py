"""The answers of a Cosmos node's REST server, as far as they are read; what is used must have the type that is stated.

Whole numbers are text there. Source: the SDK's OpenAPI documents v0.45 to v0.55 and ibc-go's v4 to v10, seen 2026-11.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Raw, Struct, field

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.answers import shaped

T = TypeVar("T")
LINE_LENGTH_MAX = 200
"""Letters of a text by others that is shown."""
Digits = Annotated[str, Meta(pattern=r"^[0-9]{1,78}$")]
Denom = Annotated[str, Meta(pattern=r"^[\x21-\x7e]{1,200}$")]
"""Chains have names of their own beyond what the SDK allows, so anything that can be printed is taken."""
Name = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{64}$")]
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")


class Coin(Struct, frozen=True):
    """So many units of a denomination."""

    denom: Denom
    amount: Digits

    @property
    def units(self) -> int:
        """The amount in units."""
        return int(self.amount)


class DecCoin(Struct, frozen=True):
    """Units with a fraction, which is dropped when they are paid out."""

    denom: Denom
    amount: Annotated[str, Meta(pattern=r"^[0-9]{1,78}(\.[0-9]{1,18})?$")]

    @property
    def units(self) -> int:
        """The whole units."""
        return int(self.amount.partition(".")[0])


class Paging(Struct, frozen=True):
    """Where the next page begins; "" or null: nowhere."""

    next_key: str | None = None
    total: str | None = None


class Listed(Struct, frozen=True):
    """Any list in pages."""

    pagination: Paging | None = None

    @property
    def next_key(self) -> str:
        """Where the next page begins, "" after the last one."""
        return (self.pagination.next_key or "") if self.pagination else ""


class Balances(Struct, frozen=True):
    """A page of what the bank holds for an address, all of it or what can be spent."""

    balances: tuple[Coin, ...]


class Delegation(Struct, frozen=True):
    """What lies at one validator, in coins."""

    balance: Coin


class Delegations(Struct, frozen=True):
    """A page of delegations."""

    delegation_responses: tuple[Delegation, ...]


class Entry(Struct, frozen=True):
    """Coins that come back from one validator at one time."""

    balance: Digits


class Unbonding(Struct, frozen=True):
    """What comes back from one validator."""

    entries: tuple[Entry, ...]


class Unbondings(Struct, frozen=True):
    """A page of what is being unstaked."""

    unbonding_responses: tuple[Unbonding, ...]


class Rewards(Struct, frozen=True):
    """What was earned and not yet withdrawn, of all validators."""

    total: tuple[DecCoin, ...] | None = None


class Header(Struct, frozen=True):
    """A block's head."""

    chain_id: str
    height: Digits
    time: str

    @property
    def at(self) -> EpochMs:
        """The block's time. Raises: VenueBadResponse."""
        return instant(self.time)


class _Headed(Struct, frozen=True):
    header: Raw


class Block(Struct, frozen=True):
    """A block, of which the head alone is read."""

    block: _Headed

    @property
    def header(self) -> Header:
        """Its head. Raises: VenueBadResponse."""
        return shaped(self.block.header, Header)

    @property
    def head(self) -> bytes:
        """The block with nothing but its head, which stays as it came, byte for byte."""
        return b'{"block":{"header":' + bytes(self.block.header) + b"}}"


class Attribute(Struct, frozen=True):
    """A word of an event. Old software writes key and value in base64; an empty value may be null."""

    key: str
    value: str | None = None


class Event(Struct, frozen=True):
    """Something that happened in a transaction."""

    type: str
    attributes: tuple[Attribute, ...] = ()


class _Body(Struct, frozen=True):
    messages: tuple[dict[str, Any], ...] = ()


class Signed(Struct, frozen=True):
    """A transaction as it was sent: what it asks for."""

    body: _Body = field(default_factory=_Body)


class Told(Struct, frozen=True):
    """A transaction as a node tells it: what became of it. `code` is 0 where it was carried out."""

    txhash: Name
    height: Digits
    timestamp: str
    code: int = 0
    events: tuple[Event, ...] | None = None
    tx: Signed | None = None

    @property
    def at(self) -> EpochMs:
        """The time of its block. Raises: VenueBadResponse."""
        return instant(self.timestamp)

    @property
    def messages(self) -> tuple[dict[str, Any], ...]:
        """What it asks for."""
        return self.tx.body.messages if self.tx else ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of its messages, without their packages: `MsgSend`."""
        return tuple(str(message.get("@type", "")).rpartition(".")[2] for message in self.messages)


class Found(Struct, frozen=True):
    """A page of transactions. How many there are stands here, in old software with the paging."""

    tx_responses: tuple[Told, ...] | None = None
    pagination: Paging | None = None
    total: str | None = None

    @property
    def rows(self) -> tuple[Told, ...]:
        """The transactions."""
        return self.tx_responses or ()

    @property
    def count(self) -> int:
        """How many transactions answer the question in all; 0 where the node does not say."""
        stated = self.total or (self.pagination.total if self.pagination else None) or "0"
        return int(stated) if stated.isascii() and stated.isdigit() else 0


class One(Struct, frozen=True):
    """A single transaction."""

    tx_response: Told


class Hop(Struct, frozen=True):
    """A channel that a bridged coin came through."""

    port_id: str
    channel_id: str


class _Traced(Struct, frozen=True):
    base_denom: str
    path: str = ""


class _Bridged(Struct, frozen=True):
    base: str
    trace: tuple[Hop, ...] | None = None


class Trace(Struct, frozen=True):
    """Where a bridged coin comes from, in the old and in the new spelling."""

    denom_trace: _Traced | None = None
    denom: _Bridged | None = None

    @property
    def origin(self) -> tuple[str, str]:
        """Its denomination where it is at home, and the channels on the way, the last one first. Raises: VenueBadResponse."""
        if self.denom is not None:
            return self.denom.base, "/".join(f"{hop.port_id}/{hop.channel_id}" for hop in self.denom.trace or ())
        if self.denom_trace is not None:
            return self.denom_trace.base_denom, self.denom_trace.path
        raise VenueBadResponse("the node's answer does not say where a bridged coin comes from")


class Refusal(Struct, frozen=True):
    """What a server says where it gives no answer."""

    message: str = ""


def printable(text: str) -> str:
    """What can be shown of a text that anybody may have written, at most a line of it."""
    return "".join(letter for letter in text[:LINE_LENGTH_MAX] if letter.isprintable())


def instant(text: str) -> EpochMs:
    """An instant of RFC 3339 in UTC, whose fraction may have nine digits. Raises: VenueBadResponse."""
    found = _TIME.fullmatch(text)
    if found is None:
        raise VenueBadResponse("the node states a time in another form than its documentation says")
    try:
        moment = datetime.fromisoformat(found[1]).replace(tzinfo=UTC)
    except ValueError:
        raise VenueBadResponse("the node states a time that does not exist") from None
    return EpochMs(int(moment.timestamp()) * 1000 + int((found[2] or "").ljust(3, "0")[:3]))
