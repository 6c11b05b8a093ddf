"""The reader and the ledger together on a chain that moves: ids stay, waiting payments go as they came, and evidence suffices."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from tests.ledger.builders import Book, at
from tests.litecoin import Litecoin
from tests.venues.utxo.explorers import explorer
from tests.venues.utxo.purse import CHAIN, COIN, READER, Purse, Shelf, access_to, held, units

from omnifolio.ledger import coverage, read
from omnifolio.ledger.rebuild import rebuild
from omnifolio.model.amounts import canonical, from_units
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.store.engine import Store
from omnifolio.venues.contract import Known
from omnifolio.venues.utxo.subject import subject_of

STREAMS = (f"balances/{CHAIN.id}", f"transfers/{CHAIN.id}")


async def sync(book: Book, url: str, wallet: str) -> None:
    """Both streams on from the stored cursors, page by page, as a slice does."""
    for stream in STREAMS:
        stored = await book.store.read(read.known, book.principal, book.account)
        known = Known(tokens=stored.tokens, cursors=stored.cursors, provisional=stored.provisional)
        async with access_to(url, wallet, known=known) as access:
            async for page in READER.read(access, Cursor(stream, stored.cursors.get(stream, ""))):
                await book.commit(page)


async def rows(book: Book) -> dict[str, tuple[int, str]]:
    """{transaction: (id, status)}."""
    return {row.name: (row.id, row.status) for row in await book.transactions()}


async def is_settled(book: Book) -> bool:
    return (await book.store.read(read.known, book.principal, book.account)).is_settled


async def test_the_ledger_follows_payments_that_wait_are_replaced_and_come_again(store: Store, node: Litecoin) -> None:
    me = Purse(node)
    target = me.address()
    first = node.pay(target, "1")
    node.mine(CHAIN.confirmations)
    book = await Book.open(store)
    await sync(book, node.url, me.descriptor)
    assert await is_settled(book)
    (kept,) = (await rows(book)).values()

    waiting = me.pay(node.bank("getnewaddress"), "0.25")
    node.wait_for(me.script_name(target), waiting)
    await sync(book, node.url, me.descriptor)
    assert (await rows(book))[waiting][1] == "pending"
    assert not await is_settled(book), "so the next sync reads the history, whether the balance moves or not"

    replacing = me.rpc("bumpfee", waiting)["txid"]
    node.wait_for(me.script_name(target), replacing)
    await sync(book, node.url, me.descriptor)
    assert set(await rows(book)) == {first, replacing}
    number = (await rows(book))[replacing][0]

    (block,) = node.mine()
    await sync(book, node.url, me.descriptor)
    assert (await rows(book))[replacing] == (number, "confirmed")

    node.rpc("invalidateblock", block)
    for _ in range(2):
        node.rpc("generateblock", node.bank("getnewaddress"), [])
    node.settle()
    node.wait_for(me.script_name(target), replacing)
    await sync(book, node.url, me.descriptor)
    assert (await rows(book))[replacing] == (number, "pending")
    node.mine(CHAIN.confirmations)
    await sync(book, node.url, me.descriptor)
    assert await rows(book) == {first: kept, replacing: (number, "confirmed")}
    assert await is_settled(book)

    wallet = subject_of(CHAIN.id, me.descriptor).wallet
    held = canonical(from_units(me.total(), 8))
    assert await book.calculated() == {f"{wallet}/LTC": held}
    assert await book.held() == {f"{wallet}/spot/LTC": held}
    covered = (await store.read(coverage.intervals_of, book.account))[STREAMS[1]]
    assert [interval.start for interval in covered] == [0]
    assert covered[0].end == node.rpc("getblockheader", node.rpc("getbestblockhash"))["time"] * 1000


@pytest.mark.parametrize("kind", ["electrum", "esplora", "blockbook"])
async def test_the_ledger_is_derived_again_from_the_evidence_of_a_wallet(store: Store, node: Litecoin, kind: str) -> None:
    me = Purse(node)
    node.pay(me.address(), "1")
    node.mine()
    (block,) = node.mine(1, me.address())
    me.pay(node.bank("getnewaddress"), "0.25")
    node.mine()
    book = await Book.open(store)
    async with explorer(node) as (running, base):
        url = node.url if kind == "electrum" else f"{kind}+{base}/{kind}"
        await sync(book, url, me.descriptor)
        node.rpc("invalidateblock", block)
        node.mine(3)
        waiting = me.pay(me.address(), "0.1")
        node.wait_for(me.script_name(me.change), waiting)
        running.look()
        await sync(book, url, me.descriptor)
    before = await book.transactions(), await book.calculated()
    assert len(before[0]) == 3

    def decode(stream: str, evidence: Sequence[Evidence]) -> Batch:
        return READER.decode(CHAIN.id, stream, evidence)

    done = await store.write_sync(rebuild, book.principal, book.account, decode, now=at(9))
    assert (done.changed, done.taken_back) == (0, 0)
    assert (await book.transactions(), await book.calculated()) == before


@pytest.mark.parametrize("kind", ["electrum", "esplora", "blockbook"])
async def test_history_is_read_from_a_day_on_or_not_at_all(node: Litecoin, kind: str) -> None:
    """The blocks of a test are made within seconds, so the clock of the node is set apart for two of them."""
    me, now = Purse(node), node.rpc("getblockheader", node.rpc("getbestblockhash"))["time"]
    target = me.address()
    node.rpc("setmocktime", now + 60)
    early = node.pay(target, "1")
    node.mine(11)
    day = (now // 86_400 + 2) * 86_400
    node.rpc("setmocktime", day + 60)
    late = node.pay(target, "2")
    node.mine(CHAIN.confirmations)
    spent = me.pay(node.bank("getnewaddress"), "2.5")
    node.mine(CHAIN.confirmations)
    wanted = datetime.fromtimestamp(day, UTC).date().isoformat()
    shelf, balances = Shelf(), Shelf()
    async with explorer(node) as (_, base):
        url = node.url if kind == "electrum" else f"{kind}+{base}/{kind}"
        pages = await reading(shelf, url, me.descriptor, wanted)
        few = await reading(balances, url, me.descriptor, "balances")
    assert set(shelf.claims) == {late, spent}
    assert early not in shelf.claims
    assert sum(int(leg.amount * COIN) for leg in shelf.claims[spent].legs) == -units("2.5") - me.fee(spent)
    gaps = {(gap.code, gap.start, gap.end) for page in pages for gap in page.gaps}
    assert gaps == {("not_wanted", 0, day * 1000)}
    assert min(interval.start for page in pages for interval in page.covered) == day * 1000
    assert [gap.code for page in few for gap in page.gaps] == ["history_not_wanted"]
    assert (len(few), held(balances)) == (1, me.total())


async def reading(shelf: Shelf, url: str, wallet: str, history: str) -> list[Batch]:
    """All streams of an account that wants so much history."""
    found = []
    async with access_to(url, wallet, history=history) as access:
        for stream in READER.streams(access):
            async for page in READER.read(access, Cursor(stream.name)):
                shelf.keep(page)
                found.append(page)
    return found
