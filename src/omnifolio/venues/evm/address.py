"""What an EVM address is: twenty bytes in hexadecimal, whose mixed case is a checksum (EIP-55).

Addresses are kept in lower case everywhere; the checksum is verified once, where a person typed the address, and computed only
for showing. hashlib has no Keccak-256 (its SHA3 pads otherwise), so the permutation stands here; at about 1 ms a hash it is for
typed addresses, not for hot paths.
"""

import re

from omnifolio.model.errors import InvalidField, PrivateKeyRefused

_ADDRESS = re.compile(r"0[xX]([0-9a-fA-F]{40})")
_PRIVATE_KEY = re.compile(r"(0[xX])?[0-9a-fA-F]{64}")

_RATE_BYTES = 136
_LANE_BITS = 64
_LANE_MASK = (1 << _LANE_BITS) - 1
_ROUNDS = 24


def parse_address(text: str) -> str:
    """The address in lower case.

    All-lower and all-upper case carry no checksum and are taken as they are; mixed case must carry the right one.
    Raises: PrivateKeyRefused for 32 bytes in hexadecimal, InvalidField for anything else that is not an address.
    """
    stripped = text.strip()
    if _PRIVATE_KEY.fullmatch(stripped):
        raise PrivateKeyRefused
    match = _ADDRESS.fullmatch(stripped)
    if match is None:
        raise InvalidField("address: expected 0x and 40 hexadecimal digits")
    digits = match[1]
    if digits in (digits.lower(), digits.upper()):
        return "0x" + digits.lower()
    if checksummed("0x" + digits.lower()) != "0x" + digits:
        raise InvalidField("address: its upper and lower case do not fit together, so a character is wrong")
    return "0x" + digits.lower()


def checksummed(address: str) -> str:
    """A lower-case address with its EIP-55 checksum, for showing."""
    digits = address[2:]
    digest = keccak256(digits.encode()).hex()
    return "0x" + "".join(d.upper() if int(h, 16) >= 8 else d for d, h in zip(digits, digest[:40], strict=True))


def keccak256(data: bytes) -> bytes:
    """The 32 bytes of Keccak-256 as Ethereum uses it. Source: the Keccak reference, version 3.0."""
    padded = bytearray(data) + b"\x01" + bytes(_RATE_BYTES - len(data) % _RATE_BYTES - 1)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for start in range(0, len(padded), _RATE_BYTES):
        for n in range(_RATE_BYTES // 8):
            lanes[n] ^= int.from_bytes(padded[start + 8 * n : start + 8 * n + 8], "little")
        lanes = _permuted(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _rotated(lane: int, by: int) -> int:
    return (lane << by | lane >> (_LANE_BITS - by)) & _LANE_MASK if by else lane


def _permuted(lanes: list[int]) -> list[int]:
    for constant in _ROUND_CONSTANTS:
        column = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        mixed = [column[(x - 1) % 5] ^ _rotated(column[(x + 1) % 5], 1) for x in range(5)]
        moved = [0] * 25
        for n, lane in enumerate(lanes):
            moved[_TARGETS[n]] = _rotated(lane ^ mixed[n % 5], _OFFSETS[n])
        lanes = [moved[n] ^ (~moved[n - n % 5 + (n + 1) % 5] & _LANE_MASK & moved[n - n % 5 + (n + 2) % 5]) for n in range(25)]
        lanes[0] ^= constant
    return lanes


def _walk() -> tuple[list[int], list[int]]:
    """For each lane, where it moves and by how much it turns."""
    targets, offsets = [0] * 25, [0] * 25
    for n in range(25):
        x, y = n % 5, n // 5
        targets[n] = y + 5 * ((2 * x + 3 * y) % 5)
    x, y = 1, 0
    for step in range(24):
        offsets[x + 5 * y] = (step + 1) * (step + 2) // 2 % _LANE_BITS
        x, y = y, (2 * x + 3 * y) % 5
    return targets, offsets


def _constants() -> list[int]:
    """The round constants, from the linear feedback shift register that defines them."""
    result, register = [], 1
    for _ in range(_ROUNDS):
        constant = 0
        for bit in range(7):
            if register & 1:
                constant |= 1 << ((1 << bit) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        result.append(constant)
    return result


_TARGETS, _OFFSETS = _walk()
_ROUND_CONSTANTS = _constants()
