"""A price source on loopback that knows every coin."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from omnifolio.model.clock import SystemClock


@contextmanager
def llama(price: str) -> Iterator[str]:
    """DefiLlama's answers: one price for every coin at any past instant, and another one now."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _, _, kind, *rest = unquote(self.path).partition("?")[0].split("/")
            at = int(rest[0]) if kind == "historical" else SystemClock().now() // 1000
            point = {"price": float(price) if kind == "historical" else 1.0, "timestamp": at, "confidence": 0.99}
            body = json.dumps({"coins": dict.fromkeys(rest[-1].split(","), point)}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
