"""The rows of UTXO chains are what they claim to be."""

import pytest

from omnifolio.catalog.utxo_chains import configured_source, utxo_chain, utxo_chains
from omnifolio.model.errors import InvalidField
from omnifolio.model.tokens import token_id

FORMS = {"pkh", "sh-wpkh", "wpkh"}


def test_ids_are_unique_and_form_valid_token_ids() -> None:
    chains = utxo_chains().values()
    assert len({chain.genesis for chain in chains}) == len(chains) >= 7
    for chain in chains:
        assert token_id(chain.native.id) == chain.native.id
        assert utxo_chain(chain.caip2) is chain
        assert len(chain.genesis) == 32
        assert chain.confirmations >= 6


def test_versions_and_prefixes_are_hexadecimal_and_forms_are_known() -> None:
    for chain in utxo_chains().values():
        assert all(bytes.fromhex(version) for version in (*chain.key_hash, *chain.script_hash))
        assert not set(chain.key_hash) & set(chain.script_hash)
        assert all(len(bytes.fromhex(version)) == 4 for version in (*chain.extended, *chain.extended_multisig))
        forms = {form for text in chain.extended.values() for form in text.split()}
        assert forms <= (FORMS if chain.hrp else {"pkh"})


def test_public_servers_are_sealed_and_named_by_their_hosts() -> None:
    for chain in utxo_chains().values():
        assert len({source.name for source in chain.sources}) == len(chain.sources)
        for source in chain.sources:
            assert source.url.startswith("tls://" if source.protocol == "electrum" else "https://")
            assert source.url.partition("://")[2].startswith(source.name)


@pytest.mark.parametrize(
    ("url", "protocol", "address"),
    [
        ("tcp://127.0.0.1:50001", "electrum", "tcp://127.0.0.1:50001"),
        ("tls://electrum.example:50002", "electrum", "tls://electrum.example:50002"),
        ("https://esplora.example/api", "esplora", "https://esplora.example/api"),
        ("esplora+http://127.0.0.1:3000", "esplora", "http://127.0.0.1:3000"),
        ("blockbook+https://book.example", "blockbook", "https://book.example"),
    ],
)
def test_a_configured_server_tells_its_protocol_by_its_url(url: str, protocol: str, address: str) -> None:
    source = configured_source(url)
    assert (source.name, source.protocol, source.url) == ("own", protocol, address)


def test_an_unknown_chain_or_source_is_named_with_those_that_there_are() -> None:
    with pytest.raises(InvalidField, match="expected one of bitcoin, litecoin"):
        utxo_chain("bitconnect")
    with pytest.raises(InvalidField, match=r"Bitcoin has mempool\.space"):
        utxo_chain("bitcoin").source("example.org")
