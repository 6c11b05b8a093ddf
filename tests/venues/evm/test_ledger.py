"""The reader and the ledger together on a chain that moves: what is stored follows, and ids return with their hashes."""

from collections.abc import Sequence

from tests.anvil import FINALITY_BLOCKS, Anvil, calldata
from tests.ledger.builders import Book, at
from tests.venues.evm.shelf import READER, access_to

from omnifolio.catalog.chains import evm_chain
from omnifolio.ledger import coverage, read
from omnifolio.ledger.rebuild import rebuild
from omnifolio.model.amounts import canonical, from_units
from omnifolio.model.facts import Batch, Cursor, Evidence
from omnifolio.store.engine import Store
from omnifolio.venues.contract import Known

ETHEREUM = evm_chain("ethereum")
STREAMS = ("balances/ethereum", "transfers/ethereum")


async def sync(book: Book, node: Anvil, address: str) -> None:
    """Both streams on from the stored cursors, page by page, as a slice does."""
    for stream in STREAMS:
        stored = await book.store.read(read.known, book.principal, book.account)
        known = Known(tokens=stored.tokens, cursors=stored.cursors, provisional=stored.provisional)
        async with access_to(node.url, address, known=known) as access:
            async for page in READER.read(access, Cursor(stream, stored.cursors.get(stream, ""))):
                await book.commit(page)


async def ids(book: Book) -> dict[str, int]:
    return {row.name: row.id for row in await book.transactions()}


async def test_the_ledger_follows_a_chain_that_drops_replaces_and_takes_up_transactions(store: Store, node: Anvil) -> None:
    bank, me, *others = node.accounts
    funded = node.balance(me)
    token = node.token("TKA", 6)
    stays = node.send(bank, me, value=1)["transactionHash"]
    snapshot = node.rpc("evm_snapshot")
    returns = node.send(others[0], token, calldata("mint(address,uint256)", me, 40))["transactionHash"]
    node.send(bank, me, value=200)
    dropped = node.send(others[1], me, value=3_000)["transactionHash"]
    book = await Book.open(store)
    await sync(book, node, me)
    before = await ids(book)

    assert node.rpc("evm_revert", snapshot)
    node.mine()
    replacing = node.send(bank, me, value=500)["transactionHash"]
    assert node.send(others[0], token, calldata("mint(address,uint256)", me, 40))["transactionHash"] == returns
    await sync(book, node, me)
    after = await ids(book)
    assert set(after) == {stays, replacing, returns}
    assert (after[stays], after[returns]) == (before[stays], before[returns])

    assert node.send(others[1], me, value=3_000)["transactionHash"] == dropped
    node.mine(FINALITY_BLOCKS)
    await sync(book, node, me)
    assert (await ids(book))[dropped] == before[dropped]
    wallet = ETHEREUM.wallet(me)
    earned = node.balance(me) - funded
    tokens = canonical(from_units(node.call(token, "balanceOf(address)", me), 6))
    assert await book.calculated() == {f"{wallet}/ETH": canonical(from_units(earned, 18)), f"{wallet}/TKA": tokens}
    held = {f"{wallet}/spot/ETH": canonical(from_units(node.balance(me), 18)), f"{wallet}/spot/TKA": tokens}
    assert await book.held() == held
    assert not (await store.read(read.known, book.principal, book.account)).provisional


async def test_the_ledger_is_derived_again_from_the_evidence_of_a_chain(store: Store, node: Anvil) -> None:
    bank, me = node.accounts[:2]
    token = node.token()
    node.send(bank, token, calldata("mint(address,uint256)", me, 40))
    node.send(me, token, calldata("transfer(address,uint256)", bank, 10))
    book = await Book.open(store)
    await sync(book, node, me)
    node.rpc("anvil_reorg", 1, [])
    node.mine(FINALITY_BLOCKS)
    await sync(book, node, me)
    before = await book.transactions(), await book.calculated()
    assert len(before[0]) == 1

    def decode(stream: str, evidence: Sequence[Evidence]) -> Batch:
        return READER.decode("evm", stream, evidence)

    done = await store.write_sync(rebuild, book.principal, book.account, decode, now=at(9))
    assert (done.changed, done.taken_back) == (0, 0)
    assert (await book.transactions(), await book.calculated()) == before


async def test_what_a_chain_had_for_an_address_is_covered_without_a_hole(store: Store, node: Anvil) -> None:
    me = node.accounts[1]
    book = await Book.open(store)
    for _ in range(3):
        node.send(node.accounts[0], me, value=1)
        node.mine(FINALITY_BLOCKS)
        await sync(book, node, me)
    covered = (await store.read(coverage.intervals_of, book.account))["transfers/ethereum"]
    tip = int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16) * 1000
    assert [(interval.start, interval.end) for interval in covered] == [(0, tip)]
