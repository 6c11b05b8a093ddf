"""A Solana chain on loopback for tests: LiteSVM, which runs the real token and stake programs, behind a node's JSON-RPC.

It is installed once from the Python package index into a venv of its own below `.cache/beds/solana`: it is no small thing.
"""

import fcntl
import hashlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.anvil import free_port

BED = Path(__file__).resolve().parent / "beds" / "solana"
CACHE = Path(__file__).resolve().parents[1] / ".cache" / "beds" / "solana"
READY_S = 60.0
STOP_S = 10.0
PAUSE_S = 0.05


def installed() -> Path:
    """The Python that has LiteSVM."""
    CACHE.mkdir(parents=True, exist_ok=True)
    requirements = BED / "requirements.txt"
    python = CACHE / "venv" / "bin" / "python"
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come here at once
        stamp, digest = CACHE / ".requirements", hashlib.sha256(requirements.read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text() != digest:
            subprocess.run([sys.executable, "-m", "venv", "--clear", str(python.parents[1])], check=True)
            install = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(requirements)]
            subprocess.run(install, check=True)
            stamp.write_text(digest)
    return python


class Solana:
    """A running chain."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/"

    def act(self, what: str, *words: Any) -> str:
        """Does one thing to the chain: a method of the bed's `Chain` with its arguments."""
        return str(self._post("/act", {"what": what, "words": words}))

    def ask(self, method: str, *params: Any) -> Any:
        """The result of one method of a node."""
        return self._post("/", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})["result"]

    def _post(self, path: str, asked: dict[str, Any]) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=READY_S)
        try:
            connection.request("POST", path, json.dumps(asked), {"content-type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()


@contextmanager
def solana(log: Path) -> Iterator[Solana]:
    """A new chain; its process is ended by its id."""
    found = Solana(free_port())
    command = [str(installed()), str(BED / "chain.py"), str(found.port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        end = time.monotonic() + READY_S
        while True:
            try:
                found.ask("getSlot")
                break
            except OSError:
                is_starting = process.poll() is None and time.monotonic() < end
                assert is_starting, f"the chain did not start: {log.read_text()[-800:]}"
                time.sleep(PAUSE_S)
        yield found
    finally:
        process.terminate()
        process.wait(STOP_S)
