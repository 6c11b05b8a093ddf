"""Every address that Vezgo's SDKs open, of the version on npm and of the newer one, shows the page that was asked for."""

import json
from typing import Any

import pytest

from tests import vezgo_js
from tests.faces.api.world import HTTP, Client, World, token_of
from tests.faces.connect.opened import facts_of

ADDRESSES = json.loads((vezgo_js.BED / "addresses.json").read_text())
BACK, OWN_BACK, ORIGIN = "http://app/cb", "app.mine://back?x=1", "http://o"
USUAL: dict[str, Any] = {
    "mode": "connect",
    "lang": "en",
    "theme": "light",
    "providers_per_line": 2,
    "redirect_uri": BACK,
    "opener": None,
    "state": None,
    "provider": None,
    "providers": None,
    "categories": None,
    "multi_wallet": False,
    "preferences": {},
    "sync_nfts": True,
    "demo": False,
}
"""What is shown unless an address says otherwise."""
EXPECTED: dict[str, dict[str, Any]] = {
    "plain": {},
    "everything": {"state": "S=1", "lang": "fr", "theme": "dark", "providers_per_line": 1, "sync_nfts": False, "opener": ORIGIN},
    "providers": {"providers": []},
    "reconnect": {"mode": "reconnect"},
    "provider": {"provider": "binance"},
    "provider_without_alternates": {"provider": "kraken"},
    "base64_state": {"state": "eyJ1Ijo0Mn0="},
    "own_redirect": {"redirect_uri": OWN_BACK},
    "categories": {"categories": ["exchanges", "wallets"]},
    "wallets": {
        "multi_wallet": True,
        "preferences": {"metamask": {"allow": ["ethereum"], "disallow": ["bitcoin"], "no_manual_input": True}},
    },
    "demo": {"demo": True},
}
"""What each case of the addresses says; providers that nobody knows are none."""


@pytest.mark.parametrize(("version", "case"), [(version, case) for version, cases in ADDRESSES.items() for case in cases])
def test_an_address_of_the_sdk_shows_what_was_asked_for(world: World, address: str, version: str, case: str) -> None:
    client: Client = world.team("Vezgo's", origins=[ORIGIN], redirect_uris=[BACK, OWN_BACK])
    link = client.user("u1").account("kraken")
    opened = ADDRESSES[version][case]
    for word, value in {"CONNECT": address, "CLIENT": client.team.client_id, "ACCOUNT": link.id}.items():
        opened = opened.replace("{" + word + "}", value)
    headers = {"origin": ORIGIN} if case == "everything" else {}
    answer = HTTP.post(opened, data={"token": token_of(address, client, "u1")}, headers=headers)
    assert answer.status_code == 200, facts_of(answer)["error"]
    facts = facts_of(answer)
    expected = USUAL | EXPECTED[case]
    assert {name: facts[name] for name in expected} == expected
    assert facts["session"]
