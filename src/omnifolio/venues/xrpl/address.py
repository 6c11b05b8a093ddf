"""Addresses of the XRP Ledger as people type them: classic ones (`r…`) and X-addresses, in base58 of its own alphabet.

An X-address may carry a tag, which names a customer of whoever holds the account: the account is then not the customer's, so it
is refused with the address that it stands for. Seeds (`s…`, secret numbers, words, hexadecimal keys) are refused as private keys.
Source: xrpl.org (addresses, base58 encodings), XLS-5 (X-addresses), seen 2026-11.
"""

import re

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58
from omnifolio.venues.phrases import is_phrase

_BITCOINS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_OWN = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_READ, _WRITE = str.maketrans(_OWN, _BITCOINS), str.maketrans(_BITCOINS, _OWN)
ACCOUNT_BYTES = 20
_CLASSIC = b"\x00"
_MAIN, _TEST = b"\x05\x44", b"\x04\x93"
_X_BYTES = 31
"""Two of the network, the account, one that says whether there is a tag, eight of the tag."""
_SEEDS = (b"\x21", b"\x01\xe1\x4b")
_SEED_BYTES = 16
_NUMBERS = re.compile(r"(?:[A-H]?[:.]?\s*\d{6}[\s,-]*){8}")
"""Secret numbers: eight groups of six digits."""
_HEX_KEY = re.compile(r"(?:00|[eE][dD])?[0-9a-fA-F]{64}")
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_TEXT_LENGTH_MAX = 60


def parse_address(text: str) -> str:
    """The classic address. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if _NUMBERS.fullmatch(plain) or _HEX_KEY.fullmatch(plain) or is_phrase(plain):
        raise PrivateKeyRefused
    if _HEX_ADDRESS.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if not plain or len(plain) > _TEXT_LENGTH_MAX:
        raise InvalidField("address: not an address of the XRP Ledger: it begins with r or X and has 25 to 47 letters")
    payload = _payload(plain)
    if any(payload[: len(kind)] == kind and len(payload) == len(kind) + _SEED_BYTES for kind in _SEEDS):
        raise PrivateKeyRefused
    if payload[:1] == _CLASSIC and len(payload) == 1 + ACCOUNT_BYTES:
        return address_of(payload[1:])
    if len(payload) == _X_BYTES and payload[:2] in (_MAIN, _TEST):
        return _of_x_address(payload)
    raise InvalidField("address: its checksum is right, but it is no account of the XRP Ledger")


def address_of(account: bytes) -> str:
    """The classic address of an account's 20 bytes."""
    assert len(account) == ACCOUNT_BYTES, "an account has twenty bytes"
    return base58.encode_check(_CLASSIC + account).translate(_WRITE)


def _of_x_address(payload: bytes) -> str:
    if payload[:2] == _TEST:
        raise InvalidField("address: this is an address of the test network")
    classic, has_tag, rest = address_of(payload[2:22]), payload[22], payload[23:]
    if has_tag == 0 and not any(rest):
        return classic
    if has_tag != 1 or any(rest[4:]):
        raise InvalidField("address: an X-address with a tag of a kind that is not in use")
    tag = int.from_bytes(rest[:4], "little")
    raise InvalidField(
        f"address: this X-address carries the tag {tag}, which names one customer of the account {classic}: what the account "
        "holds is not the customer's alone. If all of it is yours, enter that address"
    )


def _payload(text: str) -> bytes:
    """The bytes without their checksum. Raises: InvalidField saying what is wrong."""
    wrong = next((letter for letter in text if letter not in _OWN), None)
    if wrong is not None:
        raise InvalidField(f"address: not an address of the XRP Ledger: {wrong!r} is in none of them (nor are 0, O, I and l)")
    try:
        return base58.decode_check(text.translate(_READ))
    except ValueError as error:
        if _is_of_bitcoins_kin(text):
            raise InvalidField("address: this is an address of Bitcoin or its kin; connect it under that chain") from None
        raise InvalidField(f"address: not an address of the XRP Ledger: {error}") from None


def _is_of_bitcoins_kin(text: str) -> bool:
    try:
        return len(base58.decode_check(text)) == 1 + ACCOUNT_BYTES
    except ValueError:
        return False
