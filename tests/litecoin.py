"""A real Litecoin Core and a real ElectrumX on loopback for tests, in regtest mode: RPC and protocol are Bitcoin's own.

Both are installed once into `.cache/beds/utxo`: ElectrumX from the Python package index into a venv of its own, Litecoin Core and
the libraries that it needs from Debian's archive, unpacked there without touching the system. A `litecoind` on the path serves
where there is no such archive.
"""

import base64
import fcntl
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.anvil import free_port

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "beds" / "utxo"
REQUIREMENTS = Path(__file__).resolve().parent / "beds" / "utxo" / "requirements.txt"
PACKAGE = "litecoind"
READY_S = 60.0
STOP_S = 30.0
PAUSE_S = 0.05
COIN = 10**8
UNDELAYED = (
    "import runpy, sys; from electrumx.server.transport import PaddedRSTransport as Padded; "
    "Padded.WAIT_FOR_BUFFER_GROWTH_SECONDS = 0.0; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
)
"""ElectrumX holds small answers back for up to a second, against listeners; here there are none."""
MATURITY = 100
"""Blocks after which a reward may be spent."""


def installed() -> tuple[Path, Path, Path]:
    """litecoind, the folder of its libraries, and electrumx_server. Fails with a clear word when they cannot be had."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes may come here at once
        return _litecoind(), CACHE / "debian" / "usr" / "lib", _electrumx()


def _litecoind() -> Path:
    found = shutil.which(PACKAGE)
    if found is not None:
        return Path(found)
    binary = CACHE / "debian" / "usr" / "lib" / "litecoin" / PACKAGE
    if not binary.exists():
        if shutil.which("apt-get") is None:
            raise RuntimeError(
                "these tests need Litecoin Core (litecoind) on the path: there is no Debian archive to have it from"
            )
        planned = _run("apt-get", "-s", "install", PACKAGE).splitlines()
        names = [line.split()[1] for line in planned if line.startswith("Inst ")]
        downloads = CACHE / "downloads"
        downloads.mkdir(exist_ok=True)
        _run("apt-get", "download", *names, folder=downloads)
        for package in sorted(downloads.glob("*.deb")):
            _run("dpkg", "-x", str(package), str(CACHE / "debian"))
    return binary


def _electrumx() -> Path:
    home = CACHE / "venv"
    stamp, digest = CACHE / ".requirements", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        _run(sys.executable, "-m", "venv", "--clear", str(home))
        _run(str(home / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(REQUIREMENTS))
        stamp.write_text(digest)
    return home / "bin" / "electrumx_server"


def _run(*command: str, folder: Path = CACHE) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]} {command[1]} failed: {(done.stderr or done.stdout)[-800:]}")
    return done.stdout


class Litecoin:
    """A running node with its Electrum server; amounts of the RPC stay text."""

    def __init__(self, rpc_port: int, electrum_port: int) -> None:
        self.rpc_port = rpc_port
        self.url = f"tcp://127.0.0.1:{electrum_port}"
        self.electrum_port = electrum_port

    def rpc(self, method: str, *params: Any, wallet: str | None = None) -> Any:
        """The result of one method. One connection a call: a kept one delays the node's end by twenty seconds."""
        connection = http.client.HTTPConnection("127.0.0.1", self.rpc_port, timeout=READY_S)
        try:
            body = json.dumps({"jsonrpc": "1.0", "id": 1, "method": method, "params": params})
            headers = {"authorization": "Basic " + base64.b64encode(b"u:p").decode(), "connection": "close"}
            connection.request("POST", f"/wallet/{wallet}" if wallet else "/", body, headers)
            answer = json.loads(connection.getresponse().read(), parse_float=str)
        finally:
            connection.close()
        assert answer["error"] is None, (method, answer["error"])
        return answer["result"]

    def bank(self, method: str, *params: Any) -> Any:
        """A method of the wallet that has the money."""
        return self.rpc(method, *params, wallet="bank")

    def pay(self, address: str, coins: str) -> str:
        """Sends coins from the bank; the transaction waits for a block, and can be replaced."""
        name: str = self.bank("sendtoaddress", address, coins, "", "", False, True)
        return name

    def mine(self, blocks: int = 1, to: str = "") -> list[str]:
        """Mines blocks and waits until the Electrum server has them."""
        hashes: list[str] = self.rpc("generatetoaddress", blocks, to or self.bank("getnewaddress"))
        self.settle()
        return hashes

    def settle(self) -> None:
        """Waits until the Electrum server knows the newest block. It looks at heights: a branch must be longer to be seen."""
        height = self.rpc("getblockcount")
        newest = self.rpc("getblockheader", self.rpc("getblockhash", height), False)
        end = time.monotonic() + READY_S
        while self._electrum("blockchain.headers.subscribe").get("hex") != newest:
            assert time.monotonic() < end, "ElectrumX did not follow"
            time.sleep(PAUSE_S)

    def wait_for(self, script: str, name: str, *, is_there: bool = True) -> None:
        """Waits until the Electrum server lists a transaction for a script (by its hash), or lists it no more."""
        end = time.monotonic() + READY_S
        while (name in {row["tx_hash"] for row in self._electrum("blockchain.scripthash.get_history", script)}) != is_there:
            assert time.monotonic() < end, f"ElectrumX did not follow to {name}"
            time.sleep(PAUSE_S)

    def _electrum(self, method: str, *params: Any) -> Any:
        with socket.create_connection(("127.0.0.1", self.electrum_port), timeout=READY_S) as link:
            lines = link.makefile("rwb")
            for number, (name, given) in enumerate([("server.version", ["test", "1.4"]), (method, params)]):
                lines.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": name, "params": given}).encode() + b"\n")
                lines.flush()
                answer = json.loads(lines.readline())
        assert "error" not in answer, answer
        return answer["result"]


@contextmanager
def litecoin(folder: Path) -> Iterator[Litecoin]:
    """A new node with an Electrum server before it and a bank that has mined; both are ended by their process ids."""
    litecoind, libraries, electrumx = installed()
    found = Litecoin(free_port(), free_port())
    paths = [str(path) for path in (*libraries.glob("*-linux-gnu*"), libraries)]
    environment = os.environ | {"LD_LIBRARY_PATH": ":".join(paths)} if shutil.which(PACKAGE) is None else dict(os.environ)
    (folder / "core").mkdir(parents=True)
    (folder / "electrumx").mkdir()
    node = [str(litecoind), "-regtest", f"-datadir={folder / 'core'}", "-server", "-txindex=1", "-rpcuser=u", "-rpcpassword=p"]
    node += [f"-rpcport={found.rpc_port}", "-rpcbind=127.0.0.1", "-rpcallowip=127.0.0.1", "-listen=0", "-fallbackfee=0.0001"]
    node += ["-dbcache=50", "-printtoconsole=0", "-addresstype=bech32", "-mempoolreplacement=1"]
    server = {
        "DB_DIRECTORY": str(folder / "electrumx"), "DB_ENGINE": "leveldb", "COIN": "Litecoin", "NET": "regtest",
        "ALLOW_ROOT": "true", "CACHE_MB": "50", "DAEMON_URL": f"http://u:p@127.0.0.1:{found.rpc_port}/", "PEER_DISCOVERY": "off",
        "PEER_ANNOUNCE": "", "SERVICES": f"tcp://127.0.0.1:{found.electrum_port}", "COST_SOFT_LIMIT": "0", "COST_HARD_LIMIT": "0",
        "DAEMON_POLL_INTERVAL_BLOCKS": "100", "DAEMON_POLL_INTERVAL_MEMPOOL": "100",
    }  # fmt: skip
    with _running(node, folder / "core.log", environment):
        _until_ready(lambda: found.rpc("getblockchaininfo"))
        found.rpc("createwallet", "bank")
        found.rpc("generatetoaddress", MATURITY + 10, found.bank("getnewaddress"))
        with _running(
            [str(electrumx.with_name("python")), "-c", UNDELAYED, str(electrumx)], folder / "electrumx.log", os.environ | server
        ):
            _until_ready(found.settle)
            yield found


def _until_ready(probe: Any) -> None:
    end = time.monotonic() + READY_S
    while True:
        try:
            probe()
        except (OSError, http.client.HTTPException, AssertionError, ValueError):
            assert time.monotonic() < end, "the server did not start"
            time.sleep(PAUSE_S)
        else:
            return


@contextmanager
def _running(command: list[str], log: Path, environment: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
