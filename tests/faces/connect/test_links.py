"""Link tokens: made by a user's token, opened once, bound to what was agreed."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from omnifolio.connect import tokens
from omnifolio.connect.tokens import LIFETIMES_MS
from omnifolio.model.clock import EpochMs
from tests.faces.api.world import HTTP, Client, World, token_of
from tests.faces.connect.opened import ORIGIN, facts_of


def made(address: str, client: Client, **body: Any) -> dict[str, Any]:
    """A new link token."""
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    answer = HTTP.post(f"{address}/v1/link-tokens", headers=headers, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert found["url"].endswith(f"/connect?link_token={found['link_token']}")
    return found


def opened(address: str, link_token: str) -> dict[str, Any]:
    """The facts of the page that it opens."""
    return facts_of(HTTP.get(f"{address}/connect", params={"link_token": link_token}))


def test_a_link_opens_once_with_what_was_agreed(address: str, client: Client) -> None:
    link = made(address, client, origin=ORIGIN, providers=["kraken", "bitstamp"], provider="kraken", lang="de", theme="auto")
    facts = opened(address, link["link_token"])
    assert (facts["mode"], facts["opener"], facts["provider"], facts["lang"]) == ("connect", ORIGIN, "kraken", "de")
    assert (facts["theme"], facts["providers"]) == ("auto", ["kraken", "bitstamp"])
    again = opened(address, link["link_token"])
    assert (again["error"]["type"], again["session"], again["opener"]) == ("SESSION_EXPIRED", None, None)


def test_what_the_address_adds_changes_nothing(world: World, address: str, client: Client) -> None:
    link = made(address, client, providers=["kraken"])
    query = {"link_token": link["link_token"], "providers": "bitstamp", "origin": ORIGIN, "client_id": "x"}
    facts = facts_of(HTTP.get(f"{address}/connect/bitstamp", params=query))
    assert (facts["providers"], facts["opener"], facts["provider"], facts["redirect_uri"]) == (["kraken"], None, None, None)


def test_of_many_that_open_a_link_at_once_one_gets_it(address: str, client: Client) -> None:
    link = made(address, client)["link_token"]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: opened(address, link)["session"], range(8)))
    assert len([session for session in found if session]) == 1


def test_whoever_only_looks_uses_no_link_up(address: str, client: Client) -> None:
    link = made(address, client)
    assert HTTP.head(f"{address}/connect", params={"link_token": link["link_token"]}).status_code == 405
    assert opened(address, link["link_token"])["session"]


def test_a_link_is_over_after_half_an_hour(world: World, address: str, client: Client) -> None:
    link = made(address, client)
    later = EpochMs(world.clock.now() + LIFETIMES_MS["link"])
    assert world.write(tokens.take, "link", link["link_token"], pepper=world.edge.pepper, now=later) is None
    assert opened(address, link["link_token"])["session"]
    assert 0 < link["expires_at"] - world.clock.now() <= LIFETIMES_MS["link"]


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"origin": "https://evil.example"}, "origin: 'https://evil.example' is not registered"),
        ({"redirect_uri": "https://evil.example"}, "redirect_uri: 'https://evil.example' is not registered"),
        ({"provider": "nowhere"}, "provider: there is none called 'nowhere'"),
        ({"account": "f" * 24}, "account: this user has no account with this id"),
    ],
)
def test_a_link_to_what_is_not_registered_is_refused(address: str, client: Client, body: dict[str, Any], text: str) -> None:
    headers = {"authorization": "Bearer " + token_of(address, client, "u1")}
    refused = HTTP.post(f"{address}/v1/link-tokens", headers=headers, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "connect_refused")
    assert text in refused.json()["message"]


def test_a_text_that_is_no_link_token_is_told_so(address: str) -> None:
    assert opened(address, "x")["error"]["type"] == "INVALID_TOKEN"
    assert opened(address, "omni_link_" + "x" * 43)["error"]["type"] == "SESSION_EXPIRED"
