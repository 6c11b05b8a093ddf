"""Transfers of an address, against a real node: every leg exact, whatever the node can and cannot do."""

from decimal import Decimal
from itertools import pairwise

from tests.anvil import BLOCK_S, FINALITY_BLOCKS, GAS_PRICE, Anvil, calldata
from tests.venues.evm.difficult import Difficult
from tests.venues.evm.shelf import READER, Shelf, access_to, sync

from omnifolio.catalog.chains import evm_chain
from omnifolio.model.amounts import from_units
from omnifolio.model.clock import SystemClock
from omnifolio.model.facts import Batch, Cursor
from omnifolio.transport.egress import Egress
from omnifolio.transport.recording import Recorder, dump, load

ETHER = 10**18
ETHEREUM = evm_chain("ethereum")
NATIVE = ETHEREUM.native.id
WETH = ETHEREUM.wrapped


def fee(receipt: dict[str, str]) -> str:
    """The fee leg of a receipt, computed apart from the reader."""
    return f"{-Decimal(int(receipt['gasUsed'], 16) * GAS_PRICE).scaleb(-18):f}"


async def test_deposits_withdrawals_and_fees_are_exact_to_the_wei(node: Anvil) -> None:
    bank, me, other = node.accounts[:3]
    token = node.token(decimals=6)
    received = node.send(bank, token, calldata("mint(address,uint256)", me, 5_000_001))
    sent = node.send(me, token, calldata("transfer(address,uint256)", other, 2_000_000))
    paid = node.send(bank, me, value=3)
    failed = node.send(me, token, calldata("transfer(address,uint256)", other, 9_000_000), ok=False)
    shelf = Shelf()
    batches = await sync(shelf, node.url, me)
    assert shelf.legs() == {
        received["transactionHash"]: {"log:0": "5.000001"},
        sent["transactionHash"]: {"log:0": "-2.000000", "gas": fee(sent)},
        paid["transactionHash"]: {"value": "0.000000000000000003"},
        failed["transactionHash"]: {"gas": fee(failed)},
    }
    claim = shelf.claims[sent["transactionHash"]]
    assert (claim.kind, claim.status, claim.event) == ("withdrawal", "confirmed", f"eip155:1:{claim.ref}")
    assert claim.refs == (f"tx:eip155:1:{claim.ref}",)
    assert shelf.claims[failed["transactionHash"]].status == "failed"
    assert {leg.wallet for c in shelf.claims.values() for leg in c.legs} == {f"eip155:1:{me}"}
    assert shelf.tokens[ETHEREUM.erc20(token)] == "TKA"
    assert not [gap for batch in batches for gap in batch.gaps]
    assert batches[-1].done


async def test_the_sum_of_all_legs_is_what_the_chain_says(node: Anvil) -> None:
    """Wrapping, unwrapping, inner calls, undone inner calls and a movement to oneself: nothing is lost or counted twice."""
    bank, me = node.accounts[:2]
    before = node.balance(me)
    token, forwarder = node.token(), node.deploy("Forwarder")
    node.send(bank, token, calldata("mint(address,uint256)", me, 10**30 + 1))
    node.send(me, WETH, calldata("deposit()"), value=2 * ETHER)
    node.send(me, WETH, calldata("withdraw(uint256)", ETHER // 2))
    node.send(bank, forwarder, calldata("pay(address,uint256)", me, 7), value=9)
    node.send(bank, forwarder, calldata("payAndUndo(address,uint256)", me, 7), value=9)
    node.send(me, forwarder, calldata("pay(address,uint256)", me, 11), value=11)
    node.send(me, me, value=5)
    node.send(me, token, calldata("transfer(address,uint256)", me, 4))
    node.send(me, token, calldata("approve(address,uint256)", bank, 4))
    node.send(me, None, "0x00", value=0)
    shelf = Shelf()
    await sync(shelf, node.url, me)
    assert shelf.total(NATIVE) == from_units(node.balance(me) - before, 18)
    for contract in (token, WETH):
        assert shelf.total(ETHEREUM.erc20(contract)) == from_units(node.call(contract, "balanceOf(address)", me), 18)
    assert {claim.kind for claim in shelf.claims.values()} == {"deposit", "trade", "fee", "other"}
    assert len(shelf.claims) == 9


async def test_a_wrapped_coin_that_announces_twice_counts_once(node: Anvil) -> None:
    me = node.accounts[1]
    node.place("Wrapped", WETH, ("bool",), True)
    node.send(me, WETH, calldata("deposit()"), value=5)
    node.send(me, WETH, calldata("withdraw(uint256)", 2))
    shelf = Shelf()
    await sync(shelf, node.url, me)
    assert shelf.total(ETHEREUM.erc20(WETH)) == from_units(3, 18)


async def test_rows_become_final_and_are_then_left_alone(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    node.send(bank, me, value=1)
    shelf = Shelf()
    await sync(shelf, node.url, me)
    assert [claim.finality for claim in shelf.claims.values()] == ["provisional"]
    node.mine(FINALITY_BLOCKS)
    await sync(shelf, node.url, me)
    assert [claim.finality for claim in shelf.claims.values()] == ["final"]
    again = await sync(shelf, node.url, me)
    assert [batch.claims for batch in again] == [()]


async def test_the_time_that_was_read_is_covered_up_to_the_last_block(node: Anvil) -> None:
    me = node.accounts[1]
    node.mine(30)
    shelf = Shelf()
    (batch,) = await sync(shelf, node.url, me)
    tip = node.rpc("eth_getBlockByNumber", "latest", False)
    assert [(i.start, i.end) for i in batch.covered] == [(0, int(tip["timestamp"], 16) * 1000)]
    node.mine(3)
    (batch,) = await sync(shelf, node.url, me)
    assert batch.covered[0].end == int(tip["timestamp"], 16) * 1000 + 3 * BLOCK_S * 1000
    assert batch.covered[0].start <= int(tip["timestamp"], 16) * 1000


async def test_a_node_that_caps_the_range_is_read_in_pages_just_below_its_cap(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    for _ in range(6):
        node.send(bank, me, value=1)
        node.mine(60)
    proxy.span_max = 50
    shelf = Shelf()
    batches = await sync(shelf, proxy.url, me)
    assert shelf.total(NATIVE) == from_units(6, 18)
    assert len(batches) <= 2 * node.height() // proxy.span_max
    spans = [int(p[0]["toBlock"], 16) - int(p[0]["fromBlock"], 16) + 1 for m, p in proxy.asked if m == "eth_getLogs"]
    assert max(span for span in spans if span <= proxy.span_max) > 0.9 * proxy.span_max
    assert [batch.done for batch in batches] == [False] * (len(batches) - 1) + [True]
    assert all(a.covered[0].end == b.covered[0].start for a, b in pairwise(batches))


async def test_the_cap_is_remembered_by_the_next_slice(node: Anvil, proxy: Difficult) -> None:
    node.mine(1_000)
    proxy.span_max = 50
    shelf, me = Shelf(), node.accounts[1]
    await sync(shelf, proxy.url, me, pages=12)
    before = proxy.refused
    await sync(shelf, proxy.url, me, pages=5)
    assert proxy.refused == before


async def test_a_node_without_traces_leaves_gaps_and_reads_the_rest(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    token, forwarder = node.token(), node.deploy("Forwarder")
    node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    node.send(bank, forwarder, calldata("pay(address,uint256)", me, 7), value=7)
    node.send(bank, me, value=3)
    proxy.without = {"trace_filter", "debug_traceTransaction"}
    shelf = Shelf()
    batches = await sync(shelf, proxy.url, me)
    assert [list(legs.values()) for legs in shelf.legs().values()] == [["0.000000000000000005"]]
    assert {gap.code for batch in batches for gap in batch.gaps} == {"native_not_listed", "internal_not_listed"}
    assert shelf.total(NATIVE) == 0


async def test_inner_transfers_are_found_without_trace_filter_where_an_event_points_to_them(
    node: Anvil, proxy: Difficult
) -> None:
    me = node.accounts[1]
    node.send(me, WETH, calldata("deposit()"), value=5)
    receipt = node.send(me, WETH, calldata("withdraw(uint256)", 2))
    proxy.without = {"trace_filter"}
    shelf = Shelf()
    await sync(shelf, proxy.url, me)
    assert shelf.legs()[receipt["transactionHash"]] == {
        "trace:0": "0.000000000000000002",
        "log:0": "-0.000000000000000002",
        "gas": fee(receipt),
    }


async def test_a_node_that_refuses_batches_is_asked_one_by_one(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    token = node.token()
    for _ in range(3):
        node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    proxy.batch_max = 1
    shelf, plain = Shelf(), Shelf()
    await sync(shelf, proxy.url, me)
    await sync(plain, node.url, me)
    assert shelf.legs() == plain.legs()
    assert len(shelf.claims) == 3


async def test_a_final_receipt_that_is_missing_is_waited_for_and_then_told_as_a_gap(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    lost = node.send(bank, me, value=1)["transactionHash"]
    node.send(bank, me, value=2)
    node.mine(FINALITY_BLOCKS)
    proxy.forget = {lost: 100}
    shelf = Shelf()
    for _ in range(3):
        batches = await sync(shelf, proxy.url, me)
        assert [gap.code for batch in batches for gap in batch.gaps] == ["receipt_missing"]
        assert batches[-1].done
    proxy.forget = {}
    await sync(shelf, proxy.url, me)
    assert shelf.total(NATIVE) == from_units(3, 18)


async def test_a_receipt_that_never_comes_does_not_hold_up_the_stream(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    lost = node.send(bank, me, value=1)["transactionHash"]
    node.mine(FINALITY_BLOCKS)
    proxy.forget = {lost: 1_000}
    shelf = Shelf()
    for _ in range(6):
        await sync(shelf, proxy.url, me)
    proxy.forget = {}
    assert [batch.claims for batch in await sync(shelf, proxy.url, me)] == [()]


async def test_movements_of_a_token_with_absurd_decimals_are_left_out_and_named(node: Anvil) -> None:
    me = node.accounts[1]
    mute = node.deploy("MuteToken", ("bool",), False)
    node.send(node.accounts[0], mute, calldata("shout(address,uint256)", me, 5))
    shelf = Shelf()
    (batch,) = await sync(shelf, node.url, me)
    assert not shelf.claims
    assert [gap.code for gap in batch.gaps] == ["token_refused"]


async def test_collectibles_come_and_go_one_by_one(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    collectible = node.deploy("Collectible")
    node.send(bank, collectible, calldata("mint(address,uint256)", me, 7))
    node.send(bank, collectible, calldata("many(address,address,uint256,uint256)", bank, me, 3, 20))
    node.send(bank, collectible, calldata("many(address,address,uint256,uint256)", me, bank, 3, 5))
    shelf = Shelf()
    (batch,) = await sync(shelf, node.url, me)
    assert batch.gaps == ()
    assert [list(legs.values()) for legs in shelf.legs().values()] == [["1"], ["20"], ["-5"]]
    assert shelf.tokens[f"eip155:1/erc1155:{collectible}/3"] == shelf.tokens[f"eip155:1/erc721:{collectible}/7"] == "COLL"


async def test_collectibles_are_held_as_their_contract_says(node: Anvil, proxy: Difficult) -> None:
    """Balances are asked for and never summed: with and without Multicall3."""
    bank, me = node.accounts[:2]
    collectible = node.deploy("Collectible")
    node.send(bank, collectible, calldata("mint(address,uint256)", me, 7))
    node.send(bank, collectible, calldata("mint(address,uint256)", me, 8))
    node.send(bank, collectible, calldata("many(address,address,uint256,uint256)", bank, me, 3, 20))
    shelf = Shelf()
    await sync(shelf, node.url, me)
    node.send(me, collectible, calldata("give(address,address,uint256)", me, bank, 8))
    single = {f"eip155:1/erc721:{collectible}/7": 1, f"eip155:1/erc1155:{collectible}/3": 20}
    for url in (node.url, proxy.url):
        proxy.tamper = {"eth_getCode": lambda _params, _result: "0x"}
        await sync(shelf, url, me, kind="balances")
        assert {token: held for token, held in shelf.held().items() if "/erc20:" not in token and "slip44" not in token} == single


async def test_decoding_the_evidence_gives_the_facts_that_were_read(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    token, forwarder = node.token(), node.deploy("Forwarder")
    node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    node.send(bank, forwarder, calldata("pay(address,uint256)", me, 7), value=9)
    node.send(me, WETH, calldata("deposit()"), value=5)
    proxy.span_max = 7
    shelf = Shelf()
    batches = await sync(shelf, proxy.url, me)
    assert len(batches) > 1
    for batch in batches:
        again = READER.decode("evm", batch.cursor.stream, batch.evidence)
        for name in ("observed_at", "tokens", "wallets", "claims", "covered", "gaps", "rewind", "evidence"):
            assert getattr(again, name) == getattr(batch, name), name
        assert all(claim.evidence is not None and batch.evidence[claim.evidence] for claim in batch.claims)


async def test_a_trace_nested_too_deeply_costs_its_own_inner_transfers_only(node: Anvil, proxy: Difficult) -> None:
    """Anybody can send one unit through a thousand nested calls."""
    bank, me = node.accounts[:2]
    forwarder = node.deploy("Forwarder")
    hostile = node.send(bank, forwarder, calldata("pay(address,uint256)", me, 7), value=7)["transactionHash"]
    node.send(bank, forwarder, calldata("pay(address,uint256)", me, 40), value=40)

    depth = 100_000
    proxy.splice = {b'"@nested"': b'{"type":"CALL","calls":[' * depth + b"]}" * depth}
    proxy.tamper = {"debug_traceTransaction": lambda params, frame: "@nested" if params[0] == hostile else frame}
    shelf = Shelf()
    (batch,) = await sync(shelf, proxy.url, me)
    assert shelf.total(NATIVE) == from_units(40, 18)
    assert [gap.code for gap in batch.gaps] == ["internal_not_listed"]


async def test_a_recorded_conversation_is_played_back_to_the_same_facts(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    node.send(bank, node.token(), calldata("mint(address,uint256)", me, 5))
    node.send(me, WETH, calldata("deposit()"), value=5)
    clock, recorder = SystemClock(), Recorder("ethereum")

    async def read(egress: Egress) -> list[Batch]:
        found: list[Batch] = []
        async with access_to(node.url, me, egress=egress) as access:
            for stream in READER.streams(access):
                found += [batch async for batch in READER.read(access, Cursor(stream.name))]
        return found

    live = await read(Egress(clock=clock, recorder=recorder))
    cassette = load(dump(recorder.cassette(recorded_at=clock.now())))
    played = await read(Egress.playing(cassette, clock=clock))
    assert [(b.snapshots, b.claims, b.tokens, b.covered) for b in played] == [
        (b.snapshots, b.claims, b.tokens, b.covered) for b in live
    ]
    assert len(live) == 2
