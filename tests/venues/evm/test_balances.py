"""What an address holds, against a real node: all of it at one block, or nothing at all."""

from decimal import Decimal
from typing import Any

import pytest
from tests.anvil import Anvil, anvil, calldata
from tests.venues.evm.difficult import Difficult
from tests.venues.evm.shelf import READER, Shelf, access_to, sync

from omnifolio.catalog.chains import evm_chain, known_tokens
from omnifolio.model.amounts import from_units
from omnifolio.model.errors import InvalidField, PrivateKeyRefused, VenueBadResponse, VenueBusy, VenueUnavailable
from omnifolio.model.facts import Cursor
from omnifolio.transport.retries import ATTEMPTS_MAX

ETHEREUM = evm_chain("ethereum")
NATIVE = ETHEREUM.native.id


async def test_balances_equal_the_chain(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    tokens = {node.token(f"T{places}", places): places for places in (0, 6, 18)}
    old = node.deploy("Bytes32Token")
    for token in [*tokens, old]:
        node.send(bank, token, calldata("mint(address,uint256)", me, 2**200 + 1))
    node.send(me, ETHEREUM.wrapped, calldata("deposit()"), value=5)
    shelf = Shelf()
    (batch,) = await sync(shelf, node.url, me, kind="balances")
    expected = {ETHEREUM.erc20(token): from_units(2**200 + 1, places) for token, places in (tokens | {old: 18}).items()}
    expected |= {NATIVE: from_units(node.balance(me), 18), ETHEREUM.erc20(ETHEREUM.wrapped): from_units(5, 18)}
    assert shelf.held() == expected
    assert shelf.tokens[ETHEREUM.erc20(old)] == "MKR"
    assert shelf.snapshot is not None
    assert (shelf.snapshot.wallet, shelf.snapshot.product) == (f"eip155:1:{me}", "spot")
    assert shelf.snapshot.at == int(node.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16) * 1000
    assert (batch.gaps, batch.done) == ((), True)


async def test_a_token_that_was_sold_is_absent_next_time(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    token = node.token()
    node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    shelf = Shelf()
    await sync(shelf, node.url, me, kind="balances")
    assert ETHEREUM.erc20(token) in shelf.held()
    node.send(me, token, calldata("transfer(address,uint256)", bank, 5))
    await sync(shelf, node.url, me, kind="balances")
    assert set(shelf.held()) == {NATIVE}


async def test_one_by_one_gives_the_same_as_multicall(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    for places in range(5):
        node.send(bank, node.token(decimals=places), calldata("mint(address,uint256)", me, 12_345))
    together, alone = Shelf(), Shelf()
    await sync(together, node.url, me, kind="balances")
    proxy.tamper = {"eth_getCode": lambda *_: "0x"}
    await sync(alone, proxy.url, me, kind="balances")
    assert together.held() == alone.held()
    assert together.tokens == alone.tokens


async def test_a_second_sync_of_an_unchanged_address_takes_four_requests(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    node.send(bank, node.token(), calldata("mint(address,uint256)", me, 5))
    shelf = Shelf()
    await sync(shelf, proxy.url, me, kind="balances")
    proxy.requests = 0
    await sync(shelf, proxy.url, me, kind="balances")
    assert proxy.requests == 4


@pytest.mark.parametrize("greedy", [False, True])
async def test_a_new_token_that_answers_nothing_is_left_out_and_spoils_no_other(node: Anvil, *, greedy: bool) -> None:
    """A greedy one burns the gas of all that are asked with it."""
    bank, me = node.accounts[:2]
    tokens = [node.token() for _ in range(3)]
    mute = node.deploy("MuteToken", ("bool",), greedy)
    for token in tokens:
        node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    node.send(bank, mute, calldata("shout(address,uint256)", me, 5))
    shelf = Shelf()
    (batch,) = await sync(shelf, node.url, me, kind="balances")
    assert set(shelf.held()) == {NATIVE, *map(ETHEREUM.erc20, tokens)}
    assert [gap.code for gap in batch.gaps] == ["token_mute"]
    assert mute in batch.gaps[0].text


async def test_a_held_token_that_fails_once_costs_the_snapshot_and_nothing_else(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    token = node.token()
    node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    shelf = Shelf()
    await sync(shelf, node.url, me, kind="balances")
    code = node.rpc("eth_getCode", token, "latest")
    node.rpc("anvil_setCode", token, "0xfe")
    (batch,) = await sync(shelf, node.url, me, kind="balances")
    assert batch.snapshots == ()
    assert {gap.code for gap in batch.gaps} == {"token_mute", "balances_withheld"}
    node.rpc("anvil_setCode", token, code)
    await sync(shelf, node.url, me, kind="balances")
    assert shelf.held()[ETHEREUM.erc20(token)] == from_units(5, 18)


async def test_a_held_token_that_stays_mute_does_not_hold_up_the_account(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    token = node.token()
    node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    shelf = Shelf()
    await sync(shelf, node.url, me, kind="balances")
    node.rpc("anvil_setCode", token, "0xfe")
    await sync(shelf, node.url, me, kind="balances")
    (batch,) = await sync(shelf, node.url, me, kind="balances")
    assert len(batch.snapshots) == 1
    assert set(shelf.held()) == {NATIVE}
    assert [gap.code for gap in batch.gaps] == ["token_mute"]


async def test_names_of_hostile_tokens_are_cleaned_and_bounded(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    hostile = node.token("\u202eHTE\x00\n  \u200b" + "x" * 100, 18, "Claim at\tevil.example " * 200)
    nameless = node.token("", 18, "")
    for token in (hostile, nameless):
        node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    shelf = Shelf()
    (batch,) = await sync(shelf, node.url, me, kind="balances")
    facts = {token.id: token for token in batch.tokens}
    assert facts[ETHEREUM.erc20(hostile)].ticker == "HTE " + "x" * 27 + "…"
    assert facts[ETHEREUM.erc20(hostile)].name == ""
    assert facts[ETHEREUM.erc20(nameless)].ticker == f"{nameless[:6]}…{nameless[-4:]}"


async def test_a_node_that_caps_the_range_still_gives_balances(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    old, new = node.token(), node.token()
    node.send(bank, old, calldata("mint(address,uint256)", me, 5))
    node.mine(100)
    node.send(bank, new, calldata("mint(address,uint256)", me, 5))
    proxy.span_max = 50
    shelf = Shelf()
    (batch,) = await sync(shelf, proxy.url, me, kind="balances")
    assert set(shelf.held()) == {NATIVE, ETHEREUM.erc20(new)}
    assert [gap.code for gap in batch.gaps] == ["tokens_unseen"]
    await sync(shelf, proxy.url, me, kind="transfers")
    await sync(shelf, proxy.url, me, kind="balances")
    assert set(shelf.held()) == {NATIVE, ETHEREUM.erc20(new), ETHEREUM.erc20(old)}


async def test_well_known_tokens_show_at_once_where_old_blocks_cannot_be_looked_through(node: Anvil, proxy: Difficult) -> None:
    bank, me = node.accounts[:2]
    usdc = next(token for token in known_tokens(1).values() if token.ticker == "USDC")
    contract = usdc.id.rpartition(":")[2]
    node.place("Token", contract, ("string", "string", "uint8"), "USDC", "USD Coin", 6)
    node.send(bank, contract, calldata("mint(address,uint256)", me, 7_000_000))
    node.mine(100)
    proxy.span_max = 50
    shelf = Shelf()
    (batch,) = await sync(shelf, proxy.url, me, kind="balances")
    assert shelf.held()[usdc.id] == Decimal("7")
    assert usdc in batch.tokens
    assert [gap.code for gap in batch.gaps] == ["tokens_unseen"], "those of the list that are no contract here are no mute tokens"
    asked = [params for method, params in proxy.asked if method == "eth_call"]
    assert len(asked) < 10, "they are asked for together, and not again one by one"
    node.send(bank, contract, calldata("mint(address,uint256)", me, 1_000_000))
    await sync(shelf, proxy.url, me, kind="balances")
    assert shelf.held()[usdc.id] == Decimal("8")


async def test_decoding_the_evidence_gives_the_facts_that_were_read(node: Anvil) -> None:
    bank, me = node.accounts[:2]
    node.send(bank, node.token(), calldata("mint(address,uint256)", me, 5))
    node.send(bank, node.deploy("MuteToken", ("bool",), False), calldata("shout(address,uint256)", me, 5))
    shelf = Shelf()
    (batch,) = await sync(shelf, node.url, me, kind="balances")
    again = READER.decode("evm", batch.cursor.stream, batch.evidence)
    for name in ("observed_at", "tokens", "wallets", "snapshots", "gaps", "evidence"):
        assert getattr(again, name) == getattr(batch, name), name


@pytest.mark.parametrize("result", [None, {}, [], "", "0x", "0xzz", "0x1", 7, "0x" + "11" * 31])
async def test_a_node_that_answers_nonsense_gives_no_snapshot(node: Anvil, proxy: Difficult, result: Any) -> None:
    me = node.accounts[1]
    proxy.tamper = {"eth_call": lambda *_: result}
    shelf = Shelf()
    with pytest.raises(VenueBadResponse):
        await sync(shelf, proxy.url, me, kind="balances")
    assert shelf.snapshot is None


async def test_a_block_that_is_replaced_while_balances_are_read_gives_no_snapshot(node: Anvil, proxy: Difficult) -> None:
    def moved(params: list[Any], block: dict[str, Any]) -> dict[str, Any]:
        return block if params[0] in ("latest", "finalized") else block | {"hash": "0x" + "ab" * 32}

    proxy.tamper = {"eth_getBlockByNumber": moved}
    with pytest.raises(VenueUnavailable, match="moved"):
        await sync(Shelf(), proxy.url, node.accounts[1], kind="balances")


@pytest.mark.parametrize("kind", ["balances", "transfers"])
async def test_a_node_of_another_chain_is_refused(node: Anvil, kind: str) -> None:
    with pytest.raises(VenueBadResponse, match="serves chain 1; Base is chain 8453"):
        await sync(Shelf(), node.url, node.accounts[1], kind=kind, chain="base")


@pytest.mark.parametrize("kind", ["balances", "transfers"])
async def test_a_busy_node_is_told_apart(node: Anvil, proxy: Difficult, kind: str) -> None:
    proxy.busy = ATTEMPTS_MAX
    with pytest.raises(VenueBusy):
        await sync(Shelf(), proxy.url, node.accounts[1], kind=kind)


@pytest.mark.parametrize("kind", ["balances", "transfers"])
async def test_a_node_that_says_in_its_answer_that_it_is_busy_is_left_alone(node: Anvil, proxy: Difficult, kind: str) -> None:
    busy = b'"error":{"code":-32005,"message":"request rate limited"}'
    proxy.tamper = {"eth_chainId": lambda *_: "@busy"}
    proxy.splice = {b'"result": "@busy"': busy}
    for _ in range(2):
        with pytest.raises(VenueBusy) as caught:
            await sync(Shelf(), proxy.url, node.accounts[1], kind=kind)
        assert caught.value.retry_after_s > 0


async def test_a_development_chain_is_read_by_its_caip_2_id() -> None:
    with anvil() as local:
        me = local.accounts[1]
        async with access_to(local.url, me, chain="eip155:31337") as access:
            streams = READER.streams(access)
            assert [(stream.name, stream.is_balances) for stream in streams] == [
                ("balances/anvil", True),
                ("transfers/anvil", False),
            ]
            (batch,) = [page async for page in READER.read(access, Cursor(streams[0].name))]
            assert batch.snapshots[0].balances[0].amount == Decimal(10_000)
            certificate = await READER.certificate(access)
            assert (certificate.state, certificate.method) == ("read_only", "address")


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("0x" + "11" * 32, PrivateKeyRefused),
        ("0x12", InvalidField),
        ("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1Beaed"[:-1] + "D", InvalidField),
    ],
)
async def test_what_is_no_address_is_refused_before_anything_is_asked(address: str, error: type[Exception]) -> None:
    async with access_to("http://127.0.0.1:9", address) as access:
        with pytest.raises(error):
            READER.read(access, Cursor("balances/ethereum"))


async def test_a_chain_without_a_public_node_needs_one_named() -> None:
    async with access_to("", "0x" + "11" * 20, chain="anvil") as access:
        with pytest.raises(InvalidField, match="base_url"):
            READER.read(access, Cursor("balances/anvil"))


async def test_an_unknown_chain_has_no_streams() -> None:
    async with access_to("", "0x" + "11" * 20, chain="moon") as access:
        assert READER.streams(access) == ()
