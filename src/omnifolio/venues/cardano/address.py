"""Addresses of Cardano as people type them: `addr1…` and `stake1…` in bech32, Byron's (`Ae2…`, `DdzFF…`) in base58.

A stake address stands for all addresses of a wallet account; any other one for itself alone.
Source: CIP-19 with its test vectors, CIP-5 (prefixes), seen 2026-11.
"""

import re
import zlib

from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.venues import base58, bech32
from omnifolio.venues.phrases import is_phrase

STAKE = "stake"
_PAYMENT = "addr"
_TEST_ENDING = "_test"
_MAIN = 1
_BASE_BYTES, _SHORT_BYTES = 57, 29
_LENGTH_MAX = 140
_BYRON_LENGTH_MAX = 130
_SECRET = re.compile(r"(?:\w*_)?(?:x?sk|xsk\w*|xprv|ed25519\w*_sk)")
_PUBLIC = re.compile(r"(?:\w*_)?(?:vk|xvk|vkh|xpub|pk|xpk)")
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_ROOT_BYTES = 28
_NETWORK_ATTRIBUTE = 2


def parse_address(text: str) -> str:
    """The address in its one spelling. Raises: PrivateKeyRefused, InvalidField saying what is wrong."""
    plain = text.strip()
    if is_phrase(plain):
        raise PrivateKeyRefused
    if _HEX_ADDRESS.fullmatch(plain):
        raise InvalidField("address: this is an address of Ethereum and its kin; connect it under that chain")
    if plain.startswith("$"):
        raise InvalidField("address: this is a handle; enter the address that it leads to")
    prefix = plain.lower().rpartition("1")[0]
    if _SECRET.fullmatch(prefix):
        raise PrivateKeyRefused
    if _PUBLIC.fullmatch(prefix):
        raise InvalidField(
            "address: this is a public key; enter the account's stake address (stake1…), which stands for all of it"
        )
    return _of_shelley(plain) if re.fullmatch(r"[a-z0-9_]*[a-z_]", prefix) and _is_bech32(plain) else _of_byron(plain)


def is_stake(address: str) -> bool:
    """Whether it is a stake address."""
    return address.startswith(STAKE)


def has_stake(address: str) -> bool:
    """Whether a payment address names a stake key or script, or points to one."""
    return address.startswith(_PAYMENT) and bech32.decode_plain(address, length_max=_LENGTH_MAX)[1][0] >> 4 < 6


def _is_bech32(text: str) -> bool:
    """Whether it is meant as bech32: what follows the last 1 has none of the letters that such texts lack."""
    return text in (text.lower(), text.upper()) and not set(text.lower().rpartition("1")[2]) & set("bio1")


def _of_shelley(text: str) -> str:
    try:
        prefix, data = bech32.decode_plain(text, length_max=_LENGTH_MAX)
    except ValueError as error:
        raise InvalidField(f"address: not an address of Cardano: {error}") from None
    if prefix.endswith(_TEST_ENDING):
        raise InvalidField("address: this is an address of a test network")
    if prefix not in (STAKE, _PAYMENT):
        raise InvalidField(f"address: not an address of Cardano: expected addr1… or stake1…, got {prefix[:20]}1…")
    kind, network = (data[0] >> 4, data[0] & 15) if data else (0, 0)
    if network != _MAIN or not _is_whole(prefix, kind, len(data)):
        raise InvalidField("address: its checksum is right, but it is no address of Cardano's main network")
    return text.lower()


def _is_whole(prefix: str, kind: int, size: int) -> bool:
    if prefix == STAKE:
        return kind in (14, 15) and size == _SHORT_BYTES
    if kind in (4, 5):
        return size > _SHORT_BYTES
    return size == (_BASE_BYTES if kind < 4 else _SHORT_BYTES) if kind < 8 else False


def _of_byron(text: str) -> str:
    """An address of the time before Shelley: CBOR of its bytes and their CRC-32. Raises: InvalidField."""
    try:
        data = base58.decode(text) if 0 < len(text) <= _BYRON_LENGTH_MAX else b""
    except ValueError as error:
        raise InvalidField(f"address: not an address of Cardano: {error}") from None
    # An array of two: bytes with the tag 24, then a number of four bytes.
    size = data[4] if data[:4] == b"\x82\xd8\x18\x58" else -1
    payload, rest = data[5 : 5 + size], data[5 + max(size, 0) :]
    if size < _ROOT_BYTES or len(payload) != size or len(rest) != 5 or rest[0] != 0x1A:
        raise InvalidField("address: not an address of Cardano: those begin with addr1, stake1, Ae2 or DdzFF")
    if zlib.crc32(payload) != int.from_bytes(rest[1:], "big"):
        raise InvalidField("address: not an address of Cardano: its checksum does not fit, so a character is wrong or missing")
    if _NETWORK_ATTRIBUTE in _attributes(payload):
        raise InvalidField("address: this is an address of a test network")
    return text


def _attributes(payload: bytes) -> set[int]:
    """The attributes of a Byron address, by number: a small map of byte strings behind the root."""
    at = 3 + _ROOT_BYTES
    found: set[int] = set()
    try:
        count, at = payload[at] & 0x1F, at + 1
        for _ in range(count):
            found.add(payload[at])
            head, size = (2, payload[at + 2]) if payload[at + 1] == 0x58 else (1, payload[at + 1] & 0x1F)
            at += 1 + head + size
    except IndexError:
        raise InvalidField("address: its checksum is right, but it is no address of Cardano") from None
    return found
