"""What servers do to a reader: they break off, drop blocks, count wrongly, forget, lag, and speak as old software does."""

import pytest
from tests.stage import loopback
from tests.venues.cosmos.chain import Chain, Spelling
from tests.venues.cosmos.purse import Purse

from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.venues.cosmos.search import DIALECTS, LISTS, ROWS, Dialect

ATOM = "uatom"
SOFTWARE: list[tuple[Dialect, Spelling]] = [("query", "numbered"), ("pages", "plain"), ("events", "base64")]


@pytest.mark.parametrize(("dialect", "spelling"), SOFTWARE)
async def test_a_walk_that_is_broken_off_anywhere_goes_on(dialect: Dialect, spelling: Spelling) -> None:
    """Each read ends after one page, as a process that dies; more is paid between them, many payments of it in one block."""
    chain = Chain(dialect=dialect, spelling=spelling)
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    for n in range(2 * ROWS):
        chain.pay(bob, me, {ATOM: 1_000 + n})
    for tx in chain.txs[20:]:
        tx.height = chain.txs[20].height
    for _ in range(10):
        chain.pay(me, bob, {ATOM: 7}, fee=1)
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        for n in range(60):
            pages = await purse.sync(pages_max=2)
            if n == 3:
                chain.pay(bob, me, {ATOM: 5})
                chain.mine(2)
            if pages[-1].done and n > 3:
                break
        await purse.sync()
        assert len(purse.claims) == 2 * ROWS + 11
        assert purse.summed() == purse.total()
        chain.asked.clear()
        chain.pay(bob, me, {ATOM: 9})
        chain.mine(2)
        await purse.sync()
        assert purse.summed() == purse.total()
    searches = [path for path in chain.asked if path.endswith("/txs")]
    # Each question in a wrong form costs one more; a list that is asked by pages is asked for its last one again.
    assert len(searches) <= len(LISTS) + 2 + (dialect == "pages") * 3


@pytest.mark.parametrize("dialect", ["query", "events"])
async def test_a_node_that_dropped_old_blocks_says_from_when_on_it_tells(dialect: Dialect) -> None:
    chain = Chain(first=5_200_791, dialect=dialect)
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    early = chain.pay(bob, me, {ATOM: 1_000_000})
    chain.mine(5)
    late = chain.pay(bob, me, {ATOM: 2_000_000})
    chain.lowest = chain.height
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        pages = await purse.sync()
        assert set(purse.claims) == {late} != {early}
        gap = purse.gaps["history_pruned"]
        begun = chain.at(chain.lowest)
        assert (gap.start, gap.end) == (None, begun)
        assert pages[-1].covered[0].start == begun
        chain.mine(100)
        chain.lowest = chain.height - 5
        chain.pay(bob, me, {ATOM: 3_000_000})
        chain.mine(2)
        again = await purse.sync()
    assert again[-1].gaps[0].code == "history_pruned"
    assert len(purse.claims) == 2


async def test_a_node_of_another_chain_or_behind_gives_nothing() -> None:
    chain = Chain()
    me = chain.address("me")
    chain.mine(9)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
        chain.height -= 3
        with pytest.raises(VenueUnavailable, match="behind"):
            await purse.sync()
        chain.chain_id = "provider"
        with pytest.raises(VenueBadResponse, match="another chain than cosmoshub-4"):
            await purse.sync()


@pytest.mark.parametrize("dialect", ["query", "pages"])
async def test_a_transaction_that_the_software_has_forgotten_costs_itself_alone(dialect: Dialect) -> None:
    """A node refuses a whole page for it; the others of the page are asked for one by one, and what is missing is said."""
    chain = Chain(dialect=dialect)
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    names = [chain.pay(bob, me, {ATOM: 1_000 + n}) for n in range(70)]
    chain.forgotten = {names[3], names[52], names[69]}
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
        assert set(purse.claims) == set(names) - chain.forgotten
        assert purse.gaps["events_unread"].text.startswith("the node lists ")
        chain.pay(bob, me, {ATOM: 5})
        chain.mine(2)
        await purse.sync()
    assert len(purse.claims) == 68


@pytest.mark.parametrize("dialect", ["query", "pages"])
async def test_a_count_that_is_too_high_is_not_believed(dialect: Dialect) -> None:
    chain = Chain(dialect=dialect)
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**12})
    for n in range(ROWS + 7):
        chain.pay(bob, me, {ATOM: 1_000 + n})
    chain.mine(2)
    chain.overcount = 60
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
    assert len(purse.claims) == ROWS + 7
    assert purse.summed() == purse.total()


async def test_a_server_that_gives_shorter_pages_is_read_to_the_end_or_not_at_all() -> None:
    """By height the next question begins where a page ended; by pages alone nobody could tell how long the next server's are."""
    for dialect in DIALECTS[:2]:
        chain = Chain(dialect=dialect)
        me, bob = chain.address("me"), chain.address("bob")
        chain.found(bob, {ATOM: 10**12})
        for n in range(45):
            chain.pay(bob, me, {ATOM: 1_000 + n})
        chain.mine(2)
        chain.page_rows_max = 20
        async with loopback(chain.answer) as url:
            purse = Purse(url, chain.row, me)
            if dialect == "pages":
                with pytest.raises(VenueBadResponse, match="fewer than the 50"):
                    await purse.sync()
            else:
                await purse.sync()
                assert purse.summed() == purse.total()


async def test_old_software_that_finds_no_stakes_says_that_there_are_none() -> None:
    chain = Chain()
    me = chain.address("me")
    chain.has_staking = "old"
    chain.found(me, {ATOM: 5})
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        await purse.sync()
    assert (purse.held["staked"], set(purse.gaps)) == ({}, {"contracts_unread"})


@pytest.mark.parametrize("status", [400, 500])
async def test_a_state_that_a_server_does_not_have_ends_the_read(status: int) -> None:
    """One server of many is behind the one that told the newest block: no balance is taken from another moment."""
    chain = Chain()
    me = chain.address("me")
    chain.found(me, {ATOM: 5})
    chain.mine(5)
    chain.gone_status = status
    del chain.states[chain.height - 1]
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        with pytest.raises(VenueUnavailable):
            await purse.sync()
    assert purse.held == {}


async def test_a_node_that_cannot_be_searched_or_keeps_to_no_order_is_told() -> None:
    chain = Chain()
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**9})
    for n in range(3):
        chain.pay(bob, me, {ATOM: n + 1})
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        chain.is_indexed = False
        with pytest.raises(VenueBadResponse, match="indexing is disabled"):
            await purse.sync()
        chain.is_indexed = True
        chain.txs.reverse()
        with pytest.raises(VenueBadResponse, match="order"):
            await purse.sync()
        chain.txs.reverse()
        await purse.sync()
    assert purse.summed() == purse.total()


async def test_a_busy_node_is_asked_again_and_one_that_stays_busy_ends_the_read() -> None:
    chain = Chain()
    me, bob = chain.address("me"), chain.address("bob")
    chain.found(bob, {ATOM: 10**9})
    chain.pay(bob, me, {ATOM: 5})
    chain.mine(2)
    async with loopback(chain.answer) as url:
        purse = Purse(url, chain.row, me)
        chain.faults = [("/balances/", 503), ("/txs", 429), ("/txs", 503)]
        await purse.sync()
        assert purse.summed() == purse.total() == {"ATOM": "0.000005"}
        chain.faults = [("/txs", 429)] * 20
        with pytest.raises(VenueBusy):
            await purse.sync()
