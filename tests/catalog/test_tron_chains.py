"""The rows of TRON's networks are what they claim to be."""

import pytest

from omnifolio.catalog.tron_chains import tron_chain, tron_chains
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import contract_of, token_id
from omnifolio.venues.tron.address import parse_address


def test_ids_are_valid_and_tokens_are_addresses() -> None:
    for chain in tron_chains().values():
        assert token_id(chain.native.id) == chain.native.id
        assert tron_chain(chain.caip2) is chain
        assert all(server.startswith("https://") for server in chain.servers)
        assert all(parse_address(contract) == contract for contract in chain.tokens)
        assert [contract_of(token_id(chain.trc20(contract))) for contract in chain.tokens] == list(chain.tokens)


def test_the_main_network_is_named_as_the_registry_of_chains_names_it() -> None:
    assert int(tron_chain("tron").reference) == 0x2B6653DC, "the last four bytes of the first block's hash, in decimal"


def test_an_unknown_network_is_named_with_those_that_there_are() -> None:
    with pytest.raises(InvalidField, match="expected one of tron"):
        tron_chain("tronium")
