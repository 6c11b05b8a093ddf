"""Balances of a closed network: what may be claimed less what was."""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from eth_abi.abi import encode
from tests.fixtures import require
from tests.venues.evm.test_movements import ME, TOKEN

from omnifolio.app.replay import replay_file
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import VenueBadResponse
from omnifolio.venues.evm.lite import recognised


def listed(*tokens: tuple[int, str, int]) -> tuple[str, bytes]:
    rows = [
        {"claimIndex": index, "tokenAddress": at, "symbol": "ABC", "rawBalance": str(units), "decimals": 2}
        for index, at, units in tokens
    ]
    return "https://lite.example/api/eligibility", json.dumps({"address": ME, "tokens": rows}).encode()


def asked(claims: dict[int, bool], *, answers: int | None = None) -> tuple[str, bytes]:
    calls = [(TOKEN, bytes.fromhex("9e34070f") + encode(["uint256"], [index])) for index in claims]
    told = [encode(["bool"], [claimed]) for claimed in claims.values()][:answers]
    data = "0x252dba42" + encode(["(address,bytes)[]"], [calls]).hex()
    result = "0x" + encode(["uint256", "bytes[]"], [1, told]).hex()
    return f"https://api.example/api?action=eth_call&data={data}", json.dumps({"jsonrpc": "2.0", "result": result}).encode()


def held(*pages: tuple[str, bytes]) -> dict[str, Decimal]:
    batch = recognised(pages, observed_at=EpochMs(0))
    return {balance.token: balance.amount for snapshot in batch.snapshots for balance in snapshot.balances}


def test_what_was_claimed_is_not_held_any_more() -> None:
    tokens = listed((1, "0x" + "00" * 20, 5), (2, TOKEN, 7), (3, TOKEN, 0))
    assert held(tokens, asked({1: True, 2: False, 3: False})) == {f"eip155:1/erc20:{TOKEN}": Decimal("0.07")}


def test_what_nobody_asked_the_contract_for_is_named() -> None:
    batch = recognised([listed((1, TOKEN, 5)), ("https://x.example", b"[]")], observed_at=EpochMs(0))
    assert [gap.code for gap in batch.gaps] == ["claims_unknown"]
    assert batch.snapshots[0].balances


def test_answers_that_do_not_fit_their_questions_are_refused() -> None:
    with pytest.raises(VenueBadResponse):
        held(listed((1, TOKEN, 5)), asked({1: True, 2: True}, answers=1))


def test_the_recorded_balances_are_ours() -> None:
    for path in require("other"):
        case: dict[str, Any] = json.loads(path.read_bytes())
        if case["kind"] == "zksynclite":
            lines = asyncio.run(replay_file(path.read_bytes()))
            told = {
                (line["asset"], line["amount"], line["wallet"].rpartition(":")[2]) for line in lines if line["kind"] == "balance"
            }
            assert told == {(fact["asset"], fact["amount"], fact["account"].lower()) for fact in case["expected"]}
