"""Settings: lists from the environment, and addresses that no venue could be told."""

from pathlib import Path

import pytest

from omnifolio.model.errors import InvalidSettings
from omnifolio.model.settings import load


def test_addresses_come_from_the_environment() -> None:
    found = load(environment={"OMNIFOLIO_EGRESS_IPS": "203.0.113.7, 203.0.113.16/28,2001:db8::/32"})
    assert found.egress_ips == ("203.0.113.7", "203.0.113.16/28", "2001:db8::/32")
    assert load(environment={}).egress_ips == ()


@pytest.mark.parametrize("text", ["example.org", "203.0.113.300", "203.0.113.7/28", "0.0.0.0/0", "127.0.0.1", "fe80::1"])
def test_what_is_no_address_of_ours_is_refused(text: str) -> None:
    with pytest.raises(InvalidSettings, match="egress_ips"):
        load(environment={"OMNIFOLIO_EGRESS_IPS": text})


def test_a_client_of_a_venue_comes_from_the_environment_or_the_file_and_is_never_printed(tmp_path: Path) -> None:
    file = tmp_path / "omnifolio.toml"
    file.write_text('[oauth.coinbase]\nclient_id = "from-file"\nclient_secret = "file-secret"\n')
    environment = {"OMNIFOLIO_OAUTH__COINBASE__CLIENT_SECRET": "better-secret", "OMNIFOLIO_OAUTH__KRAKEN__CLIENT_ID": "k"}
    found = load(environment=environment, file=file)
    assert found.oauth["coinbase"].client_id == "from-file"
    assert found.oauth["coinbase"].client_secret == "better-secret"
    assert (found.oauth["kraken"].client_id, found.oauth["kraken"].client_secret) == ("k", "")
    assert "secret" not in f"{found!r} {found.oauth!r}"


def test_a_client_without_an_id_or_with_another_field_is_named() -> None:
    for variable in ("OMNIFOLIO_OAUTH__KRAKEN__CLIENT_SECRET", "OMNIFOLIO_OAUTH__KRAKEN__SECRET"):
        with pytest.raises(InvalidSettings, match="oauth"):
            load(environment={variable: "x"})
