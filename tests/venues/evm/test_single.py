"""One transaction by its hash, from a real node: what a sync would file of it, and how the command line tells it."""

import json
from pathlib import Path

import pytest
from tests.anvil import Anvil, calldata
from tests.faces.cli.program import Program
from tests.llama import llama


@pytest.fixture
def program(tmp_path: Path, node: Anvil) -> Program:
    return Program(tmp_path, base_url__ethereum=node.url)


def test_a_transaction_is_explained_by_a_node_and_by_its_document(program: Program, node: Anvil, tmp_path: Path) -> None:
    bank, me, *_ = node.accounts
    token = node.token("TKA", 6)
    node.send(me, token, calldata("mint(address,uint256)", me, 2_500_000))
    receipt = node.send(me, token, calldata("transfer(address,uint256)", bank, 1_500_000))
    name = receipt["transactionHash"]
    asked = program("explain", "eip155:1", name, "--account", me, "-o", "ndjson")
    assert asked.code == 0, asked.err
    line = asked.json
    assert (line["kind"], line["type"], line["ref"], line["status"]) == ("transaction", "withdrawal", name, "confirmed")
    moved = {(leg["asset"], leg["role"]): leg["amount"] for leg in line["legs"]}
    assert moved["TKA", "principal"] == "-1.5"
    assert set(moved) == {("TKA", "principal"), ("ETH", "fee")}

    document = tmp_path / "transaction.json"
    parts = {
        "transaction": node.rpc("eth_getTransactionByHash", name),
        "receipt": receipt,
        "block": node.rpc("eth_getBlockByNumber", receipt["blockNumber"], False),
        "internal": [],
        "token_decimals": {token: 6},
        "symbols": {token: "TKA"},
    }
    document.write_text(json.dumps(parts))
    told = program("explain", "--from-file", str(document), "--account", me, "-o", "ndjson")
    assert (told.code, told.json) == (0, line)
    assert program("explain", "ethereum", name, "--from-file", "-", "-o", "ndjson", stdin=document.read_text()).json == line
    assert program("replay", str(document)).json == line
    table = program("explain", "--from-file", str(document))
    assert "-1.5" in table.out
    assert "withdrawal (onchain_withdrawal)" in table.out


def test_legs_are_valued_where_it_is_asked_for(program: Program, node: Anvil) -> None:
    bank, me, *_ = node.accounts
    name = node.send(bank, me, value=3 * 10**18)["transactionHash"]
    with llama("2000.5") as url:
        settings = {"OMNIFOLIO_PRICE_SOURCES": "defillama", "OMNIFOLIO_BASE_URL__DEFILLAMA": url}
        told = program("explain", "ethereum", name, "--account", me, "--fiat", "usd", "-o", "ndjson", **settings)
        (leg,) = told.json["legs"]
        assert (leg["value"], leg["currency"], leg["unvalued"]) == ("6001.5", "USD", None)
        assert "6001.5" in program("explain", "ethereum", name, "--account", me, "--fiat", "USD", **settings).out
    gone = program("explain", "ethereum", name, "--account", me, "--fiat", "USD", "-o", "ndjson", **settings)
    (leg,) = gone.json["legs"]
    assert leg["value"] is None
    assert leg["unvalued"]


def test_what_a_node_does_not_have_or_nobody_can_mean_is_refused(program: Program, node: Anvil) -> None:
    me, unknown = node.accounts[0], "0x" + "12" * 32
    assert "no transaction of that hash" in program("explain", "ethereum", unknown, "--account", me).err
    assert program("explain", "ethereum", "0x12", "--account", me).code == 2
    assert program("explain", "ethereum", unknown).code == 2
    assert program("explain", "moon", unknown, "--account", me).code == 2


def test_what_stays_open_is_told_and_shows_in_the_exit_code(program: Program, node: Anvil, tmp_path: Path) -> None:
    bank, me, *_ = node.accounts
    token = node.token("TKA", 6)
    receipt = node.send(bank, token, calldata("mint(address,uint256)", me, 5))
    document = tmp_path / "transaction.json"
    document.write_text(json.dumps({"receipt": receipt, "block_time": 1_700_000_000, "chain": "ethereum"}))
    told = program("explain", "--from-file", str(document), "--account", me)
    assert told.code == 6
    assert "nothing states its decimals" in told.out
