"""An explorer over a real node: Etherscan's scheme, answered from the node's blocks, receipts and traces."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.anvil import TRANSFER, Anvil

from omnifolio.venues.evm.events import TRANSFER_BATCH, TRANSFER_SINGLE

Row = dict[str, str]


class Etherscan:
    """What it has and how it misbehaves; nothing at first.

    `lag`      blocks at the tip that it has not read yet; `without` actions that it refuses; `busy` answers with a rate limit
               that come first; `key` that it wants
    `asked`    (action, parameters) of all questions; `given` withdrawals of the beacon chain that it tells
    """

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self.url = ""
        self.lag = 0
        self.without: set[str] = set()
        self.busy = 0
        self.key = ""
        self.asked: list[tuple[str, Row]] = []
        self.given: list[Row] = []

    @property
    def tip(self) -> int:
        """The last block that it has."""
        return int(self.node.rpc("eth_blockNumber"), 16) - self.lag

    def serve(self, params: Row) -> dict[str, Any]:
        """The answer to a question, always with HTTP 200."""
        action = params.get("action", "")
        self.asked.append((action, params))
        if self.busy:
            self.busy -= 1
            return {"status": "0", "message": "NOTOK", "result": "Max rate limit reached"}
        if self.key and params.get("apikey") != self.key:
            return {"status": "0", "message": "NOTOK", "result": "Missing/Invalid API Key"}
        if action in self.without:
            return {"status": "0", "message": "NOTOK", "result": "Error! Missing Or invalid Action name"}
        if action == "getblocknobytime":
            return {"status": "1", "message": "OK", "result": str(self.tip)}
        rows = self._rows(action, params)
        if not rows:
            return {"status": "0", "message": "No transactions found", "result": []}
        return {"status": "1", "message": "OK", "result": rows}

    def _rows(self, action: str, params: Row) -> list[Row]:
        mine, size = params["address"].lower(), int(params["offset"])
        start, end = int(params["startblock"]), min(int(params["endblock"]), self.tip)
        if action == "txsBeaconWithdrawal":
            return [row for row in self.given if start <= int(row["blockNumber"]) <= end][:size]
        found: list[Row] = []
        for height in range(start, end + 1):
            block = self.node.rpc("eth_getBlockByNumber", hex(height), True)
            for asked in block["transactions"]:
                place = {"blockNumber": str(height), "timeStamp": str(int(block["timestamp"], 16)), "hash": asked["hash"]}
                found += [place | row for row in self._of(action, asked, mine)]
            if len(found) >= size:
                break
        return found[:size]

    def _of(self, action: str, asked: dict[str, Any], mine: str) -> Iterator[Row]:
        receipt = self.node.receipt(asked["hash"])
        if action == "txlist":
            if mine in (asked["from"], asked["to"], receipt["contractAddress"]):
                yield {"from": asked["from"], "to": asked["to"] or "", "value": str(int(asked["value"], 16))}
        elif action == "txlistinternal":
            trace = self.node.rpc("debug_traceTransaction", asked["hash"], {"tracer": "callTracer"})
            yield from _inner(trace, mine)
        else:
            yield from (row for log in receipt["logs"] if (row := _token(action, log, mine)))


def _inner(frame: dict[str, Any], mine: str) -> Iterator[Row]:
    for call in frame.get("calls", []) if "error" not in frame else []:
        value = int(call.get("value", "0x0"), 16)
        if call["type"] in ("CALL", "CREATE", "SELFDESTRUCT") and value and mine in (call["from"], call.get("to")):
            failed = "1" if "error" in call else "0"
            yield {"from": call["from"], "to": call.get("to", ""), "value": str(value), "type": "call", "isError": failed}
        yield from _inner(call, mine)


def _token(action: str, log: dict[str, Any], mine: str) -> Row | None:
    topics = log["topics"]
    kinds = {
        "tokentx": topics[0] == TRANSFER and len(topics) == 3,
        "tokennfttx": topics[0] == TRANSFER and len(topics) == 4,
        "token1155tx": topics[0] in (TRANSFER_SINGLE, TRANSFER_BATCH),
    }
    ends = ["0x" + topic[-40:] for topic in topics[1:]]
    return {"contractAddress": log["address"]} if kinds[action] and mine in ends else None


@contextmanager
def etherscan(node: Anvil) -> Iterator[Etherscan]:
    """An explorer of the node's chain, on a loopback port of its own."""
    explorer = Etherscan(node)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(explorer.serve(dict(parse_qsl(urlsplit(self.path).query)))).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    explorer.url = f"http://127.0.0.1:{server.server_address[1]}/api"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield explorer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
