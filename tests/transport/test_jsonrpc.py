"""JSON-RPC: results raw, faults typed, batches in any order or refused as a whole."""

import msgspec
import pytest
from tests.stage import ScriptedWire, StageTime, answer

from omnifolio.model.errors import VenueBadResponse, VenueBusy, VenueError, VenueUnavailable
from omnifolio.transport.egress import Egress, Rule
from omnifolio.transport.jsonrpc import Call, Fault, JsonRpc

URL = "https://node.example/v2/path-key"


def node(body: bytes, status: int = 200) -> tuple[JsonRpc, ScriptedWire, StageTime]:
    time = StageTime()
    wire = ScriptedWire(time, [answer(status, body)])
    egress = Egress(clock=time, sleep=time.sleep, chance=lambda: 0.0, wire=wire)
    egress.allow("evm", [Rule("POST", URL)])
    return JsonRpc(egress, venue="evm", url=URL), wire, time


async def one(body: bytes, status: int = 200) -> bytes | BaseException:
    rpc, _, time = node(body, status)
    return (await time.play(rpc.call("eth_blockNumber")))[0]


async def test_a_result_is_given_as_it_came() -> None:
    assert await one(b'{"jsonrpc":"2.0","id":1,"result":{"value": 0.10}}') == b'{"value": 0.10}'
    assert await one(b'{"jsonrpc":"2.0","id":1,"result":null}') == b"null"


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        (b'{"error":{"code":-32601,"message":"no such method"}}', 200, VenueBadResponse),
        (b'{"error":{"code":-32601,"message":"no such method"}}', 400, VenueBadResponse),
        (b'{"error":{"code":-32005,"message":"slow down"}}', 200, VenueBusy),
        (b'{"jsonrpc":"2.0","id":1}', 200, VenueBadResponse),
        (b"<html>", 200, VenueBadResponse),
        (b"<html>", 404, VenueBadResponse),
        (b"", 200, VenueBadResponse),
        (b"{}", 429, VenueBusy),
        (b"{}", 502, VenueUnavailable),
    ],
)
async def test_every_failure_is_typed(body: bytes, status: int, error: type[VenueError]) -> None:
    assert type(await one(body, status)) is error


async def test_a_fault_keeps_its_code_for_decisions_and_its_text_out_of_the_message() -> None:
    failed = await one(b'{"error":{"code":3,"message":"execution reverted: 0xsecret","data":"0x08"}}')
    assert isinstance(failed, VenueBadResponse)
    assert failed.extra["rpc_code"] == 3
    assert "secret" not in failed.message


async def test_a_batch_may_be_answered_in_any_order_and_one_fault_spoils_nothing() -> None:
    replies = [{"id": 2, "result": "c"}, {"id": 0, "result": None}, {"id": 1, "error": {"code": 3, "message": "reverted"}}]
    rpc, wire, _ = node(msgspec.json.encode(replies))
    got = (await rpc.batch([Call("a", ["0x1"]), Call("b"), Call("c", {"k": 1})])).outcomes
    assert got == (b"null", Fault(code=3, message="reverted"), b'"c"')
    sent = wire.sent[0][1]
    assert sent.body is not None
    assert [call["id"] for call in msgspec.json.decode(sent.body)] == [0, 1, 2]
    assert sent.question.path == "/"
    assert "path-key" not in repr(sent.question)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not allowed"}}', VenueBadResponse),
        (b'{"error":{"code":-32005,"message":"too many"}}', VenueBusy),
        (b'{"id":0,"result":1}', VenueBadResponse),
        (b'[{"id":0,"result":1}]', VenueBadResponse),
        (b'[{"id":0,"result":1},{"id":0,"result":2}]', VenueBadResponse),
        (b'[{"id":0,"result":1},{"id":7,"result":2}]', VenueBadResponse),
        (b'[{"id":0,"result":1},{"id":1}]', VenueBadResponse),
        (b'[{"id":0,"result":1},{"id":1,"result":', VenueBadResponse),
    ],
)
async def test_a_batch_that_is_not_answered_in_full_is_refused(body: bytes, error: type[VenueError]) -> None:
    rpc, _, _ = node(body)
    with pytest.raises(error):
        await rpc.batch([Call("a"), Call("b")])


async def test_calls_are_repeated_since_they_read() -> None:
    rpc, wire, time = node(b"{}", 503)
    (failed,) = await time.play(rpc.call("eth_call"))
    assert isinstance(failed, VenueUnavailable)
    assert len(wire.sent) == 4
