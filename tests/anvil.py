"""A real Ethereum node on loopback for tests: anvil from npm, and our own contracts on it.

The node is installed once into `.cache/beds/evm` by `npm ci` from the lock file beside its `package.json`, without install
scripts. Where npm carries no binary for this machine, an `anvil` on the path serves.
"""

import http.client
import json
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from tests import npm

BED = Path(__file__).resolve().parent / "beds" / "evm"

GENESIS_S = 1_760_000_000
BLOCK_S = 12
GAS_PRICE = 2 * 10**9
SLOTS_IN_AN_EPOCH = 4
FINALITY_BLOCKS = 2 * SLOTS_IN_AN_EPOCH
"""Anvil calls the block final that is two epochs below the tip."""
READY_S = 30.0
STOP_S = 10.0
PAUSE_S = 0.02
MULTICALL3 = "0xca11bde05977b3631167028862be2a173976ca11"
TRANSFER = "0x" + keccak(text="Transfer(address,address,uint256)").hex()


def installed() -> Path:
    """The anvil binary, installed when it is not there yet. Fails with a clear word when it cannot be had."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        found = shutil.which("anvil")
        if found is None:
            raise RuntimeError("these tests need anvil 1.7.1 (Foundry) on the path: npm carries it for Linux x86-64 only")
        return Path(found)
    return npm.installed(BED, "beds/evm") / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"


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
                if _has_ended(process, PAUSE_S) or time.monotonic() > end:
                    raise RuntimeError(f"anvil did not start (exit status {process.poll()})") from None
        node.rpc("anvil_setBlockTimestampInterval", BLOCK_S)
        yield node
    finally:
        process.terminate()
        if not _has_ended(process, STOP_S):
            process.kill()
            process.wait()


def _has_ended(process: subprocess.Popen[bytes], within_s: float) -> bool:
    """Waits for the process to end, which also is the pause between two looks."""
    try:
        process.wait(within_s)
    except subprocess.TimeoutExpired:
        return False
    return True
