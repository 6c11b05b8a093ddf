"""Esplora and Blockbook tell of a wallet what the node's Electrum server tells, page by page, on the same real chain."""

import pytest
from tests.litecoin import Litecoin
from tests.venues.utxo.explorers import explorer
from tests.venues.utxo.purse import CHAIN, READER, Purse, Shelf, access_to, held, summed, sync

from omnifolio.app.explaining_coins import explain_coin
from omnifolio.model.amounts import canonical, from_units
from omnifolio.model.clock import SystemClock
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.facts import Claim, Cursor
from omnifolio.model.settings import Settings

KINDS = {"esplora": "esplora+{}/esplora", "blockbook": "blockbook+{}/blockbook"}


def told(shelf: Shelf) -> dict[str, tuple[object, ...]]:
    """All that a claim says, but for the payer of a receipt, which Electrum does not look up, and a waiting one's time."""

    def facts(claim: Claim) -> tuple[object, ...]:
        legs = [(leg.key, leg.wallet, leg.amount, leg.role, leg.counterparty if leg.amount < 0 else "") for leg in claim.legs]
        at = claim.at if claim.finality != "pending" else 0
        return (at, claim.kind, legs, claim.status, claim.height, claim.block_hash, claim.finality)

    return {ref: facts(claim) for ref, claim in shelf.claims.items()}


@pytest.mark.parametrize("kind", list(KINDS))
async def test_an_explorer_tells_what_an_electrum_server_tells(node: Litecoin, kind: str) -> None:
    me = Purse(node)
    target = me.address()
    for _ in range(30):
        node.pay(target, "0.1")
    node.mine(1, me.address())
    me.pay(node.bank("getnewaddress"), "0.5")
    node.mine(CHAIN.confirmations)
    me.pay(me.address(), "0.2")
    (replaced,) = node.mine()
    waiting = me.pay(node.bank("getnewaddress"), "0.05")
    node.wait_for(me.script_name(me.change), waiting)
    electrum, other = Shelf(), Shelf()
    async with explorer(node) as (running, base):
        url = KINDS[kind].format(base)
        await sync(electrum, node.url, me.descriptor)
        await sync(other, url, me.descriptor)
        assert told(other) == told(electrum)
        assert len(told(other)) == 34
        assert held(other) == held(electrum) == summed(other) == me.total()
        assert me.descriptor not in "".join(running.asked)
        assert me.xpub not in "".join(running.asked)

        running.asked.clear()
        await sync(other, url, me.descriptor, kinds=("transfers",))
        pages = [path for path in running.asked if path.endswith("/txs/chain")]
        assert kind == "blockbook" or len(pages) == len(set(pages)), "what is final is not walked through again"

        node.rpc("invalidateblock", replaced)
        node.rpc("generateblock", node.bank("getnewaddress"), [])
        node.mine()
        running.look()
        await sync(electrum, node.url, me.descriptor)
        batches = await sync(other, url, me.descriptor)
        assert any(batch.rewind is not None for batch in batches)
        assert told(other) == told(electrum)
        assert held(other) == summed(other) == me.total()


@pytest.mark.parametrize("kind", list(KINDS))
async def test_a_walk_that_is_broken_off_anywhere_goes_on(node: Litecoin, kind: str) -> None:
    me = Purse(node)
    many = 25 if kind == "esplora" else 50
    for address, payments in zip([me.address() for _ in range(5)], (1, many, 1, 1, 1), strict=True):
        for _ in range(payments):
            node.pay(address, "0.01")
    node.mine(CHAIN.confirmations)
    async with explorer(node) as (running, base):
        url = KINDS[kind].format(base)
        whole, broken = Shelf(), Shelf()
        await sync(whole, url, me.descriptor)
        stream, pages = f"transfers/{CHAIN.id}", 0
        while True:
            async with access_to(url, me.descriptor, known=broken.known()) as access:
                async for batch in READER.read(access, Cursor(stream, broken.cursors.get(stream, ""))):
                    broken.keep(batch)
                    break
            pages += 1
            if pages == 3:
                node.pay(me.address(), "1")
                node.mine(CHAIN.confirmations)
                running.look()
            if batch.done:
                break
        await sync(whole, url, me.descriptor)
        assert told(broken) == told(whole)
        assert pages > 5


@pytest.mark.parametrize("kind", list(KINDS))
async def test_one_transaction_is_explained_from_an_explorer(node: Litecoin, kind: str) -> None:
    me = Purse(node)
    target = me.address()
    node.pay(target, "1")
    node.mine()
    outside = node.bank("getnewaddress")
    spent = me.pay(outside, "0.25")
    node.mine()
    async with explorer(node) as (_, base):
        settings = Settings(base_urls={CHAIN.id: KINDS[kind].format(base)})
        asked = [me.descriptor, outside]
        lines = await explain_coin(settings, CHAIN, name=spent, accounts=asked, clock=SystemClock())
        with pytest.raises(NotFound):
            await explain_coin(settings, CHAIN, name="ab" * 32, accounts=asked, clock=SystemClock())
    legs = [[(leg["role"], leg["amount"], leg["counterparty"]) for leg in line["legs"]] for line in lines]
    fee = canonical(-from_units(me.fee(spent), 8))
    assert sorted(map(sorted, legs)) == [[("fee", fee, None), ("principal", "-0.25", outside)], [("principal", "0.25", target)]]
    with pytest.raises(InvalidField):
        await explain_coin(Settings(base_urls={CHAIN.id: node.url}), CHAIN, name=spent, accounts=asked, clock=SystemClock())
