"""Errors on the wire: one body that RFC 9457 readers and Vezgo's SDKs both understand, from the one table in `model.errors`."""

import logging
from typing import Any, Final

import msgspec
from litestar.exceptions import HTTPException, MethodNotAllowedException, NotFoundException, ValidationException
from litestar.types import Scope

from omnifolio.faces.api.wire import ProblemOut
from omnifolio.model.errors import (
    CallerError,
    InvalidField,
    MethodNotAllowed,
    NotFound,
    OmnifolioError,
    TooLarge,
    UnsupportedMedia,
)
from omnifolio.model.ids import WireIds

MEDIA_TYPE: Final = "application/problem+json"
MESSAGE_LENGTH_MAX = 400

_log = logging.getLogger("omnifolio.api")
_encode = msgspec.json.Encoder().encode


def refusal(error: BaseException, scope: Scope) -> OmnifolioError:
    """What an exception means to the caller. What nobody foresaw is logged by its type and place, and answered without detail."""
    if isinstance(error, OmnifolioError):
        if error.status >= 500:
            _log.error("request_failed code=%s method=%s", error.code, scope.get("method"))
        return error
    if isinstance(error, HTTPException):
        return _of_framework(error)
    _log.error("request_crashed error=%s method=%s", type(error).__name__, scope.get("method"), exc_info=error)
    return OmnifolioError()


def _of_framework(error: HTTPException) -> OmnifolioError:
    if isinstance(error, ValidationException):
        return InvalidField(_first_complaint(error))
    if isinstance(error, NotFoundException):
        return NotFound("there is nothing at this address")
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed()
    if error.status_code == 413:
        return TooLarge()
    if error.status_code == 415:
        return UnsupportedMedia()
    if 400 <= error.status_code < 500:
        return CallerError("the request body is not valid JSON of the expected shape")
    return OmnifolioError()


def _first_complaint(error: ValidationException) -> str:
    """`limit: Expected int <= 1000`. The framework's own text repeats the query, which may hold anything."""
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        first: dict[str, Any] = extra[0]
        name, text = str(first.get("key", "")), str(first.get("message", ""))
        if text:
            return f"{name}: {text}"[:MESSAGE_LENGTH_MAX] if name and name != "data" else text[:MESSAGE_LENGTH_MAX]
    return "the request body is missing or not of the expected shape"


def problem(error: OmnifolioError, *, request_id: str, path: str, ids: WireIds) -> tuple[int, dict[str, str], bytes]:
    """The status, extra headers and body of an error."""
    body = ProblemOut(
        type=error.docs_url,
        title=(type(error).__doc__ or "").split("\n", 1)[0],
        status=error.status,
        detail=error.message,
        instance=path[:MESSAGE_LENGTH_MAX],
        message=error.message,
        error=error.message,
        code=error.code,
        blame=error.blame,
        retry=error.retry,
        action=error.action,
        request_id=request_id,
        docs_url=error.docs_url,
        **_existing(error, ids),
    )
    headers: dict[str, str] = {}
    retry_after = error.extra.get("retry_after_s")
    if isinstance(retry_after, int | float):
        headers["retry-after"] = str(max(1, int(-(-retry_after // 1))))
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    return error.status, headers, _encode(body)


def _existing(error: OmnifolioError, ids: WireIds) -> dict[str, Any]:
    existing = error.extra.get("existing")
    if not isinstance(existing, int):
        return {}
    wire = ids.wire("account", existing)
    return {"existing_institution_id": wire, "existing_connection_id": wire}
