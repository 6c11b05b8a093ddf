"""A transaction as a document: its forms, what it leaves open, and lists of explorers that say things twice."""

import json
from decimal import Decimal
from typing import Any

import pytest
from eth_abi.abi import encode
from tests.venues.evm.test_events import SHARE, amount
from tests.venues.evm.test_movements import ME, NAME, OTHER, TOKEN

from omnifolio.catalog.chains import evm_chain
from omnifolio.model.clock import EpochMs
from omnifolio.model.errors import FileRefused, InvalidField, VenueBadResponse
from omnifolio.model.facts import Batch
from omnifolio.venues.evm.document import decode_document, document_of, evidence_of, is_document
from omnifolio.venues.evm.words import TRANSFER, WITHDRAWAL, topic_of

WRAPPED = evm_chain("ethereum").wrapped
AT = 1_700_000_000


def event(name: str, *topics: str, value: int, at: str = TOKEN) -> dict[str, Any]:
    return {"address": at, "topics": [name, *topics], "data": amount(value), "logIndex": "0x1"}


def document(*logs: dict[str, Any], **more: Any) -> bytes:
    receipt = {
        "transactionHash": NAME,
        "blockNumber": "0x10",
        "from": ME,
        "to": OTHER,
        "gasUsed": "0x5300",
        "effectiveGasPrice": "0x1",
        "status": "0x1",
        "logs": list(logs),
    }
    asked = {"hash": NAME, "from": ME, "to": OTHER, "value": "0x0", "chainId": "0x1"}
    return json.dumps({"transaction": asked, "receipt": receipt, "block": {"timestamp": hex(AT)}} | more).encode()


def read(body: bytes, account: str = ME) -> Batch:
    told = document_of(body)
    return decode_document(
        told.chain, "transaction/ethereum", evidence_of(body, chain=told.chain, account=account, at=EpochMs(0))
    )


def legs(batch: Batch) -> dict[str, Decimal]:
    return {leg.key: leg.amount for claim in batch.claims for leg in claim.legs if leg.key != "gas"}


def inner(source: str, target: str, value: int, **more: str) -> dict[str, str]:
    return {"from": source, "to": target, "value": str(value), "type": "call", "isError": "0"} | more


def test_a_document_has_many_forms_and_one_meaning() -> None:
    plain = document(event(TRANSFER, topic_of(OTHER), topic_of(ME), value=5), token_decimals={TOKEN: 1}, internal=[])
    parts = json.loads(plain)
    case = {
        "chain_id": 1,
        "token_decimals": {f"eip155:1/erc20:{TOKEN.upper().replace('0X', '0x')}": 1},
        "requests": [
            {"method": "eth_getTransactionByHash", "response": parts["transaction"]},
            {"method": "eth_getTransactionReceipt", "response": {"jsonrpc": "2.0", "id": 1, "result": parts["receipt"]}},
            {"method": "eth_getBlockByNumber", "response": parts["block"]},
            {"method": "txlistinternal", "response": {"status": "0", "message": "No transactions found", "result": []}},
        ],
    }
    timed = {name: value for name, value in parts.items() if name != "block"}
    forms = [plain, json.dumps(case).encode()]
    stated = (AT, AT * 1000, str(AT), hex(AT), "2023-11-14T22:13:20+00:00")
    forms += [json.dumps(timed | {"block_time": time}).encode() for time in stated]
    for form in forms:
        assert is_document(form)
        batch = read(form)
        assert legs(batch) == {"log:1": Decimal("0.5")}
        assert batch.claims[0].at == AT * 1000
        assert batch.gaps == ()


def test_what_the_document_leaves_open_is_a_gap_and_no_guess() -> None:
    batch = read(document(event(TRANSFER, topic_of(OTHER), topic_of(ME), value=5)))
    assert legs(batch) == {}
    assert [gap.code for gap in batch.gaps] == ["decimals_unknown", "internal_not_listed"]


def test_decimals_come_from_recorded_answers_of_the_contract() -> None:
    inside = encode(
        ["bool", "(address,bytes)[]"], [False, [(TOKEN, bytes.fromhex("313ce567")), (TOKEN, bytes.fromhex("95d89b41"))]]
    )
    answers = [(True, encode(["uint256"], [2])), (True, encode(["string"], ["ABC"]))]
    result = encode(["(bool,bytes)[]"], [answers])
    together = {"to": SHARE, "data": "0xbce38bd7" + inside.hex(), "result": "0x" + result.hex()}
    batch = read(document(event(TRANSFER, topic_of(OTHER), topic_of(ME), value=5), eth_calls=[together, {"to": "odd"}]))
    assert legs(batch) == {"log:1": Decimal("0.05")}
    assert [(token.ticker, token.decimals) for token in batch.tokens] == [("ETH", 18), ("ABC", 2)]


def test_a_well_known_token_needs_no_answer() -> None:
    known = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
    batch = read(document(event(TRANSFER, topic_of(OTHER), topic_of(ME), value=5, at=known), internal=[]))
    assert legs(batch) == {"log:1": Decimal("0.000005")}
    assert batch.tokens[1].ticker == "USDC"


def test_a_list_that_stands_there_three_times_is_read_once_where_the_wrapped_coin_tells_so() -> None:
    rows = [inner(WRAPPED, OTHER, 50), inner(OTHER, ME, 49)]
    unwrapped = event(WITHDRAWAL, topic_of(OTHER), value=50, at=WRAPPED)
    assert legs(read(document(unwrapped, internal=rows * 3))) == {"trace:1": Decimal("49E-18")}


def test_payments_that_repeat_by_themselves_stay() -> None:
    """Three equal mints split their price in the same way each time."""
    rows = [inner(OTHER, SHARE, 50), inner(OTHER, ME, 49)]
    assert len(legs(read(document(internal=rows * 3)))) == 3


def test_rows_that_moved_nothing_of_their_own_are_none() -> None:
    rows = [
        inner(ME, OTHER, 0, index="0"),
        inner(OTHER, ME, 5, isError="1"),
        inner(OTHER, ME, 5, type="delegatecall"),
        inner(OTHER, "", 5, type="create", contractAddress=ME),
    ]
    assert legs(read(document(internal=rows))) == {"trace:2": Decimal("5E-18")}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"block": {}}, FileRefused),
        ({"block": {"timestamp": "yesterday"}}, FileRefused),
        ({"receipt": {"logs": []}}, FileRefused),
        ({"receipt": None}, FileRefused),
        ({"internal": [inner(OTHER, ME, 1) | {"value": "-1"}]}, VenueBadResponse),
        ({"chain": "moon"}, InvalidField),
    ],
)
def test_what_is_no_such_document_is_refused(change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read(document(**change))


def test_other_json_is_not_taken_for_a_document() -> None:
    assert not any(map(is_document, (b"[]", b"{", b'{"venue": "kraken", "requests": []}', b"[" * 100_000)))


@pytest.mark.parametrize(
    "inside",
    [
        [inner(OTHER, ME, 5), inner(OTHER, ME, 9, isError="1")],
        [{"from": OTHER, "to": ME, "value": 5, "type": "call", "isError": 0}],
        [{"from": {"hash": OTHER}, "to": {"hash": ME}, "value": "5", "type": "call", "success": True, "index": 1}],
        {
            "type": "CALL",
            "from": ME,
            "to": OTHER,
            "value": "0x9",
            "calls": [
                {
                    "type": "CALL",
                    "from": OTHER,
                    "to": SHARE,
                    "calls": [{"type": "CALL", "from": OTHER, "to": ME, "value": "0x5"}],
                },
                {"type": "DELEGATECALL", "from": OTHER, "to": ME, "value": "0x7"},
                {
                    "type": "CALL",
                    "from": OTHER,
                    "to": ME,
                    "value": "0x7",
                    "error": "reverted",
                    "calls": [{"type": "CALL", "from": OTHER, "to": ME, "value": "0x8"}],
                },
            ],
        },
        [
            {"action": {"callType": "call", "from": ME, "to": OTHER, "value": "0x9"}, "traceAddress": [], "type": "call"},
            {"action": {"callType": "call", "from": OTHER, "to": ME, "value": "0x5"}, "traceAddress": [0], "type": "call"},
            {
                "action": {"callType": "call", "from": OTHER, "to": SHARE, "value": "0x5"},
                "traceAddress": [1],
                "error": "Reverted",
            },
            {"action": {"callType": "call", "from": SHARE, "to": ME, "value": "0x5"}, "traceAddress": [1, 0]},
        ],
    ],
)
def test_what_moved_inside_is_listed_in_many_forms(inside: Any) -> None:
    assert list(legs(read(document(internal=inside))).values()) == [Decimal("5E-18")]


def test_numbers_may_be_numbers_and_addresses_may_name_their_chain() -> None:
    parts = json.loads(document(event(TRANSFER, topic_of(OTHER), topic_of(ME), value=5), token_decimals={TOKEN: 1}, internal=[]))
    parts["receipt"] |= {"status": 1, "gasUsed": 21_248, "blockNumber": 16, "effectiveGasPrice": 1}
    parts["receipt"]["logs"][0]["logIndex"] = 1
    parts["transaction"]["value"] = 0
    body = json.dumps(parts | {"account": f"eip155:1:{ME}"}).encode()
    assert document_of(body).accounts == (ME,)
    assert legs(read(body)) == {"log:1": Decimal("0.5")}
