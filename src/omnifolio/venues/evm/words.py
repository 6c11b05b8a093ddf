"""How EVM data are written: quantities, 32-byte words, short texts, and the one nested type that is needed (aggregate3).

Everything that comes in was written by a stranger: each function checks lengths and bounds, and raises VenueBadResponse for what
does not fit the ABI. Source: Solidity's contract ABI specification; Multicall3's `aggregate3((address,bool,bytes)[])`.
"""

import unicodedata
from collections.abc import Sequence

from omnifolio.model.errors import VenueBadResponse

WORD_BYTES = 32
WORD_TEXT_LENGTH = 2 + 2 * WORD_BYTES
"""Characters of a word as text: 0x and its digits."""
TEXT_BYTES_MAX = 4_096
"""A longer symbol or name is not read at all; what is read is shortened for showing."""

TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
"""Transfer(address,address,uint256)"""
DEPOSIT = "0xe1fffcc4923d04b559f4d29a8bfc6cda04eb5b0d3c460751c2402c5c5cc9109c"
"""Deposit(address,uint256)"""
WITHDRAWAL = "0x7fcf532c15f0a6db0bd6d0e038bea71d30d808c7d98cb3bf7268a95bf5081b65"
"""Withdrawal(address,uint256)"""

BALANCE_OF = bytes.fromhex("70a08231")
DECIMALS = bytes.fromhex("313ce567")
SYMBOL = bytes.fromhex("95d89b41")
NAME = bytes.fromhex("06fdde03")
GET_ETH_BALANCE = bytes.fromhex("4d2301cc")
OWNER_OF = bytes.fromhex("6352211e")
BALANCE_OF_ID = bytes.fromhex("00fdd58e")
"""balanceOf(address,uint256), ERC-1155"""
AGGREGATE3 = bytes.fromhex("82ad56cb")

ADDRESS_HEAD = "0x" + "0" * 24
"""What stands before an address in a word."""

_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
"""Unicode categories of characters that steer or hide text; none belongs in a token's name."""


def data_of(text: str) -> bytes:
    """The bytes behind `0x…`. Raises: VenueBadResponse."""
    if text[:2] == "0x":
        try:
            data = bytes.fromhex(text[2:])
        except ValueError:
            data = None
        if data is not None and len(data) * 2 + 2 == len(text):
            return data
    raise VenueBadResponse("a value of the node is not 0x and an even number of hexadecimal digits")


def quantity(text: str) -> int:
    """The number behind `0x1a`, at most a uint256. Raises: VenueBadResponse."""
    # `int` alone would take signs, underscores, spaces and digits of other scripts.
    if text[:2] == "0x" and len(text) <= WORD_TEXT_LENGTH and text.isalnum() and text.isascii():
        try:
            return int(text, 16)
        except ValueError:
            pass
    raise VenueBadResponse("a quantity of the node is not 0x and one to 64 hexadecimal digits")


def first_word(text: str) -> int:
    """The number in the first 32 bytes of an event's data. Raises: VenueBadResponse."""
    # `bytes.fromhex` skips white space, so the number of bytes tells whether there were 64 digits.
    if text[:2] == "0x":
        try:
            data = bytes.fromhex(text[2:WORD_TEXT_LENGTH])
        except ValueError:
            data = b""
        if len(data) == WORD_BYTES:
            return int.from_bytes(data, "big")
    raise VenueBadResponse("the data of an event do not begin with a word")


def address_of(topic: str) -> str:
    """The address in a 32-byte topic, lower case. Raises: VenueBadResponse."""
    if len(topic) != WORD_TEXT_LENGTH or not topic.startswith(ADDRESS_HEAD):
        raise VenueBadResponse("a topic that should be an address is not one")
    return "0x" + topic[26:].lower()


def topic_of(address: str) -> str:
    """An address (lower case) as a 32-byte topic."""
    return "0x" + address[2:].rjust(2 * WORD_BYTES, "0")


_MAY_FAIL = (1).to_bytes(WORD_BYTES, "big") + (3 * WORD_BYTES).to_bytes(WORD_BYTES, "big")
"""Of a call inside `aggregate3`: that it may fail, and where its call data begin."""


def encode_uint(number: int) -> bytes:
    """A number as one word."""
    return number.to_bytes(WORD_BYTES, "big")


def encode_address(address: str) -> bytes:
    """An address as one word."""
    return bytes.fromhex(address[2:]).rjust(WORD_BYTES, b"\0")


def word(data: bytes, index: int) -> int:
    """The unsigned number in the word at that index. Raises: VenueBadResponse when the data end before it."""
    return uint_at(data, index * WORD_BYTES)


def decode_text(data: bytes) -> str | None:
    """The text that `symbol()` or `name()` answered: a string, or 32 bytes padded with zeros; None when it is neither."""
    if len(data) == WORD_BYTES:
        return data.rstrip(b"\0").decode("utf-8", "replace")
    try:
        return bytes_at(data, uint_at(data, 0), length_max=TEXT_BYTES_MAX).decode("utf-8", "replace")
    except VenueBadResponse:
        return None


def clean_text(text: str, *, length_max: int) -> str:
    """`text` for showing: without characters that steer or hide, white space as single spaces, shortened with an ellipsis."""
    seen = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    plain = " ".join(seen.replace("\ufffd", "").split())
    return plain if len(plain) <= length_max else plain[: length_max - 1] + "…"


def encode_aggregate(calls: Sequence[tuple[str, bytes]]) -> bytes:
    """The call data of `aggregate3` for (contract, call data) pairs, each of which may fail by itself."""
    offsets, tuples, place = [], [], len(calls) * WORD_BYTES
    bodies: dict[bytes, bytes] = {}
    for contract, data in calls:
        body = bodies.get(data)
        if body is None:  # most calls of one aggregate ask the same
            body = bodies[data] = _MAY_FAIL + encode_uint(len(data)) + data + bytes(-len(data) % WORD_BYTES)
        tuples.append(encode_address(contract) + body)
        offsets.append(encode_uint(place))
        place += WORD_BYTES + len(body)
    return AGGREGATE3 + encode_uint(WORD_BYTES) + encode_uint(len(calls)) + b"".join(offsets) + b"".join(tuples)


def decode_aggregate(data: bytes, count: int) -> list[tuple[bool, bytes]]:
    """The (success, answer) pairs of `aggregate3` for `count` calls. Raises: VenueBadResponse for anything else."""
    start = uint_at(data, 0)
    if uint_at(data, start) != count:
        raise VenueBadResponse(f"aggregate3: expected {count} results, got another number")
    base, size, number = start + WORD_BYTES, len(data), int.from_bytes
    results = []
    for n in range(count):
        # Bounds are checked once for each result and not for each word: this is the hot path of balances.
        head = base + number(data[base + n * WORD_BYTES : base + (n + 1) * WORD_BYTES], "big")
        tail = head + number(data[head + WORD_BYTES : head + 2 * WORD_BYTES], "big")
        begin = tail + WORD_BYTES
        length = number(data[tail:begin], "big")
        answer = data[begin : begin + length]
        if base + (n + 1) * WORD_BYTES > size or head + 2 * WORD_BYTES > size or begin > size or len(answer) != length:
            raise VenueBadResponse("an answer of a contract ends in the middle")
        results.append((number(data[head : head + WORD_BYTES], "big") == 1, answer))
    return results


def uint_at(data: bytes, place: int) -> int:
    """The unsigned number in the word that begins at byte `place`. Raises: VenueBadResponse when the data end before it."""
    chunk = data[place : place + WORD_BYTES]
    if len(chunk) != WORD_BYTES:
        raise VenueBadResponse("an answer of a contract ends in the middle")
    return int.from_bytes(chunk, "big")


def bytes_at(data: bytes, place: int, *, length_max: int) -> bytes:
    """The byte string whose length stands at byte `place`. Raises: VenueBadResponse when it is longer, or the data end before."""
    length = uint_at(data, place)
    value = data[place + WORD_BYTES : place + WORD_BYTES + min(length, length_max)]
    if len(value) != length:
        raise VenueBadResponse("a text or byte string of a contract is too long or ends in the middle")
    return value
