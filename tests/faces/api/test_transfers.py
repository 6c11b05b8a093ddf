"""Transfers over the API: both sides name each other, candidates wait for a word, and a word is obeyed."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from omnifolio.model.clock import MINUTE_MS, EpochMs
from omnifolio.model.facts import Claim, Leg, Wallet
from tests.faces.api import seed
from tests.faces.api.world import Client, Link, World, token_of

OWN = "0x" + "a1" * 20
HASH = "eip155:1:0x" + "0c" * 32


def moved(link: Link, name: str, amount: str, *, at: int, event: str | None = None, fee: str = "0") -> None:
    """Commits a deposit or a withdrawal of ether."""
    value = Decimal(amount)
    legs = [Leg("move", "spot", seed.ETH, value)]
    if fee != "0":
        legs.append(Leg("fee", "spot", seed.ETH, -Decimal(fee), "fee"))
    told = Claim(
        book="moves",
        ref=name,
        refs=(f"moves:{name}",),
        at=EpochMs(at),
        kind="deposit" if value > 0 else "withdrawal",
        legs=tuple(legs),
        event=event,
    )
    seed.page(link, "moves", [told], wallets=(Wallet(key="spot", name="Spot"),))


@pytest.fixture
def mine(world: World, address: str, client: Client) -> httpx.Client:
    """A user with two accounts, a transfer by hash, and two withdrawals of which either may have arrived."""
    person = client.user("mover")
    one, two = person.account("demo", name="One"), person.account("demo", name="Two", mark="2")
    now = world.clock.now()
    moved(one, "W1", "-1.01", at=now - 90 * MINUTE_MS, event=HASH, fee="0.01")
    moved(two, "D1", "1", at=now - 80 * MINUTE_MS, event=HASH)
    for name in ("W2", "W3"):
        moved(one, name, "-7.25", at=now - 60 * MINUTE_MS)
    moved(two, "D2", "7.25", at=now - 50 * MINUTE_MS)
    token = token_of(address, client, "mover")
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, trust_env=False)


def by_name(http: httpx.Client) -> dict[str, Any]:
    """All transactions by the venue's name of them."""
    accounts = [account["id"] for account in http.get("/v1/accounts").json()]
    rows = [row for account in accounts for row in http.get(f"/v1/accounts/{account}/transactions").json()]
    return {row["misc"]["origin_id"]: row for row in rows}


def test_both_sides_name_each_other(mine: httpx.Client) -> None:
    rows = by_name(mine)
    for here, there, direction, subtype in (("W1", "D1", "sent", "transfer_out"), ("D1", "W1", "received", "transfer_in")):
        (tie,) = rows[here]["transfers"]
        assert (tie["transaction"], tie["account"], tie["direction"]) == (rows[there]["id"], rows[there]["account"], direction)
        assert (tie["part"], tie["evidence"]) == (rows[here]["parts"][0]["id"], ["hash", "fee"])
        assert Decimal("0.9") < Decimal(tie["confidence"]) <= 1
        assert rows[here]["transaction_subtype"] == subtype
    assert [rows[name]["transfers"] for name in ("W2", "W3", "D2")] == [[], [], []]
    (found,) = mine.get("/v1/transfers").json()
    assert (found["source"]["transaction"], found["target"]["transaction"]) == (rows["W1"]["id"], rows["D1"]["id"])
    assert (found["source"]["amount"], found["target"]["amount"], found["lost"]) == ("1.01", "1", "0.01")
    assert mine.get("/v1/transfers", params={"before": found["source"]["at"]}).json() == []


def test_what_may_be_a_transfer_waits_for_a_word(mine: httpx.Client) -> None:
    rows = by_name(mine)
    offered = mine.get("/v1/transfers", params={"state": "offered"}).json()
    assert {row["source"]["transaction"] for row in offered} == {rows["W2"]["id"], rows["W3"]["id"]}
    cursor = mine.get("/v1/changes", params={"limit": 1000}).json()["cursor"]
    word = {"kind": "link", "transaction": rows["W3"]["id"], "other": rows["D2"]["id"], "value": "yes"}
    made = mine.put("/v1/decisions", json=word).json()
    assert mine.get("/v1/transfers", params={"state": "offered"}).json() == []
    told = {row["id"] for row in mine.get("/v1/changes", params={"cursor": cursor}).json()["changes"] if row["transaction"]}
    assert told == {rows["W3"]["id"], rows["D2"]["id"]}
    assert by_name(mine)["D2"]["transfers"][0]["evidence"] == ["user"]
    assert mine.delete(f"/v1/decisions/{made['id']}").status_code == 204
    assert mine.get("/v1/transfers", params={"state": "offered"}).json() == offered
    nonsense = word | {"other": rows["W2"]["id"]}
    assert mine.put("/v1/decisions", json=nonsense).status_code == 400
