"""Settings: lists from the environment, and addresses that no venue could be told."""

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
