"""Open positions over the wire: what they are worth beside the balances, in every total exactly once."""

from decimal import Decimal
from typing import Any

import pytest

from tests.faces.api import seed
from tests.faces.api.world import HTTP, Client, Link, World, token_of


@pytest.fixture(scope="module")
def holder(world: World) -> tuple[Client, Link]:
    """A user with a position."""
    client = world.team("standing")
    return client, seed.portfolio(world, client.user("holder"))


def get(address: str, client: Client, path: str) -> Any:
    """The answer of a route for the holder."""
    answered = HTTP.get(address + path, headers={"authorization": f"Bearer {token_of(address, client, 'holder')}"})
    assert answered.status_code == 200, answered.text
    return answered.json()


def test_a_position_is_told_alone_and_with_its_account(address: str, holder: tuple[Client, Link]) -> None:
    client, link = holder
    (position,) = get(address, client, "/v1/positions")
    assert get(address, client, f"/v1/accounts/{link.id}/positions") == [position]
    assert get(address, client, f"/v1/accounts/{link.id}")["positions"] == [position]
    assert get(address, client, "/v1/accounts")[0]["positions"] == [position]
    assert position["components"] == [
        {
            "role": "unrealised",
            "ticker": "USD",
            "asset_id": "venue:demo/USD",
            "amount": "12.5",
            "fiat_value": "12.50",
            "fiat_reason": None,
        }
    ]
    told = {name: position[name] for name in ("id", "side", "size", "size_ticker", "unrealised_pnl", "fiat_value", "complete")}
    assert told == {
        "id": "demo:spot/all/BTC-PERP/short",
        "side": "short",
        "size": "-2",
        "size_ticker": "BTC",
        "unrealised_pnl": "12.5",
        "fiat_value": "12.50",
        "complete": True,
    }
    assert (position["strike"], position["liquidation_price"], position["expires_at"]) == (None, None, None)


def test_totals_have_it_once(address: str, holder: tuple[Client, Link]) -> None:
    client, link = holder
    account = get(address, client, f"/v1/accounts/{link.id}")
    balances = sum(Decimal(balance["fiat_value"]) for balance in account["balances"] if balance["fiat_value"] is not None)
    assert Decimal(account["fiat_value"]) == balances + Decimal("12.5")
    assert account["wallets"][0]["fiat_value"] == account["fiat_value"]
    whole = get(address, client, "/v1/portfolio")
    assets = sum(Decimal(asset["fiat_value"]) for asset in whole["assets"] if asset["fiat_value"] is not None)
    assert whole["positions_value"] == "12.50"
    assert Decimal(whole["fiat_value"]) == assets + Decimal("12.5")


def test_a_wallet_chooses(address: str, holder: tuple[Client, Link]) -> None:
    client, link = holder
    assert len(get(address, client, f"/v1/accounts/{link.id}/positions?wallet=demo:spot")) == 1
    assert get(address, client, f"/v1/accounts/{link.id}/positions?wallet=demo:elsewhere") == []
    assert get(address, client, "/v1/positions?wallet=elsewhere") == []


def test_what_was_known_and_what_changed_names_positions(address: str, world: World, holder: tuple[Client, Link]) -> None:
    client, link = holder
    known = get(address, client, "/v1/known")
    assert [(row["name"], row["size"], row["components"][0]["amount"]) for row in known["positions"]] == [
        ("BTC-PERP", "-2", "12.5")
    ]
    cursor = get(address, client, "/v1/changes?limit=1000")["cursor"]
    seed.positions(link, at=world.clock.now())
    changes = get(address, client, f"/v1/changes?cursor={cursor}")["changes"]
    told = [(row["kind"], row["id"], row["scope"], row["product"]) for row in changes if row["kind"] == "positions"]
    assert told == [("positions", "demo:spot", "all", None)]
    assert get(address, client, "/v1/positions") == []
    assert get(address, client, f"/v1/known?seq={known['seq']}") == known
