"""The reader and the ledger together: blocks that are replaced, evidence that suffices, and sums that are proved."""

from collections.abc import Sequence

from tests.ledger.builders import Book, at
from tests.stage import Hurry, loopback
from tests.venues.account import access_to
from tests.venues.cardano.miniature import EPOCH, SPACE, Chain, Service, reward, stake
from tests.venues.cardano.wallet import NETWORK
from tests.venues.rounds import Rounds

from omnifolio.app.replay import replay_file
from omnifolio.ledger import coverage, read
from omnifolio.ledger.rebuild import rebuild
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.store.engine import Store
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Recorder, dump
from omnifolio.venues.cardano.koios import rules_of
from omnifolio.venues.cardano.reader import READER
from omnifolio.venues.contract import Known
from omnifolio.views.reconciled import reconciliation

STREAMS = ("balances/cardano", "transfers/cardano", "rewards/cardano")


async def sync(book: Book, url: str, address: str, *, pages_max: int = 1_000) -> None:
    """All streams on from the stored cursors, page by page, as a slice does."""
    left = pages_max
    for stream in STREAMS:
        stored = await book.store.read(read.known, book.principal, book.account)
        known = Known(tokens=stored.tokens, cursors=stored.cursors, provisional=stored.provisional)
        async with access_to(NETWORK.id, url, address, known=known) as access:
            async for page in READER.read(access, Cursor(stream, stored.cursors.get(stream, ""))):
                await book.commit(page)
                left -= 1
                if not left:
                    return


def lived() -> Chain:
    """Ann has been paid sixty times, has paid, and has earned and withdrawn."""
    found = Chain()
    found.assets[SPACE] = {"token_registry_metadata": {"ticker": "SPC", "decimals": 3}}
    own, bob, who = found.who("ann"), found.who("bob"), stake("ann")
    coins = [found.fund(own, 1_000_000 + n, SPACE=n + 1) for n in range(60)]
    found.act(coins[:2], [found.coin(bob, 500_000, SPACE=1), found.coin(own, 1_300_001, SPACE=2)])
    found.earned += [reward(who, EPOCH - 1, 700_000), reward(who, EPOCH, 800_000)]
    found.act([coins[5]], [found.coin(own, 1_500_005, SPACE=6)], withdrawals={who: 700_000})
    found.mine(100)
    return found


async def test_a_history_that_was_broken_off_is_whole_and_proved(store: Store) -> None:
    chain = lived()
    async with loopback(Service(chain, rows=1_000).answer) as url:
        book = await Book.open(store)
        await sync(book, url, stake("ann"), pages_max=2)
        first = {row.name: row.id for row in await book.transactions()}
        assert len(first) == 48
        await sync(book, url, stake("ann"))
        after = {row.name: row.id for row in await book.transactions()}
    assert len(after) == 64
    assert first.items() <= after.items()
    told = await store.read(reconciliation, book.principal, book.account, at(9))
    assert {(line.wallet.key.rpartition("/")[2], line.token.ticker): line.verdict.state for line in told.lines} == {
        (f"{NETWORK.caip2}:{stake('ann')}", "ADA"): "proved",
        (f"{NETWORK.caip2}:{stake('ann')}", "SPC"): "proved",
        ("rewards", "ADA"): "proved",
    }
    covered = (await store.read(coverage.intervals_of, book.account))["transfers/cardano"]
    assert [interval.start for interval in covered] == [0]


async def test_ids_return_with_the_blocks_and_everything_is_derived_again(store: Store) -> None:
    chain = Chain()
    own, who = chain.who("ann"), stake("ann")
    stays = chain.fund(own, 9_000_000)["tx_hash"]
    chain.mine(40)
    gone = chain.fund(own, 5_000_000)["tx_hash"]
    kept = list(chain.told)
    async with loopback(Service(chain, rows=1_000).answer) as url:
        book = await Book.open(store)
        await sync(book, url, who)
        before = {row.name: row.id for row in await book.transactions()}
        assert set(before) == {stays, gone}
        chain.replace(1)
        chain.mine(2)
        await sync(book, url, who)
        assert {row.name for row in await book.transactions()} == {stays}
        # The first branch wins after all: the transaction is there again, under the id that it had.
        chain.told, chain.salt = kept, 0
        chain.mine(40)
        await sync(book, url, who)
    assert {row.name: row.id for row in await book.transactions()} == before
    assert not (await store.read(read.known, book.principal, book.account)).provisional
    facts = await book.transactions(), await book.calculated()

    def decode(stream: str, evidence: Sequence[Evidence]) -> Batch:
        return READER.decode("cardano", stream, evidence)

    done = await store.write_sync(rebuild, book.principal, book.account, decode, now=at(9))
    assert done.changed == 0
    assert (await book.transactions(), await book.calculated()) == facts


async def test_whole_rounds_read_balances_history_and_rewards_and_heal_what_failed(store: Store) -> None:
    chain, who = lived(), stake("ann")
    service = Service(chain, rows=1_000)
    async with loopback(service.answer) as url:
        book = await Book.open(store)
        rounds = Rounds(book, READER, url, rules=rules_of(url, True), fields={"wallet": who}, venue="cardano")
        await rounds.round()
        assert len(await book.transactions()) == 64
        chain.fund(chain.who("ann", 1), 7_000_000)
        chain.earned.append(reward(who, EPOCH, 55, kind="reserves"))
        service.behind = 500
        await rounds.round()
        assert {gap.stream for gap in await store.read(coverage.gaps_of, book.account)} == {
            "balances/cardano",
            "transfers/cardano",
        }
        service.behind = 0
        chain.mine(100)
        await rounds.round()
    assert len(await book.transactions()) == 66
    assert await store.read(coverage.gaps_of, book.account) == []
    told = await store.read(reconciliation, book.principal, book.account, rounds.clock.now())
    assert told.state == "proved"


async def test_a_recorded_conversation_is_replayed_to_the_same_facts() -> None:
    clock, recorder, who = Hurry(), Recorder("cardano"), stake("ann")
    async with loopback(Service(lived(), rows=1_000).answer) as url:
        egress = Egress(clock=clock, sleep=clock.sleep, recorder=recorder)
        async with access_to(NETWORK.id, url, who, egress=egress) as access:
            pages = [page for stream in STREAMS for page in [found async for found in READER.read(access, Cursor(stream))]]
    cassette = recorder.cassette(recorded_at=clock.now(), fields={"wallet": who})
    lines = await replay_file(dump(cassette))
    stated = [canonical(leg.amount) for page in pages for claim in page.claims for leg in claim.legs]
    assert sorted(leg["amount"] for line in lines if line["kind"] == "transaction" for leg in line["legs"]) == sorted(stated)
    assert sum(line["kind"] == "balance" for line in lines) == sum(len(one.balances) for one in pages[0].snapshots)
    assert not [line for line in lines if line["kind"] == "problem"]
