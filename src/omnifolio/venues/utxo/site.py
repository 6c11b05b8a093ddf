"""What an explorer that is asked by HTTP can tell of single addresses: the joint between the walk and each explorer's own shapes.

Pure on both sides: paths out, facts in. No explorer is ever given an extended key or a descriptor, only addresses.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Protocol, TypeVar

from msgspec import Meta, Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.transport.egress import Budget

T = TypeVar("T")
Name = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""The name of a transaction or block. It goes into paths and lists, so nothing else is taken for one."""
Units = Annotated[int, Meta(ge=0, le=2**63 - 1)]
"""An amount that an output can have."""


class Summary(Struct, frozen=True):
    """An address in a line: transactions in blocks and waiting, and what it holds with those that wait."""

    settled: int
    waiting: int
    units: int


class StatedCoin(Struct, frozen=True):
    """An output as the explorer states it; `script` is empty where it does not say."""

    units: int
    script: bytes


class Stated(Struct, frozen=True, kw_only=True):
    """A transaction as the explorer states it. `height` None: it waits for a block; `at` None: it does not say since when."""

    name: str
    inputs: tuple[StatedCoin, ...]
    outputs: tuple[StatedCoin, ...]
    is_coinbase: bool
    height: int | None
    block_hash: str
    at: EpochMs | None


class Site(Protocol):
    """An explorer's API. All paths are below its URL."""

    budget: Budget
    page: int
    """Transactions in one answer."""
    paths: tuple[str, ...]
    """All that is ever asked of it, with `{name}` for one segment."""

    def tip_path(self) -> str:
        """Where the newest block's height is told."""
        ...

    def tip(self, body: bytes) -> int:
        """The newest block's height. Raises: VenueBadResponse."""
        ...

    def block_path(self, height: int) -> str:
        """Where the hash of the block at a height is told."""
        ...

    def block_hash(self, body: bytes) -> str:
        """The hash. Raises: VenueBadResponse."""
        ...

    def summary_path(self, address: str) -> str:
        """Where an address is told in a line."""
        ...

    def summary(self, body: bytes) -> Summary:
        """The line. Raises: VenueBadResponse."""
        ...

    def page_path(self, address: str, *, after: str, top: int) -> str:
        """Where a page of an address's transactions up to block `top` is told, newest first; "" after is the first page."""
        ...

    def waiting_path(self, address: str, *, top: int) -> str:
        """Where the transactions of an address that wait for a block are told."""
        ...

    def transaction_path(self, name: str) -> str:
        """Where one transaction is told."""
        ...

    def transactions(self, chain: UtxoChain, body: bytes) -> list[Stated]:
        """The transactions of a page. Raises: VenueBadResponse."""
        ...

    def next_after(self, body: bytes, found: Sequence[Stated], *, after: str) -> str:
        """What the next page comes after; "" when this was the last one."""
        ...


def is_name(text: str) -> bool:
    """The text has the form of a transaction's name."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def number_of(text: str) -> int:
    """A whole number that a server wrote as text. Raises: VenueBadResponse."""
    plain = text.strip()
    if not (plain.isascii() and plain.removeprefix("-").isdigit()):
        raise VenueBadResponse("the server answered with something that is no whole number")
    return int(plain)


def bytes_of(text: str) -> bytes:
    """The bytes of hexadecimal text. Raises: VenueBadResponse."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise VenueBadResponse("the server answered with something that is not hexadecimal") from None
