"""OKX's errors, and the checks of parameters that raise them."""

from collections.abc import Mapping
from typing import Any

Params = Mapping[str, str]
PAGE_MAX = 100


class OkxError(Exception):
    """A refusal by code, with its HTTP status."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def required(params: Params, name: str) -> str:
    """A parameter that has to be there."""
    if not params.get(name):
        raise OkxError("50014", f"Parameter {name} can not be empty.", 400)
    return params[name]


def whole(params: Params, name: str) -> int | None:
    """A whole number, None if absent."""
    value = params.get(name, "")
    if not value:
        return None
    if not value.isdigit():
        raise OkxError("51000", f"Parameter {name} error", 400)
    return int(value)


def page(rows: list[dict[str, Any]], params: Params, *, field: str) -> list[dict[str, Any]]:
    """Up to a page of rows, newest first: those before `after` and behind `before`, both left out."""
    after, before, size = whole(params, "after"), whole(params, "before"), whole(params, "limit")
    if size is not None and not 1 <= size <= PAGE_MAX:
        raise OkxError("51000", "Parameter limit error", 400)
    chosen = [row for row in rows if (after is None or int(row[field]) < after) and (before is None or int(row[field]) > before)]
    return chosen[: size or PAGE_MAX]
