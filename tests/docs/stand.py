"""A scratch home in which a page's commands run as a reader would type them.

Programs stand in for four words: `omnifolio` is this tree's, and `omnifolio serve` goes on in the background once it is ready, as
in a terminal of its own; `make` only shows what it would do, so that `make test` does not run itself; `curl` fails on an error
answer; `python3` is the one that runs the tests.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.docs.pages import ROOT, Block

TIMEOUT_S = 300
ENTRY = "from omnifolio.faces.cli.main import main; main()"


class Stand:
    """A home, ports of its own, and the servers that were started in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.ports = {"8400": _free_port(), "8401": _free_port()}
        tools = home / "bin"
        tools.mkdir()
        program = f"{shlex.quote(sys.executable)} -c {shlex.quote(ENTRY)}"
        _script(tools / "omnifolio", _OMNIFOLIO.format(program=program, api=self.ports["8400"]))
        _script(tools / "python3", f'exec {shlex.quote(sys.executable)} "$@"')
        _script(tools / "make", f'PATH=${{PATH#*:}} exec make --dry-run --directory={shlex.quote(str(ROOT))} "$@"')
        _script(tools / "curl", 'PATH=${PATH#*:} exec curl --fail-with-body --max-time 60 "$@"')
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMNIFOLIO_", "XDG_"))}
        self.environment = kept | {
            "HOME": str(home),
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("src", "sandbox", "sdk/python/src")),
        }

    def run(self, blocks: Sequence[Block], *, before: str = "", python_before: str = "") -> None:
        """Runs the blocks in order in one shell. Raises: AssertionError with everything that was printed."""
        lines = ["set -euo pipefail", before]
        for number, block in enumerate(blocks):
            text = block.text
            for written, ours in self.ports.items():
                text = text.replace(written, str(ours))
            if block.language == "python":
                (self.home / f"block{number}.py").write_text(python_before + text, encoding="utf-8")
                text = f"python3 block{number}.py"
            lines.append(f"echo '--- block {number}'\n{text}")
        script = "\n".join(lines)
        for written, ours in self.ports.items():
            script = script.replace(written, str(ours))
        log = self.home / "output.log"
        with log.open("wb") as output:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=TIMEOUT_S,
                check=False,
            )
        assert done.returncode == 0, f"exit {done.returncode}\n{log.read_text(encoding='utf-8', errors='replace')[-6000:]}"

    def close(self) -> None:
        """Stops the servers that were started."""
        for file in self.home.glob("*.pid"):
            try:
                os.kill(int(file.read_text()), signal.SIGTERM)
            except ProcessLookupError:
                continue


_OMNIFOLIO = """
if [ "$1" != serve ]; then exec {program} "$@"; fi
shift
nohup {program} serve --port {api} "$@" >serve.log 2>&1 </dev/null &
echo $! >serve.pid
for _ in $(seq 600); do
    grep -q 'Omnifolio is ready' serve.log && exec cat serve.log
    kill -0 "$(cat serve.pid)" || break
    sleep 0.1
done
cat serve.log
exit 1
"""


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
