"""Addresses of Stellar as people paste them: StrKey, that is a version byte, the bytes and a checksum in base32.

Source: SEP-0023 (StrKey), status Active, seen 2026-11.
"""

import base64
import binascii
import re

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues.phrases import is_phrase

ACCOUNT, MUXED, SEED, CONTRACT = 6 << 3, 12 << 3, 18 << 3, 2 << 3
KEY_BYTES = 32
MUXED_BYTES = KEY_BYTES + 8
_CHECKSUM_BYTES = 2
_GROUP = 8
"""Letters of base32 that hold whole bytes."""
NO_ACCOUNT = "address: not an account of Stellar: it has 56 letters and digits and begins with G"
_ETHEREUM = re.compile(r"0x[0-9a-fA-F]{40}")
_HEX_KEY = re.compile(r"(?:0x)?[0-9a-fA-F]{64}")
_FORM = re.compile(r"[A-Z2-7]{10,165}")


def parse_address(text: str) -> str:
    """The account in its one spelling, `G…`. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if _HEX_KEY.fullmatch(plain) or is_phrase(plain):
        raise PrivateKeyRefused
    if _ETHEREUM.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if "*" in plain:
        raise InvalidField("address: names of a federation are not looked up; ask its owner for the account, which begins with G")
    version, data = _decoded(plain.upper())
    if version == SEED:
        raise PrivateKeyRefused
    if version == MUXED and len(data) == MUXED_BYTES:
        account = encode(ACCOUNT, data[:KEY_BYTES])
        raise InvalidField(
            f"address: this names a part of the account {account}, mostly an exchange's, and no server tells its parts apart; "
            "connect the account itself if all of it is yours"
        )
    if version == CONTRACT:
        raise InvalidField("address: this is a contract, whose balances no Horizon server tells; an account begins with G")
    if version != ACCOUNT or len(data) != KEY_BYTES:
        raise InvalidField("address: this names something else of Stellar; an account begins with G")
    return plain.upper()


def encode(version: int, data: bytes) -> str:
    """The StrKey of these bytes."""
    raw = bytes([version]) + data
    return base64.b32encode(raw + _checksum(raw)).decode().rstrip("=")


def _decoded(text: str) -> tuple[int, bytes]:
    """The version byte and what follows it. Raises: InvalidField."""
    if not _FORM.fullmatch(text):
        raise InvalidField(NO_ACCOUNT)
    try:
        data = base64.b32decode(text + "=" * (-len(text) % _GROUP))
    except binascii.Error:
        raise InvalidField(NO_ACCOUNT) from None
    raw, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
    if _checksum(raw) != checksum or encode(raw[0], raw[1:]) != text:
        raise InvalidField("address: its checksum does not fit, so a character is wrong, missing or too many")
    return raw[0], raw[1:]


def _checksum(raw: bytes) -> bytes:
    """CRC-16 as XMODEM has it, the lower byte first."""
    return binascii.crc_hqx(raw, 0).to_bytes(_CHECKSUM_BYTES, "little")
