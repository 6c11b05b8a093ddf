"""Who is asked: told before, in turn where one fails, and found by one question a chain."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs
from tests.anvil import Anvil, calldata, free_port
from tests.faces.cli.program import Program
from tests.stage import Hurry
from tests.venues.evm.difficult import Difficult
from tests.venues.evm.etherscan import Etherscan
from tests.venues.evm.shelf import READER, access_to

from omnifolio.catalog.chains import evm_chain, known_tokens
from omnifolio.model.errors import VenueError
from omnifolio.model.facts import Cursor
from omnifolio.transport.egress import Egress
from omnifolio.transport.policy import Rule
from omnifolio.venues import nodes
from omnifolio.venues.depth import Depth
from omnifolio.venues.evm import reader
from omnifolio.venues.evm.plan import Given, steps_of

ME = "0x" + "ab" * 20
BALANCES = Cursor("balances/ethereum")


@pytest.fixture(autouse=True)
def rested() -> Iterator[None]:
    """Other tests' nodes do not rest here."""
    nodes._RESTING.clear()
    yield
    nodes._RESTING.clear()


async def test_the_next_node_takes_over_and_stays_first_for_a_while(
    node: Anvil, proxy: Difficult, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    chain = structs.replace(evm_chain("ethereum"), rpc_url=dead, rpc_urls=(proxy.url,), explorer_api="")
    monkeypatch.setattr(reader, "evm_chain", lambda _name: chain)
    clock = Hurry()
    egress = Egress(clock=clock, sleep=clock.sleep)
    egress.allow("ethereum", [Rule("POST", url, is_configured=True) for url in chain.nodes])
    async with access_to("", node.accounts[1], egress=egress) as access:
        access.base_url = None
        (batch,) = [page async for page in READER.read(access, BALANCES)]
        assert batch.snapshots
        assert nodes.in_turn(chain.nodes, now_s=access.clock.monotonic()) == [proxy.url, dead]
        proxy.without = {"eth_getLogs"}
        with pytest.raises(VenueError):
            _ = [page async for page in READER.read(access, BALANCES)]


def test_sources_and_costs_are_known_before_the_first_call() -> None:
    ethereum = evm_chain("ethereum")
    public = steps_of(ethereum, Given(), Depth())
    assert [step.reads for step in public] == ["balances", "which transactions there are", "what they did"]
    assert public[0].source.startswith("ethereum-rpc.publicnode.com, else ")
    assert (public[1].source, public[1].calls) == ("eth.blockscout.com", "6 for each 500 transactions")
    assert public[2].time == "80 s for each 1,000 transactions"
    assert not any(step.is_own for step in public)
    own = steps_of(ethereum, Given(node="http://10.0.0.1:8545"), Depth())
    assert {(step.source, step.is_own) for step in own} == {("10.0.0.1", True)}
    keyed = steps_of(ethereum, Given(node="http://10.0.0.1:8545", has_key=True), Depth())
    assert (keyed[1].source, keyed[1].is_own) == ("api.etherscan.io", False)
    assert [step.reads for step in steps_of(ethereum, Given(), Depth(has_history=False))] == ["balances"]


def test_a_dry_run_names_everybody_and_asks_nobody(tmp_path: Path) -> None:
    program = Program(tmp_path)
    done = program("accounts", "add", "ethereum", f"wallet={ME}", "--dry-run", "-o", "json")
    assert done.code == 0, done.err
    assert [row["reads"] for row in done.json] == ["balances", "which transactions there are", "what they did"]
    assert program("accounts", "list", "-o", "json").json == []
    only = program("accounts", "add", "ethereum", f"wallet={ME}", "history=balances", "--dry-run", "-o", "json")
    assert [row["reads"] for row in only.json] == ["balances"]
    assert program("accounts", "add", "ethereum", f"wallet={ME}", "history=ever", "--dry-run").code == 2
    assert program("accounts", "add", "ethereum", f"wallet={'ab' * 32}", "--dry-run").code != 0
    assert "eth.blockscout.com" in program("venues", "show", "ethereum").out
    assert "api.kraken.com" in program("venues", "show", "kraken").out


def test_a_linked_account_says_who_was_asked(tmp_path: Path, node: Anvil, explorer: Etherscan) -> None:
    me = node.accounts[1]
    program = Program(tmp_path, base_url__ethereum=node.url, **{"base_url__ethereum-explorer": explorer.url})
    added = program("accounts", "add", "ethereum", f"wallet={me}", "--no-sync", "-o", "json")
    assert added.json["asked"] == ["127.0.0.1"]


def test_an_address_is_found_where_it_lives(tmp_path: Path, node: Anvil) -> None:
    bank, me = node.accounts[:2]
    usdc = next(contract for contract, token in known_tokens(1).items() if token.ticker == "USDC")
    node.place("Token", usdc, ("string", "string", "uint8"), "USDC", "USD Coin", 6)
    node.send(bank, usdc, calldata("mint(address,uint256)", me, 7))
    node.send(me, bank, value=1)
    program = Program(tmp_path, base_url__ethereum=node.url)
    (found,) = program("venues", "find", me, "--chain", "ethereum", "-o", "json").json
    assert (found["chain"], found["sent"], found["tokens"], found["source"]) == ("ethereum", 1, ["USDC"], "127.0.0.1")
    assert program("venues", "find", ME, "--chain", "ethereum", "-o", "json").json == []
    (nothing,) = program("venues", "find", ME, "--chain", "ethereum", "--all", "-o", "json").json
    assert (nothing["sent"], nothing["balance"]) == (0, "0")
    linked = program("venues", "find", me, "--chain", "ethereum", "--link")
    assert linked.code == 0, linked.err
    assert program("venues", "find", me, "--chain", "ethereum", "--link").code == 0
    assert [row["venue"] for row in program("accounts", "list", "-o", "json").json] == ["ethereum"]
    planned = program("venues", "find", ME, "--dry-run", "-o", "json").json
    assert len(planned) > 187
    wrong = program("venues", "find", me, "--chain", "gnosis", "-o", "json", OMNIFOLIO_BASE_URL__GNOSIS=node.url)
    assert wrong.code == 6
    assert "does not serve Gnosis" in json.dumps(wrong.json)
