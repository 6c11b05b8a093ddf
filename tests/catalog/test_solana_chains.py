"""The rows of Solana networks are what they claim to be."""

import pytest

from omnifolio.catalog.solana_chains import solana_chain, solana_chains
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import token_id
from omnifolio.venues.solana.address import parse_address


def test_ids_are_valid_and_programs_are_addresses() -> None:
    for chain in solana_chains().values():
        assert token_id(chain.native.id) == chain.native.id
        assert solana_chain(chain.caip2) is chain
        assert all(node.startswith("https://") for node in chain.nodes)
        assert all(parse_address(program) == program for program in chain.programs)


def test_an_unknown_network_is_named_with_those_that_there_are() -> None:
    with pytest.raises(InvalidField, match="expected one of solana"):
        solana_chain("solarium")
