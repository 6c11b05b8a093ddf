"""The page as forms, addresses and links open it: what it begins with, who may frame it, and each way in which it is refused."""

import httpx
import pytest

from omnifolio.app.authenticate import USER_SCOPES
from omnifolio.connect.terms import LANGUAGES
from omnifolio.model.accounts import Principal
from omnifolio.model.clock import EpochMs
from omnifolio.tenancy import teams, users
from tests.faces.api.world import HTTP, OPERATOR, Client, World, token_of
from tests.faces.connect.opened import BACK, ORIGIN, facts_of, posted


def refused(answer: httpx.Response) -> str:
    """The type of a refusal. A refused page has no session."""
    facts = facts_of(answer)
    assert (facts["mode"], facts["session"], answer.status_code) == ("error", None, 400)
    return str(facts["error"]["type"])


def test_a_form_opens_the_page_with_a_session_of_its_own(address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    facts = facts_of(
        posted(address, client, token, lang="fr", theme="dark", providers_per_line="1", state="S=1", sync_nfts="false")
    )
    assert facts["session"].startswith("omni_page_")
    assert {name: facts[name] for name in ("mode", "lang", "theme", "opener", "redirect_uri", "state", "sync_nfts")} == {
        "mode": "connect",
        "lang": "fr",
        "theme": "dark",
        "opener": ORIGIN,
        "redirect_uri": None,
        "state": "S=1",
        "sync_nfts": False,
    }
    assert (facts["client"]["name"], facts["providers_per_line"], facts["error"]) == (client.team.name, 1, None)


def test_the_user_s_token_stays_out_of_the_page(address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    for answer in (posted(address, client, token), HTTP.get(f"{address}/connect", params=asked(client, token=token))):
        assert answer.status_code == 200
        assert token not in answer.text
        assert token not in str(answer.headers)


def asked(client: Client, **more: str) -> dict[str, str]:
    """Parameters of an address."""
    return {"client_id": client.team.client_id, "origin": ORIGIN, **more}


def test_the_page_may_be_framed_by_registered_origins_alone(world: World, address: str, client: Client) -> None:
    answer = posted(address, client, token_of(address, client, "u1"))
    policy = answer.headers["content-security-policy"]
    assert policy.split("frame-ancestors ")[1].split(";")[0] == ORIGIN
    assert "unsafe" not in policy
    assert "x-frame-options" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    alone = world.team("alone", redirect_uris=["https://app.example/back"])
    hosted = posted(address, alone, token_of(address, alone, "u1"), origin="")
    assert "frame-ancestors 'none'" in hosted.headers["content-security-policy"]
    assert hosted.headers["x-frame-options"] == "DENY"


def test_a_provider_is_preselected_by_any_of_its_names(address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    for slug in ("binanceus", "binance-us"):
        assert facts_of(posted(address, client, token, path=f"/connect/{slug}"))["provider"] == "binanceus"
    many = facts_of(posted(address, client, token, providers="kraken,binance_us,nowhere", disabled_providers="demo"))
    assert (many["providers"], many["disabled_providers"]) == (["kraken", "binanceus"], ["demo"])


def test_an_account_is_reconnected_by_its_owner_alone(world: World, address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    link = client.user("u1").account("kraken", name="Main")
    facts = facts_of(posted(address, client, token, path=f"/reconnect/{link.id}"))
    assert (facts["mode"], facts["account"]) == ("reconnect", {"id": link.id, "provider": "kraken", "name": "Main"})
    for other in (token_of(address, client, "u2"), token):
        account = link.id if other != token else "f" * 24
        assert refused(posted(address, client, other, path=f"/reconnect/{account}")) == "INVALID_ACCOUNT_ID"


@pytest.mark.parametrize(
    ("query", "kind"),
    [
        ({"client_id": ""}, "CLIENT_ID_REQUIRED"),
        ({"client_id": "nobody"}, "WRONG_CLIENT_ID"),
        ({"origin": "https://evil.example"}, "INVALID_ORIGIN"),
        ({"origin": "https://app.example/"}, "INVALID_ORIGIN"),
        ({"origin": "https://app.example.evil.example"}, "INVALID_ORIGIN"),
        ({"redirect_uri": "https://app.example/back?x=1"}, "WRONG_REDIRECT_URI"),
        ({"redirect_uri": "https://app.example/"}, "WRONG_REDIRECT_URI"),
        ({"state": "s" * 2_001}, "WRONG_REDIRECT_URI"),
    ],
)
def test_parameters_must_match_exactly(address: str, client: Client, query: dict[str, str], kind: str) -> None:
    answer = posted(address, client, token_of(address, client, "u1"), **query)
    assert refused(answer) == kind
    assert facts_of(answer)["opener"] is None


def test_a_form_from_elsewhere_than_it_says_is_refused(address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    for sent_from in ("https://evil.example", "null", None):
        answer = posted(address, client, token, sent_from=sent_from)
        assert refused(answer) == "INVALID_ORIGIN"
        assert facts_of(answer)["opener"] is None


def test_a_token_must_be_there_valid_and_of_this_team(world: World, address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    header, payload, signature = token.split(".")
    assert refused(posted(address, client, "")) == "TOKEN_REQUIRED"
    for wrong in ("x", f"{header}.{payload}.{signature[:-3]}xyz", token_of(address, world.team("other"), "u1")):
        answer = posted(address, client, wrong)
        assert refused(answer) == "INVALID_TOKEN"
        assert facts_of(answer)["opener"] == ORIGIN
    for age_s in (1_195, 2_000):
        assert refused(posted(address, client, _issued(world, client, age_s))) == "SESSION_EXPIRED"
    assert facts_of(posted(address, client, _issued(world, client, 1_100)))["session"]


def _issued(world: World, client: Client, age_s: int) -> str:
    person = client.user("u1").principal
    user = world.read(users.me, Principal(team=person.team, user=person.user, actor="test"))
    return world.context.tokens.issue(client.team, user, USER_SCOPES, now=EpochMs(world.clock.now() - age_s * 1_000))


def test_what_is_no_provider_is_no_page(address: str, client: Client) -> None:
    assert refused(posted(address, client, token_of(address, client, "u1"), path="/connect/nowhere")) == "PAGE_NOT_FOUND"


def test_looks_that_are_not_known_count_as_not_said(address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    facts = facts_of(posted(address, client, token, lang="xx", theme="pink", providers_per_line="9", providers_preferences="{"))
    assert (facts["lang"], facts["theme"], facts["providers_per_line"], facts["preferences"]) == ("en", "light", 2, {})
    assert {facts_of(posted(address, client, token, lang=lang))["lang"] for lang in LANGUAGES} == set(LANGUAGES)


def test_without_an_origin_the_only_redirect_uri_is_meant(world: World, address: str, client: Client) -> None:
    token = token_of(address, client, "u1")
    facts = facts_of(posted(address, client, token, origin="", state="a=="))
    assert (facts["opener"], facts["redirect_uri"], facts["state"]) == (None, BACK, "a==")
    assert facts["leave_to"].startswith(
        f"{BACK}?error=access_denied&error_description=Connection+closed+by+the+user&error_type=400"
    )
    assert facts["leave_to"].endswith("&state=a%3D%3D")
    two = world.team("two", redirect_uris=["app://one", "app://two"])
    assert refused(posted(address, two, token_of(address, two, "u1"), origin="")) == "WRONG_REDIRECT_URI"
    assert (
        facts_of(posted(address, two, token_of(address, two, "u1"), origin="", redirect_uri="app://two"))["redirect_uri"]
        == "app://two"
    )


def test_text_from_outside_cannot_leave_the_block_of_data(address: str, client: Client) -> None:
    answer = posted(address, client, token_of(address, client, "u1"), state="</script><script>alert(1)</script>")
    assert "<script>alert" not in answer.text
    assert facts_of(answer)["state"] == "</script><script>alert(1)</script>"


def test_a_closed_team_opens_no_page(world: World, address: str) -> None:
    client = world.team("closing", origins=[ORIGIN])
    token = token_of(address, client, "u1")
    world.write(teams.deactivate, OPERATOR, client.team.id)
    assert refused(posted(address, client, token)) == "WRONG_CLIENT_ID"


def test_only_a_form_is_read(address: str, client: Client) -> None:
    body = {"token": token_of(address, client, "u1")}
    answer = HTTP.post(f"{address}/connect", params=asked(client), json=body, headers={"origin": ORIGIN})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media")
