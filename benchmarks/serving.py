"""serve_ready_cpu, serve_rss: what `omnifolio serve` costs until it is ready, and what it holds once one exchange was read.

The real command in a process of its own, with compiled files present: the slowest of four starts, the first, which compiles and
creates the database, is not counted. The exchange is a simulated Kraken that runs in another process.
"""

import json
import tempfile
from pathlib import Path

import psutil
from tests.faces.cli.program import Program, ready

from benchmarks.figures import Figure, figure
from omnifolio.app.sandbox import SandboxProcess, credentials_of

CPU_NAME, RSS_NAME = "serve_ready_cpu", "serve_rss"
CPU_BAR_S, RSS_BAR_MB = 2.0, 130.0
STARTS = 4
POLLS_MAX = 600
USER = "alice"
MEBIBYTE = 1024 * 1024


def measure() -> list[Figure]:
    """The middle of three starts, and the memory after the first sync."""
    with SandboxProcess() as sandbox, tempfile.TemporaryDirectory() as folder:
        program = Program(Path(folder), sandbox_url=sandbox.url)
        cpu_s = sorted(_start(program) for _ in range(STARTS))[: STARTS - 1]
        rss = _after_a_sync(program)
    return [
        figure(CPU_NAME, cpu_s[len(cpu_s) // 2], "s", CPU_BAR_S, of=CPU_NAME),
        figure(RSS_NAME, rss / MEBIBYTE, "MB", RSS_BAR_MB, of=CPU_NAME),
    ]


def _start(program: Program) -> float:
    server = program.start("serve", "--port", "0")
    try:
        ready(server)
        times = psutil.Process(server.pid).cpu_times()
        return float(times.user + times.system)
    finally:
        server.terminate()
        server.communicate()


def _after_a_sync(program: Program) -> int:
    server = program.start("serve", "--port", "0")
    try:
        ready(server)
        fields = credentials_of(USER)["kraken"]
        added = program(
            "accounts", "add", "kraken", "key=-", "secret=-", "--no-sync", stdin=f"{fields['key']}\n{fields['secret']}\n"
        )
        assert added.code == 0, added.err
        for _ in range(POLLS_MAX):
            listed = json.loads(program("accounts", "list", "-o", "json").out)
            if listed[0]["status"] == "ok":
                return int(psutil.Process(server.pid).memory_info().rss)
        raise AssertionError(f"the account was not read: {listed}")
    finally:
        server.terminate()
        server.communicate()
