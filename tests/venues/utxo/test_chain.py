"""The reader against a real node and a real Electrum server: every way in which coins come, go, wait, and come back."""

from tests.litecoin import MATURITY, Litecoin
from tests.venues.utxo.purse import CHAIN, COIN, LTC, Purse, Shelf, held, summed, sync, units

from omnifolio.venues.utxo.subject import Place, subject_of


async def test_payments_change_and_fees_are_told_apart(node: Litecoin) -> None:
    me = Purse(node)
    first, second = node.pay(me.address(), "2"), node.pay(me.address(), "3")
    node.mine()
    outside = node.bank("getnewaddress")
    spent = me.pay(outside, "4.5")
    node.mine(CHAIN.confirmations)
    shelf = Shelf()
    await sync(shelf, node.url, me.descriptor)
    fee = me.fee(spent)
    legs = {name: {leg.counterparty: int(leg.amount * COIN) for leg in claim.legs} for name, claim in shelf.claims.items()}
    assert set(legs) == {first, second, spent}
    assert list(legs[first].values()) == [2 * COIN]
    assert legs[spent] == {outside: -units("4.5"), None: -fee}
    assert [(c.kind, c.finality) for c in shelf.claims.values()] == [
        ("deposit", "final"),
        ("deposit", "final"),
        ("withdrawal", "final"),
    ]
    assert held(shelf) == summed(shelf) == me.total()
    assert shelf.snapshot is not None
    assert len({leg.wallet for claim in shelf.claims.values() for leg in claim.legs} | {shelf.snapshot.wallet}) == 1


async def test_a_move_inside_the_wallet_costs_its_fee_and_nothing_else(node: Litecoin) -> None:
    me = Purse(node)
    node.pay(me.address(), "1")
    node.mine()
    moved = me.pay(me.address(), "0.4")
    node.mine()
    shelf = Shelf()
    await sync(shelf, node.url, me.descriptor)
    assert {leg.key: int(leg.amount * COIN) for leg in shelf.claims[moved].legs} == {"fee": -me.fee(moved)}
    assert shelf.claims[moved].kind == "fee"
    assert held(shelf) == summed(shelf) == COIN - me.fee(moved)


async def test_what_waits_is_replaced_and_then_confirmed(node: Litecoin) -> None:
    me = Purse(node)
    target = me.address()
    node.pay(target, "1")
    node.mine()
    outside = node.bank("getnewaddress")
    waiting = me.pay(outside, "0.25")
    node.wait_for(me.script_name(target), waiting)
    shelf = Shelf()
    await sync(shelf, node.url, me.descriptor)
    assert (shelf.claims[waiting].status, shelf.claims[waiting].finality) == ("pending", "pending")
    assert held(shelf) == summed(shelf) == me.total()
    seen_at = shelf.claims[waiting].at
    await sync(shelf, node.url, me.descriptor)
    assert shelf.claims[waiting].at == seen_at, "a waiting payment keeps the moment at which it was met"

    replacing = me.rpc("bumpfee", waiting)["txid"]
    node.wait_for(me.script_name(target), replacing)
    await sync(shelf, node.url, me.descriptor)
    assert waiting not in shelf.claims
    assert shelf.claims[replacing].status == "pending"

    node.mine()
    await sync(shelf, node.url, me.descriptor)
    assert (shelf.claims[replacing].status, shelf.claims[replacing].finality) == ("confirmed", "provisional")
    assert held(shelf) == summed(shelf) == me.total()


async def test_a_reorganised_chain_is_followed(node: Litecoin) -> None:
    me = Purse(node)
    target = me.address()
    stays = node.pay(target, "1")
    node.mine()
    returns = node.pay(target, "2")
    (replaced,) = node.mine()
    shelf = Shelf()
    await sync(shelf, node.url, me.descriptor)
    assert shelf.claims[returns].block_hash == replaced
    height = shelf.claims[returns].height

    node.rpc("invalidateblock", replaced)
    newest = node.rpc("generateblock", node.bank("getnewaddress"), [])["hash"]
    node.mine()
    batches = await sync(shelf, node.url, me.descriptor)
    assert [batch.rewind.height for batch in batches if batch.rewind is not None] == [(height or 0) - 1]
    assert shelf.claims[stays].finality == "provisional"
    assert shelf.claims[returns].block_hash not in (replaced, newest)
    assert shelf.claims[returns].height == (height or 0) + 1
    node.mine(CHAIN.confirmations)
    await sync(shelf, node.url, me.descriptor)
    assert {claim.finality for claim in shelf.claims.values()} == {"final"}
    assert not shelf.known().provisional
    assert held(shelf) == summed(shelf) == me.total()


async def test_a_payment_that_a_reorganisation_drops_is_taken_back(node: Litecoin) -> None:
    me, thief = Purse(node), Purse(node)
    target = me.address()
    node.pay(thief.address(), "1")
    node.mine()
    dropped = thief.pay(target, "0.5")
    (replaced,) = node.mine()
    shelf = Shelf()
    await sync(shelf, node.url, me.descriptor)
    assert set(shelf.claims) == {dropped}

    node.rpc("invalidateblock", replaced)
    spent = node.rpc("getrawtransaction", dropped, True)["vin"][0]
    whole = thief.rpc(
        "createrawtransaction", [{"txid": spent["txid"], "vout": spent["vout"]}], [{node.bank("getnewaddress"): "0.9"}]
    )
    rival = thief.rpc("signrawtransactionwithwallet", whole)["hex"]
    node.rpc("generateblock", node.bank("getnewaddress"), [rival])
    node.mine()
    await sync(shelf, node.url, me.descriptor)
    assert not shelf.claims
    assert held(shelf) == 0


async def test_a_multisig_wallet_is_read_by_its_descriptor(node: Litecoin) -> None:
    one, two = Purse(node), Purse(node)
    descriptor = f"wsh(sortedmulti(2,{one.xpub}/<0;1>/*,{two.xpub}/<0;1>/*))"
    subject = subject_of(CHAIN.id, descriptor)
    paid = node.pay(subject.address(Place(0, 0)), "1.5")
    node.mine()
    change = node.pay(subject.address(Place(1, 19)), "0.5")
    node.mine()
    shelf = Shelf()
    await sync(shelf, node.url, descriptor)
    assert set(shelf.claims) == {paid, change}
    assert held(shelf) == summed(shelf) == 2 * COIN


async def test_a_miner_earns_what_cannot_be_spent_yet(node: Litecoin) -> None:
    me = Purse(node)
    target = me.address()
    node.mine(1, target)
    shelf = Shelf()
    await sync(shelf, node.url, target)
    (claim,) = shelf.claims.values()
    assert (claim.kind, claim.finality) == ("mining", "provisional")
    assert held(shelf) == summed(shelf) == me.total() > 0
    assert me.rpc("getbalances")["mine"]["trusted"] == "0.00000000"
    node.mine(MATURITY)
    await sync(shelf, node.url, target)
    assert shelf.claims[claim.ref].finality == "final"
    assert held(shelf) == summed(shelf) == units(me.rpc("getbalances")["mine"]["trusted"])


async def test_a_scan_finds_what_lies_behind_gaps_and_history_that_appears_later(node: Litecoin) -> None:
    me = Purse(node)
    addresses = [me.address() for _ in range(60)]
    for index, coins in {3: "1", 22: "2", 50: "4"}.items():
        node.pay(addresses[index], coins)
    node.mine(CHAIN.confirmations)
    shelf = Shelf()
    await sync(shelf, node.url, me.descriptor)
    assert held(shelf) == summed(shelf) == 3 * COIN, "index 50 lies behind a gap of more than twenty"
    node.pay(addresses[40], "8")
    node.mine(CHAIN.confirmations)
    await sync(shelf, node.url, me.descriptor)
    assert held(shelf) == summed(shelf) == 15 * COIN
    assert len(shelf.claims) == 4


async def test_an_address_of_a_shared_payment_pays_its_share_of_the_fee(node: Litecoin) -> None:
    one, two = Purse(node), Purse(node)
    node.pay(one.address(), "1")
    node.pay(two.address(), "3")
    node.mine()
    coins = [{"txid": row["txid"], "vout": row["vout"]} for purse in (one, two) for row in purse.rpc("listunspent")]
    joint = one.rpc("createrawtransaction", coins, [{node.bank("getnewaddress"): "3.999"}])
    half = one.rpc("signrawtransactionwithwallet", joint)["hex"]
    name = node.rpc("sendrawtransaction", two.rpc("signrawtransactionwithwallet", half)["hex"])
    node.mine()
    fees, nets = [], []
    for purse in (one, two):
        shelf = Shelf()
        await sync(shelf, node.url, purse.descriptor)
        legs = {leg.key: int(leg.amount * COIN) for leg in shelf.claims[name].legs}
        fees.append(-legs["fee"])
        nets.append(sum(legs.values()))
        assert held(shelf) == summed(shelf) == 0
    assert fees == [25_000, 75_000]
    assert nets == [-COIN, -3 * COIN]


async def test_a_bare_extended_key_is_read_in_all_its_forms(node: Litecoin) -> None:
    me = Purse(node, "sh(wpkh({}/{}/*))")
    paid = node.pay(me.address(), "1")
    node.mine()
    shelf = Shelf()
    await sync(shelf, node.url, me.xpub)
    assert set(shelf.claims) == {paid}
    assert held(shelf) == summed(shelf) == COIN
    assert {leg.token for leg in shelf.claims[paid].legs} == {LTC}
