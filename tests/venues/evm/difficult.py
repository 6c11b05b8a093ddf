"""A proxy before a node that makes it as difficult as other nodes are."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.anvil import Anvil


class Difficult:
    """What the proxy refuses and changes; nothing at first.

    `span_max`   blocks in one eth_getLogs; `batch_max` questions in one batch; `without` methods that it does not have
    `forget`     transactions whose receipts it answers with null, as often as stated
    `busy`       answers with 429 that come first
    `tamper`     changes the result of a method; `splice` puts bytes in the place of others in the whole answer
    `asked`      (method, parameters) of all questions; `requests` and `refused` are counts
    """

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self.url = ""
        self.span_max: int | None = None
        self.batch_max: int | None = None
        self.without: set[str] = set()
        self.forget: dict[str, int] = {}
        self.tamper: dict[str, Any] = {}
        self.splice: dict[bytes, bytes] = {}
        self.busy = 0
        self.asked: list[tuple[str, Any]] = []
        self.refused = 0
        self.requests = 0

    def serve(self, body: bytes) -> tuple[int, bytes]:
        """The status and body for a request."""
        self.requests += 1
        if self.busy:
            self.busy -= 1
            return 429, b"slow down"
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        if self.batch_max is not None and len(calls) > self.batch_max:
            return 200, json.dumps(
                {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batch too large"}}
            ).encode()
        answers = [self._answer(call) for call in calls]
        found = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
        for mark, spliced in self.splice.items():
            found = found.replace(mark, spliced)
        return 200, found

    def _answer(self, call: dict[str, Any]) -> dict[str, Any]:
        method, params = call["method"], call["params"]
        self.asked.append((method, params))
        answer = {"jsonrpc": "2.0", "id": call["id"]}
        if method in self.without:
            return answer | {"error": {"code": -32601, "message": f"the method {method} does not exist/is not available"}}
        if method == "eth_getLogs" and self.span_max is not None:
            span = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
            if span > self.span_max:
                self.refused += 1
                return answer | {"error": {"code": -32000, "message": f"block range exceeds maximum of {self.span_max}"}}
        if method == "eth_getTransactionReceipt" and self.forget.get(params[0], 0):
            self.forget[params[0]] -= 1
            return answer | {"result": None}
        found: dict[str, Any] = json.loads(self.node.post(json.dumps(call).encode()))
        if method in self.tamper and "result" in found:
            found["result"] = self.tamper[method](params, found["result"])
        return found


@contextmanager
def difficult(node: Anvil) -> Iterator[Difficult]:
    """A proxy before `node`, on a loopback port of its own."""
    proxy = Difficult(node)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            status, body = proxy.serve(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.send_header("content-type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
