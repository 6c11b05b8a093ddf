"""What can be written: a line for each target, with its header and how a page of transactions becomes its rows."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from omnifolio.exports import coinledger, cointracker, cointracking, koinly, omnifolio
from omnifolio.exports.movement import Movement, movements
from omnifolio.exports.table import Cell
from omnifolio.model.errors import NotFound
from omnifolio.model.ids import AccountId, WireIds
from omnifolio.views.transactions import TransactionPage


class PageRows(Protocol):
    """The rows that a target makes of a page of transactions."""

    def __call__(self, page: TransactionPage, *, ids: WireIds, accounts: Mapping[AccountId, str]) -> Iterator[tuple[Cell, ...]]:
        """Rows in the order of the page. `accounts` has the name of each account for people."""
        ...


class Target(Struct, frozen=True, kw_only=True):
    """One program's file."""

    id: str
    name: str
    header: Sequence[str]
    rows: PageRows
    is_quoted: bool = False


def _by_movement(rows: Callable[[Movement], Iterator[tuple[Cell, ...]]]) -> PageRows:
    def made(page: TransactionPage, *, ids: WireIds, accounts: Mapping[AccountId, str]) -> Iterator[tuple[Cell, ...]]:
        for movement in movements(page, ids=ids, accounts=accounts):
            yield from rows(movement)

    return made


TARGETS: Mapping[str, Target] = {
    target.id: target
    for target in (
        Target(id="omnifolio", name="Omnifolio CSV", header=omnifolio.HEADER, rows=omnifolio.rows),
        Target(id="koinly", name="Koinly", header=koinly.HEADER, rows=_by_movement(koinly.rows)),
        Target(id="cointracker", name="CoinTracker", header=cointracker.HEADER, rows=_by_movement(cointracker.rows)),
        Target(id="coinledger", name="CoinLedger", header=coinledger.HEADER, rows=_by_movement(coinledger.rows)),
        Target(
            id="cointracking",
            name="CoinTracking",
            header=cointracking.HEADER,
            rows=_by_movement(cointracking.rows),
            is_quoted=True,
        ),
    )
}


def target_of(name: str) -> Target:
    """The target of an id. Raises: NotFound naming those that there are."""
    found = TARGETS.get(name)
    if found is None:
        raise NotFound(f"no export is called {name[:40]!r}; there are {', '.join(TARGETS)}")
    return found
