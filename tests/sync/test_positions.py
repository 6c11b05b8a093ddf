"""What is open is read in every round, after the balances and before the history, and asks for history when it moves."""

from collections.abc import AsyncIterator, Sequence

from tests.ledger.builders import Book, batch, position, snapshot, stands
from tests.sync.test_refresh import OpenDoor, StandingClock

from omnifolio.ledger import accounts, coverage
from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import HOUR_MS
from omnifolio.model.errors import VenueUnavailable
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.store.engine import Store
from omnifolio.sync.refresh import Refresher
from omnifolio.venues.contract import Access, Stream

BALANCES, POSITIONS, TRADES = "balances/all", "positions/usdm", "trades/all"
SLICES_MAX = 5


class Exchange:
    """A venue with one balance that never moves and one position; notes what is read, in order."""

    def __init__(self) -> None:
        self.was_read: list[str] = []
        self.size, self.profit = "1", "0"
        self.is_down = False

    def streams(self, access: Access) -> Sequence[Stream]:
        return (
            Stream(name=TRADES, look_back_ms=0),
            Stream(name=POSITIONS, is_positions=True),
            Stream(name=BALANCES, is_balances=True),
        )

    async def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        self.was_read.append(since.stream)
        if since.stream == BALANCES:
            yield batch(stream=BALANCES, snapshots=[snapshot({"USD": "1000"}, wallet="futures", product="collateral")], done=True)
        elif since.stream == POSITIONS:
            if self.is_down:
                raise VenueUnavailable
            yield batch(stream=POSITIONS, positions=(stands(position("A", self.size, self.profit)),), done=True)
        else:
            yield batch(stream=TRADES, done=True)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        raise NotImplementedError

    async def certificate(self, access: Access) -> Certificate:
        raise NotImplementedError


async def rounds(store: Store, book: Book, exchange: Exchange, clock: StandingClock) -> list[str]:
    """One round, asked for now; what it reads, in order."""
    exchange.was_read.clear()
    who, account = book.principal, book.account
    assert who.user is not None
    clock.now_ms += HOUR_MS
    await store.write(lambda conn: accounts.postpone(conn, account, until=clock.now()))
    door = OpenDoor(exchange, {"egress": None, "clock": clock})
    refresher = Refresher(store=store, clock=clock, doorkeeper=door, interval_ms=HOUR_MS, keep_bodies=False)
    for _ in range(SLICES_MAX):
        if await refresher.slice(accounts.Due(account, who.user, who.team), owner="w"):
            return exchange.was_read
    raise AssertionError("the round does not end")


async def test_positions_are_read_each_time_and_history_when_one_moves(store: Store) -> None:
    book, exchange, clock = await Book.open(store), Exchange(), StandingClock()
    assert await rounds(store, book, exchange, clock) == [BALANCES, POSITIONS, TRADES]
    exchange.profit = "5"
    assert await rounds(store, book, exchange, clock) == [BALANCES, POSITIONS], "a price has moved, nothing happened"
    assert await book.stood() == {"futures/usdm/A": "1 5"}
    exchange.size = "0.5"
    assert await rounds(store, book, exchange, clock) == [BALANCES, POSITIONS, TRADES]


async def test_a_venue_that_does_not_tell_them_closes_none(store: Store) -> None:
    book, exchange, clock = await Book.open(store), Exchange(), StandingClock()
    await rounds(store, book, exchange, clock)
    exchange.is_down = True
    await rounds(store, book, exchange, clock)
    assert await book.stood() == {"futures/usdm/A": "1 0"}
    account = await store.read(accounts.get, book.principal, book.account, clock.now())
    assert (account.status, account.progress["balances"]) == ("retry", "retry")
    assert [(gap.stream, gap.is_failure) for gap in await store.read(coverage.gaps_of, book.account)] == [(POSITIONS, True)]
    exchange.is_down = False
    await rounds(store, book, exchange, clock)
    assert await store.read(coverage.gaps_of, book.account) == []
