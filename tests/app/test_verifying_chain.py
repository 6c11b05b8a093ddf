"""A chain's row against real nodes: what is right, and each thing that can be wrong."""

from collections.abc import Iterator

import pytest
from msgspec import structs

from omnifolio.app import verifying_chain
from omnifolio.app.verifying_chain import ChainVerification, verify_chain
from omnifolio.catalog.chains import evm_chain
from omnifolio.model.errors import InvalidField
from omnifolio.model.settings import Settings
from omnifolio.transport.policy import Rule
from tests.anvil import MULTICALL3, Anvil, anvil, free_port
from tests.stage import Hurry
from tests.venues.evm.difficult import Difficult, difficult


@pytest.fixture
def node() -> Iterator[Anvil]:
    with anvil(chain_id=1) as running:
        running.place("Multicall", MULTICALL3)
        running.mine(3)
        yield running


@pytest.fixture
def second(node: Anvil) -> Iterator[Difficult]:
    with difficult(node) as running:
        yield running


async def verified(
    monkeypatch: pytest.MonkeyPatch, node: Anvil, *urls: str, is_still: bool = False, **row: str
) -> ChainVerification:
    """The verification with these nodes; a block comes in each pause unless the chain stands still."""
    chain = structs.replace(evm_chain("ethereum"), rpc_url="", rpc_urls=urls, **row)
    monkeypatch.setattr(verifying_chain, "evm_chain", lambda _name: chain)
    monkeypatch.setattr(verifying_chain, "Rule", lambda method, url, **_: Rule(method, url, is_configured=True))

    async def sleep(_seconds: float) -> None:
        if not is_still:
            node.mine()

    return await verify_chain(Settings(), "ethereum", node.accounts[1], clock=Hurry(), sleep=sleep)


def outcomes(done: ChainVerification) -> dict[str, str]:
    return {finding.check: finding.outcome for finding in done.findings}


async def test_two_nodes_that_agree_prove_a_row(node: Anvil, second: Difficult, monkeypatch: pytest.MonkeyPatch) -> None:
    done = await verified(monkeypatch, node, node.url, second.url)
    assert {name: outcome for name, outcome in outcomes(done).items() if name != "head"} == {
        "chain": "ok",
        "multicall": "ok",
        "balance": "ok",
    }
    assert done.result["venue"] == "ethereum"
    assert done.sources == ["127.0.0.1", "127.0.0.1"]
    assert node.accounts[1] not in str(done.result)
    other = await verified(monkeypatch, node, node.url, second.url, name="Other")
    assert other.result["connector"] != done.result["connector"]


async def test_what_is_wrong_has_its_line(node: Anvil, second: Difficult, monkeypatch: pytest.MonkeyPatch) -> None:
    second.tamper = {"eth_getBalance": lambda _params, _result: "0x1"}
    assert outcomes(await verified(monkeypatch, node, node.url, second.url))["balance"] == "failed"
    dead = f"http://127.0.0.1:{free_port()}"
    alone = await verified(monkeypatch, node, dead, node.url)
    assert outcomes(alone)["balance"] == "warning"
    assert outcomes(alone)["node 127.0.0.1"] == "warning"
    missing = await verified(monkeypatch, node, node.url, multicall3="0x" + "77" * 20)
    assert outcomes(missing)["multicall"] == "failed"
    still = await verified(monkeypatch, node, node.url, is_still=True)
    assert outcomes(still)["head"] == "warning"
    second.tamper = {"eth_chainId": lambda _params, _result: "0x2"}
    wrong = await verified(monkeypatch, node, second.url)
    assert outcomes(wrong) == {"node 127.0.0.1": "failed"}


async def test_a_chain_without_nodes_needs_one(node: Anvil, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidField, match="base_urls"):
        await verified(monkeypatch, node)
