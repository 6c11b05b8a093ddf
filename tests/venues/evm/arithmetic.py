"""A chain behind a wallet that is arithmetic: one transaction a block, every third one moves a token as well."""

import json
from typing import Any

from tests.stage import Hurry
from tests.venues.evm.test_movements import ME, OTHER, TOKEN

from omnifolio.model.clock import EpochMs
from omnifolio.transport.egress import Egress
from omnifolio.transport.http import Answer, Request
from omnifolio.transport.policy import Rule
from omnifolio.venues.contract import Access
from omnifolio.venues.evm.words import TRANSFER, topic_of

NODE, EXPLORER = "https://node.example", "https://explorer.example/api"
STREAM = "transfers/ethereum"


def word(number: int) -> str:
    """A number as 32 bytes."""
    return f"0x{number:064x}"


class Arithmetic:
    """A node and an explorer of a chain that can be computed."""

    def __init__(self, transactions: int) -> None:
        self._transactions = transactions
        self.asked = 0

    async def send(self, request: Request) -> Answer:
        self.asked += 1
        body = request.body
        answer: Any = self._explorer(dict(request.url.query)) if body is None else self._node(json.loads(body))
        return Answer(status=200, headers={}, body=json.dumps(answer).encode(), received_at=EpochMs(0))

    async def close(self) -> None:
        pass

    def _explorer(self, asked: dict[str, str]) -> dict[str, Any]:
        if asked["action"] == "getblocknobytime":
            return {"status": "1", "message": "OK", "result": str(self._transactions + 90)}
        start, end, size = (int(asked[name]) for name in ("startblock", "endblock", "offset"))
        step = {"txlist": 1, "tokentx": 3}.get(asked["action"])
        heights = range(max(1, start), min(end, self._transactions) + 1) if step else ()
        chosen = [height for height in heights if height % (step or 1) == 0][:size]
        rows = [{"blockNumber": str(height), "hash": word(height), "value": "1"} for height in chosen]
        return {"status": "1" if rows else "0", "message": "OK" if rows else "No transactions found", "result": rows}

    def _node(self, calls: Any) -> Any:
        if isinstance(calls, dict):
            return {"jsonrpc": "2.0", "id": calls["id"], "result": self._answer(calls["method"], calls["params"])}
        return [{"jsonrpc": "2.0", "id": call["id"], "result": self._answer(call["method"], call["params"])} for call in calls]

    def _answer(self, method: str, params: Any) -> Any:
        if method == "eth_chainId":
            return "0x1"
        if method == "eth_getCode":
            return "0x"
        if method == "eth_call":
            return word(18)
        if method in ("eth_getLogs", "trace_filter"):
            return []
        if method == "eth_getBlockByNumber":
            tag = {"latest": self._transactions + 100, "finalized": self._transactions + 50}.get(params[0])
            height = int(params[0], 16) if tag is None else tag
            return {"number": hex(height), "hash": word(10**9 + height), "timestamp": hex(1_600_000_000 + 12 * height)}
        height = int(params[0], 16)
        if method == "eth_getTransactionByHash":
            return {"hash": params[0], "from": OTHER, "to": ME, "value": "0x1"}
        place = {"blockNumber": hex(height), "blockHash": word(10**9 + height), "transactionHash": params[0]}
        token = {"address": TOKEN, "topics": [TRANSFER, topic_of(OTHER), topic_of(ME)], "data": word(5), "logIndex": "0x0"}
        events = [place | token] if height % 3 == 0 else []
        return place | {"from": OTHER, "to": ME, "gasUsed": "0x5208", "effectiveGasPrice": "0x1", "status": "0x1", "logs": events}


def access_to(chain: Arithmetic) -> Access:
    """A wallet on that chain."""
    clock = Hurry()
    egress = Egress(clock=clock, sleep=clock.sleep, wire=chain)
    egress.allow("ethereum", [Rule("POST", NODE), Rule("GET", EXPLORER)])
    return Access(
        venue="ethereum", egress=egress, clock=clock, key_label="", fields={"wallet": ME}, base_url=NODE, explorer_url=EXPLORER
    )
