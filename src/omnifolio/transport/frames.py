"""Which messages may be sent over a socket: default deny, whole shapes that are compared name by name and value by value.

A shape is written like the message itself. `<text>`, `<integer>` and `<flag>` in it stand for one plain value each, anything else
stands for itself, so a message has exactly the shape's names, nesting and words, and nothing beside them.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from omnifolio.model.errors import EgressRefused

Purpose = Literal["authenticate", "subscribe", "ping"]
Message = dict[str, Any] | str
"""What a venue's module builds: an object, or one of the fixed words that some venues take for a ping."""

FRAME_BYTES_MAX = 4_096
"""No login or subscription is longer."""
_TEXT = re.compile(r"[\x20-\x7e]{1,2048}")
_PLACES = frozenset({"<text>", "<integer>", "<flag>"})


class Frame(Struct, frozen=True, kw_only=True):
    """One kind of message that may be sent, and what for."""

    purpose: Purpose
    shape: Mapping[str, Any] | str


def written(message: object, frames: Iterable[Frame]) -> str:
    """The text of a message that has one of the shapes. Raises: EgressRefused, without a word of what was in the message.

    It is judged twice: as it was given, and as the text that will be on the wire reads.
    """
    known = tuple(frames)
    if not any(fits(frame.shape, message) for frame in known):
        raise EgressRefused("this message is on no list of those that may be sent")
    text = message if isinstance(message, str) else msgspec.json.encode(message).decode()
    read = text if isinstance(message, str) else json.loads(text, object_pairs_hook=_once)
    if len(text) > FRAME_BYTES_MAX or not any(fits(frame.shape, read) for frame in known):
        raise EgressRefused("this message does not read as it was built")
    return text


def fits(shape: object, value: object) -> bool:
    """Whether a value has the shape, in exactly the shape's types: nothing that only looks like them.

    >>> fits({"op": "ping", "id": "<integer>"}, {"op": "ping", "id": 7}), fits({"op": "ping"}, {"op": "ping", "id": 7})
    (True, False)
    """
    if isinstance(shape, str) and shape in _PLACES:
        if shape == "<integer>":
            return type(value) is int
        return type(value) is bool if shape == "<flag>" else type(value) is str and _TEXT.fullmatch(value) is not None
    if isinstance(shape, Mapping):
        return (
            type(value) is dict
            and all(type(name) is str for name in value)
            and shape.keys() == value.keys()
            and all(fits(shape[name], value[name]) for name in shape)
        )
    if isinstance(shape, list | tuple):
        return type(value) is list and len(value) == len(shape) and all(map(fits, shape, value))
    return type(value) is type(shape) and value == shape


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object whose names all differ. A name that comes twice is read in two ways by two readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise EgressRefused("a name comes twice in this message")
    return found
