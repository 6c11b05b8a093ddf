"""The rows of Cosmos chains, and the tokens on them, are what they claim to be."""

import re
from hashlib import sha256

import pytest

from omnifolio.catalog import assets, exchanges
from omnifolio.catalog.chains import evm_chains
from omnifolio.catalog.cosmos_chains import cosmos_chain, cosmos_chains
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import token_id
from omnifolio.venues.cosmos.address import BONDED, module_address, parse_address
from omnifolio.venues.cosmos.plan import networks

CHAINS = cosmos_chains()


def test_every_chain_of_the_registry_with_a_server_is_there() -> None:
    assert len(CHAINS) == 209
    assert len({chain.caip2 for chain in CHAINS.values()}) == len(CHAINS)
    assert {"cosmoshub", "osmosis", "injective", "celestia", "thorchain", "kava-cosmos", "terra", "terra2"} <= CHAINS.keys()


@pytest.mark.parametrize("chain", CHAINS.values(), ids=lambda chain: chain.id)
def test_a_chain_has_servers_without_keys_and_ids_of_the_standard(chain) -> None:  # type: ignore[no-untyped-def]
    assert token_id(chain.native.id) == chain.native.id
    assert re.fullmatch(r"cosmos:[-_a-zA-Z0-9]{1,32}", chain.caip2)
    assert chain.urls
    assert all(re.fullmatch(r"https://[^?#{}]+", url) and not url.endswith("/") for url in chain.urls)
    assert parse_address(chain, module_address(chain, BONDED)).startswith(f"{chain.prefix}1")
    assert cosmos_chain(chain.caip2) is chain
    assert 0 <= chain.decimals <= 18


def test_no_chain_has_the_name_of_an_exchange_or_of_an_evm_chain() -> None:
    others = {*exchanges.ids(), *evm_chains(), *(name for chain in evm_chains().values() for name in chain.also)}
    assert not CHAINS.keys() & others
    assert len(networks()) == len(CHAINS)


def test_a_coin_that_others_share_the_number_with_goes_by_its_denomination() -> None:
    assert cosmos_chain("cosmoshub").native.id == "cosmos:cosmoshub-4/slip44:118"
    assert cosmos_chain("noble").native.id == "cosmos:noble-1/denom:uusdc"
    assert cosmos_chain("thorchain").native.id == "cosmos:thorchain-1/slip44:931"
    assert cosmos_chain("shentu").caip2 == f"cosmos:hashed-{sha256(b'shentu-2.2').hexdigest()[:16]}"


def test_a_bridged_coin_is_known_by_the_hash_of_its_way() -> None:
    """The official channels between the Hub and Osmosis, and the denominations that their explorers show."""
    hub, osmosis = cosmos_chain("cosmoshub"), cosmos_chain("osmosis")
    atom = osmosis.facts("ibc/" + sha256(b"transfer/channel-0/uatom").hexdigest().upper())
    osmo = hub.facts("ibc/" + sha256(b"transfer/channel-141/uosmo").hexdigest().upper())
    assert atom is not None
    assert osmo is not None
    assert (atom.id, atom.ticker, atom.decimals) == (
        "cosmos:osmosis-1/ibc:27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2", "ATOM", 6,
    )  # fmt: skip
    assert (osmo.ticker, osmo.decimals) == ("OSMO", 6)


def test_every_denomination_has_an_id_of_its_own() -> None:
    osmosis = cosmos_chain("osmosis")
    maker = module_address(osmosis, BONDED)
    names = ["gamm/pool/1", "gamm/pool/11", f"factory/{maker}/a_b", f"factory/{maker}/a.b", "a~b", "uion", "x" * 128, "/" * 60]
    ids = [token_id(osmosis.token(name)) for name in names]
    assert len(set(ids)) == len(names)
    assert ids[0] == "cosmos:osmosis-1/denom:gamm%2Fpool%2F1"
    assert osmosis.decimals_of("gamm/pool/1") == 0


def test_reviewed_coins_are_those_of_their_chains() -> None:
    """What is valued as an asset has the asset's ticker and decimals on its chain."""
    natives = {chain.native.id: chain.native for chain in CHAINS.values()}
    found = [
        (natives[token], asset) for token, members in assets.load().members().items() if token in natives for _, asset in members
    ]
    assert len(found) >= 12
    assert all(coin.ticker == asset.ticker for coin, asset in found)


def test_an_unknown_chain_is_refused_with_the_form_of_an_id() -> None:
    with pytest.raises(InvalidField, match="expected a row id as cosmoshub"):
        cosmos_chain("moon")
