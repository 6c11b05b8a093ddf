"""A round reads every stream once, whatever the clocks say."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.ledger.builders import Book, at, batch, claim, leg, snapshot

from omnifolio.ledger import accounts
from omnifolio.model.accounts import Certificate, Principal
from omnifolio.model.clock import HOUR_MS, MINUTE_MS, SECOND_MS, EpochMs
from omnifolio.model.errors import VenueUnavailable
from omnifolio.model.facts import Batch, Claim, Cursor, Evidence, Finality
from omnifolio.store.engine import Store
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.refresh import Refresher
from omnifolio.venues.contract import Access, Known, Reader, Stream

STREAMS = (Stream(name="balances/all", is_balances=True), Stream(name="trades/all"), Stream(name="rewards/all"))
SLICES_MAX = 10


class StandingClock:
    """A clock that moves only when it is told to."""

    def __init__(self) -> None:
        self.now_ms = int(at(0))

    def now(self) -> EpochMs:
        return EpochMs(self.now_ms)

    def monotonic(self) -> float:
        return self.now_ms / SECOND_MS


class CountedReader:
    """A venue of three streams that has something new in its balances each time; notes what is read, and fails where told."""

    def __init__(self) -> None:
        self.was_read: list[str] = []
        self.failing = ""
        self.meanwhile: Callable[[], None] = lambda: None
        self.looks = 0
        self.is_still = False
        self.claims: tuple[Claim, ...] = ()
        self.hidden: tuple[Stream, ...] = ()

    def streams(self, access: Access) -> Sequence[Stream]:
        return STREAMS + (self.hidden if STREAMS[-1].name in access.known.cursors else ())

    async def read(self, access: Access, since: Cursor) -> AsyncIterator[Batch]:
        self.was_read.append(since.stream)
        self.meanwhile()
        if since.stream == self.failing:
            raise VenueUnavailable
        if since.stream == STREAMS[0].name:
            self.looks += not self.is_still
            yield batch(stream=since.stream, snapshots=[snapshot({"BTC": str(self.looks)})], done=True)
        else:
            yield batch(*(self.claims if since.stream == STREAMS[1].name else ()), stream=since.stream, done=True)

    def decode(self, venue: str, stream: str, evidence: Sequence[Evidence]) -> Batch:
        raise NotImplementedError

    async def certificate(self, access: Access) -> Certificate:
        raise NotImplementedError


class OpenDoor(Doorkeeper):
    """Opens every account, and needs no secret for it."""

    def __init__(self, reader: Reader, access: Mapping[str, Any]) -> None:
        self._reader_of_all, self._access = reader, access

    @asynccontextmanager
    async def open(self, principal: Principal, account: accounts.Account, known: Known) -> AsyncIterator[tuple[Reader, Access]]:
        yield self._reader_of_all, Access(venue=account.venue, key_label="test", known=known, **self._access)


class Work:
    """An account of which rounds are made."""

    def __init__(self, book: Book, store: Store) -> None:
        self.book, self.store, self.clock, self.venue = book, store, StandingClock(), CountedReader()
        door = OpenDoor(self.venue, {"egress": None, "clock": self.clock})
        self.refresher = Refresher(store=store, clock=self.clock, doorkeeper=door, interval_ms=HOUR_MS, keep_bodies=False)

    async def round(self) -> list[str]:
        """One round, asked for now; what it reads."""
        self.venue.was_read.clear()
        who, account = self.book.principal, self.book.account
        await self.store.write(lambda conn: accounts.postpone(conn, account, until=self.clock.now()))
        assert who.user is not None, "the book has an owner"
        due = accounts.Due(account, who.user, who.team)
        for _ in range(SLICES_MAX):
            if await self.refresher.slice(due, owner="w"):
                return sorted(self.venue.was_read)
        raise AssertionError("the round does not end")


@pytest.fixture
async def work(store: Store) -> Work:
    return Work(await Book.open(store), store)


ALL = sorted(stream.name for stream in STREAMS)


async def test_a_round_that_begins_in_the_millisecond_in_which_the_last_one_ended_reads_everything(work: Work) -> None:
    assert await work.round() == ALL
    assert await work.round() == ALL


async def test_a_stream_that_failed_in_the_same_millisecond_is_read_again(work: Work) -> None:
    work.venue.failing = "trades/all"
    assert await work.round() == ALL
    assert await work.round() == ALL


@pytest.mark.parametrize("step_ms", [-MINUTE_MS, MINUTE_MS])
async def test_another_machine_whose_clock_differs_reads_everything_once(work: Work, step_ms: int) -> None:
    assert await work.round() == ALL
    work.clock.now_ms += step_ms
    assert await work.round() == ALL


async def test_streams_that_a_round_has_found_are_read_in_it(work: Work) -> None:
    work.venue.hidden = (Stream(name="margin/all"),)
    assert await work.round() == sorted([*ALL, "margin/all"])


async def test_a_clock_that_goes_back_within_a_round_makes_nothing_unread(work: Work) -> None:
    def go_back() -> None:
        work.clock.now_ms -= MINUTE_MS

    work.venue.meanwhile = go_back
    assert await work.round() == ALL


@pytest.mark.parametrize("finality", ["pending", "provisional"])
async def test_history_is_read_while_a_part_of_it_is_not_settled(work: Work, finality: Finality) -> None:
    """A payment that waits for a block has moved the balance already, so nothing else would bring its confirmation."""
    await work.round()
    work.venue.is_still = True
    assert await work.round() == [STREAMS[0].name]
    waiting = claim("a", leg("in 1 BTC"), finality=finality, height=None if finality == "pending" else 7)
    settled = claim("a", leg("in 1 BTC"), height=7)
    work.venue.is_still, work.venue.claims = False, (waiting,)
    assert await work.round() == ALL
    work.venue.is_still, work.venue.claims = True, (settled,)
    assert await work.round() == ALL
    assert await work.round() == [STREAMS[0].name]
