"""Transactions and block headers as nodes write them, read from hexadecimal text and checked against their names.

Read are the plain format, segwit (BIP-144), Litecoin's extension blocks (the flag 8; what it adds stands before the lock time)
and Dash's special transactions (more bytes behind the lock time). Everything came from a stranger: each length is checked.
"""

from msgspec import Struct

from omnifolio.catalog.utxo_chains import UtxoChain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.base58 import double_sha256
from omnifolio.venues.utxo.site import bytes_of

_LOCK_TIME_BYTES = 4
_COINBASE = bytes(32)
_ENDS_EARLY = "a transaction ends in the middle"
OTHER = "the server answered with another transaction than was asked for"


class Outpoint(Struct, frozen=True):
    """Which output an input spends."""

    name: str
    n: int


class RawOutput(Struct, frozen=True):
    """An output: units and script."""

    units: int
    script: bytes


class RawTransaction(Struct, frozen=True):
    """A transaction's own parts; a coinbase has no inputs."""

    inputs: tuple[Outpoint, ...]
    outputs: tuple[RawOutput, ...]
    is_coinbase: bool
    shielded: int = 0
    """Units that came out of a shielded pool; negative: that went into it."""


class Header(Struct, frozen=True):
    """A block's hash and time."""

    hash: str
    at: EpochMs


def read_transaction(text: str, name: str) -> RawTransaction:
    """The transaction of that name. Raises: VenueBadResponse when the bytes are of another one, or of none."""
    data = bytes_of(text)
    reader = Reader(data, 4)
    flag = data[5] if data[4:5] == b"\0" and len(data) > 5 else 0
    if flag:
        reader.place = 6
    start = reader.place
    found = transparent(reader)
    body = data[start : reader.place]
    # Without witnesses the rest is the lock time and whatever the coin's version adds behind it.
    tail = data[-_LOCK_TIME_BYTES:] if flag else data[reader.place :]
    if len(tail) < _LOCK_TIME_BYTES:
        raise VenueBadResponse(_ENDS_EARLY)
    if double_sha256(data[:4] + body + tail)[::-1].hex() != name:
        raise VenueBadResponse(OTHER)
    return found


def transparent(reader: "Reader") -> RawTransaction:
    """Inputs and outputs, as every coin of the family writes them. Raises: VenueBadResponse."""
    spent = tuple(_input(reader) for _ in range(reader.count()))
    outputs = tuple(RawOutput(reader.number(8), reader.take(reader.count())) for _ in range(reader.count()))
    is_coinbase = len(spent) == 1 and spent[0].name == _COINBASE.hex()
    return RawTransaction(() if is_coinbase else spent, outputs, is_coinbase)


def _input(reader: "Reader") -> Outpoint:
    found = Outpoint(reader.take(32)[::-1].hex(), reader.number(4))
    reader.take(reader.count())
    reader.take(4)
    return found


def read_header(text: str, chain: UtxoChain) -> Header:
    """A block's header. Raises: VenueBadResponse."""
    data = bytes_of(text)
    time_at = chain.header_time_at
    if len(data) < chain.header_bytes:
        raise VenueBadResponse("a block's header is too short")
    return Header(
        double_sha256(data[: chain.header_bytes])[::-1].hex(),
        EpochMs(int.from_bytes(data[time_at : time_at + 4], "little") * 1000),
    )


class Reader:
    """Bytes and how far they were read; each step raises VenueBadResponse where they end too early."""

    def __init__(self, data: bytes, place: int) -> None:
        self._data = data
        self.place = place

    def take(self, length: int) -> bytes:
        """The next bytes."""
        found = self._data[self.place : self.place + length]
        if len(found) != length:
            raise VenueBadResponse(_ENDS_EARLY)
        self.place += length
        return found

    def number(self, length: int, *, is_signed: bool = False) -> int:
        """The next number of so many bytes."""
        return int.from_bytes(self.take(length), "little", signed=is_signed)

    def count(self) -> int:
        """A length as the format writes it: one byte, or a mark and two, four or eight."""
        first = self.number(1)
        found = first if first < 0xFD else self.number(2 << first - 0xFD)
        if found > len(self._data):
            raise VenueBadResponse(_ENDS_EARLY)
        return found
