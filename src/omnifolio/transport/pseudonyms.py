"""Stand-ins for what a recording must not tell: the same text always has the same one, of the same form, and none leads back.

Every character is drawn anew from its own class by a keyed hash whose key exists as long as this object. Whole numbers keep
their order and their neighbours, since venues page by "the last id and one": only how far apart others stand is drawn.
"""

import hmac
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

DIGITS, LOWER, UPPER = "0123456789", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HEX, HEX_UPPER = "0123456789abcdef", "0123456789ABCDEF"
TRIES_MAX = 64
"""Draws until a stand-in is new; of very short texts there are not enough, and the last draw stays."""
KEY_BYTES = 32
_WHOLE = re.compile(r"[1-9]\d{2,}")
_HEX = re.compile(r"(?=.*\d)[0-9a-f-]{8,}|(?=.*\d)[0-9A-F-]{8,}|[0-9a-f]{16,}|[0-9A-F]{16,}")
_EXPONENT = re.compile(r"[eE][+-]?\d+$")


def is_whole(text: str) -> bool:
    """Whether a text is a whole number long enough to be an id that is counted up."""
    return bool(_WHOLE.fullmatch(text))


_MARKED = re.compile(r"[A-Za-z][0-9]+")
"""One letter before a number says what kind of number it is, to readers as well (Gate's `b…` are codes), and not whose."""


class Pseudonyms:
    """The stand-ins of one recording. `numbers` are all whole numbers that will be asked for."""

    def __init__(self, numbers: Iterable[str]) -> None:
        self._key = secrets.token_bytes(KEY_BYTES)
        self._given: dict[str, str] = dict(_numbers({text for text in numbers if is_whole(text)}))
        self._taken: set[str] = set(self._given.values())

    def of(self, text: str) -> str:
        """The stand-in of a text: letters for letters, digits for digits, hex for hex, all else as it is."""
        if text not in self._given:
            self._given[text] = self._drawn(text)
            self._taken.add(self._given[text])
        return self._given[text]

    def of_number(self, text: str) -> str:
        """The stand-in of a JSON number, itself one: its exponent stays."""
        exponent = _EXPONENT.search(text)
        return self.of(text[: exponent.start()]) + exponent.group() if exponent else self.of(text)

    def _drawn(self, text: str) -> str:
        drawn = text
        for number in range(TRIES_MAX):
            drawn = _shaped(text, self._letters(text, number))
            if drawn != text and drawn not in self._taken:
                break
        return drawn

    def _letters(self, text: str, number: int) -> Iterator[int]:
        block = 0
        while True:
            yield from hmac.digest(self._key, f"{number}/{block}/{text}".encode("utf-8", "surrogatepass"), "sha512")
            block += 1


def _shaped(text: str, draw: Iterator[int]) -> str:
    prefix = "0x" if text.startswith("0x") else text[:1] if _MARKED.fullmatch(text) else ""
    rest = text[len(prefix) :]
    is_hex = bool(_HEX.fullmatch(rest)) and not rest.replace("-", "").isdigit()
    hex_letters = HEX_UPPER if rest == rest.upper() else HEX
    shaped = []
    for place, char in enumerate(rest):
        letters = hex_letters if is_hex and char != "-" else _class_of(char)
        # A number that begins with a zero is another kind of number, and "0x" is no digit to draw.
        if letters == DIGITS and (place == 0 or not rest[place - 1].isdigit()):
            letters = "0" if char == "0" else DIGITS[1:]
        # 256 is no multiple of 10 or 26: two bytes make the difference too small to matter.
        shaped.append(letters[(next(draw) * 256 + next(draw)) % len(letters)] if letters else char)
    return prefix + "".join(shaped)


def _class_of(char: str) -> str:
    if not char.isalnum():
        return ""
    if char.isdecimal():
        return DIGITS
    return UPPER if char.isupper() else LOWER


def _numbers(texts: set[str]) -> Mapping[str, str]:
    """Stand-ins of whole numbers: as many digits, in the same order; neighbours of one length stay neighbours."""
    found: dict[str, str] = {}
    for length, group in groupby(sorted(map(int, texts)), key=lambda value: len(str(value))):
        runs: list[list[int]] = []
        for value in group:
            if runs and value == runs[-1][-1] + 1:
                runs[-1].append(value)
            else:
                runs.append([value])
        low, room = 10 ** (length - 1), 9 * 10 ** (length - 1)
        # A number that nobody has stands between two runs, so that none seem to follow each other; where there is room for it.
        between = int(sum(map(len, runs)) + len(runs) <= room)
        used = sum(map(len, runs)) + len(runs) * between
        next_free = low
        for start, run in zip(sorted(secrets.randbelow(room - used + 1) for _ in runs), runs, strict=True):
            found.update((str(value), str(start + next_free + place)) for place, value in enumerate(run))
            next_free += len(run) + between
    return found
