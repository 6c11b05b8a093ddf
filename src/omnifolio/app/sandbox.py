"""The sandbox as a child process: started on loopback, asked for a user's credentials, stopped again. Never imported."""

import json
import subprocess
import sys
from collections.abc import Mapping
from types import TracebackType

from omnifolio.model.errors import SandboxFailed

STOP_TIMEOUT_S = 10
RATE_SCALE = "1000"
"""Simulated venues let themselves be asked a thousand times faster than the real ones."""


class SandboxProcess:
    """A running sandbox; a context manager that stops what it started. `url` is its base."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "omnifolio_sandbox", "serve", "--until-stdin-ends", "--rate-scale", RATE_SCALE, *arguments],
            # Its life hangs on this pipe, so that nothing outlives us whatever ends us; a terminal's Ctrl-C is for us alone.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.startswith("{"):
            self.stop()
            raise SandboxFailed("the sandbox ended before it was ready; its own words are above")
        self.url: str = json.loads(line)["url"].rstrip("/")

    def stop(self) -> None:
        """Ends the process that was started here."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> "SandboxProcess":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


def credentials_of(user: str) -> Mapping[str, Mapping[str, str]]:
    """A sandbox user's credentials by venue, under our names of the fields."""
    names = {"apiKey": "key"}
    found = json.loads(_ask("credentials", "--user", user, "-o", "json"))["credentials"]
    return {venue: {names.get(name, name): value for name, value in fields.items()} for venue, fields in found.items()}


def truth_of(user: str, *, server: str) -> list[dict[str, object]]:
    """What the sandbox says is true of a user, as lines of the form that `replay` prints."""
    return [json.loads(line) for line in _ask("truth", "--user", user, "--server", server).splitlines()]


def _ask(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "omnifolio_sandbox", *arguments], check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
