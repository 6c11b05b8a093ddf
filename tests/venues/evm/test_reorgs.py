"""When the chain moves: a real node drops, replaces and takes up again transactions, and the rows follow."""

import random
from typing import Any

import pytest
from tests.anvil import FINALITY_BLOCKS, Anvil, calldata
from tests.venues.evm.difficult import Difficult
from tests.venues.evm.shelf import READER, Shelf, sync

from omnifolio.catalog.chains import evm_chain
from omnifolio.model.amounts import from_units
from omnifolio.model.errors import VenueBadResponse, VenueUnavailable

ETHEREUM = evm_chain("ethereum")
NATIVE = ETHEREUM.native.id


def raw(sender: str, to: str, *, value: int = 0, data: str = "0x") -> dict[str, str]:
    """A transaction as `anvil_reorg` takes it into a new block."""
    return {"from": sender, "to": to, "value": hex(value), "data": data, "gas": hex(200_000)}


async def test_a_reorg_drops_replaces_and_takes_up_transactions_again(node: Anvil) -> None:
    """`stays` lies below the fork. Of the three above it one vanishes, one pays another amount, one returns in another block."""
    bank, me = node.accounts[:2]
    token = node.token()
    stays = node.send(bank, me, value=1)["transactionHash"]
    fork = node.height()
    snapshot = node.rpc("evm_snapshot")
    returns = node.send(node.accounts[3], token, calldata("mint(address,uint256)", me, 40))["transactionHash"]
    replaced = node.send(bank, me, value=200)["transactionHash"]
    dropped = node.send(node.accounts[4], me, value=3_000)["transactionHash"]
    shelf = Shelf()
    await sync(shelf, node.url, me)
    assert list(shelf.claims) == [stays, returns, replaced, dropped]
    before = shelf.claims[returns]

    assert node.rpc("evm_revert", snapshot)
    node.mine()
    replacing = node.send(bank, me, value=500)["transactionHash"]
    assert node.send(node.accounts[3], token, calldata("mint(address,uint256)", me, 40))["transactionHash"] == returns
    (batch, *more) = await sync(shelf, node.url, me)

    assert batch.rewind is not None
    assert (batch.rewind.stream, batch.rewind.height) == ("transfers/ethereum", fork)
    assert [claim.ref for claim in batch.claims] == [stays, replacing, returns]
    assert not more
    assert set(shelf.claims) == {stays, replacing, returns}
    after = shelf.claims[returns]
    assert (after.ref, after.refs, after.event, after.legs) == (before.ref, before.refs, before.event, before.legs)
    assert (after.height, after.block_hash) != (before.height, before.block_hash)
    assert shelf.total(NATIVE) == from_units(501, 18)
    assert shelf.total(ETHEREUM.erc20(token)) == from_units(node.call(token, "balanceOf(address)", me), 18)


async def test_anvil_reorg_replaces_the_tip_and_the_rows_follow(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    node.send(bank, me, value=1)
    node.send(node.accounts[2], me, value=20)
    shelf = Shelf()
    await sync(shelf, node.url, me)
    node.rpc("anvil_reorg", 2, [[raw(bank, me, value=300), 0]])
    node.mine()
    await sync(shelf, node.url, me)
    assert shelf.total(NATIVE) == from_units(300, 18)


async def test_pages_of_a_capped_node_carry_one_rewind_and_all_rows_come_back(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    proxy.span_max = 2
    node.mine(FINALITY_BLOCKS)
    snapshot = node.rpc("evm_snapshot")
    fork = node.height()
    for sender in node.accounts[2:8]:
        node.send(sender, me, value=1)
    shelf = Shelf()
    await sync(shelf, proxy.url, me)
    assert node.rpc("evm_revert", snapshot)
    node.send(bank, me, value=7)
    for sender in node.accounts[2:8]:
        node.send(sender, me, value=1)
    batches = await sync(shelf, proxy.url, me)
    assert [batch.rewind.height for batch in batches if batch.rewind] == [fork]
    assert batches[0].rewind is not None
    assert len(batches) > 2
    assert shelf.total(NATIVE) == from_units(13, 18)


async def test_an_unmoved_chain_is_not_rewound(node: Anvil) -> None:
    me = node.accounts[1]
    node.send(node.accounts[0], me, value=1)
    shelf = Shelf()
    await sync(shelf, node.url, me)
    node.mine()
    assert [batch.rewind for batch in await sync(shelf, node.url, me)] == [None]


async def test_a_node_that_lags_takes_nothing_back(node: Anvil) -> None:
    """A node behind a balancer may not have the blocks yet that its neighbour showed us."""
    me = node.accounts[1]
    snapshot = node.rpc("evm_snapshot")
    name = node.send(node.accounts[0], me, value=1)["transactionHash"]
    shelf = Shelf()
    await sync(shelf, node.url, me)
    assert node.rpc("evm_revert", snapshot)
    batches = await sync(shelf, node.url, me)
    assert [batch.rewind for batch in batches] == [None]
    assert list(shelf.claims) == [name]


async def test_another_final_block_is_refused(node: Anvil) -> None:
    """A node of another chain with the same id, for instance a development chain that was started anew."""
    me = node.accounts[1]
    snapshot = node.rpc("evm_snapshot")
    node.mine(FINALITY_BLOCKS + 2)
    shelf = Shelf()
    await sync(shelf, node.url, me)
    assert node.rpc("evm_revert", snapshot)
    node.rpc("evm_setNextBlockTimestamp", 1_770_000_000)
    node.mine(FINALITY_BLOCKS + 2)
    with pytest.raises(VenueBadResponse, match="read as final before"):
        await sync(shelf, node.url, me)


async def test_a_node_far_behind_what_was_final_is_not_believed(node: Anvil) -> None:
    me = node.accounts[1]
    snapshot = node.rpc("evm_snapshot")
    node.mine(FINALITY_BLOCKS + 4)
    shelf = Shelf()
    await sync(shelf, node.url, me)
    assert node.rpc("evm_revert", snapshot)
    with pytest.raises(VenueUnavailable, match="behind"):
        await sync(shelf, node.url, me)


async def test_a_block_that_is_replaced_while_a_page_is_read_is_read_again(node: Anvil, proxy: Difficult) -> None:
    """The first receipts name another block than the events did."""
    me = node.accounts[1]
    node.send(node.accounts[0], me, value=1)
    torn = iter([True])

    def other_block(_: object, receipt: dict[str, Any]) -> dict[str, Any]:
        return receipt | {"blockHash": "0x" + "ab" * 32} if next(torn, False) else receipt

    proxy.tamper = {"eth_getTransactionReceipt": other_block}
    shelf = Shelf()
    await sync(shelf, proxy.url, me)
    (claim,) = shelf.claims.values()
    assert claim.block_hash == node.receipt(claim.ref)["blockHash"]


async def test_a_rewind_is_in_the_evidence(node: Anvil) -> None:
    me = node.accounts[1]
    node.send(node.accounts[0], me, value=1)
    shelf = Shelf()
    await sync(shelf, node.url, me)
    node.rpc("anvil_reorg", 1, [])
    (batch,) = await sync(shelf, node.url, me)
    assert batch.rewind is not None
    assert READER.decode("evm", batch.cursor.stream, batch.evidence).rewind == batch.rewind
    assert not shelf.claims


@pytest.mark.parametrize("seed", range(6))
async def test_any_history_read_in_pieces_ends_like_one_read_at_once(node: Anvil, proxy: Difficult, seed: int) -> None:
    """Random payments, tokens, wrapping, failures and reorganisations, read in between by slices of a capped node."""
    chance = random.Random(seed)
    me, *others = node.accounts[1:6]
    token, forwarder = node.token(), node.deploy("Forwarder")
    node.mine(FINALITY_BLOCKS)  # so that no reorganisation takes the contracts away
    shelf = Shelf()

    def act() -> None:
        match chance.randrange(8):
            case 0:
                node.send(chance.choice(others), me, value=chance.randrange(1, 10**18))
            case 1:
                node.send(chance.choice(others), token, calldata("mint(address,uint256)", me, chance.randrange(1, 10**30)))
            case 2:
                node.send(me, ETHEREUM.wrapped, calldata("deposit()"), value=chance.randrange(1, 10**9))
            case 3:
                node.send(me, ETHEREUM.wrapped, calldata("withdraw(uint256)", 10**40), ok=False)
            case 4:
                node.send(others[0], forwarder, calldata("pay(address,uint256)", me, 7), value=7)
            case 5:
                node.mine(chance.randrange(1, 4))
            case _:
                replacing = [[raw(others[1], me, value=chance.randrange(1, 10**9)), 0]] if chance.random() < 0.7 else []
                node.rpc("anvil_reorg", chance.randrange(1, FINALITY_BLOCKS - 1), replacing)

    for _ in range(12):
        for _ in range(chance.randrange(1, 5)):
            act()
        proxy.span_max = chance.choice([None, 3, 10])
        await sync(shelf, proxy.url, me, pages=chance.choice([1, 2, 1_000]))
    node.mine(FINALITY_BLOCKS)
    proxy.span_max = None
    await sync(shelf, proxy.url, me)
    fresh = Shelf()
    await sync(fresh, node.url, me)
    assert {claim.finality for claim in fresh.claims.values()} <= {"final"}
    assert shelf.legs() == fresh.legs()
    assert {(c.ref, c.height, c.block_hash, c.finality, c.at) for c in shelf.claims.values()} == {
        (c.ref, c.height, c.block_hash, c.finality, c.at) for c in fresh.claims.values()
    }


async def test_a_node_without_the_finalized_tag_is_read_by_depth(node: Anvil, proxy: Difficult) -> None:
    def untold(params: list[Any], block: dict[str, Any]) -> dict[str, Any] | None:
        return None if params[0] == "finalized" else block

    proxy.tamper = {"eth_getBlockByNumber": untold}
    me = node.accounts[1]
    node.send(node.accounts[0], me, value=1)
    node.mine(ETHEREUM.confirmations - 1)
    shelf = Shelf()
    await sync(shelf, proxy.url, me)
    assert [claim.finality for claim in shelf.claims.values()] == ["provisional"]
    node.mine()
    await sync(shelf, proxy.url, me)
    assert [claim.finality for claim in shelf.claims.values()] == ["final"]


async def test_what_was_final_stays_final_at_a_node_that_lags(node: Anvil, proxy: Difficult) -> None:
    me = node.accounts[1]
    node.send(node.accounts[0], me, value=1)
    node.mine(FINALITY_BLOCKS)
    shelf = Shelf()
    await sync(shelf, proxy.url, me)
    genesis = node.rpc("eth_getBlockByNumber", "0x0", False)
    proxy.tamper = {"eth_getBlockByNumber": lambda params, block: genesis if params[0] == "finalized" else block}
    node.send(node.accounts[0], me, value=2)
    await sync(shelf, proxy.url, me)
    assert sorted(claim.finality for claim in shelf.claims.values()) == ["final", "provisional"]
