"""What the position parsers of most venues do alike: rows become open positions, and all of a scope become one snapshot.

A snapshot is told only when every row is read: what is missing is a gap, never a closed position.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from omnifolio.model.amounts import parse_amount
from omnifolio.model.errors import InvalidField, VenueBadResponse
from omnifolio.model.facts import Component, Evidence, Gap, Position, PositionSnapshot
from omnifolio.model.tokens import TokenId
from omnifolio.venues.contract import received_at
from omnifolio.venues.exchanges.answers import Context, Page, Seen, SnapshotParser, read_list
from omnifolio.venues.exchanges.telling import RowsOf, any_answer

Contracts = Mapping[str, Mapping[str, Any]]
"""What the venue says of contracts, by its names of them."""

ReadPosition = Callable[[Context, Any, Contracts], Position | None]
"""A row of the answer; None for one that is closed. Raises: what `answers.UNREADABLE` names."""


def no_contracts(evidence: Sequence[Evidence]) -> Contracts:
    """Nothing: the rows say everything themselves."""
    return {}


def positions(
    *,
    path_end: str,
    rows_of: RowsOf,
    wallet: str,
    read: ReadPosition,
    contracts_of: Callable[[Sequence[Evidence]], Contracts] = no_contracts,
    is_one: Callable[[Evidence], bool] = any_answer,
    scope: str = "",
) -> SnapshotParser:
    """The parser of the answers whose path ends so, beside those that describe contracts.

    `is_one` tells them from others at the same path; `scope` is the stream's own unless it is given. Without such an answer
    nothing is told. Raises: VenueBadResponse.
    """

    def parse(context: Context, evidence: Sequence[Evidence]) -> Page:
        answers = [item for item in evidence if item.request.endswith(path_end) and is_one(item)]
        if not answers:
            return Page(seen=Seen(rows=0))
        rows = [row for item in answers for row in rows_of(item)]
        contracts = contracts_of([item for item in evidence if item not in answers])
        found: list[Position] = []

        def take(row: Any) -> None:
            position = read(context, row, contracts)
            if position is not None:
                found.append(position)

        gaps = read_list(context, rows, take)
        told = PositionSnapshot(
            wallet=wallet,
            scope=scope or context.scope,
            at=received_at(evidence),
            positions=tuple(sorted(found, key=lambda position: position.key)),
            evidence=0,
        )
        return Page(seen=Seen(rows=len(rows)), positions=[] if gaps else [told], gaps=gaps)

    return parse


def together(balances: SnapshotParser, *standing: SnapshotParser) -> SnapshotParser:
    """The parser of balances and of positions that are read with them. Raises: VenueBadResponse as that of balances does."""

    def parse(context: Context, evidence: Sequence[Evidence]) -> Page:
        page = balances(context, evidence)
        for told in standing:
            try:
                beside = told(context, evidence)
            except VenueBadResponse as error:
                beside = Page(seen=page.seen, gaps=[Gap(stream=context.stream, code=error.code, text=error.message)])
            gaps = [gap for gap in beside.gaps if gap not in page.gaps]
            page = replace(page, positions=[*page.positions, *beside.positions], gaps=[*page.gaps, *gaps])
        return page

    return parse


def several(*standing: SnapshotParser) -> SnapshotParser:
    """The parser of positions that several calls tell, each of them some of the wallets."""
    return together(lambda context, evidence: Page(seen=Seen(rows=0)), *standing)


def by_name(rows: Sequence[Any], field: str) -> Contracts:
    """Rows that describe contracts, by the field that names them."""
    return {str(row[field]): row for row in rows if isinstance(row, dict) and field in row}


def described(contracts: Contracts, name: str) -> Mapping[str, Any]:
    """What is said of a contract. Raises: InvalidField when nothing is."""
    if name not in contracts:
        raise InvalidField(f"{name[:40]}: the venue does not describe this contract")
    return contracts[name]


def optional(row: Mapping[str, Any], field: str) -> Decimal | None:
    """An amount that may be missing or empty. Raises: InvalidAmount."""
    raw = row.get(field)
    return None if raw in (None, "") else parse_amount(raw, where=field)


def nonzero(row: Mapping[str, Any], field: str) -> Decimal | None:
    """An amount where zero means that there is none: a price that does not exist. Raises: InvalidAmount."""
    return optional(row, field) or None


def unrealised(token: TokenId, amount: Decimal) -> tuple[Component, ...]:
    """Profit or loss that no balance shows."""
    return (Component("unrealised", token, amount),)


def worth(token: TokenId, amount: Decimal) -> tuple[Component, ...]:
    """What an option would bring; one that was sold is owed. Its premium moved when it was traded."""
    return (Component("value", token, amount),)
