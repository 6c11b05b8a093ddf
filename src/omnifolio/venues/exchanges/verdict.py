"""What an exchange's answer means: a good one passes, a refusal becomes the one of our errors that says who must act."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from omnifolio.catalog.exchanges import ExchangeRow
from omnifolio.model.errors import (
    AccountLocked,
    BadCredentials,
    MissingPermission,
    ProductNotOpen,
    VenueBadResponse,
    VenueBanned,
    VenueBusy,
    VenueClockSkew,
    VenueError,
    VenueUnavailable,
)
from omnifolio.transport.egress import Answer
from omnifolio.transport.pacing import retry_after_s
from omnifolio.venues.exchanges import lazy_ccxt

ERROR_TEXT_LENGTH_MAX = 4096
BAN_DEFAULT_S = 15 * 60.0
BUSY_DEFAULT_S = 5.0
_CODE = re.compile(rb'"(?:code|retCode|id|error)"\s*:\s*\[?\s*"?(-?\d{1,9}|[A-Za-z][A-Za-z_: ]{1,60})"?')
_CLASSES: Mapping[str, type[VenueError]] = {
    cls.code: cls
    for cls in (
        AccountLocked,
        BadCredentials,
        MissingPermission,
        ProductNotOpen,
        VenueBadResponse,
        VenueBanned,
        VenueBusy,
        VenueClockSkew,
        VenueUnavailable,
    )
}


def check(exchange: Any, row: ExchangeRow, answer: Answer, *, method: str, url: str) -> None:
    """Passes an answer that carries data. `url` is the venue's own, as its error tables go by it.

    Raises: the ccxt error that names the refusal (see `translated`), or VenueBadResponse for what is no JSON answer at all.
    """
    if 300 <= answer.status < 400:
        raise VenueBadResponse(f"{row.id} answered with a redirect, and those are never followed", status=answer.status)
    content = answer.body.strip()
    parsed = None
    try:
        parsed = msgspec.json.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        if answer.status < 400:
            raise VenueBadResponse(f"{row.id} answered {answer.status} with something that is not JSON") from error
    text = content.decode("utf-8", errors="replace")
    try:
        exchange.handle_errors(answer.status, "", url, method, answer.headers, text, parsed, {}, None)
    except lazy_ccxt.errors().BaseError as error:
        error.answer = answer
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise VenueBadResponse(f"{row.id} answered {answer.status} in an unknown form", status=answer.status) from error
    if answer.status >= 400:
        raise _unexplained(answer, row, is_json=parsed is not None)


def _unexplained(answer: Answer, row: ExchangeRow, *, is_json: bool) -> Exception:
    """The error of a failing status that the exchange's own tables do not explain, as one of ccxt's or ours."""
    ccxt, status = lazy_ccxt.errors(), answer.status
    if status == 401:
        error = ccxt.AuthenticationError()
    elif status in (418, 429):
        error = ccxt.RateLimitExceeded()
    elif status == 403 and is_json:
        error = ccxt.PermissionDenied()
    elif status in (403, 408, 451) or status >= 500:
        error = ccxt.ExchangeNotAvailable()
    else:
        return VenueBadResponse(f"{row.id} answered {status}", status=status)
    error.answer = answer
    unexplained: Exception = error
    return unexplained


def translated(error: Exception, row: ExchangeRow, *, what: str) -> VenueError:
    """Our error for one of ccxt's. `what` names the call; nothing else of the message came from outside but the venue's code.

    `extra["kind"]` is ccxt's class, `extra["venue_code"]` the venue's own code where it stated one.
    """
    answer = getattr(error, "answer", None)
    body = answer.body[:ERROR_TEXT_LENGTH_MAX] if isinstance(answer, Answer) else b""
    status = answer.status if isinstance(answer, Answer) else 0
    found = _CODE.search(body)
    venue_code = found.group(1).decode() if found else ""
    cls = _class_of(error, row, status=status, body=body, venue_code=venue_code)
    message = f"{row.id}: {what}: {cls.__doc__ or ''}".strip() + (f" ({venue_code})" if venue_code else "")
    extra: dict[str, object] = {"kind": type(error).__name__, "venue_code": venue_code, "status": status}
    if issubclass(cls, VenueBusy):
        asked_s = retry_after_s(answer.headers, now=answer.received_at) if isinstance(answer, Answer) else 0.0
        least_s = BAN_DEFAULT_S if cls is VenueBanned and not asked_s else 0.0 if asked_s else BUSY_DEFAULT_S
        return cls(message, retry_after_s=max(asked_s, least_s), **extra)
    return cls(message, **extra)


def _class_of(error: Exception, row: ExchangeRow, *, status: int, body: bytes, venue_code: str) -> type[VenueError]:
    if status == 418:
        return VenueBanned
    for text, code in row.errors.items():
        # Digits alone are the venue's code; anywhere else in the body they mean nothing.
        if text == venue_code or (not text.isdigit() and text.encode() in body):
            return _CLASSES[code]
    ccxt = lazy_ccxt.errors()
    order: tuple[tuple[Any, type[VenueError]], ...] = (
        (ccxt.AccountSuspended, AccountLocked),
        (ccxt.PermissionDenied, MissingPermission),
        (ccxt.AuthenticationError, BadCredentials),
        (ccxt.InvalidNonce, VenueClockSkew),
        ((ccxt.DDoSProtection, ccxt.RateLimitExceeded), VenueBusy),
        (ccxt.BadResponse, VenueBadResponse),
        ((ccxt.OperationFailed, ccxt.RestrictedLocation), VenueUnavailable),
    )
    if status == 429:
        return VenueBusy
    for classes, ours in order:
        if isinstance(error, classes):
            return ours
    return VenueUnavailable if status >= 500 else VenueBadResponse
