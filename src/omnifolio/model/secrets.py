"""Values that must never be seen: a credential that cannot be printed, logged, compared by accident or serialised."""

import hmac
from typing import Final, NoReturn

MASK: Final = "***"
HINT_LENGTH = 4
HINT_FROM_LENGTH = 16
"""Shorter secrets give no hint: four of their characters would be too much of them."""


class Secret:
    """A secret text. Only `reveal()` gives it back; turning it into text gives ***, storing or copying it raises TypeError.

    It is no msgspec type on purpose: encoding it, alone or as a field, fails; an `enc_hook=str` would give ***.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself. Call it at the last moment, where the request is signed."""
        return self._text

    def hint(self) -> str:
        """The last four characters, for people to recognise a key by; *** when it is too short to show any."""
        return self._text[-HINT_LENGTH:] if len(self._text) >= HINT_FROM_LENGTH else MASK

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        raise TypeError("a secret has no hash: do not use it as a key")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __getstate__(self) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __len__(self) -> int:
        return len(self._text)
