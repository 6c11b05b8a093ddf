"""Base58: bytes as people copy them, and Base58Check, with a checksum of four bytes. Source: Bitcoin's `base58.cpp`, BIP-13."""

from hashlib import sha256

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_CHECKSUM_BYTES = 4


def double_sha256(data: bytes) -> bytes:
    """SHA-256 of the SHA-256."""
    return sha256(sha256(data).digest()).digest()


def encode(data: bytes) -> str:
    """The bytes as text; each leading zero byte is a 1."""
    number, letters = int.from_bytes(data, "big"), []
    while number:
        number, digit = divmod(number, 58)
        letters.append(_ALPHABET[digit])
    leading = len(data) - len(data.lstrip(b"\0"))
    return "1" * leading + "".join(reversed(letters))


def decode(text: str) -> bytes:
    """The bytes behind a text. Raises: ValueError saying what is wrong with it."""
    number = 0
    for letter in text:
        if letter not in _VALUES:
            raise ValueError(f"{letter!r} is in no such text (it has neither 0, O, I nor l)")
        number = number * 58 + _VALUES[letter]
    leading = len(text) - len(text.lstrip("1"))
    return bytes(leading) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_check(payload: bytes) -> str:
    """The payload with its checksum as text."""
    return encode(payload + double_sha256(payload)[:_CHECKSUM_BYTES])


def decode_check(text: str) -> bytes:
    """The payload without its checksum. Raises: ValueError saying what is wrong with the text."""
    data = decode(text)
    payload, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if len(data) <= _CHECKSUM_BYTES or double_sha256(payload)[:_CHECKSUM_BYTES] != checksum:
        raise ValueError("its checksum does not fit, so a character is wrong, missing or too many")
    return payload
