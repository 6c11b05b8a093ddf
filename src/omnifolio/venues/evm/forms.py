"""The forms in which one and the same thing is written down: numbers as numbers, and four ways to list what moved inside.

Documents come from nodes, explorers and programs that decoded something already; here they become what a node would have said.
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from omnifolio.venues.evm.inner import Inner

T = TypeVar("T")

DEPTH_MAX = 1_024
_TEXTS = frozenset({"data", "input", "logsBloom"})
"""Fields that are no numbers, whatever they look like."""


def as_said(raw: Any, kind: type[T]) -> T:
    """The value as a node says it; numbers that stand there as numbers are taken, too. Raises: msgspec.ValidationError."""
    try:
        return msgspec.convert(raw, kind)
    except msgspec.ValidationError:
        return msgspec.convert(hexed(raw), kind)


def hexed(value: Any) -> Any:
    """The value with each plain number as a node writes it: 26 becomes `0x1a`."""
    if isinstance(value, dict):
        return {name: item if name in _TEXTS else hexed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [hexed(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    return value


def inner_of(raw: Any) -> list[Inner] | None:
    """The transfers inside a transaction out of any of the forms; None where there is none at all.

    Raises: msgspec.ValidationError for a row of none of these forms.
    """
    if raw is None:
        return None
    if isinstance(raw, dict):
        raw = list(_calls(raw, depth=0))
    return [msgspec.convert(_row(item), Inner) for item in _standing(raw)] if isinstance(raw, list) else []


def _standing(rows: list[Any]) -> list[Any]:
    """The rows without flat traces below a call that was undone: they themselves do not say that they were."""
    undone = {tuple(row["traceAddress"]) for row in rows if isinstance(row, dict) and "traceAddress" in row and row.get("error")}
    if not undone:
        return rows
    paths = [tuple(row.get("traceAddress", ())) for row in rows]
    return [row for row, path in zip(rows, paths, strict=True) if not any(path[:end] in undone for end in range(len(path) + 1))]


def _calls(call: Mapping[str, Any], *, depth: int) -> Iterator[dict[str, Any]]:
    """The calls of a call tracer that were not undone, below the first one."""
    if call.get("error") or depth > DEPTH_MAX:
        return
    for inner in call.get("calls") or ():
        if not inner.get("error"):
            yield inner
            yield from _calls(inner, depth=depth + 1)


def _row(item: Any) -> Any:
    """A row of any form as one of `txlistinternal`."""
    if not isinstance(item, dict):
        return item
    action = item.get("action")
    if isinstance(action, dict):  # a flat trace: the first one is the transaction itself
        is_whole = item.get("traceAddress") == []
        value = "0x0" if is_whole else action.get("value", action.get("balance", "0x0"))
        ends = {"from": action.get("from", action.get("address", "")), "to": action.get("to", action.get("refundAddress"))}
        made = (item.get("result") or {}).get("address")
        kind = action.get("callType") or item.get("type") or "call"
        row = {"value": value, "type": kind, "contractAddress": made, "isError": "1" if item.get("error") else "0", **ends}
    else:
        row = dict(item)
        for name in ("from", "to", "created_contract"):
            party = row.get(name)
            if isinstance(party, dict):
                row[name] = party.get("hash")
        row.setdefault("contractAddress", row.get("created_contract"))
        if row.get("success") is False or row.get("error"):
            row["isError"] = "1"
    plain = {name: str(item) if isinstance(item, int) and not isinstance(item, bool) else item for name, item in row.items()}
    return plain | {"value": _decimal(row.get("value"))}


def _decimal(value: Any) -> Any:
    """A value as explorers write it: a decimal text. What is no number stays what it is, and is refused where it is read."""
    if value is None:
        return "0"
    if isinstance(value, str) and value[:2] == "0x":
        try:
            return str(int(value, 16))
        except ValueError:
            return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
