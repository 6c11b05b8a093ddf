"""The rows of TON's networks are what they claim to be."""

import pytest

from omnifolio.catalog import assets
from omnifolio.catalog.ton_chains import ton_chain, ton_chains
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import contract_of, token_id

USDT = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"


def test_ids_are_valid_and_lead_to_their_assets() -> None:
    for chain in ton_chains().values():
        assert token_id(chain.native.id) == chain.native.id
        assert ton_chain(chain.caip2) is chain
        assert all(server.startswith("https://") for server in chain.servers)
    members = assets.load().members()
    usdt = token_id(ton_chain("ton").token(USDT, is_single=False))
    assert [members[token][0][1].id for token in (usdt, ton_chain("ton").native.id)] == ["tether", "the-open-network"]
    assert contract_of(usdt) == USDT


def test_an_unknown_network_is_named_with_those_that_there_are() -> None:
    with pytest.raises(InvalidField, match="expected one of ton"):
        ton_chain("tonnage")
