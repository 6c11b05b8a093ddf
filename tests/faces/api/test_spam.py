"""Spam over the API: hidden with its reasons, in no total, and shown or hidden as the user says."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.facts import Balance, Claim, Leg, Snapshot, Wallet
from omnifolio.model.tokens import TokenFacts, TokenId
from tests.faces.api import seed
from tests.faces.api.world import Client, World, token_of

ME = "0x" + "a1" * 20
FRIEND, POISON = "0xabcd" + "1" * 32 + "4321", "0xabcd" + "2" * 32 + "4321"
BAD, ODD = (TokenId(f"eip155:1/erc20:0x{digit * 40}") for digit in "56")
TOKENS = (
    *seed.TOKENS,
    TokenFacts(id=BAD, ticker="GIFT", name="Claim at gift-usdc.com", decimals=18),
    TokenFacts(id=ODD, ticker="ODD", name="Odd Token", decimals=18),
)
WALLET = f"eip155:1:{ME}"


def told(number: int, at: int, *legs: Leg) -> Claim:
    """One transaction of the chain."""
    name = f"0x{number:064x}"
    return Claim(
        book="chain",
        ref=name,
        refs=(f"tx:{name}",),
        at=EpochMs(at),
        kind="deposit" if all(leg.amount >= 0 for leg in legs) else "withdrawal",
        legs=legs,
        event=f"eip155:1:{name}",
    )


def leg(token: TokenId, amount: str, party: str, *, role: Any = "principal") -> Leg:
    """A leg of the wallet."""
    return Leg(f"{role}:{token}", WALLET, token, Decimal(amount), role, party)


@pytest.fixture
def mine(world: World, address: str, client: Client) -> httpx.Client:
    """An address with 100 USDC, unasked spam with a price, an odd token that was bought, and dust from an imitated address."""
    link = client.user("target").account("demo", name="Chain")
    now = world.clock.now() - DAY_MS
    claims = [
        told(1, now, leg(seed.USDC, "200", FRIEND)),
        told(2, now + 1, leg(seed.USDC, "-100", FRIEND), leg(seed.ETH, "-0.001", FRIEND, role="fee")),
        told(3, now + 2, leg(BAD, "5000", "0x" + "77" * 20)),
        told(4, now + 3, leg(ODD, "3", FRIEND), leg(seed.ETH, "-0.001", FRIEND, role="fee")),
        told(5, now + 4, leg(seed.USDC, "0.000001", POISON)),
        told(6, now + 5, leg(seed.USDC, "0", POISON)),
    ]
    held = tuple(Balance(token, Decimal(amount)) for token, amount in ((seed.USDC, "100"), (BAD, "5000"), (ODD, "3")))
    shot = Snapshot(wallet=WALLET, product="spot", at=EpochMs(now + 9), balances=held)
    wallet = Wallet(key=WALLET, name="Mine", address=ME)
    seed.page(link, "chain", claims, wallets=(wallet,), snapshots=(shot,), tokens=TOKENS)
    link.finish()
    world.price({seed.USDC: "1", BAD: "2", ODD: "4"})
    token = token_of(address, client, "target")
    return httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, trust_env=False)


def names(rows: list[Any]) -> set[str]:
    """The tickers in a list."""
    return {row["ticker"] for row in rows}


def say(http: httpx.Client, **word: str) -> str:
    """A word on spam; gives its id."""
    made = http.put("/v1/decisions", json={"kind": "spam", **word})
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


def test_spam_is_hidden_named_and_in_no_total(mine: httpx.Client) -> None:
    (account,) = mine.get("/v1/accounts").json()
    assert names(account["balances"]) == {"USDC", "ODD"}
    assert account["fiat_value"] == "112.00"
    (hidden,) = account["hidden"]
    assert (hidden["ticker"], hidden["amount"], hidden["asset_id"]) == ("GIFT", "5000", BAD)
    assert [reason["code"] for reason in hidden["reasons"]] == ["link_in_name", "claim_words", "unsolicited"]
    assert all(reason["text"] for reason in hidden["reasons"])
    total = mine.get("/v1/portfolio").json()
    assert (total["fiat_value"], total["hidden"], names(total["assets"])) == ("112.00", 1, {"USDC", "ODD"})


def test_the_user_s_word_stands_over_every_verdict(mine: httpx.Client) -> None:
    kept = say(mine, asset_id=BAD, value="no")
    bad = say(mine, asset_id=seed.USDC, value="yes")
    (account,) = mine.get("/v1/accounts").json()
    assert names(account["balances"]) == {"GIFT", "ODD"}
    assert [(row["ticker"], row["reasons"][0]["code"]) for row in account["hidden"]] == [("USDC", "user")]
    assert account["fiat_value"] == "10012.00"
    for word in (kept, bad):
        assert mine.delete(f"/v1/decisions/{word}").status_code == 204
    assert mine.get("/v1/accounts").json()[0]["fiat_value"] == "112.00"


def test_transactions_of_spam_and_of_poisoners_say_so(mine: httpx.Client) -> None:
    account = mine.get("/v1/accounts").json()[0]["id"]
    rows = {int(row["transaction_hash"], 16): row for row in mine.get(f"/v1/accounts/{account}/transactions").json()}
    codes = {number: [reason["code"] for reason in row["spam_reasons"]] for number, row in rows.items()}
    assert codes == {
        1: [], 2: [], 3: ["spam_token", "link_in_name", "claim_words", "unsolicited"], 4: [], 5: ["imitated_address"],
        6: ["zero_value"],
    }  # fmt: skip
    assert {number for number, row in rows.items() if row["is_spam"]} == {3, 5, 6}
    part = rows[3]["parts"][0]
    assert (part["fiat_value"], part["amount"]) == (None, "5000")
    assert "spam" in part["fiat_reason"]
    say(mine, transaction=rows[5]["id"], value="no")
    say(mine, transaction=rows[1]["id"], value="yes")
    again = {int(row["transaction_hash"], 16): row for row in mine.get(f"/v1/accounts/{account}/transactions").json()}
    assert {number for number, row in again.items() if row["is_spam"]} == {1, 3, 6}


def test_history_leaves_spam_out(mine: httpx.Client, world: World) -> None:
    now = world.clock.now()
    world.price({seed.USDC: "1", BAD: "2", ODD: "4"}, at=now - DAY_MS, resolution=DAY_MS)
    account = mine.get("/v1/accounts").json()[0]["id"]
    values = {row["fiat_value"] for row in mine.get(f"/v1/accounts/{account}/history").json()}
    assert values <= {"112.00", "100.00", None}
    assert "112.00" in values


def test_a_known_name_for_the_sender_makes_a_gift_of_it(mine: httpx.Client) -> None:
    mine.put("/v1/decisions", json={"kind": "label", "address": "0x" + "77" * 20, "value": "A friend"})
    (account,) = mine.get("/v1/accounts").json()
    assert [reason["code"] for reason in account["hidden"][0]["reasons"]] == ["link_in_name", "claim_words"]
