"""History by an explorer and a node together: the explorer says which transactions, the node what they did."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from tests.anvil import FINALITY_BLOCKS, GENESIS_S, Anvil, calldata
from tests.venues.evm.difficult import Difficult
from tests.venues.evm.etherscan import Etherscan
from tests.venues.evm.shelf import READER, Shelf, access_to, sync

from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import BadCredentials, InvalidField, VenueBusy
from omnifolio.model.facts import Cursor, Evidence
from omnifolio.venues.depth import depth_of
from omnifolio.venues.evm import listing
from omnifolio.venues.evm.explorer import inner_rows, verdict

NATIVE = "eip155:1/slip44:60"
TRANSFERS = Cursor("transfers/ethereum")


@pytest.fixture
def plain(proxy: Difficult) -> Difficult:
    """A node as most public ones are: without traces."""
    proxy.without = {"trace_filter", "debug_traceTransaction"}
    return proxy


def busy_life(node: Anvil, bank: str, me: str) -> None:
    """Coins straight and from inside, tokens, collectibles, and a transaction that fails."""
    token, forwarder, collectible = node.token(), node.deploy("Forwarder"), node.deploy("Collectible")
    node.send(bank, me, value=7)
    node.send(bank, forwarder, calldata("pay(address,uint256)", me, 5), value=9)
    node.send(bank, forwarder, calldata("payAndUndo(address,uint256)", me, 5), value=9)
    node.send(bank, token, calldata("mint(address,uint256)", me, 40))
    node.send(me, token, calldata("transfer(address,uint256)", bank, 15))
    node.send(me, token, calldata("transfer(address,uint256)", bank, 900), ok=False)
    node.send(bank, collectible, calldata("mint(address,uint256)", me, 3))
    node.send(bank, collectible, calldata("many(address,address,uint256,uint256)", bank, me, 8, 2))


async def test_an_explorer_beside_a_plain_node_tells_what_a_tracing_node_tells(
    node: Anvil, plain: Difficult, explorer: Etherscan
) -> None:
    bank, me = node.accounts[:2]
    busy_life(node, bank, me)
    traced, found = Shelf(), Shelf()
    await sync(traced, node.url, me)
    (batch,) = await sync(found, plain.url, me, explorer=explorer.url)
    assert batch.gaps == ()
    assert [sorted(legs.values()) for legs in found.legs().values()] == [sorted(legs.values()) for legs in traced.legs().values()]
    assert {ref: claim.status for ref, claim in found.claims.items()} == {r: c.status for r, c in traced.claims.items()}
    assert not [method for method, _ in plain.asked if method in ("eth_getLogs", "debug_traceTransaction")]
    stored = READER.decode("ethereum", "transfers/ethereum", batch.evidence)
    assert stored.claims == batch.claims


async def test_a_long_history_comes_in_pages_that_a_cursor_of_blocks_goes_on_from(
    node: Anvil, plain: Difficult, explorer: Etherscan, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, me = node.accounts[:2]
    before = node.balance(me)
    monkeypatch.setattr(listing, "ROWS", 3)
    for value in range(1, 11):
        node.send(bank, me, value=value)
    node.mine(FINALITY_BLOCKS)
    shelf = Shelf()
    first = await sync(shelf, plain.url, me, explorer=explorer.url, pages=2)
    assert (len(first), len(shelf.claims)) == (2, 4)
    rest = await sync(shelf, plain.url, me, explorer=explorer.url)
    assert [len(batch.claims) for batch in rest] == [2, 2, 2]
    assert (len(shelf.claims), rest[-1].done) == (10, True)
    assert shelf.total(NATIVE) == Decimal(node.balance(me) - before).scaleb(-18)
    assert all(params["page"] == "1" for _, params in explorer.asked if "page" in params)


async def test_a_block_with_more_rows_than_a_page_is_asked_for_again_in_one_piece(
    node: Anvil, plain: Difficult, explorer: Etherscan, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank, me = node.accounts[:2]
    monkeypatch.setattr(listing, "ROWS", 2)
    node.rpc("evm_setAutomine", False)
    for value in range(1, 6):
        node.rpc("eth_sendTransaction", {"from": bank, "to": me, "value": hex(value), "gasPrice": hex(2 * 10**9)})
    node.mine()
    node.rpc("evm_setAutomine", True)
    shelf = Shelf()
    await sync(shelf, plain.url, me, explorer=explorer.url)
    assert len(shelf.claims) == 5


async def test_blocks_that_the_explorer_has_not_read_are_read_again_when_it_has(
    node: Anvil, plain: Difficult, explorer: Etherscan
) -> None:
    """A plain node cannot list transfers of coins: they must not be settled before the explorer told of them."""
    bank, me = node.accounts[:2]
    node.send(bank, me, value=5)
    node.mine(FINALITY_BLOCKS)
    node.send(bank, me, value=7)
    node.mine(FINALITY_BLOCKS)
    explorer.lag = FINALITY_BLOCKS + 2
    shelf = Shelf()
    batches = await sync(shelf, plain.url, me, explorer=explorer.url)
    assert shelf.total(NATIVE) == Decimal("5E-18")
    assert [gap for batch in batches for gap in batch.gaps] == []
    explorer.lag = 0
    await sync(shelf, plain.url, me, explorer=explorer.url)
    assert shelf.total(NATIVE) == Decimal("12E-18")


async def test_a_chain_that_moves_is_followed_by_an_explorer_as_by_a_node(
    node: Anvil, plain: Difficult, explorer: Etherscan
) -> None:
    bank, me, other = node.accounts[:3]
    stays = node.send(bank, me, value=1)["transactionHash"]
    snapshot = node.rpc("evm_snapshot")
    dropped = node.send(bank, me, value=20)["transactionHash"]
    returns = node.send(other, me, value=300)["transactionHash"]
    shelf = Shelf()
    await sync(shelf, plain.url, me, explorer=explorer.url)
    assert set(shelf.claims) == {stays, dropped, returns}
    assert node.rpc("evm_revert", snapshot)
    node.mine()
    assert node.send(other, me, value=300)["transactionHash"] == returns
    await sync(shelf, plain.url, me, explorer=explorer.url)
    assert set(shelf.claims) == {stays, returns}
    node.mine(FINALITY_BLOCKS)
    await sync(shelf, plain.url, me, explorer=explorer.url)
    assert {claim.finality for claim in shelf.claims.values()} == {"final"}
    assert shelf.total(NATIVE) == Decimal("301E-18")


async def test_withdrawals_of_validators_are_rewards_or_a_stake_that_comes_back(
    node: Anvil, plain: Difficult, explorer: Etherscan
) -> None:
    me = node.accounts[1]
    node.mine(3 * FINALITY_BLOCKS)
    place = {"validatorIndex": "7", "address": me, "timestamp": str(GENESIS_S)}
    explorer.given = [
        place | {"withdrawalIndex": "40", "amount": "17000000", "blockNumber": "1"},
        place | {"withdrawalIndex": "41", "amount": "32000000000", "blockNumber": "2"},
        place | {"withdrawalIndex": "42", "amount": "1", "blockNumber": str(explorer.tip)},
    ]
    shelf = Shelf()
    await sync(shelf, plain.url, me, explorer=explorer.url)
    told = {claim.ref: (claim.kind, str(claim.legs[0].amount)) for claim in shelf.claims.values()}
    assert told == {
        "withdrawal:40": ("staking_reward", "0.017000000"),
        "withdrawal:41": ("unstaking", "32.000000000"),
    }


async def test_an_explorer_that_lacks_a_list_gives_way_to_the_node_or_to_a_gap(
    node: Anvil, plain: Difficult, explorer: Etherscan
) -> None:
    bank, me = node.accounts[:2]
    busy_life(node, bank, me)
    shelf = Shelf()
    explorer.without = {"token1155tx"}
    (batch,) = await sync(shelf, plain.url, me, explorer=explorer.url)
    assert [gap.code for gap in batch.gaps] == ["collectibles_not_listed"]
    for missing in ("txlistinternal", "getblocknobytime"):
        explorer.without = {missing}
        shelf = Shelf()
        (batch,) = await sync(shelf, plain.url, me, explorer=explorer.url)
        assert [gap.code for gap in batch.gaps] == ["native_not_listed", "internal_not_listed"]


async def test_a_key_is_sent_and_never_kept(node: Anvil, plain: Difficult, explorer: Etherscan) -> None:
    me = node.accounts[1]
    explorer.key = "letmein"
    shelf = Shelf()
    with pytest.raises(BadCredentials):
        await sync(shelf, plain.url, me, explorer=explorer.url, key="wrong")
    (batch,) = await sync(shelf, plain.url, me, explorer=explorer.url, key="letmein")
    kept = json.dumps([[page.request, page.params, page.body.decode()] for page in batch.evidence])
    assert "letmein" not in kept
    assert "txlistinternal" in kept


async def test_a_busy_explorer_is_waited_for(node: Anvil, plain: Difficult, explorer: Etherscan) -> None:
    """What it would have listed must not be settled by a node that cannot list it."""
    me = node.accounts[1]
    explorer.busy = 1
    with pytest.raises(VenueBusy):
        await sync(Shelf(), plain.url, me, explorer=explorer.url)


async def test_who_runs_a_node_of_their_own_is_not_told_to_an_explorer(node: Anvil) -> None:
    async with access_to(node.url, node.accounts[1]) as access:
        assert access.explorer_url is None
        (batch,) = [page async for page in READER.read(access, TRANSFERS)]
    assert all(page.request.startswith("POST") for page in batch.evidence)


async def test_history_begins_where_it_was_asked_for(node: Anvil, plain: Difficult, explorer: Etherscan) -> None:
    bank, me = node.accounts[:2]
    node.send(bank, me, value=5)
    node.rpc("evm_setNextBlockTimestamp", GENESIS_S + 3 * 86_400)
    node.send(bank, me, value=7)
    day = datetime.fromtimestamp(GENESIS_S + 2 * 86_400, UTC).date().isoformat()
    for asked in (explorer.url, ""):
        shelf = Shelf()
        (batch,) = await sync(shelf, plain.url, me, history=day, explorer=asked)
        assert shelf.total(NATIVE) == (Decimal("7E-18") if asked else 0)
        gap = next(gap for gap in batch.gaps if gap.code == "not_wanted")
        assert gap.end == depth_of({"history": day}).since
        assert batch.covered[0].start > 0


async def test_who_wants_balances_only_is_asked_for_no_more(node: Anvil) -> None:
    me = node.accounts[1]
    async with access_to(node.url, me, history="balances") as access:
        assert [stream.name for stream in READER.streams(access)] == ["balances/ethereum"]
    (batch,) = await sync(Shelf(), node.url, me, kind="balances", history="balances")
    assert [gap.code for gap in batch.gaps] == ["history_not_wanted"]
    async with access_to(node.url, me, history="some") as access:
        with pytest.raises(InvalidField, match="history"):
            _ = [page async for page in READER.read(access, TRANSFERS)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"status":"1","message":"OK","result":[]}', "rows"),
        (b'{"status":"0","message":"No transactions found","result":[]}', "empty"),
        (b'{"status":"0","message":"No internal transactions found","result":null}', "empty"),
        (b'{"status":"0","message":"NOTOK","result":"Max calls per sec rate limit reached (3/sec)"}', "busy"),
        (b'{"status":"0","message":"NOTOK","result":"Invalid API Key (#err2)|x"}', "key"),
        (b'{"status":"0","message":"NOTOK","result":"Free API access is not supported for this chain."}', "refused"),
        (b'{"status":"0","message":"Query Timeout occured","result":null}', "busy"),
    ],
)
def test_an_answer_is_judged_by_its_words(body: bytes, said: str) -> None:
    assert verdict(body) == said


def test_rows_name_their_transaction_in_one_way_or_the_other() -> None:
    rows = [{"hash": "0xAB", "value": "1"}, {"transactionHash": "0xab", "value": "2"}]
    page = Evidence(
        stream="s",
        request="GET /explorer",
        params={"read": "explorer", "action": "txlistinternal"},
        received_at=EpochMs(0),
        body=json.dumps({"status": "1", "result": rows}).encode(),
    )
    assert [row.value for row in inner_rows([page])["0xab"]] == ["1", "2"]
