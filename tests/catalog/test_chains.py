"""The rows of EVM chains are what they claim to be."""

import tomllib
from importlib.resources import files

import pytest
from eth_utils.address import to_checksum_address

from omnifolio.catalog import exchanges
from omnifolio.catalog.chains import MULTICALL3, evm_chain, evm_chains, known_tokens
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import token_id

LOCAL = "anvil"


MAIN_NETWORKS_MIN = 187
"""Chains that were there when the rows were first made; fewer would mean that some were lost."""


def rows() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "eip155-reviewed.toml").read_text())


def test_ids_are_unique_and_form_valid_token_ids() -> None:
    chains = evm_chains().values()
    names = [name for chain in chains for name in (chain.id, *chain.also)]
    assert len(set(names)) == len(names)
    assert not set(names) & set(exchanges.ids()), "an exchange and a chain would be one venue"
    assert evm_chain("polygon_pos") is evm_chain("polygon")
    assert len({chain.chain_id for chain in chains}) == len(chains) > MAIN_NETWORKS_MIN
    for chain in chains:
        assert token_id(chain.native.id) == chain.native.id
        assert token_id(chain.erc20(MULTICALL3)) == f"eip155:{chain.chain_id}/erc20:{MULTICALL3}"
        assert evm_chain(chain.caip2) is chain


def test_every_public_chain_has_nodes_and_an_explorer() -> None:
    for chain in evm_chains().values():
        if chain.id != LOCAL:
            assert chain.nodes
            assert all(url.startswith("https://") for url in (*chain.nodes, chain.explorer_url))
            assert not any(mark in url for url in chain.nodes for mark in ("key", "{", "?", "$"))
        assert chain.explorer_api.startswith("https://") or not chain.explorer_api
        assert len(chain.multicall3) == len(MULTICALL3)
        assert chain.confirmations >= 16
        assert bool(chain.native_contract) == bool(chain.native_events)


def test_what_people_reviewed_comes_before_what_was_generated() -> None:
    ethereum = evm_chain("ethereum")
    assert ethereum.nodes[0] == ethereum.rpc_url == rows()["ethereum"]["rpc_url"]
    assert len(ethereum.nodes) > 1
    assert ethereum.wrapped


def test_the_local_chain_names_no_node() -> None:
    assert evm_chain("eip155:31337").nodes == ()


def test_addresses_carry_their_checksum_in_the_file_and_lower_case_inside() -> None:
    for name, row in rows().items():
        for field in ("wrapped", "native_contract", "mints_by"):
            if field in row:
                assert to_checksum_address(row[field]) == row[field]
                assert getattr(evm_chain(name), field) == row[field].lower()


def test_well_known_tokens_are_contracts_with_decimals() -> None:
    known = known_tokens(1)
    usdc = known["0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"]
    assert (usdc.ticker, usdc.decimals) == ("USDC", 6)
    assert usdc.id == "eip155:1/erc20:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    assert all(len(contract) == len(MULTICALL3) and contract == contract.lower() for contract in known)
    assert known_tokens(999_999) == {}


def test_an_unknown_chain_is_refused_with_the_form_of_an_id() -> None:
    with pytest.raises(InvalidField, match="ethereum"):
        evm_chain("moon")
