"""Decisions over the API: made, shown where they belong, told as changes, taken back, carried to another user."""

from typing import Any

import httpx
import pytest

from omnifolio.model.accounts import Principal
from omnifolio.tenancy import audit
from omnifolio.tenancy.principals import INSTALLATION
from tests.faces.api import seed
from tests.faces.api.world import Client, World, token_of

PARTY = "0x00000000000000000000000000000000000000aa"


@pytest.fixture
def mine(world: World, address: str, client: Client) -> httpx.Client:
    """The API as somebody with a portfolio uses it."""
    seed.portfolio(world, client.user("decider"))
    token = token_of(address, client, "decider")
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, trust_env=False)


def shown(http: httpx.Client, **more: Any) -> list[Any]:
    """The account's transactions, newest first."""
    account = http.get("/v1/accounts").json()[0]["id"]
    found: list[Any] = http.get(f"/v1/accounts/{account}/transactions", params=more).json()
    return found


def decide(http: httpx.Client, **said: object) -> Any:
    """One decision, which must be taken."""
    answer = http.put("/v1/decisions", json=said)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_words_stand_with_the_transaction_and_are_told_as_a_change(mine: httpx.Client) -> None:
    one = shown(mine)[0]
    cursor = mine.get("/v1/changes", params={"limit": 1000}).json()["cursor"]
    made = decide(mine, kind="label", transaction=one["id"], value="rent", reason="march")
    assert (made["kind"], made["transaction"], made["value"], made["reason"]) == ("label", one["id"], "rent", "march")
    assert made["author"].startswith("token:")
    decide(mine, kind="note", transaction=one["id"], value="paid twice")
    decide(mine, kind="type", transaction=one["id"], value="deposit/receive_payment")
    decide(mine, kind="label", address=PARTY.upper().replace("0X", "0x"), value="Mum")
    told = {row["id"]: row["transaction"] for row in mine.get("/v1/changes", params={"cursor": cursor}).json()["changes"]}
    again = told[one["id"]]
    assert (again["label"], again["note"]) == ("rent", "paid twice")
    assert (again["transaction_type"], again["transaction_subtype"]) == ("deposit", "receive_payment")
    assert again["parts"][0]["misc"] == {"label": "Mum"}
    assert again["v"] > one["v"]


def test_a_decision_that_is_taken_back_leaves_no_trace_in_what_is_shown(mine: httpx.Client) -> None:
    one = shown(mine)[0]
    made = decide(mine, kind="type", transaction=one["id"], value="other/refund")
    assert shown(mine)[0]["transaction_type"] == "other"
    assert mine.delete(f"/v1/decisions/{made['id']}").status_code == 204
    assert mine.delete(f"/v1/decisions/{made['id']}").status_code == 404
    assert mine.get("/v1/decisions").json() == []
    assert {**shown(mine)[0], "v": 0} == {**one, "v": 0}


def test_a_price_is_a_decision_like_any_other(mine: httpx.Client) -> None:
    made = decide(mine, kind="price", asset_id=seed.DUST, value="0.50", currency="EUR", day="2024-01-02")
    assert (made["asset_id"], made["value"], made["currency"], made["day"]) == (seed.DUST, "0.5", "EUR", "2024-01-02")
    assert mine.get("/v1/decisions").json() == [made]


def test_a_document_goes_from_one_user_to_another(mine: httpx.Client, world: World, address: str, client: Client) -> None:
    one = shown(mine)[0]
    decide(mine, kind="label", transaction=one["id"], value="rent")
    document = mine.get("/v1/decisions/export").json()
    seed.portfolio(world, client.user("heir"))
    heir = httpx.Client(
        base_url=address, headers={"authorization": f"Bearer {token_of(address, client, 'heir')}"}, trust_env=False
    )
    nothing = {"resource_type": "loaded", "made": 0, "same": 0, "outweighed": 0, "unfound": []}
    assert heir.post("/v1/decisions/import", json=document).json() == nothing | {"made": 1}
    assert heir.post("/v1/decisions/import", json=document).json() == nothing | {"same": 1}
    assert shown(heir)[0]["label"] == "rent"


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "label", "value": "x"},
        {"kind": "label", "value": "x", "address": "0xaa", "asset_id": "venue:demo/BTC"},
        {"kind": "type", "value": "deposit", "address": "0xaa"},
        {"kind": "price", "value": "NaN", "asset_id": "venue:demo/BTC"},
        {"kind": "price", "value": "1", "asset_id": "venue:demo/BTC", "day": "yesterday"},
        {"kind": "spam", "value": "perhaps", "asset_id": "venue:demo/BTC"},
        {"kind": "label", "value": "x", "other": "y", "address": "0xaa"},
    ],
)
def test_what_makes_no_sense_is_refused(mine: httpx.Client, said: dict[str, str]) -> None:
    assert mine.put("/v1/decisions", json=said).status_code == 400
    assert mine.get("/v1/decisions").json() == []


def test_every_decision_has_its_line_in_the_audit(mine: httpx.Client, world: World, client: Client) -> None:
    made = decide(mine, kind="label", address="0xbb", value="x")
    mine.delete(f"/v1/decisions/{made['id']}")
    admin = Principal(team=client.team.id, user=None, actor="test", scopes=frozenset({"admin"}))
    assert client.team.id != INSTALLATION
    lines = [(row.action, row.target) for row in world.read(audit.entries, admin)]
    assert lines[-2:] == [("decision.made", made["id"]), ("decision.undone", made["id"])]
