"""Addresses of TON: raw as `0:hex`, or 36 bytes in base64 with flags and a checksum, bounceable or not. Ours is bounceable.

Source: TON's documentation of internal addresses and TEP-2, seen 2026-11.
"""

import base64
import binascii
import re

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues.phrases import is_phrase

HASH_BYTES = 32
BOUNCEABLE, NOT_BOUNCEABLE, TEST = 0x11, 0x51, 0x80
_RAW = re.compile(r"(-?\d{1,3}):([0-9a-fA-F]{64})")
_FRIENDLY = re.compile(r"[A-Za-z0-9+/_-]{48}")
_HEX = re.compile(r"0x[0-9a-fA-F]{40}")
_WORKCHAINS = (0, -1)


def spelt(text: str) -> str:
    """The address in its one spelling, `EQ…`. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    return friendly(raw_of(text))


def raw_of(text: str) -> str:
    """The address as `0:hex`, in lower case. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip().replace("%3A", ":")
    if is_phrase(plain):
        raise PrivateKeyRefused
    if _HEX.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if (found := _RAW.fullmatch(plain)) is not None:
        return _raw(int(found[1]), bytes.fromhex(found[2]))
    if not _FRIENDLY.fullmatch(plain):
        raise InvalidField("address: not a TON address: it has 48 letters (EQ…, UQ…), or is raw (0: and 64 hexadecimal digits)")
    data = base64.urlsafe_b64decode(plain.replace("+", "-").replace("/", "_"))
    if crc16(data[:-2]) != data[-2:]:
        raise InvalidField("address: not a TON address: its checksum does not fit, so a character is wrong")
    if data[0] & ~TEST not in (BOUNCEABLE, NOT_BOUNCEABLE):
        raise InvalidField("address: not a TON address: its first letters are of no known kind")
    if data[0] & TEST:
        raise InvalidField("address: this is an address of TON's test network")
    return _raw(int.from_bytes(data[1:2], "big", signed=True), data[2:-2])


def friendly(raw: str) -> str:
    """`0:hex` as people copy it: bounceable, with letters that fit into a URL."""
    workchain, _, digits = raw.partition(":")
    data = bytes([BOUNCEABLE]) + int(workchain).to_bytes(1, "big", signed=True) + bytes.fromhex(digits)
    return base64.urlsafe_b64encode(data + crc16(data)).decode()


def crc16(data: bytes) -> bytes:
    """CRC-16/XMODEM, the checksum of addresses."""
    return binascii.crc_hqx(data, 0).to_bytes(2, "big")


def _raw(workchain: int, digits: bytes) -> str:
    if workchain not in _WORKCHAINS:
        raise InvalidField(f"address: TON has the workchains 0 and -1, and none with the number {workchain}")
    return f"{workchain}:{digits.hex()}"
