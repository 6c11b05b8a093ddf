"""The rows of EVM chains are what they claim to be."""

import tomllib
from importlib.resources import files

import pytest
from eth_utils.address import to_checksum_address

from omnifolio.catalog.chains import MULTICALL3, evm_chain, evm_chains
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import token_id

LOCAL = "anvil"


def rows() -> dict[str, dict[str, str]]:
    return tomllib.loads((files("omnifolio.catalog") / "data" / "chains" / "eip155.toml").read_text())


def test_ids_are_unique_and_form_valid_token_ids() -> None:
    chains = evm_chains().values()
    assert len({chain.chain_id for chain in chains}) == len(chains) >= 11
    for chain in chains:
        assert token_id(chain.native.id) == chain.native.id
        assert token_id(chain.erc20(MULTICALL3)) == f"eip155:{chain.chain_id}/erc20:{MULTICALL3}"
        assert evm_chain(chain.caip2) is chain


def test_every_public_chain_has_a_node_an_explorer_and_a_wrapped_coin() -> None:
    for chain in evm_chains().values():
        if chain.id != LOCAL:
            assert chain.rpc_url.startswith("https://")
            assert chain.explorer_url.startswith("https://")
            assert chain.wrapped
        assert chain.confirmations >= 16


def test_the_local_chain_names_no_node() -> None:
    assert evm_chain("eip155:31337").rpc_url == ""


def test_addresses_carry_their_checksum_in_the_file_and_lower_case_inside() -> None:
    for name, row in rows().items():
        if "wrapped" in row:
            assert to_checksum_address(row["wrapped"]) == row["wrapped"]
            assert evm_chain(name).wrapped == row["wrapped"].lower()


def test_an_unknown_chain_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidField, match="ethereum"):
        evm_chain("moon")
