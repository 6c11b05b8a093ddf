"""Answers, messages and addresses of the real TON, as they were documented or recorded; where and when stands with each."""

import base64
from typing import Any

import msgspec
import pytest
from tests.venues.ton.world import cell, coins, place

from omnifolio.catalog.ton_chains import ton_chain
from omnifolio.model.amounts import canonical
from omnifolio.model.errors import InvalidField, PrivateKeyRefused
from omnifolio.model.facts import Claim
from omnifolio.venues.ton.address import friendly, raw_of, spelt
from omnifolio.venues.ton.cells import Moved, Unreadable, moved
from omnifolio.venues.ton.held import Subject
from omnifolio.venues.ton.movements import own_claim
from omnifolio.venues.ton.shapes import Told, Transaction
from omnifolio.venues.ton.tokens import Jetton, jetton_of

CHAIN = ton_chain("ton")
DOCUMENTED = "0:ca6e321c7cce9ecedf0a8ca2492ec8592494aa5fb5ce0387dff96ef6af982a3e"
"""From TON's documentation of address formats, with its spelling below; seen 2026-11."""
FRIENDLY = "EQDKbjIcfM6ezt8KjKJJLshZJJSqX7XOA4ff-W72r5gqPrHF"
USDT = "EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs"
USDT_RAW = "0:b113a994b5024a16719f69139328eb759596c38a25f59028b146fecdc3621dfe"
"""USDT's master in both spellings: TON's documentation of jettons, seen 2026-11."""
SENDER = "UQDzd5FDImOt9dBGRccVb7F487B0JD"
"""The beginning of the sender's address in the message below."""
INTERNAL_TRANSFER = (
    "b5ee9c720101020100aa0001af178d45190000005209ddeb9e440ee9390801e6ef228644c75beba08c8b8e2adf62f1e760e84861b5c33027f0433e19085713"
    "003cdde450c898eb7d74119171c55bec5e3cec1d090c36b86604fe0867c3210ae2501dcd65030100992593856180022a16a3164c4d5aa3133f3110ff10496e"
    "00ca8ac8abeffc5027e024d33480c3ea916f9f4a23003cdde450c898eb7d74119171c55bec5e3cec1d090c36b86604fe0867c3210ae250"
)
"""A message of the main network that brings 1,089,377,168 units of a jetton; in the vectors of tonlib-rs, seen 2026-11."""
SENT: dict[str, Any] = {
    "account": "0:5B6A643CF4E32FF0391C476456FED5BDB17EF10A55CBB7C2980C76D4AAD07875",
    "hash": "Jv81SPUJbodVgsHB+lo0/jEJDaidYQYivJDg+rz+ITA=",
    "lt": "24264044000001",
    "now": 1722422624,
    "mc_block_seqno": 21586062,
    "trace_id": "Jv81SPUJbodVgsHB+lo0/jEJDaidYQYivJDg+rz+ITA=",
    "prev_trans_lt": "24263927000001",
    "orig_status": "active",
    "total_fees": "2123803",
    "description": {"type": "ord", "aborted": False, "compute_ph": {"skipped": False, "success": True}},
    "in_msg": {
        "source": None,
        "destination": "0:5B6A643CF4E32FF0391C476456FED5BDB17EF10A55CBB7C2980C76D4AAD07875",
        "value": None,
    },
    "out_msgs": [
        {
            "source": "0:5B6A643CF4E32FF0391C476456FED5BDB17EF10A55CBB7C2980C76D4AAD07875",
            "destination": "0:835767AEB969C3845872D4633FBBAFDF20F92F7CED1FAE0F79804AC09F332A19",
            "value": "30000000",
            "fwd_fee": "266669",
            "ihr_fee": "0",
            "created_lt": "24264044000002",
            "opcode": "0x00000000",
            "bounced": False,
        }
    ],
    "account_state_before": {"balance": "17301017743", "account_status": "active"},
    "account_state_after": {"balance": "17268627271", "account_status": "active"},
}
"""A payment of 0.03 coins on the test network, 2024-07-31, as the indexer told it; the parts that are read."""
FOUND: dict[str, Any] = {
    "account": "0:D8CA6DD04573304609A70EE5104A8D29090E1FC631B29A8E0411172AAA52885A",
    "hash": "hvl6VoIc42KavTxZiEuH68rqGTPrlryE6RZG4wQENyk=",
    "lt": "93307000000009",
    "now": 1785330571,
    "mc_block_seqno": 82744100,
    "trace_id": "DQuM/UR2x/CoSTWhY/t75SFyQi7rtmfsGQ5HiTftpjM=",
    "prev_trans_lt": "0",
    "orig_status": "nonexist",
    "total_fees": "0",
    "description": {"type": "ord", "aborted": True, "compute_ph": {"skipped": True, "reason": "no_state"}},
    "in_msg": {
        "source": "0:21D6615A74625CA8BEB3C7A5777978A1239EE8148B1DF18C7B8A8A3215523DA0",
        "destination": "0:D8CA6DD04573304609A70EE5104A8D29090E1FC631B29A8E0411172AAA52885A",
        "value": "1000000000",
        "fwd_fee": "44446",
        "ihr_fee": "0",
        "created_lt": "93307000000008",
        "opcode": None,
        "bounced": False,
        "message_content": {"body": "te6cckEBAQEAAgAAAEysuc0="},
    },
    "out_msgs": [],
    "account_state_before": {"balance": None, "account_status": None},
    "account_state_after": {"balance": "1000000000", "account_status": "uninit"},
}
"""The first coins of an account without code, main network, 2026-07-29, as the indexer told it; the parts that are read."""


def claim(row: dict[str, Any]) -> Claim:
    """The claim of the account's own transaction."""
    found = own_claim(Subject(CHAIN, row["account"].lower()), msgspec.convert(row, Transaction))
    assert found is not None
    return found


def parts(found: Claim) -> list[tuple[str, str, str | None]]:
    return [(canonical(leg.amount), leg.role, leg.counterparty) for leg in found.legs]


@pytest.mark.parametrize(
    "text",
    [
        DOCUMENTED, DOCUMENTED.upper(), DOCUMENTED.replace(":", "%3A"), f" {FRIENDLY} ", FRIENDLY.replace("-", "+"),
        friendly(DOCUMENTED), "UQDKbjIcfM6ezt8KjKJJLshZJJSqX7XOA4ff-W72r5gqPuwA",
    ],
)  # fmt: skip
def test_every_spelling_of_an_address_leads_to_the_same_one(text: str) -> None:
    assert (raw_of(text), spelt(text)) == (DOCUMENTED, FRIENDLY)


def test_the_masterchain_has_addresses_too() -> None:
    """The elector's address, from TON's documentation."""
    assert raw_of("Ef8zMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM0vF") == "-1:" + "3" * 64
    assert raw_of(USDT) == USDT_RAW


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (FRIENDLY[:-1] + "G", "checksum"),
        ("kf/8uRo6OBbQ97jCx2EIuKm8Wmt6Vb15+KsQHFLbKSMiYIny", "test network"),
        ("0x" + "ab" * 20, "Ethereum"),
        ("7:" + "3" * 64, "workchains 0 and -1"),
        ("alice.ton", "48 letters"),
        ("", "48 letters"),
    ],
)
def test_what_is_no_address_is_told_why(text: str, wrong: str) -> None:
    with pytest.raises(InvalidField, match=wrong):
        raw_of(text)


def test_the_words_of_a_wallet_are_refused() -> None:
    with pytest.raises(PrivateKeyRefused):
        raw_of(" ".join(["abandon"] * 24))


def test_a_payment_costs_its_value_and_fees_exactly_as_the_balance_says() -> None:
    found = claim(SENT)
    assert parts(found) == [
        ("-0.03", "principal", friendly("0:835767aeb969c3845872d4633fbbafdf20f92f7ced1fae0f79804ac09f332a19")),
        ("-0.002390472", "fee", None),
    ]
    assert (found.kind, found.status, found.height) == ("withdrawal", "confirmed", 21586062)


def test_coins_for_an_account_without_code_arrive_though_the_transaction_was_aborted() -> None:
    found = claim(FOUND)
    sender = friendly("0:21d6615a74625ca8beb3c7a5777978a1239ee8148b1df18c7b8a8a3215523da0")
    assert parts(found) == [("1", "principal", sender)]
    assert (found.kind, found.status) == ("deposit", "confirmed")
    assert found.name == base64.b64decode(FOUND["trace_id"]).hex()


def test_ends_outside_the_chain_are_nobodys() -> None:
    """A log to the outside costs its fee; a list of messages may be missing altogether."""
    log = {"source": SENT["account"], "destination": "ext:01ab", "value": None, "fwd_fee": "266669"}
    row = SENT | {"out_msgs": [log], "account_state_before": None, "in_msg": SENT["in_msg"] | {"source": ""}}
    assert parts(claim(row)) == [("-0.002390472", "fee", None)]
    assert parts(claim(row | {"out_msgs": None})) == [("-0.002123803", "fee", None)]


def test_a_real_message_says_what_it_brings_and_from_whom() -> None:
    found = moved(base64.b64encode(bytes.fromhex(INTERNAL_TRANSFER)).decode())
    assert found is not None
    assert found.units == 1_089_377_168
    assert found.other is not None
    assert friendly(found.other)[2:24] == SENDER[2:24]


@pytest.mark.parametrize(
    "body",
    ["te6cckEBAQEAAgAAAEysuc0=", cell((0, 32), (7, 64)), cell((0xFFFFFFFF, 32), (0x0F8A7EA5, 32), (7, 64), *coins(5))],
    ids=["empty", "comment", "returned carrier"],
)
def test_messages_of_another_kind_move_nothing(body: str) -> None:
    assert moved(body) is None


@pytest.mark.parametrize(
    "body", ["", "AAAA", "not base64!", cell((0x178D4519, 32), (7, 64)), cell((0x178D4519, 32), (7, 64), *coins(5), (1, 2))]
)
def test_a_message_that_cannot_be_read_is_said_to_be_so(body: str) -> None:
    with pytest.raises(Unreadable):
        moved(body)


def test_what_is_minted_comes_from_nobody() -> None:
    assert moved(cell((0x178D4519, 32), (7, 64), *coins(10**30), *place(None), (0, 1))) == Moved(10**30, None)


@pytest.mark.parametrize(
    ("extra", "known"),
    [
        ({"decimals": "6"}, 6),
        ({"decimals": 6}, 6),
        ({}, 9),
        (None, 9),
        ({"decimals": "many"}, None),
        ({"decimals": "-1"}, None),
        ({"decimals": [6]}, None),
        ({"decimals": 999}, None),
    ],
)
def test_decimals_are_believed_only_where_they_make_sense(extra: object, known: int | None) -> None:
    """A jetton without them has nine (TEP-64); one whose word is no number has an amount that nobody knows."""
    info = msgspec.json.encode({"type": "jetton_masters", "symbol": "X", "name": None, "extra": extra})
    found = jetton_of({USDT_RAW.upper(): Told((msgspec.Raw(b'{"type":7}'), msgspec.Raw(info)))}, USDT_RAW)
    assert found == (None if known is None else Jetton(known, "X", ""))
