"""The reader, the rounds and the ledger together: what a chain did to an address is proved, whatever broke off in between."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy.engine import Connection
from tests.ledger.builders import Book, at
from tests.stage import Hurry, loopback
from tests.venues.cosmos.chain import Chain
from tests.venues.cosmos.purse import Purse

from omnifolio.ledger import accounts, coverage
from omnifolio.ledger.rebuild import rebuild
from omnifolio.model.accounts import Principal
from omnifolio.model.amounts import ZERO, canonical
from omnifolio.model.clock import HOUR_MS, EpochMs
from omnifolio.model.facts import Batch, Evidence
from omnifolio.store.engine import Store
from omnifolio.sync.credentials import Doorkeeper
from omnifolio.sync.refresh import Refresher
from omnifolio.transport.egress import Egress
from omnifolio.venues.contract import Access, Known, Reader
from omnifolio.venues.cosmos.reader import READER
from omnifolio.venues.cosmos.rest import rules_of
from omnifolio.views.reconciled import Reconciliation, reconciliation

ATOM = "uatom"
SLICES_MAX = 10


class ChainDoor(Doorkeeper):
    """Opens every account as one of the chain, at its server."""

    def __init__(self, chain: Chain, **access: Any) -> None:
        self._chain, self._access = chain, access

    @asynccontextmanager
    async def open(self, principal: Principal, account: accounts.Account, known: Known) -> AsyncIterator[tuple[Reader, Access]]:
        yield READER, Access(venue=self._chain.row.id, key_label="test", known=known, **self._access)


class Round:
    """Rounds of one account at a chain's server, as a worker makes them."""

    def __init__(self, book: Book, chain: Chain, url: str, address: str) -> None:
        self.book, self.clock = book, Hurry()
        self.egress = Egress(clock=self.clock, sleep=self.clock.sleep)
        self.egress.allow(chain.row.id, rules_of(url, is_configured=True))
        door = ChainDoor(chain, egress=self.egress, clock=self.clock, fields={"wallet": address}, base_url=url)
        self.refresher = Refresher(store=book.store, clock=self.clock, doorkeeper=door, interval_ms=HOUR_MS, keep_bodies=True)

    async def go(self) -> None:
        """One round to its end. Raises: AssertionError when it has none."""
        who, account = self.book.principal, self.book.account
        await self.book.store.write(lambda conn: accounts.postpone(conn, account, until=self.clock.now()))
        assert who.user is not None
        for _ in range(SLICES_MAX):
            if await self.refresher.slice(accounts.Due(account, who.user, who.team), owner="w"):
                return
        raise AssertionError("the round does not end")

    async def state(self) -> Reconciliation:
        def op(conn: Connection) -> Reconciliation:
            return reconciliation(conn, self.book.principal, self.book.account, EpochMs(self.clock.now()))

        return await self.book.store.read(op)


async def opened(store: Store, chain: Chain) -> Book:
    """A book whose account is one of the chain, and not leased."""
    book = await Book.open(store)
    await store.write(lambda conn: accounts.release(conn, book.account, fence=book.fence))
    return book


async def test_a_life_with_stakes_is_proved_and_unstaking_needs_no_transaction(store: Store) -> None:
    chain = Chain("osmosis")
    coin = chain.row.coin
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {coin: 10**12})
    chain.pay(bob, me, {coin: 9_000_000})
    chain.delegate(me, 5_000_000, fee=100)
    chain.undelegate(me, 2_000_000, fee=100)
    chain.mine(2)
    book = await opened(store, chain)
    async with loopback(chain.answer) as url:
        work = Round(book, chain, url, me)
        await work.go()
        wallet = chain.row.wallet(me)
        assert await book.held() == {f"{wallet}/spot/OSMO": "3.9998", f"{wallet}/staked/OSMO": "5"}
        first = await work.state()
        chain.complete(me)
        chain.mine(2)
        await work.go()
        assert await book.held() == {f"{wallet}/spot/OSMO": "5.9998", f"{wallet}/staked/OSMO": "3"}
        second = await work.state()
        await work.egress.close()
    assert (first.state, second.state) == ("proved", "proved")
    assert await book.calculated() == {f"{wallet}/OSMO": "8.9998"}
    assert [(row.type, row.name == tx.name) for row, tx in zip(await book.transactions(), chain.txs, strict=True)] == [
        ("deposit", True),
        ("staking", True),
        ("unstaking", True),
    ]
    (covered,) = (await store.read(coverage.intervals_of, book.account))["transfers/osmosis"]
    assert covered.start == 0


async def test_rewards_that_wait_are_explained_and_leave_the_rest_proved(store: Store) -> None:
    chain = Chain()
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    chain.pay(bob, me, {ATOM: 9_000_000})
    chain.delegate(me, 5_000_000)
    chain.earn(me, 1_234)
    chain.mine(2)
    book = await opened(store, chain)
    async with loopback(chain.answer) as url:
        work = Round(book, chain, url, me)
        await work.go()
        first = await work.state()
        chain.withdraw(me)
        chain.earn(me, 7)
        chain.mine(2)
        await work.go()
        second = await work.state()
        await work.egress.close()
    for state, reward in ((first, "0.001234"), (second, "0.000007")):
        assert [(line.verdict.state, line.wallet.key.endswith("/rewards")) for line in state.lines] == [
            ("proved", False),
            ("explained", True),
        ]
        assert (state.state, canonical(state.lines[1].difference or ZERO)) == ("explained", reward)
        assert [reason.code for reason in state.lines[1].verdict.reasons] == ["rewards_not_listed"]


async def test_slashing_is_not_explained_by_any_transaction(store: Store) -> None:
    """Coins that a chain takes for a validator's fault go in a block: the difference stays open, and says how much."""
    chain = Chain()
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    chain.pay(bob, me, {ATOM: 9_000_000})
    chain.delegate(me, 5_000_000)
    chain.mine(2)
    book = await opened(store, chain)
    async with loopback(chain.answer) as url:
        work = Round(book, chain, url, me)
        await work.go()
        chain.state.staked[me] -= 250_000
        chain.mine(2)
        await work.go()
        state = await work.state()
        await work.egress.close()
    (line,) = state.lines
    assert (state.state, str(line.difference)) == ("open", "-0.25")


async def test_the_ledger_is_derived_again_from_the_evidence_of_a_chain(store: Store) -> None:
    chain = Chain(spelling="base64", dialect="events")
    chain.trace_path = "denom_traces"
    strange = "ibc/" + "AB" * 32
    chain.origins[strange] = ("uxyz", "transfer/channel-9")
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12, strange: 10**6})
    for n in range(60):
        chain.pay(bob, me, {ATOM: 1_000 + n, strange: 3})
    chain.act(me, ("/cosmos.bank.v1beta1.MsgSend",), fee=500, code=5)
    chain.mine(2)
    book = await opened(store, chain)
    async with loopback(chain.answer) as url:
        work = Round(book, chain, url, me)
        await work.go()
        chain.pay(me, bob, {strange: 100}, fee=7)
        chain.mine(2)
        await work.go()
        await work.egress.close()
        purse = Purse(url, chain.row, me)
        await purse.sync()
    before = await book.transactions(), await book.calculated()
    assert len(before[0]) == len(purse.claims) == 62
    assert before[1] == {f"{chain.row.wallet(me)}/{ticker}": amount for ticker, amount in purse.summed().items()}

    def decode(stream: str, evidence: Sequence[Evidence]) -> Batch:
        return READER.decode(chain.row.id, stream, evidence)

    done = await store.write_sync(rebuild, book.principal, book.account, decode, now=at(9))
    assert (done.changed, done.taken_back) == (0, 0)
    assert (await book.transactions(), await book.calculated()) == before


@pytest.mark.parametrize("broken", [1, 2, 3, 5, 8, 11])
async def test_a_round_that_a_server_breaks_off_goes_on_where_it_was(store: Store, broken: int) -> None:
    """The server is gone from the n-th search on until the next round; rows of each page are there once, and none is missed."""
    chain = Chain()
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    for n in range(110):
        chain.pay(bob, me, {ATOM: 1_000 + n})
        chain.pay(me, bob, {ATOM: 7}, fee=1)
    chain.mine(2)
    book = await opened(store, chain)
    async with loopback(chain.answer) as url:
        work = Round(book, chain, url, me)
        chain.breaks_after = broken
        for _ in range(3):
            await work.go()
            chain.breaks_after = None
        state = await work.state()
        await work.egress.close()
    assert len(await book.transactions()) == 220
    assert state.state == "proved"
