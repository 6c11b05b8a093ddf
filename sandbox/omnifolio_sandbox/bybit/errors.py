"""Bybit's errors, its envelope, and the checks of parameters that raise them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

Params = Mapping[str, str]


class BybitError(Exception):
    """A refusal by code; the status is 200 nearly always."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def envelope(result: Any, now_ms: int, *, code: int = 0, message: str = "OK") -> dict[str, Any]:
    """The form of every answer."""
    return {"retCode": code, "retMsg": message, "result": result, "retExtInfo": {}, "time": now_ms}


def required(params: Params, name: str) -> str:
    """A parameter that has to be there."""
    if not params.get(name):
        raise BybitError(10001, f"Request parameter error: {name} is required.")
    return params[name]


def whole(params: Params, name: str) -> int | None:
    """A whole number, None if absent."""
    value = params.get(name, "")
    if not value:
        return None
    if not value.isdigit():
        raise BybitError(10001, f"Request parameter error: {name} is not a number.")
    return int(value)


def limit(params: Params, name: str, *, default: int, most: int) -> int:
    """A page size. One that is too large is refused."""
    found = whole(params, name)
    if found is not None and not 1 <= found <= most:
        raise BybitError(10001, f"Request parameter error: {name} must be between 1 and {most}.")
    return found or default


def window(
    params: Params,
    now_ms: int,
    *,
    span_ms: int,
    default_ms: int,
    names: tuple[str, str] = ("startTime", "endTime"),
    unit_ms: int = 1,
) -> tuple[int, int]:
    """The asked time in epoch milliseconds, both ends included; refused where it is longer than the span."""
    start, end = whole(params, names[0]), whole(params, names[1])
    if start is None and end is None:
        return now_ms - default_ms, now_ms
    first = start * unit_ms if start is not None else (end or 0) * unit_ms - default_ms
    last = end * unit_ms + unit_ms - 1 if end is not None else first + default_ms
    if first > last:
        raise BybitError(10001, f"Request parameter error: {names[0]} is later than {names[1]}.")
    if last - first > span_ms + unit_ms - 1:
        raise BybitError(10001, f"The interval between the {names[0]} and {names[1]} is incorrect")
    return first, last


def page(rows: list[dict[str, Any]], params: Params, *, most: int, default: int) -> tuple[list[dict[str, Any]], str]:
    """Up to a page of the rows after the cursor, and the cursor of the next page, "" after the last."""
    # Clients send the token as they got it, or encode it once more: both are understood.
    token = unquote(params.get("cursor", ""))
    begin = 0
    if token:
        head, _, tail = token.partition(":")
        if head != "row" or not tail.isdigit():
            raise BybitError(10001, "Request parameter error: cursor is not one of ours.")
        begin = int(tail)
    size = limit(params, "limit", default=default, most=most)
    end = begin + size
    return rows[begin:end], f"row%3A{end}" if end < len(rows) else ""
