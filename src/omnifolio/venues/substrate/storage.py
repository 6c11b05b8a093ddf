"""Where a chain's storage keeps what belongs to an account, and what its bytes say there.

A key is the hashes of the pallet's and the item's name (xxHash, twice 64 bits), then of each part with the part itself behind.
Sources, seen 2026-11: Substrate's documentation of storage keys and SCALE; xxHash's specification; the pallets Balances, Staking
and Assets of the Polkadot SDK.
"""

from hashlib import blake2b

from msgspec import Struct

from omnifolio.model.errors import VenueBadResponse

_MASK = (1 << 64) - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_ACCOUNT_BYTES = 32
_COUNTERS = {80: 16, 76: 12, 72: 8}
"""How long an account's record is, and where its amounts begin: behind three, two or one counter of references."""


class Amounts(Struct, frozen=True):
    """An account's coins in units. `frozen` is a part of `free` that may not leave now."""

    free: int
    reserved: int
    frozen: int


def account_key(account: bytes) -> str:
    """Where the coins of an account stand: System.Account."""
    return _hex(_item("System", "Account") + _blake2(account))


def account_in(key: str) -> bytes | None:
    """The account whose coins stand at a key; None for another key."""
    data = bytes.fromhex(key.removeprefix("0x")) if len(key) % 2 == 0 and key.startswith("0x") else b""
    account = data[-_ACCOUNT_BYTES:]
    return account if data == _item("System", "Account") + _blake2(account) else None


def bonded_key(account: bytes) -> str:
    """Where the controller of a staking account stands: Staking.Bonded."""
    return _hex(_item("Staking", "Bonded") + xxh64(account, 0).to_bytes(8, "little") + account)


def ledger_key(controller: bytes) -> str:
    """Where what an account has staked stands: Staking.Ledger."""
    return _hex(_item("Staking", "Ledger") + _blake2(controller))


def asset_key(number: int, account: bytes) -> str:
    """Where an account's amount of an asset stands: Assets.Account."""
    return _hex(_item("Assets", "Account") + _blake2(number.to_bytes(4, "little")) + _blake2(account))


def metadata_key(number: int) -> str:
    """Where what an asset says of itself stands: Assets.Metadata."""
    return _hex(_item("Assets", "Metadata") + _blake2(number.to_bytes(4, "little")))


def amounts(data: bytes) -> Amounts:
    """The coins of an account's record. Raises: VenueBadResponse."""
    start = _COUNTERS.get(len(data))
    if start is None:
        raise VenueBadResponse(f"the node tells {len(data)} bytes of an account, which no form of its record has")
    return Amounts(*(number(data[start + 16 * place : start + 16 * place + 16]) for place in range(3)))


def controller(data: bytes) -> bytes:
    """The account that a staking account is managed by. Raises: VenueBadResponse."""
    if len(data) != _ACCOUNT_BYTES:
        raise VenueBadResponse("the node tells something else than an account")
    return data


def staked(data: bytes) -> int:
    """All that lies in a staking account, what is on its way out as well. Raises: VenueBadResponse."""
    return compact(data[_ACCOUNT_BYTES:])


def asset_amount(data: bytes) -> int:
    """The amount in an account of an asset. Raises: VenueBadResponse."""
    return number(data[:16])


def number(data: bytes) -> int:
    """A number of 128 bits. Raises: VenueBadResponse."""
    if len(data) != 16:
        raise VenueBadResponse("the node tells an amount in other bytes than one has")
    return int.from_bytes(data, "little")


def compact(data: bytes) -> int:
    """The compact number at the beginning of the bytes. Raises: VenueBadResponse."""
    if not data or len(data) < (length := length_of_compact(data[0])):
        raise VenueBadResponse("the node tells a number that ends too early")
    return int.from_bytes(data[1:length], "little") if data[0] & 3 == 3 else int.from_bytes(data[:length], "little") >> 2


def length_of_compact(first: int) -> int:
    """How many bytes a compact number has, which the two lowest bits of its first one say."""
    mode = first & 3
    return (1, 2, 4)[mode] if mode < 3 else 1 + (first >> 2) + 4


def xxh64(data: bytes, seed: int) -> int:
    """xxHash of 64 bits."""
    place, length = 0, len(data)
    if length >= 32:
        lanes = [seed + _P1 + _P2, seed + _P2, seed, seed - _P1]
        while place <= length - 32:
            for lane in range(4):
                lanes[lane] = _round(lanes[lane], _word(data, place + 8 * lane, 8))
            place += 32
        found = sum(_turn(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            found = ((found ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        found = seed + _P5
    found = (found + length) & _MASK
    while place + 8 <= length:
        found = (_turn(found ^ _round(0, _word(data, place, 8)), 27) * _P1 + _P4) & _MASK
        place += 8
    if place + 4 <= length:
        found = (_turn(found ^ _word(data, place, 4) * _P1, 23) * _P2 + _P3) & _MASK
        place += 4
    for byte in data[place:]:
        found = _turn(found ^ byte * _P5, 11) * _P1 & _MASK
    found = (found ^ found >> 33) * _P2 & _MASK
    found = (found ^ found >> 29) * _P3 & _MASK
    return found ^ found >> 32


def _round(lane: int, word: int) -> int:
    return _turn(lane + word * _P2, 31) * _P1 & _MASK


def _turn(value: int, by: int) -> int:
    value &= _MASK
    return (value << by | value >> 64 - by) & _MASK


def _word(data: bytes, place: int, length: int) -> int:
    return int.from_bytes(data[place : place + length], "little")


def _item(pallet: str, name: str) -> bytes:
    return b"".join(xxh64(text.encode(), seed).to_bytes(8, "little") for text in (pallet, name) for seed in (0, 1))


def _blake2(part: bytes) -> bytes:
    return blake2b(part, digest_size=16).digest() + part


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
