"""Answers of routes: encoded once, with the responses that each operation documents."""

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Response
from litestar.openapi.datastructures import ResponseSpec

from omnifolio.faces.api.problems import MEDIA_TYPE
from omnifolio.faces.api.wire import ProblemOut

_encode = msgspec.json.Encoder().encode
_REFUSALS: Mapping[int, str] = {
    400: "The request is not as it should be.",
    401: "No valid token.",
    403: "The token does not allow this.",
    404: "Nothing is here for this user.",
    409: "It collides with what exists.",
    413: "The request is too large.",
    415: "The request body is of a kind that is not read.",
    429: "Too many requests.",
    500: "Something went wrong here.",
    503: "The database or the vault cannot be reached.",
}


def encoded(value: object) -> bytes:
    """A value as JSON."""
    return _encode(value)


def answer(value: object, *, status: int = 200) -> Response[bytes]:
    """A value as the whole answer."""
    return Response(_encode(value), status_code=status, media_type="application/json")


def responses(
    kind: Any, *, status: int = 200, text: str = "", refusals: tuple[int, ...] = (), media_type: str = "application/json"
) -> dict[int, ResponseSpec]:
    """What an operation answers, for its description: `kind` with `status`, and problems."""
    spec = ResponseSpec(kind, generate_examples=False, description=text or "As asked.", media_type=media_type)
    found = {status: spec}
    for code in (400, *refusals, 413, 415, 429, 500, 503):
        found[code] = ResponseSpec(ProblemOut, generate_examples=False, media_type=MEDIA_TYPE, description=_REFUSALS[code])
    return found
