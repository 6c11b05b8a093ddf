"""Ids: integers inside, 24 hexadecimal digits outside, and the keyed permutation between the two.

The wire form looks like an ObjectId, reveals neither counts nor order, and differs from installation to installation. It is a
Feistel network of four rounds over 96 bits: a kind, three zero bytes that expose foreign ids, and the integer. An account that
was brought from another service keeps the id that it had there: such ids follow no rule, so they are learned one by one.
"""

import hashlib
from collections.abc import Iterable
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
        self._alias_of: dict[int, str] = {}
        self._account_of: dict[str, int] = {}
        self.learned = 0
        """The number of the last id that was learned."""
        self._rounds = [hashlib.blake2b(key=key, salt=bytes([n]), digest_size=_HALF_BYTES) for n in range(_ROUNDS)]

    def _mix(self, number: int, half: int) -> int:
        state = self._rounds[number].copy()
        state.update(half.to_bytes(_HALF_BYTES, "big"))
        return int.from_bytes(state.digest(), "big")

    def learn(self, aliases: Iterable[tuple[int, int, str]]) -> None:
        """Takes ids in that accounts had elsewhere: the number of each (ascending), the account, the 24 digits."""
        for number, account, wire in aliases:
            self._alias_of[account] = wire
            self._account_of[wire] = account
            self.learned = max(self.learned, number)

    def is_ours(self, wire: str) -> bool:
        """Whether this installation's key could have made that id, of whatever kind."""
        for kind in _KINDS:
            try:
                self._derived(kind, wire.lower())
            except NotFound:
                continue
            return True
        return False

    def wire(self, kind: IdKind, number: int) -> str:
        """The 24 hexadecimal digits of an integer id."""
        if self._alias_of and kind == "account" and number in self._alias_of:
            return self._alias_of[number]
        left, right = _KINDS[kind] << _KIND_SHIFT_BITS | number >> _HALF_BYTES * 8, number & _HALF_MASK
        for n in range(_ROUNDS):
            left, right = right, left ^ self._mix(n, right)
        return f"{left:012x}{right:012x}"

    def integer(self, kind: IdKind, wire: str) -> int:
        """The integer behind a wire id. Raises: NotFound when it is not one of ours of that kind."""
        text = wire.lower()
        if len(text) != WIRE_LENGTH or any(c not in "0123456789abcdef" for c in text):
            raise NotFound(f"{kind} id: expected 24 hexadecimal digits")
        if kind == "account" and text in self._account_of:
            return self._account_of[text]
        return self._derived(kind, text)

    def _derived(self, kind: IdKind, text: str) -> int:
        left, right = int(text[:12], 16), int(text[12:], 16)
        for n in reversed(range(_ROUNDS)):
            left, right = right ^ self._mix(n, left), left
        plain = left.to_bytes(_HALF_BYTES, "big") + right.to_bytes(_HALF_BYTES, "big")
        if plain[0] != _KINDS[kind] or any(plain[1:4]):
            raise NotFound(f"no {kind} has this id")
        return int.from_bytes(plain[4:], "big")
