"""Repeatable randomness: numbers and ids that depend on a text seed alone, the same on every Python and machine."""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

MASK = (1 << 64) - 1
CAPITALS = str.maketrans("0123456789abcdef", "A2BCDEF3GH4KLM7X")  # what venues' ids look like
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def digest(*parts: object) -> bytes:
    """32 bytes that depend on all parts and their order."""
    return blake2b("\x1f".join(map(str, parts)).encode(), digest_size=32).digest()


def number(*parts: object) -> int:
    """A 64-bit number that depends on all parts."""
    return int.from_bytes(digest(*parts)[:8], "big")


def capitals(length: int, *parts: object) -> str:
    """`length` capital letters and digits that depend on all parts; at most 64."""
    return digest(*parts).hex().translate(CAPITALS)[:length]


def letters(alphabet: str, length: int, *parts: object) -> str:
    """`length` characters of `alphabet` that depend on all parts; at most 64."""
    source = int.from_bytes(digest(*parts) + digest("more", *parts), "big")
    out = []
    for _ in range(length):
        source, place = divmod(source, len(alphabet))
        out.append(alphabet[place])
    return "".join(out)


class Dice:
    """A stream of choices (SplitMix64) from a text seed."""

    def __init__(self, *seed: object) -> None:
        self._state = number(*seed)

    def _next(self) -> int:
        self._state = (self._state + 0x9E3779B97F4A7C15) & MASK
        mixed = self._state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)

    def below(self, limit: int) -> int:
        """A whole number from 0 to `limit` - 1."""
        return self._next() % limit

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, choices: Sequence[T]) -> T:
        """One of `choices`, all equally likely."""
        return choices[self.below(len(choices))]

    def weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        """One of `choices`, each as likely as its weight says."""
        mark = self.below(sum(weight for _, weight in choices))
        for choice, weight in choices:
            if mark < weight:
                return choice
            mark -= weight
        raise AssertionError("weights are positive, so a choice is met")

    def chance(self, percent: int) -> bool:
        """True in `percent` of a hundred cases."""
        return self.below(100) < percent

    def share(self, low_percent: int, high_percent: int) -> Decimal:
        """A fraction between two percentages, in steps of a hundredth of a percent."""
        return Decimal(self.between(low_percent * 100, high_percent * 100)).scaleb(-4)
