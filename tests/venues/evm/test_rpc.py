"""JSON-RPC: what a node may answer, and what its errors mean."""

import pytest

from omnifolio.model.errors import EgressRefused, VenueBadResponse, VenueBusy
from omnifolio.venues.evm.rpc import Call, Fault, Trouble, question, replies
from omnifolio.venues.evm.shapes import Block, Frame, Log

FAULTS: list[tuple[int, str, Trouble]] = [
    (-32005, "daily request count exceeded, request rate limited", "busy"),
    (429, "Your app has exceeded its compute units per second capacity", "busy"),
    (-32005, "query returned more than 10000 results. Try with this block range [0x1, 0x2].", "range"),
    (-32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range", "range"),
    (-32614, "eth_getLogs is limited to a 10,000 range", "range"),
    (-32701, "exceed maximum block range: 50000", "range"),
    (35, "ranges over 10000 blocks are not supported on freetier", "range"),
    (-32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800", "range"),
    (-32000, "query timeout exceeded", "range"),
    (-32601, "the method trace_filter does not exist/is not available", "unsupported"),
    (-32601, "Method not found", "unsupported"),
    (-32600, "Unsupported method: trace_filter", "unsupported"),
    (3, "execution reverted: no", "reverted"),
    (-32000, "out of gas", "reverted"),
    (-32603, "EVM error InvalidFEOpcode", "reverted"),
    (-32000, "invalid opcode: INVALID", "reverted"),
    (-32000, "missing trie node", "other"),
    (-32000, "header not found", "other"),
    (-32603, "internal error", "other"),
]


@pytest.mark.parametrize(("code", "message", "trouble"), FAULTS)
def test_faults_are_told_apart_by_code_and_words(code: int, message: str, trouble: Trouble) -> None:
    assert Fault(code, message).trouble == trouble


@pytest.mark.parametrize(
    ("message", "is_cap"),
    [
        ("exceed maximum block range: 50000", True),
        ("eth_getLogs is limited to a 10,000 range", True),
        ("query returned more than 10000 results", False),
        ("Log response size exceeded", False),
        ("query timeout exceeded", False),
    ],
)
def test_a_cap_on_the_stretch_is_told_from_one_on_the_results(message: str, is_cap: bool) -> None:  # a table
    assert Fault(-32000, message).is_cap == is_cap


def test_answers_are_put_in_the_order_of_the_questions() -> None:
    found = replies(b'[{"id":2,"result":"b"},{"id":"1","result":"a"}]', 2)
    assert [reply.read(str) for reply in found] == ["a", "b"]


@pytest.mark.parametrize("method", ["eth_sendRawTransaction", "eth_sendTransaction", "personal_sign", "anvil_setBalance", ""])
def test_no_method_leaves_that_does_more_than_read(method: str) -> None:
    with pytest.raises(EgressRefused):
        question([Call("x", "eth_chainId", ()), Call("y", method, ())])


def test_one_question_is_sent_as_an_object() -> None:
    call = Call("x", "eth_chainId", ())
    assert question([call]) == b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}'
    assert question([call, call])[:1] == b"["


def test_one_fault_for_a_batch_is_the_answer_to_all_of_it() -> None:
    found = replies(b'{"error":{"code":-32600,"message":"too large"}}', 3)
    assert len(found) == 3
    assert all(reply.error is not None for reply in found)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'[{"id":1,"result":1}]',
        b'[{"id":1,"result":1},{"id":1,"result":1}]',
        b'[{"id":1,"result":1},{"id":3,"result":1}]',
        b'[{"id":1,"result":1},{"id":2,"result":1},{"id":3,"result":1}]',
        b'[{"id":1,"result":1},{"id":2,"res',
        b'\xff[{"id":1}]',
    ],
)
def test_what_is_not_an_answer_to_the_questions_is_refused(body: bytes) -> None:
    with pytest.raises(VenueBadResponse):
        replies(body, 2)


def test_a_fault_is_raised_without_the_words_of_the_node() -> None:
    """A node's message may repeat the address that we called, which may hold the user's key."""
    (reply,) = replies(b'{"id":1,"error":{"code":-32000,"message":"bad key 12345"}}', 1)
    with pytest.raises(VenueBadResponse) as caught:
        reply.read(str)
    assert "12345" not in str(caught.value)


def test_a_busy_fault_is_raised_as_such() -> None:
    (reply,) = replies(b'{"id":1,"error":{"code":-32005,"message":"rate limit"}}', 1)
    with pytest.raises(VenueBusy):
        reply.read(str)


@pytest.mark.parametrize("kind", [Block, Log, list[Log], str])
def test_a_result_of_another_shape_is_refused(kind: type) -> None:
    (reply,) = replies(b'{"id":1,"result":{"number":5}}', 1)
    with pytest.raises(VenueBadResponse):
        reply.read(kind)


def test_an_answer_nested_beyond_reason_is_lost_alone() -> None:
    """In a batch it spoils its neighbours, so the batch is refused, and asked again in parts until it stands alone."""
    depth = 100_000
    nested = b'{"id":1,"result":' + b'{"type":"CALL","calls":[' * depth + b"]}" * depth + b"}"
    with pytest.raises(VenueBadResponse):
        replies(b"[" + nested + b',{"id":2,"result":1}]', 2)
    (reply,) = replies(nested, 1)
    with pytest.raises(VenueBadResponse):
        reply.read(Frame)
