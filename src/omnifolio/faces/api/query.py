"""The query parameters that several routes share, what they mean, and the window of time that they ask for."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated, Any, Literal

import msgspec
from litestar.params import QueryParameter
from msgspec import Struct

from omnifolio.ledger.read import PAGE_MAX
from omnifolio.meaning.classify import TYPES
from omnifolio.model.clock import EpochMs, day_of, end_of_day, start_of_day
from omnifolio.model.errors import InvalidField

LIMIT_DEFAULT = 100
WINDOW_DAYS = 365
"""Without `from`, the last so many days."""
DISTANT = EpochMs(2**53 - 1)
"""Later than anything: without `to` there is no upper end."""
NAME_LENGTH_MAX = 200
EXCLUDED_MAX = 50

Fiat = Annotated[
    str | None,
    QueryParameter(
        name="fiat", pattern="^[A-Za-z]{3}$", description="ISO 4217 currency of all values; the server's own by default."
    ),
]
From = Annotated[date | None, QueryParameter(name="from", description="First day (UTC), included. Default: 365 days ago.")]
To = Annotated[date | None, QueryParameter(name="to", description="Last day (UTC), included.")]
WalletId = Annotated[
    str | None, QueryParameter(name="wallet", max_length=NAME_LENGTH_MAX, description="Only this wallet, by its id.")
]
Last = Annotated[
    str | None,
    QueryParameter(name="last", max_length=64, description="The id of the last row of the page before; empty at first."),
]
Limit = Annotated[int | None, QueryParameter(name="limit", ge=1, le=PAGE_MAX, description="Rows on a page; 100 by default.")]
Sort = Annotated[Literal["asc", "desc"] | None, QueryParameter(name="sort", description="By time; newest first by default.")]
Ticker = Annotated[str | None, QueryParameter(name="ticker", max_length=NAME_LENGTH_MAX, description="Only with this ticker.")]
Types = Annotated[
    str | None, QueryParameter(name="types", max_length=NAME_LENGTH_MAX, description="Only these types, separated by commas.")
]
ExcludeFields = Annotated[
    str | None,
    QueryParameter(
        name="exclude_fields", max_length=2_000, description="Fields to leave out wherever they occur, separated by commas."
    ),
]


class Window(Struct, frozen=True):
    """Both ends included."""

    start: EpochMs
    end: EpochMs
    first: date
    last: date


def window(first: date | None, last: date | None, *, now: EpochMs) -> Window:
    """The asked days; by default the last 365 up to now. Raises: InvalidField when they are in the wrong order."""
    until = day_of(now) if last is None else last
    if first is None:
        first = max(date.min + timedelta(days=WINDOW_DAYS), until) - timedelta(days=WINDOW_DAYS)
    if last is not None and first > last:
        raise InvalidField(f"from: {first} is after to: {last}")
    return Window(start_of_day(first), DISTANT if last is None else end_of_day(last), first, until)


def currency(fiat: str | None, default: str) -> str:
    """The code in capitals."""
    return default if fiat is None else fiat.upper()


def types(text: str | None) -> tuple[str, ...]:
    """The asked transaction types. Raises: InvalidField naming those that there are."""
    asked = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip())) if text else ()
    for kind in asked:
        if kind not in TYPES:
            raise InvalidField(f"types: expected some of {', '.join(TYPES)}")
    return asked


def excluded(text: str | None) -> frozenset[str]:
    """Names of fields to leave out. Raises: InvalidField for too many."""
    names = frozenset(part.strip() for part in text.split(",") if part.strip()) if text else frozenset()
    if len(names) > EXCLUDED_MAX:
        raise InvalidField(f"exclude_fields: more than {EXCLUDED_MAX} names")
    return names


def without(rows: Sequence[Struct], names: frozenset[str]) -> object:
    """The rows without the named fields, at any depth; the id stays, because paging needs it."""
    return rows if not names else _pruned(msgspec.to_builtins(rows), names - {"id"})


def _pruned(value: Any, names: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _pruned(item, names) for name, item in value.items() if name not in names}
    if isinstance(value, list):
        return [_pruned(item, names) for item in value]
    return value
