"""The root cell of a message's body, and the few messages that move tokens: what their first bits say.

Sources, seen 2026-11: TON's documentation of the bag of cells; TEP-74 (jettons), TEP-62 (NFTs), TEP-85.
"""

import base64
import binascii

from msgspec import Struct

_MAGIC = bytes.fromhex("b5ee9c72")
_HAS_INDEX, _SIZE = 0x80, 0x07
_REFS, _HASHES = 0x07, 0x10
TRANSFER, INTERNAL_TRANSFER, BURN, BURN_NOTICE = 0x0F8A7EA5, 0x178D4519, 0x595F07BC, 0x7BDD97DE
NOTICE, EXCESSES, NFT_TRANSFER = 0x7362D09C, 0xD53276DB, 0x5FCC3D14
BOUNCED = 0xFFFFFFFF


class Unreadable(ValueError):
    """The bits are not what the standard says."""


class Bits:
    """Bits of a cell, read from the first one on."""

    def __init__(self, data: bytes, length: int) -> None:
        self._number = int.from_bytes(data, "big") >> (8 * len(data) - length) if length else 0
        self._left = length

    def take(self, count: int) -> int:
        """The next bits as a number. Raises: Unreadable."""
        if count > self._left:
            raise Unreadable("the cell ends before its content")
        self._left -= count
        return self._number >> self._left & ((1 << count) - 1)

    def coins(self) -> int:
        """A number with its length in bytes before it, as amounts are. Raises: Unreadable."""
        return self.take(8 * self.take(4))

    def address(self) -> str | None:
        """An account as `0:hex`; None for nobody. Raises: Unreadable."""
        kind = self.take(2)
        if kind == 0:
            return None
        if kind != 2 or self.take(1):
            raise Unreadable("an address of a kind that no account has")
        workchain = int.from_bytes(self.take(8).to_bytes(1, "big"), "big", signed=True)
        return f"{workchain}:{self.take(256):064x}"


class Moved(Struct, frozen=True):
    """What a message to a jetton wallet does to its balance; `other` is who gives or gets, where that is said."""

    units: int
    other: str | None


def moved(body: str) -> Moved | None:
    """What a message with this body (base64) does to a jetton wallet that takes it; None when it moves nothing.

    Raises: Unreadable.
    """
    bits = root(body)
    try:
        opcode = bits.take(32)
    except Unreadable:
        return None
    if is_return := opcode == BOUNCED:
        opcode = bits.take(32)
        if opcode not in (INTERNAL_TRANSFER, BURN_NOTICE):
            return None
    elif opcode not in (TRANSFER, INTERNAL_TRANSFER, BURN):
        return None
    bits.take(64)
    units = bits.coins()
    if is_return:
        return Moved(units, None)
    if opcode == BURN:
        return Moved(-units, None)
    return Moved(units if opcode == INTERNAL_TRANSFER else -units, bits.address())


def root(body: str) -> Bits:
    """The bits of the root cell of a bag of cells in base64. Raises: Unreadable."""
    try:
        data = base64.b64decode(body, validate=True)
    except binascii.Error:
        raise Unreadable("a body that is no base64") from None
    if data[:4] != _MAGIC or len(data) < 6:
        raise Unreadable("a body that is no bag of cells")
    size, offset = data[4] & _SIZE, data[5]
    place = 6
    cells = _number(data, place, size)
    place += 3 * size + offset
    wanted = _number(data, place, size)
    roots = _number(data, 6 + size, size)
    place += roots * size + (cells * offset if data[4] & _HAS_INDEX else 0)
    for _ in range(wanted):
        place = _end(data, place, size)
    return _bits(data, place)


def _number(data: bytes, place: int, size: int) -> int:
    if place + size > len(data) or not size:
        raise Unreadable("the bag of cells ends too early")
    return int.from_bytes(data[place : place + size], "big")


def _end(data: bytes, place: int, size: int) -> int:
    if place + 2 > len(data) or data[place] & _HASHES:
        raise Unreadable("a cell of a form that messages do not have")
    return place + 2 + (data[place + 1] + 1) // 2 + (data[place] & _REFS) * size


def _bits(data: bytes, place: int) -> Bits:
    if place + 2 > len(data) or data[place] & _HASHES:
        raise Unreadable("a cell of a form that messages do not have")
    count = data[place + 1]
    content = data[place + 2 : place + 2 + (count + 1) // 2]
    if len(content) != (count + 1) // 2:
        raise Unreadable("the bag of cells ends too early")
    length = 8 * len(content)
    if count % 2:
        last = content[-1]
        if not last:
            raise Unreadable("a cell without an end")
        length -= (last & -last).bit_length()
    return Bits(content, length)
