"""The rows of Stellar's networks are what they claim to be."""

import pytest

from omnifolio.catalog.stellar_chains import stellar_chain, stellar_chains
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import token_id

ISSUER = "GA5ZSEJYB37JRC5AVCIA5MOP4RHTM335X2KGX3IHOJAPP5RE34K4KZVN"
POOL = "67260c4c1807b262ff851b0a3fe141194936bb0215b2f77447f1df11998eabb9"


def test_ids_are_those_of_the_registry_of_chains() -> None:
    """The examples of CAIP-19's registry for stellar."""
    chain = stellar_chain("stellar:pubnet")
    found = [chain.native.id, chain.issued("USDC", ISSUER), chain.shares(POOL)]
    names = ["slip44:148", f"asset:USDC-{ISSUER}", f"cap38:{POOL}"]
    assert [token_id(name) for name in found] == [f"stellar:pubnet/{name}" for name in names]


def test_servers_are_asked_over_sealed_lines() -> None:
    assert all(server.startswith("https://") for chain in stellar_chains().values() for server in chain.servers)


def test_an_unknown_network_is_named_with_those_that_there_are() -> None:
    with pytest.raises(InvalidField, match="expected one of stellar"):
        stellar_chain("star")
