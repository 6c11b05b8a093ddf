"""Ids: integers inside, 24 hexadecimal digits outside, and the keyed permutation between the two.

The wire form looks like an ObjectId, reveals neither counts nor order, and differs from installation to installation. It is a
Feistel network of four rounds over 96 bits: a kind, three zero bytes that expose foreign ids, and the integer.
"""

import hashlib
from typing import Literal, NewType

from omnifolio.model.errors import NotFound

AccountId = NewType("AccountId", int)
TransactionId = NewType("TransactionId", int)
OrderId = NewType("OrderId", int)
UserId = NewType("UserId", int)
TeamId = NewType("TeamId", int)
WalletId = NewType("WalletId", int)
WebhookId = NewType("WebhookId", int)
DeliveryId = NewType("DeliveryId", int)

IdKind = Literal["account", "transaction", "order", "leg", "history", "drift", "decision", "webhook", "event", "delivery"]
_KINDS: dict[IdKind, int] = {
    "account": 1,
    "transaction": 2,
    "order": 3,
    "leg": 4,
    "history": 5,
    "drift": 6,
    "decision": 7,
    "webhook": 20,
    "event": 21,
    "delivery": 22,
}

WIRE_LENGTH = 24
_ROUNDS = 4
_HALF_BYTES = 6
_HALF_MASK = (1 << _HALF_BYTES * 8) - 1
_KIND_SHIFT_BITS = 40


class WireIds:
    """Translates between integers and wire ids with this installation's key (16 to 64 bytes)."""

    def __init__(self, key: bytes) -> None:
        if not 16 <= len(key) <= 64:
            raise ValueError("the key of wire ids has 16 to 64 bytes")
        self._rounds = [hashlib.blake2b(key=key, salt=bytes([n]), digest_size=_HALF_BYTES) for n in range(_ROUNDS)]

    def _mix(self, number: int, half: int) -> int:
        state = self._rounds[number].copy()
        state.update(half.to_bytes(_HALF_BYTES, "big"))
        return int.from_bytes(state.digest(), "big")

    def wire(self, kind: IdKind, number: int) -> str:
        """The 24 hexadecimal digits of an integer id."""
        left, right = _KINDS[kind] << _KIND_SHIFT_BITS | number >> _HALF_BYTES * 8, number & _HALF_MASK
        for n in range(_ROUNDS):
            left, right = right, left ^ self._mix(n, right)
        return f"{left:012x}{right:012x}"

    def integer(self, kind: IdKind, wire: str) -> int:
        """The integer behind a wire id. Raises: NotFound when it is not one of ours of that kind."""
        text = wire.lower()
        if len(text) != WIRE_LENGTH or any(c not in "0123456789abcdef" for c in text):
            raise NotFound(f"{kind} id: expected 24 hexadecimal digits")
        left, right = int(text[:12], 16), int(text[12:], 16)
        for n in reversed(range(_ROUNDS)):
            left, right = right ^ self._mix(n, left), left
        plain = left.to_bytes(_HALF_BYTES, "big") + right.to_bytes(_HALF_BYTES, "big")
        if plain[0] != _KINDS[kind] or any(plain[1:4]):
            raise NotFound(f"no {kind} has this id")
        return int.from_bytes(plain[4:], "big")
