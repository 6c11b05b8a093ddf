"""A real Ethereum node on loopback for tests: anvil from npm, our own contracts, and a proxy that makes it as difficult as any.

The node is installed once into `.cache/beds/evm` by `npm ci` from the lock file beside its `package.json`, without install
scripts. Where npm carries no binary for this machine, an `anvil` on the path serves.
"""

import hashlib
import http.client
import json
import platform
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

ROOT = Path(__file__).resolve().parents[1]
BED = Path(__file__).resolve().parent / "beds" / "evm"
CACHE = ROOT / ".cache" / "beds" / "evm"
BINARY = CACHE / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
LOCK_FILES = ("package.json", "package-lock.json", ".npmrc")

GENESIS_S = 1_760_000_000
BLOCK_S = 12
GAS_PRICE = 2 * 10**9
SLOTS_IN_AN_EPOCH = 4
FINALITY_BLOCKS = 2 * SLOTS_IN_AN_EPOCH
"""Anvil calls the block final that is two epochs below the tip."""
READY_S = 30.0
STOP_S = 10.0
MULTICALL3 = "0xca11bde05977b3631167028862be2a173976ca11"
TRANSFER = "0x" + keccak(text="Transfer(address,address,uint256)").hex()


def installed() -> Path:
    """The anvil binary, installed when it is not there yet. Fails with a clear word when it cannot be had."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        found = shutil.which("anvil")
        if found is None:
            raise RuntimeError("these tests need anvil 1.7.1 (Foundry) on the path: npm carries it for Linux x86-64 only")
        return Path(found)
    stamp = CACHE / ".lock-digest"
    digest = hashlib.sha256(b"".join((BED / name).read_bytes() for name in LOCK_FILES)).hexdigest()
    if not (stamp.exists() and stamp.read_text() == digest and BINARY.exists()):
        if shutil.which("npm") is None:
            raise RuntimeError("these tests need Node.js >= 20 with npm, to install the node that they run against")
        CACHE.mkdir(parents=True, exist_ok=True)
        for name in LOCK_FILES:
            shutil.copy(BED / name, CACHE)
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=CACHE, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"npm ci of {BED / 'package.json'} failed: {done.stderr[-800:]}")
        stamp.write_text(digest)
    return BINARY


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def calldata(signature: str, *values: object) -> str:
    """Call data of `transfer(address,uint256)` and the like, for static and string arguments."""
    kinds = [kind for kind in signature.partition("(")[2].rstrip(")").split(",") if kind]
    return "0x" + (keccak(text=signature)[:4] + encode(kinds, values)).hex()


class Anvil:
    """A running node: `rpc`, and words for what tests do on a chain. Amounts are base units."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.accounts: list[str] = []

    def post(self, body: bytes) -> bytes:
        """A raw JSON-RPC exchange."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/", body, {"content-type": "application/json"})
            return connection.getresponse().read()
        finally:
            connection.close()

    def rpc(self, method: str, *params: Any) -> Any:
        """The result of one method; AssertionError on a JSON-RPC error."""
        answer = json.loads(self.post(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()))
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def send(self, sender: str, to: str | None, data: str = "0x", *, value: int = 0, ok: bool = True) -> dict[str, Any]:
        """Sends and mines one transaction; its receipt."""
        asked = {"from": sender, "data": data, "value": hex(value), "gas": hex(5_000_000), "gasPrice": hex(GAS_PRICE)}
        name = self.rpc("eth_sendTransaction", asked | ({"to": to} if to else {}))
        receipt = self.receipt(name)
        assert receipt["status"] == ("0x1" if ok else "0x0"), receipt
        return receipt

    def receipt(self, name: str) -> dict[str, Any]:
        """The receipt of a mined transaction: the node may need a moment for it."""
        end = time.monotonic() + READY_S
        while (receipt := self.rpc("eth_getTransactionReceipt", name)) is None:
            assert time.monotonic() < end, f"{name} was not mined"
        found: dict[str, Any] = receipt
        return found

    def call(self, contract: str, signature: str, *values: object) -> int:
        """The first word that a contract answers, as a number."""
        answer = self.rpc("eth_call", {"to": contract, "data": calldata(signature, *values)}, "latest")
        return int(answer[2:66], 16)

    def deploy(self, contract: str, kinds: tuple[str, ...] = (), *values: object) -> str:
        """Deploys a contract of `Bed.sol`; its address, lower case."""
        code = json.loads((BED / "bed.json").read_text())[contract]
        receipt = self.send(self.accounts[0], None, code + encode(kinds, values).hex())
        address: str = receipt["contractAddress"]
        return address.lower()

    def token(self, symbol: str = "TKA", decimals: int = 18, name: str = "Token A") -> str:
        """Deploys an ERC-20."""
        return self.deploy("Token", ("string", "string", "uint8"), symbol, name, decimals)

    def place(self, contract: str, address: str, kinds: tuple[str, ...] = (), *values: object) -> None:
        """Puts a contract's code to the address where a chain has it."""
        self.rpc("anvil_setCode", address, self.rpc("eth_getCode", self.deploy(contract, kinds, *values), "latest"))

    def mine(self, blocks: int = 1) -> None:
        """Mines empty blocks."""
        self.rpc("anvil_mine", hex(blocks))

    def height(self) -> int:
        """The tip's number."""
        return int(self.rpc("eth_blockNumber"), 16)

    def balance(self, address: str) -> int:
        """An address's native coin, in base units."""
        return int(self.rpc("eth_getBalance", address, "latest"), 16)


@contextmanager
def anvil(*, chain_id: int = 31337) -> Iterator[Anvil]:
    """A new node with an empty chain; ended by its process id."""
    port = free_port()
    command = [str(installed()), "--port", str(port), "--host", "127.0.0.1", "--chain-id", str(chain_id), "--silent"]
    command += [
        "--timestamp",
        str(GENESIS_S),
        "--slots-in-an-epoch",
        str(SLOTS_IN_AN_EPOCH),
        "--block-base-fee-per-gas",
        str(10**9),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    node = Anvil(port)
    try:
        end = time.monotonic() + READY_S
        while not node.accounts:
            try:
                node.accounts = node.rpc("eth_accounts")
            except (OSError, http.client.HTTPException):
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"anvil did not start (exit status {process.poll()})") from None
        node.rpc("anvil_setBlockTimestampInterval", BLOCK_S)
        yield node
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Difficult:
    """A proxy before a node that refuses what other nodes refuse.

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
