"""A recorded conversation that others may see: every value is replaced unless it is on the allow-list of `harmless`.

What goes in is a cassette, what comes out is one that replays alike: ids, addresses, hashes, names and texts have stand-ins
(`pseudonyms`), amounts are exact or all multiplied by one factor. Nothing that was drawn is kept.
"""

import base64
import binascii
import contextlib
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from itertools import product as product_of
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
from msgspec import Struct

from omnifolio.model.amounts import canonical, product
from omnifolio.transport.harmless import Kind, is_name, kind_of
from omnifolio.transport.pseudonyms import Pseudonyms
from omnifolio.transport.recording import Cassette, Take

FACTOR_PARTS = 1_000_000
SECRET_CHARS_MIN = 6
"""Shorter entries are no secrets that could be told from other text."""
_PIECES = re.compile(r"([/?&=])")
_SMALL = re.compile(r"\d{1,4}|true|false")
"""What is too short to name anybody, beside words."""
_WHOLE_NUMBER = re.compile(r"-?\d{1,15}")


class Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


class Allowed(Struct, frozen=True, kw_only=True):
    """What may stay beside the allow-list: `words` of the venue's paths, `texts` by which its errors are told, and by which
    `secrets` (whatever the user entered) a value is replaced wherever it stands. `factor` None keeps amounts exact."""

    words: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    factor: Decimal | None = None


class Redacted(Struct, frozen=True, kw_only=True):
    """The redacted conversation, how many values of each kind were replaced, and how many stayed."""

    cassette: Cassette
    replaced: Mapping[str, int]
    kept: Mapping[str, int]


def drawn_factor() -> Decimal:
    """A factor between 0.1 and 1 that nobody knows."""
    return Decimal(secrets.randbelow(FACTOR_PARTS * 9 // 10 - 1) + FACTOR_PARTS // 10 + 1) / FACTOR_PARTS


def redact(cassette: Cassette, allowed: Allowed) -> Redacted:
    """The same conversation without what it tells of a person. It replays alike wherever ids are only compared or counted up."""
    # Numbers keep their order, so all of them are heard before the first is replaced.
    numbers: set[str] = set()

    def heard(text: str) -> str:
        numbers.add(text)
        return text

    _Pass(allowed, heard, heard).cassette(cassette)
    names = Pseudonyms(numbers)
    done = _Pass(allowed, names.of, names.of_number)
    return Redacted(cassette=done.cassette(cassette), replaced=dict(done.replaced), kept=dict(done.kept))


def forms_of(secret: str) -> frozenset[str]:
    """The ways in which a secret may be written in an answer."""
    raw = secret.encode()
    parts = {raw}
    with contextlib.suppress(binascii.Error, ValueError):
        parts.add(base64.b64decode(secret, validate=True))
    found = {quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], *secret.splitlines()}
    for part in parts:
        found |= {part.decode("latin-1"), part[::-1].decode("latin-1"), part.hex(), part.hex().upper()}
        # Base64 depends on where it begins, so it is cut to what is the same wherever that is.
        for shift, encode in product_of(range(3), (base64.b64encode, base64.urlsafe_b64encode)):
            found.add(encode(bytes(shift) + part)[4 if shift else 0 : -4].decode())
    return frozenset(form for form in found if len(form) >= SECRET_CHARS_MIN and not form.startswith("-----"))


class _Pass:
    """One walk over a conversation; `text` and `number` give what stands in for a value that is not harmless."""

    def __init__(self, allowed: Allowed, text: Callable[[str], str], number: Callable[[str], str]) -> None:
        self._allowed, self._text, self._number = allowed, text, number
        self._secret_forms = frozenset(form for secret in allowed.secrets for form in forms_of(secret.strip()))
        self.replaced: Counter[str] = Counter()
        self.kept: Counter[str] = Counter()

    def cassette(self, cassette: Cassette) -> Cassette:
        return msgspec.structs.replace(
            cassette,
            requests=tuple(map(self._take, cassette.requests)),
            fields={name: self._scalar(name, value, is_scaled=False) for name, value in cassette.fields.items()},
            name="",
        )

    def _take(self, take: Take) -> Take:
        params = take.params and {name: self._param(name, str(value)) for name, value in take.params.items()}
        return msgspec.structs.replace(
            take,
            path=take.path and self._path(take.path),
            params=params,
            body=None,
            hint=None,
            response=self._response(take.response),
            text=take.text and self._replaced("text", f"({len(take.text)} characters that are no JSON)"),
        )

    def _param(self, name: str, text: str) -> str:
        """A parameter: what the reader says of itself (flags, words of the row, small numbers) stays."""
        is_own = text in self._allowed.words or bool(_SMALL.fullmatch(text))
        return text if is_own and not self._tells_secret(text) else str(self._scalar(name, text, is_scaled=False))

    def _response(self, response: msgspec.Raw | msgspec.UnsetType) -> msgspec.Raw | msgspec.UnsetType:
        if response is msgspec.UNSET:
            return response
        value = json.loads(bytes(response), parse_int=Number, parse_float=Number)
        return msgspec.Raw(msgspec.json.encode(self._value("", value)))

    def _value(self, field: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {self._name(name): self._value(name, item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._value(field, item) for item in value]
        return self._scalar(field, value) if isinstance(value, str) else value

    def _name(self, name: str) -> str:
        return name if is_name(name) and not self._tells_secret(name) else self._replaced("name", self._piece(name))

    def _scalar(self, field: str, text: Any, *, is_scaled: bool = True) -> Any:
        """What stands for one text or number. Unquoted whole numbers of an ambiguous name (`total`) are counts."""
        is_number = isinstance(text, Number)
        kind: Kind = "other" if self._tells_secret(text) else kind_of(field, text)
        if kind == "amount":
            is_count = is_number and field == "total" and bool(_WHOLE_NUMBER.fullmatch(text))
            told = str(text) if is_count or not is_scaled else self._amount(text)
            return msgspec.Raw(told.encode()) if is_number else told
        if kind != "other" or not text:
            self.kept[kind] += bool(text)
            return msgspec.Raw(text.encode()) if is_number else text
        if is_number:
            return msgspec.Raw(self._replaced("number", self._number(str(text))).encode())
        return self._known(text) or self._replaced("text", self._path(text) if _is_path(text) else self._text(text))

    def _amount(self, text: str) -> str:
        if self._allowed.factor is None:
            self.kept["amount"] += 1
            return str(text)
        return self._replaced("amount", canonical(product(Decimal(text), self._allowed.factor)))

    def _known(self, text: str) -> str:
        """The venue's own words in a text, alone: by them its errors are told."""
        return next((known for known in self._allowed.texts if known in text and not self._tells_secret(known)), "")

    def _path(self, text: str) -> str:
        """A path or text, piece by piece: an id in it has the stand-in that it has alone."""
        return "".join(piece if _PIECES.fullmatch(piece) else self._piece(piece) for piece in _PIECES.split(text))

    def _piece(self, piece: str) -> str:
        is_kept = piece in self._allowed.words or not piece or bool(_SMALL.fullmatch(piece))
        return piece if is_kept and not self._tells_secret(piece) else self._text(piece)

    def _tells_secret(self, text: str) -> bool:
        return any(form in text for form in self._secret_forms)

    def _replaced(self, kind: str, text: str) -> str:
        self.replaced[kind] += 1
        return text


def words_of(texts: Iterable[str]) -> frozenset[str]:
    """The words of a venue's documented paths and parameters; what stands in braces is a place for others."""
    return frozenset(piece for text in texts for piece in _PIECES.split(text) if "{" not in piece)


def _is_path(text: str) -> bool:
    return text.startswith(("/", "http://", "https://"))
