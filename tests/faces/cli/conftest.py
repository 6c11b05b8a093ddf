"""A sandbox for the whole session, and an installation that has read two accounts of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from omnifolio.app.sandbox import SandboxProcess, credentials_of
from tests.faces.cli.program import Program

USER = "alice"


@pytest.fixture(scope="session")
def sandbox() -> Iterator[SandboxProcess]:
    """Simulated venues."""
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home apart from the database, as keys must be."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def omnifolio(tmp_path: Path) -> Program:
    """An installation that knows real venues only, and has nothing yet."""
    return Program(tmp_path)


@pytest.fixture
def simulated(tmp_path: Path, sandbox: SandboxProcess) -> Program:
    """An empty installation whose venues are simulated."""
    return Program(tmp_path, sandbox_url=sandbox.url)


@pytest.fixture(scope="session")
def linked(tmp_path_factory: pytest.TempPathFactory, sandbox: SandboxProcess) -> Program:
    """An installation that has read a Kraken account and the demo venue; tests only read it."""
    program = Program(tmp_path_factory.mktemp("linked"), sandbox_url=sandbox.url)
    fields = credentials_of(USER)["kraken"]
    cassette = str(program.home / "kraken.json")
    added = program(
        "accounts", "add", "kraken", "key=-", "secret=-", "--name", "Main", "--record", cassette,
        stdin=f"{fields['key']}\n{fields['secret']}\n",
    )  # fmt: skip
    assert added.code == 0, added.err
    assert program("accounts", "add", "demo", "username=demo", "password=demo").code == 0
    return program
