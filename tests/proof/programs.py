"""The program as people start it: processes of their own, with homes, temporary folders and logs of their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ("-c", "from omnifolio.faces.cli.main import main; main()")
READY_S = 60.0
LOOK_S = 0.02
COMMAND_TIMEOUT_S = 120


class Program:
    """One installation's environment; everything that its processes write lies in `folder`, but for a PostgreSQL database."""

    def __init__(self, folder: Path, database: str, **settings: str) -> None:
        self.folder = folder
        self._servers: list[Serving] = []
        for name in ("home", "tmp", "logs", "keys"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OMNIFOLIO_")},
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "XDG_DATA_HOME": str(folder / "home" / "data"),
            "XDG_CONFIG_HOME": str(folder / "home" / "config"),
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT / "sandbox")]),
            "OMNIFOLIO_DATABASE": database,
            "OMNIFOLIO_KEY_FILE": str(folder / "keys" / "root.key"),
            **{f"OMNIFOLIO_{name.upper()}": value for name, value in settings.items()},
        }

    def run(self, *arguments: str, code: int = 0, given: str | None = None) -> str:
        """What a command prints; its words on stderr go to a log."""
        done = subprocess.run(
            [sys.executable, *PROGRAM, *arguments],
            input=given,
            capture_output=True,
            text=True,
            env=self.environment,
            cwd=self.folder / "home",
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )
        with (self.folder / "logs" / "commands.log").open("a") as log:
            log.write(done.stdout + done.stderr)
        assert done.returncode == code, (arguments[:2], done.returncode, done.stderr[-2_000:])
        return done.stdout

    def serve(self, *arguments: str) -> "Serving":
        """A server that listens."""
        made = Serving(self, arguments, self.folder / "logs" / f"server-{len(self._servers) + 1}")
        self._servers.append(made)
        return made

    def end(self) -> None:
        """Kills every server that still runs."""
        for server in self._servers:
            server.kill()


class Serving:
    """A running `omnifolio serve` on a port of its own choice."""

    def __init__(self, program: Program, arguments: tuple[str, ...], log: Path) -> None:
        self._log = log
        with log.with_suffix(".out").open("wb") as out, log.with_suffix(".err").open("wb") as err:
            self._process = subprocess.Popen(
                [sys.executable, "-u", *PROGRAM, "serve", "--port", "0", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=program.environment,
                cwd=program.folder / "home",
            )
        until = time.monotonic() + READY_S
        while " is ready at " not in self.said:
            if self._process.poll() is not None or time.monotonic() > until:
                self.kill()
                raise AssertionError(f"the server did not start: {log.with_suffix('.err').read_text()[-2_000:]}")
            time.sleep(LOOK_S)
        self.url = self.said.partition(" is ready at ")[2].partition(" ")[0].removesuffix("/v1")

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._log.with_suffix(".out").read_text()

    def kill(self) -> None:
        """Ends it as a power cut would, if it still runs."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ends it as an operator would; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(READY_S)
