"""What one raw answer of an exchange is turned into, and how a bad row costs that row alone.

JSON is decoded so that no number ever becomes a binary float: integers stay integers of any size, all others stay text.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidAmount, InvalidField, VenueBadResponse
from omnifolio.model.facts import Claim, Evidence, Gap, Order, PositionSnapshot, Snapshot
from omnifolio.venues.contract import Known
from omnifolio.venues.exchanges.codes import Codes
from omnifolio.venues.exchanges.rights import Rights

ROW_NAME_LENGTH_MAX = 60
NAME_FIELDS = (
    *("id", "refid", "orderNo", "orderId", "tranId", "transId", "purchaseId", "redeemId", "transactID"),
    *("deposit_id", "withdraw_id", "deal_id", "asset", "symbol"),
)
UNREADABLE = (KeyError, InvalidAmount, InvalidField, TypeError, ValueError, AttributeError, IndexError)
"""What reading a row may raise when the row, not our code, is at fault."""

KEY_START = "key_start"
"""The parameter under which an introspection's answer brings the first letters of the key that asked: enough to find its own row
among the user's keys, which venues show masked."""

_DECODER = msgspec.json.Decoder(float_hook=str)
_latest: list[tuple[bytes | None, Any]] = [(None, None)]
REMEMBERED_BYTES_MAX = 4_000_000
"""Answers beyond this size are decoded each time rather than kept."""


class Context(Struct, frozen=True):
    """The question whose answers are parsed: stream name, its kind and scope, and the venue's words."""

    stream: str
    kind: str
    scope: str
    codes: Codes
    networks: Mapping[str, str]


class Seen(Struct, frozen=True, kw_only=True):
    """What the pager must know of a page: it steps on by this alone.

    `rows` distinct rows, readable or not: a row that the venue repeats in a page moves no offset. `total` rows of the whole
    question where the venue says so. `next` the venue's token of the following page, "" for none. `has_more` where it is stated.
    `open_id` the oldest row that may still change: the next round begins there.
    """

    rows: int
    oldest: EpochMs | None = None
    newest: EpochMs | None = None
    last_id: str = ""
    open_id: str = ""
    total: int | None = None
    next: str = ""
    has_more: bool | None = None


class Page(Struct, frozen=True, kw_only=True):
    """The facts of one answer."""

    seen: Seen
    claims: list[Claim] = []
    orders: list[Order] = []
    snapshots: list[Snapshot] = []
    positions: list[PositionSnapshot] = []
    gaps: list[Gap] = []


Parser = Callable[[Context, Evidence], Page]
"""One answer of a history stream. Raises: VenueBadResponse."""

SnapshotParser = Callable[[Context, Sequence[Evidence]], Page]
"""All answers of a stream of balances or positions together; a call that failed has none. Raises: VenueBadResponse."""

JoinedParser = Callable[[Context, Sequence[Evidence]], Page]
"""One answer of a history stream, first, and those of the stream's lookups. Raises: VenueBadResponse."""


def nowhere(stream: str) -> str | None:
    """No token to go on from: the finding starts anew."""
    return None


class Scopes(Struct, frozen=True, kw_only=True):
    """Streams that are to be read from their beginning now, and the finder's own next token.

    `progress` the finder's token after one of the streams, where it can go on from there. `keeps_empty` remembers a stream
    that has no rows by its cursor, so that later rounds ask it again.
    """

    streams: tuple[str, ...]
    token: str
    progress: Callable[[str], str | None] = nowhere
    keeps_empty: bool = True
    gaps: list[Gap] = []


def products_token(at: EpochMs, opened: Iterable[str]) -> str:
    """The token of a finder of products: when it asked, and what the account has opened."""
    return json.dumps({"at": at, "open": sorted(opened)})


def open_products(token: str) -> frozenset[str]:
    """What a finder of products has found open. A token that cannot be read names nothing."""
    try:
        return frozenset(json.loads(token)["open"]) if token else frozenset()
    except (ValueError, KeyError, TypeError):
        return frozenset()


def one_page(call: str, last: Evidence | None) -> dict[str, str] | None:
    """The question of a call that has a single answer."""
    return {} if last is None else None


def asked_once(call: str, answers: Sequence[Evidence]) -> list[dict[str, str]]:
    """A call that needs nothing of what others answered."""
    return [{}]


def same(scope: str) -> str:
    """The scope itself."""
    return scope


def always(context: Context, known: Known, token: str, now: EpochMs) -> bool:
    """Every time."""
    return True


def no_scopes(context: Context, known: Known, token: str, answers: Sequence[Evidence]) -> Scopes:
    """The scopes of a venue whose streams have none."""
    return Scopes(streams=(), token=token)


def no_scope(payload: Any) -> str:
    """No scope."""
    return ""


def as_it_is(payload: Any) -> list[Any]:
    """The payload alone."""
    return [payload]


def rights_untold(evidence: Evidence) -> Rights:
    """The rights of a key at a venue that has no introspection."""
    return Rights(granted=(), is_known=False)


class Quirks(Struct, frozen=True, kw_only=True):
    """All that a venue's module gives.

    `parsers`   stream kind → parser of one answer; `snapshots` all answers of balances or of positions, `joined` of
                histories with lookups.
    `rights`    the introspection's answer → rights, where the row has a `permission_probe`.
    `asked`     what a call is asked about, out of the answers of the calls before it: once for each item of the list.
    `following` the question of a call's next page after its last answer (None before the first), or None after the last page.
    `is_due`    whether the finder of scopes has anything to ask; `scopes` what to read anew, out of its answers;
                `scope_value` a stream's scope as the venue spells it.
    `scope_of`  the scope that a recorded payload tells itself, "" for none; `forms` the answers that a recorded payload may
                have been before it was taken out of its envelope; `apart` the answers that it holds together.
    """

    parsers: Mapping[str, Parser] = {}
    snapshots: Mapping[str, SnapshotParser]
    joined: Mapping[str, JoinedParser] = {}
    rights: Callable[[Evidence], Rights] = rights_untold
    asked: Callable[[str, Sequence[Evidence]], list[dict[str, str]]] = asked_once
    following: Callable[[str, Evidence | None], dict[str, str] | None] = one_page
    is_due: Callable[[Context, Known, str, EpochMs], bool] = always
    scopes: Callable[[Context, Known, str, Sequence[Evidence]], Scopes] = no_scopes
    scope_value: Callable[[str], str] = same
    scope_of: Callable[[Any], str] = no_scope
    forms: Callable[[Any], list[Any]] = as_it_is
    apart: Callable[[Any], list[Any]] = as_it_is


def decode(evidence: Evidence) -> Any:
    """The answer's JSON, not to be changed: rows, edges and errors of one answer are looked for in the same tree.

    Raises: VenueBadResponse naming the call.
    """
    body, tree = _latest[0]
    if body is evidence.body:
        return tree
    try:
        tree = _DECODER.decode(evidence.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise VenueBadResponse(f"{evidence.request}: the answer is not JSON") from None
    if len(evidence.body) <= REMEMBERED_BYTES_MAX:
        _latest[0] = evidence.body, tree
    return tree


def expect_list(value: object, evidence: Evidence, *, where: str) -> list[Any]:
    """`value` if it is a list. Raises: VenueBadResponse."""
    if not isinstance(value, list):
        raise VenueBadResponse(f"{evidence.request}: expected a list in {where}, got {type(value).__name__}")
    return value


def expect_dict(value: object, evidence: Evidence, *, where: str) -> dict[str, Any]:
    """`value` if it is an object. Raises: VenueBadResponse."""
    if not isinstance(value, dict):
        raise VenueBadResponse(f"{evidence.request}: expected an object in {where}, got {type(value).__name__}")
    return value


def distinct(rows: int, claims: Sequence[Claim]) -> int:
    """How many of a page's rows are different ones; unreadable rows count as they stand."""
    return rows - len(claims) + len({claim.ref for claim in claims})


def read_rows(context: Context, rows: Iterable[tuple[str, Any]], read: Callable[[str, Any], object]) -> list[Gap]:
    """Reads each (name, row) with `read`; a row that cannot be read becomes a gap that names it and the field."""
    gaps: list[Gap] = []
    for name, row in rows:
        try:
            read(name, row)
        except UNREADABLE as error:
            gaps.append(_unreadable(context, name, error))
    return gaps


def read_list(context: Context, rows: Iterable[Any], read: Callable[[Any], object]) -> list[Gap]:
    """As `read_rows` for rows that carry their own names."""
    gaps: list[Gap] = []
    for place, row in enumerate(rows, start=1):
        try:
            read(row)
        except UNREADABLE as error:
            gaps.append(_unreadable(context, _name_of(row, place), error))
    return gaps


def _name_of(row: Any, place: int) -> str:
    """What the row is called in a gap: its id, else its place on the page."""
    for field in NAME_FIELDS:
        if isinstance(row, dict) and row.get(field):
            return str(row[field])
    return f"number {place}"


def _unreadable(context: Context, name: str, error: Exception) -> Gap:
    if isinstance(error, KeyError):
        reason = f"field {error.args[0]!r} is missing"
    elif isinstance(error, InvalidAmount | InvalidField):
        reason = error.message
    else:
        reason = f"it is not of the documented form ({type(error).__name__})"
    text = f"row {name[:ROW_NAME_LENGTH_MAX]} of {context.kind} was left out: {reason}"
    return Gap(stream=context.stream, code="row_unreadable", text=text)
