"""What the parsers of most venues do alike: rows become claims of the stream's own book, and several answers become snapshots.

A snapshot is told only when every answer that it needs is whole: what is missing is a gap, never an empty wallet.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from msgspec import Struct

from omnifolio.model.amounts import total
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Balance, Claim, Evidence, Gap, Kind, Leg, Product, Snapshot, Status
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import (
    Context,
    Page,
    Parser,
    Seen,
    SnapshotParser,
    decode,
    distinct,
    expect_dict,
    expect_list,
    read_list,
)

RowsOf = Callable[[Evidence], list[Any]]
"""The rows in an answer. Raises: VenueBadResponse for an answer of another form, the venue's errors included."""

Held = tuple[str, Product, TokenId, Decimal]
"""Wallet, product, token and amount that a row of a balance answer tells."""

Edges = Callable[[Evidence], Mapping[str, Any]]
"""Fields of `Seen` that an answer states beside its rows: `total`, `next`, `has_more`."""


def rows_at(*path: str) -> RowsOf:
    """Rows that lie at a path of objects; "" is the answer itself."""

    def rows(evidence: Evidence) -> list[Any]:
        body = decode(evidence)
        for name in path:
            body = expect_dict(body, evidence, where="the answer").get(name)
        return expect_list(body, evidence, where=".".join(path) or "the answer")

    return rows


def coded_rows(good: int, *path: str) -> RowsOf:
    """As `rows_at`, of an answer that bears a code: any other than `good` is a refusal, whatever lies beside it."""
    rows_of = rows_at(*path)

    def rows(evidence: Evidence) -> list[Any]:
        body = decode(evidence)
        if isinstance(body, dict) and body.get("code", good) != good:
            raise VenueBadResponse(f"{evidence.request}: the venue answered with an error")
        return rows_of(evidence)

    return rows


def named_rows(evidence: Evidence) -> list[Any]:
    """The entries of an answer that is an object by token or market, as rows of their own: `{"asset": name, "value": entry}`.

    An empty list stands for an empty object at venues that know no difference. Raises: VenueBadResponse.
    """
    body = decode(evidence)
    if body == []:
        return []
    return [{"asset": name, "value": value} for name, value in expect_dict(body, evidence, where="the answer").items()]


def no_edges(evidence: Evidence) -> Mapping[str, Any]:
    """An answer that states nothing beside its rows."""
    return {}


def history(rows_of: RowsOf, read: Callable[[Context, Any], Claim | None], edges: Edges = no_edges) -> Parser:
    """The parser of a history whose rows become a claim each; None for a row that another stream tells."""

    def parse(context: Context, evidence: Evidence) -> Page:
        rows = rows_of(evidence)
        claims: list[Claim] = []

        def take(row: Any) -> None:
            claim = read(context, row)
            if claim is not None:
                claims.append(claim)

        gaps = read_list(context, rows, take)
        times = [claim.at for claim in claims]
        seen = Seen(
            rows=distinct(len(rows), claims),
            oldest=min(times, default=None),
            newest=max(times, default=None),
            **edges(evidence),
        )
        return Page(seen=seen, claims=claims, gaps=gaps)

    return parse


def told(
    context: Context,
    *,
    ref: object,
    at: EpochMs,
    kind: Kind,
    legs: Iterable[Leg],
    label: object = "",
    status: Status = "confirmed",
    event: str | None = None,
    book: str = "",
    rank: int = 0,
    shared: tuple[str, ...] = (),
    name: object = "",
) -> Claim:
    """A claim named by `ref` in the stream's own book, unless another is given. What failed moved nothing; zeros are no legs.

    `shared` are names of the event that other books know too. Raises: InvalidField for a row without a name.
    """
    if ref in (None, ""):
        raise InvalidField("id: the row has none")
    place = book or context.kind
    return Claim(
        book=place,
        rank=rank,
        ref=str(ref),
        refs=(*shared, f"{context.codes.venue}:{place}/{ref}"),
        name=str(name or ref),
        at=at,
        kind=kind,
        legs=tuple(leg for leg in legs if leg.amount) if status in ("confirmed", "pending") else (),
        label=str(label or ""),
        status=status,
        event=event,
        evidence=0,
    )


def fill(
    side: Any, *, base: TokenId, quote: TokenId, amount: Decimal, cost: Decimal, fee: Decimal, fee_token: TokenId, wallet: str
) -> tuple[Leg, ...]:
    """The legs of a fill; a negative fee is a rebate. Raises: InvalidField for a side that is neither buy nor sell."""
    sign = {"buy": 1, "sell": -1}.get(str(side).lower())
    if sign is None:
        raise InvalidField("side: expected buy or sell")
    return (
        Leg("base", wallet, base, sign * amount),
        Leg("quote", wallet, quote, -sign * cost),
        Leg("fee", wallet, fee_token, -fee, "fee"),
    )


def any_answer(evidence: Evidence) -> bool:
    """Any answer at a source's path."""
    return True


class Source(Struct, frozen=True, kw_only=True):
    """One balance call: how its path ends, where its rows lie, what a row holds, and which (wallet, product) need the call.

    `is_one` tells its answers from others at the same path.
    """

    path_end: str
    is_one: Callable[[Evidence], bool] = any_answer
    rows_of: RowsOf
    read: Callable[[Context, Any], Iterable[Held]]
    tells: tuple[tuple[str, Product], ...]


def snapshots(*sources: Source) -> SnapshotParser:
    """The parser of balances out of several calls. Raises: VenueBadResponse when none of them tells anything."""

    def parse(context: Context, evidence: Sequence[Evidence]) -> Page:
        gaps: list[Gap] = []
        sums: dict[tuple[str, Product], dict[TokenId, list[Decimal]]] = {}
        missing: set[tuple[str, Product]] = set()
        refused: VenueBadResponse | None = None
        rows_read = 0
        for source in sources:
            answers = [item for item in evidence if item.request.endswith(source.path_end) and source.is_one(item)]
            try:
                rows = [row for item in answers for row in source.rows_of(item)]
            except VenueBadResponse as error:
                refused, rows, answers = error, [], []
                gaps.append(Gap(stream=context.stream, code=error.code, text=error.message))
            held: list[Held] = []
            bad = read_list(context, rows, partial(_hold, source, context, held))
            gaps += bad
            rows_read += len(rows)
            if bad or not answers:
                missing |= set(source.tells)
            for wallet, product, token, amount in held:
                sums.setdefault((wallet, product), {}).setdefault(token, []).append(amount)
        needed = dict.fromkeys(place for source in sources for place in source.tells)
        assert sums.keys() <= needed.keys(), "a row told what its call does not tell"
        whole = [place for place in needed if place not in missing]
        if refused and not whole:
            raise refused
        at = received_at(evidence)
        return Page(
            seen=Seen(rows=rows_read), snapshots=[_snapshot(place, sums.get(place, {}), at) for place in whole], gaps=gaps
        )

    return parse


def _hold(source: Source, context: Context, held: list[Held], row: Any) -> None:
    held.extend(source.read(context, row))


def _snapshot(place: tuple[str, Product], held: Mapping[TokenId, list[Decimal]], at: EpochMs) -> Snapshot:
    sums: Iterator[tuple[TokenId, Decimal]] = ((token, total(amounts)) for token, amounts in sorted(held.items()))
    balances = tuple(Balance(token, amount) for token, amount in sums if amount)
    return Snapshot(wallet=place[0], product=place[1], at=at, balances=balances, evidence=0)
