"""The reader and the ledger together: ids that stay, evidence that suffices, and sums that are proved."""

from collections.abc import Sequence

from tests.ledger.builders import Book, at
from tests.stage import Hurry, loopback
from tests.venues.account import access_to
from tests.venues.rounds import Rounds
from tests.venues.xrpl.miniature import Ledger, Service, account, both, coins, put
from tests.venues.xrpl.test_reader import escrow
from tests.venues.xrpl.wallet import STREAMS

from omnifolio.app.replay import replay_file
from omnifolio.ledger import coverage, read
from omnifolio.ledger.rebuild import rebuild
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.store.engine import Store
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.transport.recording import Recorder, dump
from omnifolio.venues.xrpl.reader import READER
from omnifolio.views.reconciled import reconciliation


async def sync(book: Book, url: str, address: str, *, pages_max: int = 1_000) -> None:
    """Both streams on from the stored cursors, page by page, as a slice does."""
    left = pages_max
    for stream in STREAMS:
        stored = await book.store.read(read.known, book.principal, book.account)
        async with access_to("xrpl", url, address) as access:
            async for page in READER.read(access, Cursor(stream, stored.cursors.get(stream, ""))):
                await book.commit(page)
                left -= 1
                if not left:
                    return


def lived() -> Ledger:
    """Ann has been paid, has traded, failed, and locked a part of it."""
    found = Ledger()
    for name in ("ann", "bob", "bank"):
        found.address(name)
        found.fund(name, 1_000_000_000)
    for n in range(12):
        found.act("Payment", "bank", found.line("USD", "ann", "bank", f"{n + 1}.25"))
    found.act("OfferCreate", "ann", both(found.line("USD", "ann", "bank", "-50"), coins("ann", 100), coins("bob", -100)))
    found.act("Payment", "ann", both(), result="tecPATH_DRY")
    found.act("EscrowCreate", "ann", both(coins("ann", -5_000_000), put("e1", escrow("ann", 5_000_000, "bob"))))
    return found


async def test_a_history_that_was_broken_off_is_whole_and_proved(store: Store) -> None:
    ledger = lived()
    async with loopback(Service(ledger).answer) as url:
        book = await Book.open(store)
        await sync(book, url, account("ann"), pages_max=3)
        first = {row.name: row.id for row in await book.transactions()}
        assert 0 < len(first) < 16
        await sync(book, url, account("ann"))
        after = {row.name: row.id for row in await book.transactions()}
    assert len(after) == 16
    assert first.items() <= after.items()
    told = await store.read(reconciliation, book.principal, book.account, at(9))
    assert {line.token.ticker: line.verdict.state for line in told.lines} == {"XRP": "proved", "USD": "proved"}
    held = await book.held()
    assert held[f"xrpl:0:{account('ann')}/locked/XRP"] == "6.2"
    assert held[f"xrpl:0:{account('ann')}/spot/USD"] == "31"


async def test_the_ledger_is_derived_again_from_the_evidence(store: Store) -> None:
    ledger = lived()
    async with loopback(Service(ledger, version=2).answer) as url:
        book = await Book.open(store)
        await sync(book, url, account("ann"))
    before = await book.transactions(), await book.calculated()

    def decode(stream: str, evidence: Sequence[Evidence]) -> Batch:
        return READER.decode("xrpl", stream, evidence)

    done = await store.write_sync(rebuild, book.principal, book.account, decode, now=at(9))
    assert (done.changed, done.taken_back) == (0, 0)
    assert (await book.transactions(), await book.calculated()) == before


async def test_whole_rounds_read_balances_and_history_and_heal_what_failed(store: Store) -> None:
    ledger, address = lived(), account("ann")
    service = Service(ledger)
    async with loopback(service.answer) as url:
        book = await Book.open(store)
        rules = [Rule("POST", url, is_configured=True)]
        rounds = Rounds(book, READER, url, rules=rules, fields={"wallet": address}, venue="xrpl")
        await rounds.round()
        assert len(await book.transactions()) == 16
        ledger.fund("ann", 7_000_000)
        service.behind = 30
        await rounds.round()
        assert [gap.is_failure for gap in await store.read(coverage.gaps_of, book.account)] == [True, True]
        service.behind = 0
        await rounds.round()
    assert len(await book.transactions()) == 17
    assert await store.read(coverage.gaps_of, book.account) == []
    told = await store.read(reconciliation, book.principal, book.account, rounds.clock.now())
    assert told.state == "proved"


async def test_a_recorded_conversation_is_replayed_to_the_same_facts() -> None:
    clock, recorder, address = Hurry(), Recorder("xrpl"), account("ann")
    async with loopback(Service(lived()).answer) as url:
        egress = Egress(clock=clock, sleep=clock.sleep, recorder=recorder)
        async with access_to("xrpl", url, address, egress=egress) as access:
            pages = [page for stream in STREAMS for page in [found async for found in READER.read(access, Cursor(stream))]]
    cassette = recorder.cassette(recorded_at=clock.now(), fields={"wallet": address})
    lines = await replay_file(dump(cassette))
    stated = [canonical(leg.amount) for page in pages for claim in page.claims for leg in claim.legs]
    assert sorted(leg["amount"] for line in lines if line["kind"] == "transaction" for leg in line["legs"]) == sorted(stated)
    assert sum(line["kind"] == "balance" for line in lines) == sum(len(one.balances) for one in pages[0].snapshots)
    assert not [line for line in lines if line["kind"] == "problem"]
