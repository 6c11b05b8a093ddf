"""What may leave: default deny by venue, METHOD, origin and path."""

import pytest
from yarl import URL

from omnifolio.model.errors import EgressRefused
from omnifolio.transport.policy import Policy, Rule


@pytest.fixture
def policy() -> Policy:
    made = Policy()
    made.allow(
        "kraken",
        [
            Rule("GET", "https://api.kraken.com/0/public/Time"),
            Rule("POST", "https://api.kraken.com/0/private/Ledgers"),
            Rule("GET", "https://api.kraken.com/v2/accounts/{id}/transactions"),
            Rule("GET", "https://api.kraken.com/v1/accounts/{account-id}/balance"),
            Rule("GET", "https://api.kraken.com/files/*"),
        ],
    )
    made.allow("node", [Rule("POST", "http://127.0.0.1:8545/", is_configured=True)])
    return made


@pytest.mark.parametrize(
    ("venue", "method", "url"),
    [
        ("kraken", "GET", "https://api.kraken.com/0/public/Time"),
        ("kraken", "GET", "https://api.kraken.com/0/public/Time?since=1"),
        ("kraken", "POST", "https://api.kraken.com/0/private/Ledgers"),
        ("kraken", "GET", "https://api.kraken.com/v2/accounts/abc-1/transactions?limit=1"),
        ("kraken", "GET", "https://api.kraken.com/v1/accounts/50/balance"),
        ("kraken", "GET", "https://api.kraken.com/files/2024/a.csv"),
        ("node", "POST", "http://127.0.0.1:8545/"),
    ],
)
def test_a_listed_request_passes(policy: Policy, venue: str, method: str, url: str) -> None:
    assert policy.check(venue, method, URL(url, encoded=True)).method == method


@pytest.mark.parametrize(
    ("venue", "method", "url"),
    [
        ("kraken", "POST", "https://api.kraken.com/0/private/AddOrder"),
        ("kraken", "GET", "https://api.kraken.com/0/private/Ledgers"),
        ("kraken", "GET", "https://api.kraken.com/0/public/Time/"),
        ("kraken", "GET", "https://api.kraken.com/0/public/Times"),
        ("kraken", "GET", "https://api.kraken.com/x/0/public/Time"),
        ("kraken", "GET", "http://api.kraken.com/0/public/Time"),
        ("kraken", "GET", "https://api.kraken.com:8443/0/public/Time"),
        ("kraken", "GET", "https://api.kraken.com.evil.example/0/public/Time"),
        ("kraken", "GET", "https://evil.example/0/public/Time"),
        ("kraken", "GET", "https://user:pass@api.kraken.com/0/public/Time"),
        ("kraken", "GET", "https://evil.example\\@api.kraken.com/0/public/Time"),
        ("kraken", "GET", "https://api.kraken.com/v2/accounts/a/b/transactions"),
        ("kraken", "GET", "https://api.kraken.com/v2/accounts//transactions"),
        ("kraken", "GET", "https://api.kraken.com/v1/accounts/5/0/balance"),
        ("kraken", "GET", "https://api.kraken.com/v2/accounts/../transactions"),
        ("kraken", "GET", "https://api.kraken.com/v2/accounts/a%2Fb/transactions"),
        ("kraken", "GET", "https://api.kraken.com/v2/accounts/%2e%2e/transactions"),
        ("kraken", "GET", "https://api.kraken.com/files/../0/private/AddOrder"),
        ("kraken", "GET", "ftp://api.kraken.com/files/a"),
        ("kraken", "GET", "file:///etc/passwd"),
        ("node", "POST", "http://127.0.0.1:8546/"),
        ("node", "POST", "http://localhost:8545/"),
        ("binance", "GET", "https://api.kraken.com/0/public/Time"),
    ],
)
def test_anything_else_is_refused(policy: Policy, venue: str, method: str, url: str) -> None:
    with pytest.raises((EgressRefused, ValueError)):
        policy.check(venue, method, URL(url, encoded=True))


def test_plain_http_needs_an_operator(policy: Policy) -> None:
    policy.allow("venue", [Rule("GET", "http://api.venue.example/a")])
    with pytest.raises(EgressRefused, match="plain http"):
        policy.check("venue", "GET", URL("http://api.venue.example/a", encoded=True))


def test_a_refusal_does_not_repeat_the_query(policy: Policy) -> None:
    with pytest.raises(EgressRefused) as refused:
        policy.check("kraken", "GET", URL("https://api.kraken.com/0/x?signature=SECRET", encoded=True))
    assert "SECRET" not in str(refused.value)
    assert "api.kraken.com/0/x" in str(refused.value)


def test_rules_add_up_and_are_kept_once(policy: Policy) -> None:
    before = len(policy.rules()["kraken"])
    for _ in range(2):
        policy.allow("kraken", [Rule("GET", "https://api.kraken.com/0/public/Assets")])
    assert len(policy.rules()["kraken"]) == before + 1
    for name in ("Time", "Assets"):
        assert policy.check("kraken", "GET", URL(f"https://api.kraken.com/0/public/{name}", encoded=True))


def test_every_host_that_may_be_called_is_listed(policy: Policy) -> None:
    assert policy.hosts() == ("127.0.0.1", "api.kraken.com")
