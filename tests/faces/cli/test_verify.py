"""An exchange verified with a key: every line in plain words, nothing stored, and a recording that tells nothing of its owner."""

import json
import os
import pty
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from omnifolio.app.sandbox import SandboxProcess, credentials_of
from omnifolio.catalog.confirmed import read as read_result
from omnifolio.faces.cli.main import EXIT_REFUSED, EXIT_USAGE, EXIT_VENUE
from omnifolio.model.errors import FileRefused
from omnifolio_sandbox import credentials
from tests.faces.cli.conftest import USER
from tests.faces.cli.program import ENTRY, Done, Program
from tests.faces.cli.test_credentials import answered
from tests.proof.canaries import found_in

VENUES = ("kraken", "binance", "coinbase")
LONGEST_ANSWERS = {"kraken": "/0/private/Ledgers", "coinbase": "/v2/accounts*"}


def verified(program: Program, venue: str, *arguments: str, permission: str = "read") -> Done:
    """One call with a sandbox key of that permission, given in files."""
    fields = credentials.of_user(USER, permission)[venue]
    folder = program.home / "given"
    folder.mkdir(exist_ok=True)
    (folder / "key").write_text(fields["apiKey"], encoding="utf-8")
    (folder / "secret").write_text(fields["secret"], encoding="utf-8")
    return program("venues", "verify", venue, f"key=@{folder / 'key'}", f"secret=@{folder / 'secret'}", *arguments)


def outcomes(done: Done) -> dict[str, str]:
    """Check → outcome."""
    return {row["check"]: row["outcome"] for row in done.json}


@pytest.fixture
def fault(sandbox: SandboxProcess) -> Iterator[Any]:
    """Scripts faults of the sandbox for one test."""

    def script(method: str, body: object = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{sandbox.url}/_sandbox/faults", data=data, method=method)) as answer:
            assert answer.status == 200

    yield lambda **what: script("POST", what)
    script("DELETE")


@pytest.mark.parametrize("venue", VENUES)
def test_a_good_key_passes_and_its_redacted_recording_replays_alike(simulated: Program, venue: str, tmp_path: Path) -> None:
    folder = tmp_path / "shown"
    folder.mkdir()
    path = folder / "recorded.json"
    done = verified(simulated, venue, "--record", str(path), "--yes", "-o", "json")
    assert done.code == 0, done.err
    found = outcomes(done)
    assert {found[check] for check in ("venue", "clock", "signature", "permission")} == {"ok"}
    assert found["stream balances/all"] == "ok"
    assert found["balances spot/spot"] == "ok"
    assert "failed" not in found.values()
    result = json.loads((folder / "recorded.json.result.json").read_text(encoding="utf-8"))
    assert (result["venue"], result["amounts"], result["checks"]["permission"]) == (venue, "exact", "ok")
    assert result["streams"]["balances"]["outcome"] == "ok"
    with pytest.raises(FileRefused, match="not the venue itself"):
        read_result((folder / "recorded.json.result.json").read_bytes())
    replayed = [json.loads(line) for line in simulated("replay", str(path)).out.splitlines()]
    balances = [line for line in replayed if line["kind"] == "balance"]
    assert len(balances) == next(int(row["text"].split()[0]) for row in done.json if row["check"] == "stream balances/all")
    fields = credentials_of(USER)[venue]
    assert not found_in([folder], [fields["key"], fields["secret"]])
    assert [item.name for item in simulated.home.iterdir() if item.name not in ("given", "shown")] == [], "nothing is stored"


def test_with_all_pages_history_is_compared_with_the_balances(simulated: Program) -> None:
    done = verified(simulated, "kraken", "--pages", "1000", "-o", "json")
    assert done.code == 0
    (told,) = [row for row in done.json if row["check"] == "history"]
    assert told["outcome"] == "ok"
    assert "proved by it" in told["text"]


def test_scaled_amounts_are_not_those_of_the_account(simulated: Program, tmp_path: Path) -> None:
    paths = [tmp_path / "exact.json", tmp_path / "scaled.json"]
    assert verified(simulated, "kraken", "--record", str(paths[0]), "--yes").code == 0
    assert verified(simulated, "kraken", "--record", str(paths[1]), "--yes", "--scale").code == 0
    exact, scaled = ([json.loads(line) for line in simulated("replay", str(path)).out.splitlines()] for path in paths)
    assert [line["kind"] for line in exact] == [line["kind"] for line in scaled]
    pairs = [
        (a["amount"], b["amount"]) for a, b in zip(exact, scaled, strict=True) if a["kind"] == "balance" and a["amount"] != "0"
    ]
    assert pairs
    assert all(a != b for a, b in pairs)


@pytest.mark.parametrize("venue", VENUES)
def test_a_key_that_can_withdraw_is_refused_and_nothing_is_read(simulated: Program, venue: str, tmp_path: Path) -> None:
    path = tmp_path / "recorded.json"
    done = verified(simulated, venue, "--record", str(path), "--yes", "-o", "json", permission="withdraw")
    assert done.code == EXIT_REFUSED
    assert outcomes(done)["permission"] == "failed"
    assert not any(check.startswith("stream") for check in outcomes(done))
    assert "Nothing was recorded" in done.err
    assert not path.exists()


@pytest.mark.parametrize("venue", VENUES)
def test_a_key_without_history_is_told_what_it_lacks(simulated: Program, venue: str) -> None:
    done = verified(simulated, venue, "-o", "json", permission="no-history")
    assert done.code == EXIT_REFUSED
    (told,) = [row for row in done.json if row["check"] == "permission"]
    assert told["outcome"] == "failed"
    assert "missing" in told["text"]
    assert "let the key read" in told["action"]


@pytest.mark.parametrize(("venue", "path"), LONGEST_ANSWERS.items())
def test_half_an_answer_fails_the_stream_and_names_it(simulated: Program, fault: Any, venue: str, path: str) -> None:
    fault(venue=venue, path=path, effect="half")
    done = verified(simulated, venue, "-o", "json")
    failed = [row for row in done.json if row["outcome"] == "failed"]
    assert done.code != 0
    assert any("not JSON" in row["text"] for row in failed), failed


def test_a_page_of_html_is_no_venue(simulated: Program, fault: Any) -> None:
    fault(venue="kraken", effect="html")
    done = verified(simulated, "kraken", "-o", "json")
    assert done.code == EXIT_VENUE
    assert outcomes(done) == {"venue": "failed"}


def test_a_clock_that_is_off_is_told_in_seconds(simulated: Program, fault: Any) -> None:
    fault(venue="kraken", skew_ms=90_000)
    done = verified(simulated, "kraken", "-o", "json")
    (told,) = [row for row in done.json if row["check"] == "clock"]
    assert told["outcome"] == "warning"
    assert "-90." in told["text"] or "-89." in told["text"]
    assert "NTP" in told["action"]


def test_a_recording_is_not_saved_where_nobody_can_agree(simulated: Program, tmp_path: Path) -> None:
    done = verified(simulated, "kraken", "--record", str(tmp_path / "recorded.json"))
    assert done.code == EXIT_USAGE
    assert "--yes" in done.err


@pytest.mark.parametrize(("answer", "is_saved"), [("n", False), ("y", True)])
def test_its_owner_sees_what_would_be_saved_and_decides(simulated: Program, tmp_path: Path, answer: str, is_saved: bool) -> None:
    path = tmp_path / "recorded.json"
    fields = credentials_of(USER)["kraken"]
    (tmp_path / "key").write_text(fields["key"], encoding="utf-8")
    (tmp_path / "secret").write_text(fields["secret"], encoding="utf-8")
    given = (f"key=@{tmp_path / 'key'}", f"secret=@{tmp_path / 'secret'}")
    command = [sys.executable, "-c", ENTRY, "venues", "verify", "kraken", *given, "--record", str(path)]
    process, terminal = pty.fork()
    if process == 0:
        os.execve(command[0], command, simulated.environment)
    shown = answered(terminal, [answer], prompt="[y/N]:")
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0, shown
    assert "Replaced: " in shown
    assert "A part of it:" in shown
    assert path.exists() is is_saved


def test_a_secret_on_the_command_line_is_refused(omnifolio: Program) -> None:
    assert omnifolio("venues", "verify", "kraken", "key=" + "K" * 56, "secret=" + "s" * 88).code == EXIT_REFUSED
