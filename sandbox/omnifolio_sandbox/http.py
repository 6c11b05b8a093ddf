"""Requests and responses of the simulated servers, without a web framework: handlers take one and give the other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import msgspec

ENCODER = msgspec.json.Encoder(decimal_format="number")
BODY_MAX_BYTES = 1_048_576


@dataclass(slots=True)
class Trace:
    """What the call log keeps of a call: never a key, secret or signature."""

    weight: int = 0
    label: str | None = None


@dataclass(frozen=True)
class Request:
    """One call; `path` is what the venue sees, i.e. without the sandbox's prefix."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes
    prefix: str = ""
    trace: Trace = field(default_factory=Trace)

    @cached_property
    def query(self) -> dict[str, str]:
        """Query parameters; of a repeated one the last."""
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @cached_property
    def form(self) -> dict[str, str]:
        """Fields of a form body, or of a JSON object with plain values."""
        if self.headers.get("content-type", "").startswith("application/json"):
            found = msgspec.json.decode(self.body or b"{}")
            return {str(name): _plain(value) for name, value in found.items()} if isinstance(found, dict) else {}
        return dict(parse_qsl(self.body.decode(errors="replace"), keep_blank_values=True))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@dataclass(frozen=True)
class Response:
    """One answer."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON; Decimals become bare numbers, exactly as they are written."""
    return Response(status, ENCODER.encode(value), headers or {})


def seconds(at_ms: int, extra: int = 0) -> Decimal:
    """Epoch seconds with milliseconds and one digit below them, as venues with microsecond clocks print."""
    return Decimal(at_ms * 10 + extra).scaleb(-4)
