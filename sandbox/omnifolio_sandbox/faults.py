"""Scripted faults: what a venue may do wrong, for chosen calls.

A fault names a venue, a path (`*` at the end matches what follows; `*` alone everything) and optionally a method and a user,
and which of the matching calls it hits (`nth`: 1 is the first after the fault was set; absent: all of them). What it does:
`status` and `body` answer in the venue's place, `effect` spoils the answer, `delay_ms` holds it back, and `skew_ms`
moves the server's clock for the call.
"""

import gzip
from functools import lru_cache
from typing import Any, Literal

import msgspec

from omnifolio_sandbox import credentials
from omnifolio_sandbox.http import Request, Response, answer

Effect = Literal[
    "empty_object", "empty_list", "half", "html", "reset", "drop_page", "rate_limit", "ban", "gzip_bomb"
]  # fmt: skip
DELAY_MAX_MS = 120_000
RETRY_AFTER_S = 7
BAN_S = 120
BOMB_BYTES = 64 * 1024 * 1024
HTML = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"
ROWS = (
    "ledger", "trades", "closed", "deposit", "withdrawals", "items", "rows", "data", "fills", "accounts", "list",
    "userAssetDribblets", "balances", "transactions",
)  # fmt: skip


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One scripted fault; `seen` counts the calls that it matched."""

    venue: str
    path: str = "*"
    method: str | None = None
    user: str | None = None
    nth: int | list[int] | None = None
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = {}
    effect: Effect | None = None
    delay_ms: int = 0
    skew_ms: int = 0
    seen: int = 0

    def is_about(self, request: Request) -> bool:
        """Whether the fault is about calls like this one."""
        path = self.path.removesuffix("*")
        fits = request.path == self.path or (path != self.path and request.path.startswith(path))
        is_of_user = self.user is None or credentials.user_in(request.headers) == self.user
        return self.venue in {"*", request.prefix} and fits and self.method in {None, request.method} and is_of_user

    def hits(self) -> bool:
        """Whether the call that was counted last is one of those that the fault hits."""
        if self.nth is None:
            return True
        return self.seen in ([self.nth] if isinstance(self.nth, int) else self.nth)


class Faults:
    """The script of a running sandbox."""

    def __init__(self) -> None:
        self.script: list[Fault] = []

    def add(self, body: bytes) -> None:
        """Add a fault or a list of faults, as JSON.

        Raises: ValueError or msgspec.ValidationError for one that is not understood.
        """
        found = msgspec.json.decode(body, type=list[Fault] | Fault)
        for fault in found if isinstance(found, list) else [found]:
            if not 0 <= fault.delay_ms <= DELAY_MAX_MS:
                raise ValueError(f"delay_ms {fault.delay_ms} is not between 0 and {DELAY_MAX_MS}")
            if fault.status is not None and not 200 <= fault.status <= 599:
                raise ValueError(f"status {fault.status} is not between 200 and 599")
            self.script.append(fault)

    def hitting(self, request: Request) -> list[Fault]:
        """Count the call, and give the faults that hit it."""
        found = []
        for fault in self.script:
            if fault.is_about(request):
                request.trace.label = fault.user or request.trace.label
                fault.seen += 1
                if fault.hits():
                    found.append(fault)
        return found


def replaced(fault: Fault, request: Request) -> Response | None:
    """The answer that the fault gives without asking the venue; None if the venue is asked."""
    if fault.status is not None:
        body = fault.body.encode() if isinstance(fault.body, str) else msgspec.json.encode(fault.body)
        return Response(fault.status, b"" if fault.body is None else body, fault.headers)
    match fault.effect:
        case "empty_object":
            return answer({})
        case "empty_list":
            return answer([])
        case "html":
            return Response(502, HTML, {}, "text/html")
        case "gzip_bomb":
            return Response(200, _bomb(), {"Content-Encoding": "gzip"})
        case "rate_limit":
            return _limited(request.prefix)
        case "ban":
            return _banned(request.prefix)
    return None


def spoiled(fault: Fault, response: Response) -> Response:
    """What the fault makes of the venue's own answer."""
    if fault.effect == "half":
        return Response(response.status, response.body[: len(response.body) // 2], response.headers)
    if fault.effect == "drop_page":
        emptied = _emptied(msgspec.json.decode(response.body))
        return Response(response.status, msgspec.json.encode(emptied), response.headers)
    return response


def _limited(venue: str) -> Response:
    retry = {"Retry-After": str(RETRY_AFTER_S)}
    if venue == "kraken":
        return answer({"error": ["EAPI:Rate limit exceeded"]})
    if venue == "okx":
        return answer({"code": "50011", "data": [], "msg": "Too Many Requests"}, 429)
    if venue == "bybit":
        return answer({"retCode": 10006, "retMsg": "Too many visits!", "result": {}, "retExtInfo": {}, "time": 0})
    if venue == "binance":
        return answer({"code": -1003, "msg": "Too much request weight used."}, 429, retry)
    return answer({"errors": [{"id": "rate_limit_exceeded", "message": "Too many requests"}]}, 429, retry)


def _banned(venue: str) -> Response:
    if venue == "kraken":
        return answer({"error": ["EGeneral:Temporary lockout"]})
    if venue == "bybit":
        return Response(403, b"access too frequent", {}, "text/plain")
    return answer({"code": -1003, "msg": "Way too much request weight used; IP banned."}, 418, {"Retry-After": str(BAN_S)})


def _emptied(value: Any) -> Any:
    """The answer with its rows taken out, its counts and cursors left as they are."""
    if isinstance(value, list):
        return []
    if isinstance(value, dict):
        for name in ROWS:
            if isinstance(value.get(name), list | dict):
                return {**value, name: type(value[name])()}
        if isinstance(value.get("result"), dict | list):
            return {**value, "result": _emptied(value["result"])}
    return value


@lru_cache(maxsize=1)
def _bomb() -> bytes:
    """A small body that unpacks to 64 MiB."""
    return gzip.compress(b" " * BOMB_BYTES, compresslevel=9)
