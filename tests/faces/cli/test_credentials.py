"""How credentials come in: never from the command line in plain text, except for venues that are simulated."""

import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from omnifolio.app.sandbox import SandboxProcess
from omnifolio.faces.cli.main import EXIT_REFUSED, EXIT_USAGE
from tests.faces.cli.program import ENTRY, Program

KEY, SECRET = "K" * 56, "s" * 86 + "=="
PROMPTS_S = 60.0


def test_a_literal_secret_is_refused_with_the_reason_and_not_repeated(omnifolio: Program) -> None:
    done = omnifolio("accounts", "add", "kraken", f"key={KEY}", f"secret={SECRET}", "--no-sync")
    assert done.code == EXIT_REFUSED
    assert "plain text" in done.err
    assert "key=@FILE" in done.err
    assert KEY not in done.out + done.err
    assert omnifolio("accounts", "list", "-o", "json").json == []


def test_a_literal_secret_is_accepted_where_the_venue_is_simulated(simulated: Program) -> None:
    assert simulated("accounts", "add", "kraken", f"key={KEY}", f"secret={SECRET}", "--no-sync").code == 0


def test_a_sandbox_excuses_no_venue_that_it_does_not_simulate(tmp_path: Path, sandbox: SandboxProcess) -> None:
    """An operator who points Kraken at its real address beside a sandbox gets the real rule for it."""
    program = Program(tmp_path, sandbox_url=sandbox.url, base_url__kraken="https://api.kraken.com")
    assert program("accounts", "add", "kraken", f"key={KEY}", f"secret={SECRET}", "--no-sync").code == EXIT_REFUSED


def test_files_standard_input_and_environment_give_the_same_account(omnifolio: Program, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n", encoding="utf-8")
    add = ("accounts", "add", "kraken")
    first = omnifolio(*add, f"key=@{tmp_path / 'key'}", "secret=-", "--no-sync", "-o", "json", stdin=SECRET)
    assert first.code == 0, first.err
    same = [
        omnifolio(*add, "key=-", "secret=-", "--no-sync", stdin=f"{KEY}\n{SECRET}\n"),
        omnifolio(*add, "--credential-env", "KRAKEN", "--no-sync", KRAKEN_KEY=KEY, KRAKEN_SECRET=SECRET),
    ]
    for again in same:
        assert again.code == EXIT_USAGE
        assert f"linked this Kraken account already: {first.json['id']}" in again.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("key=@nowhere", "secret=-"), "key: there is no file nowhere"),
        (("key",), "expected FIELD=@FILE"),
        ((), "credentials: key is missing"),
        (("colour=@{file}",), "kraken has no field 'colour'; expected key, secret"),
        (("--credential-env", "NOTHING"), "expected NOTHING_KEY or NOTHING_SECRET"),
    ],
)
def test_what_is_missing_is_named(omnifolio: Program, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "file").write_text("text", encoding="utf-8")
    done = omnifolio("accounts", "add", "kraken", *(text.format(file=tmp_path / "file") for text in arguments), "--no-sync")
    assert done.code == EXIT_USAGE
    assert words in done.err


def test_a_private_key_of_a_chain_is_refused(omnifolio: Program) -> None:
    done = omnifolio("accounts", "add", "ethereum", "wallet=0x" + "4f" * 32, "--no-sync")
    assert done.code == EXIT_REFUSED
    assert "4f4f" not in done.out + done.err


def test_a_prompt_asks_for_what_is_missing_and_shows_no_secret(omnifolio: Program) -> None:
    command = [sys.executable, "-c", ENTRY, "accounts", "add", "kraken", "--no-sync"]
    process, terminal = pty.fork()
    if process == 0:
        os.execve(command[0], command, omnifolio.environment)
    shown = answered(terminal, [KEY, SECRET])
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert "Kraken API key" in shown
    assert KEY not in shown
    assert SECRET not in shown
    assert len(omnifolio("accounts", "list", "-o", "json").json) == 1


def answered(terminal: int, answers: list[str], *, prompt: str = ":") -> str:
    """Types an answer whenever a prompt ends; gives all that was shown until the program ended."""
    shown, asked, limit = b"", 0, time.monotonic() + PROMPTS_S
    while time.monotonic() < limit:
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(terminal, 4096)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        shown += part
        if asked < len(answers) and shown.rstrip(b" ").endswith(prompt.encode()) and shown.count(b": ") > asked:
            os.write(terminal, answers[asked].encode() + b"\n")
            asked += 1
    os.close(terminal)
    return shown.decode()
