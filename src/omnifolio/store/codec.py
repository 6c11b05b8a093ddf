"""How structs and documents become bytes in a column, and back."""

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from zlib_ng import zlib_ng

T = TypeVar("T")

COMPRESSION_LEVEL = 2
"""Of zlib-ng: smaller than level 1 of zlib, in half the time."""
BODY_BYTES_MAX = 64 * 1024 * 1024

_encoder = msgspec.msgpack.Encoder()
_text_of = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def pack(value: object) -> bytes:
    """A struct as MessagePack; decimals become exact strings."""
    return _encoder.encode(value)


def decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """A decoder of packed structs of one type; keep it, building one costs more than using it."""
    return msgspec.msgpack.Decoder(kind)


def squeeze(body: bytes) -> bytes:
    """An evidence body, compressed."""
    return zlib_ng.compress(body, COMPRESSION_LEVEL)


def unsqueeze(stored: bytes) -> bytes:
    """The evidence body. Raises: ValueError when it unpacks to more than 64 MiB."""
    unpacker = zlib.decompressobj()
    body = unpacker.decompress(stored, BODY_BYTES_MAX)
    if unpacker.unconsumed_tail:
        raise ValueError("evidence unpacks to more than 64 MiB")
    return body


def to_json(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """A small document as JSON text with sorted keys: the same value has the same text."""
    return _text_of(value)


def from_json(text: str) -> Any:
    """A document written by `to_json`."""
    return json.loads(text)
