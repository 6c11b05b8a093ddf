"""The program as a test calls it: in this process, with an environment, a home and a standard input of its own."""

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from msgspec import Struct

from omnifolio.faces.cli.main import main
from tests.docs.pages import ROOT

ENTRY = "from omnifolio.faces.cli.main import main; main()"
READY = "Omnifolio is ready at "


class Done(Struct, frozen=True):
    """How a call ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


class Program:
    """Calls `omnifolio` with a home of its own; nothing of this machine's settings comes in."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.environment = {
            "HOME": str(home),
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("src", "sandbox")),
            **{f"OMNIFOLIO_{name.upper()}": value for name, value in settings.items()},
        }

    def __call__(self, *arguments: str, stdin: str = "", **variables: str) -> Done:
        """Runs one command in this process."""
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
        umask = os.umask(0o077)
        terminate = signal.getsignal(signal.SIGTERM)
        code: object = None
        with ExitStack() as stack:
            stack.enter_context(mock.patch.dict(os.environ, self.environment | variables, clear=True))
            stack.enter_context(mock.patch("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")))
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            try:
                main(list(arguments))
            except SystemExit as end:
                code = end.code
            finally:
                os.umask(umask)
                signal.signal(signal.SIGTERM, terminate)
        assert isinstance(code, int)
        return Done(code, _text(out), _text(err))

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Starts one command as a process."""
        return subprocess.Popen(
            [sys.executable, "-c", ENTRY, *arguments],
            cwd=self.home,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def ready(server: subprocess.Popen[str]) -> Mapping[str, str]:
    """Waits until a server listens: its `url`, and all that it `said` until then. Raises: AssertionError when it ends before."""
    assert server.stdout is not None
    said = []
    for line in server.stdout:
        said.append(line)
        if line.startswith(READY):
            return {"url": line.removeprefix(READY).partition(" ")[0], "said": "".join(said)}
    assert server.stderr is not None
    raise AssertionError(f"it ended before it was ready: {''.join(said)}{server.stderr.read()}")


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    assert isinstance(stream.buffer, io.BytesIO)
    return stream.buffer.getvalue().decode()
