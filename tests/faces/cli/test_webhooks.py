"""`omnifolio webhooks`: added, heard, tested, replayed and removed from the command line, with a server beside it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from omnifolio_sandbox import credentials
from tests.proof.programs import LOOK_S, PROGRAM, READY_S, Program
from tests.proof.simulation import NOW, Venues, simulated

USAGE, SETUP = 2, 3


@pytest.fixture
def venues() -> Iterator[Venues]:
    """Venues in the machine's time."""
    with simulated(now=NOW, wire="real") as found:
        yield found


@pytest.fixture
def program(tmp_path: Path, venues: Venues) -> Iterator[Program]:
    """The program, which may tell this machine."""
    database = f"sqlite:///{tmp_path / 'data' / 'omnifolio.db'}"
    made = Program(tmp_path / "run", database, sandbox_url=venues.url, webhooks_private="true", workers="2")
    yield made
    made.end()


def test_what_happens_is_heard_and_the_receiver_is_removed_at_the_end(program: Program, tmp_path: Path) -> None:
    program.serve()
    log = (tmp_path / "heard").open("w+")
    listener = subprocess.Popen(
        [sys.executable, *PROGRAM, "webhooks", "listen", "--count", "4"],
        stdout=log, stderr=subprocess.DEVNULL, env=program.environment, cwd=program.folder,
    )  # fmt: skip
    end = time.monotonic() + READY_S
    while not json.loads(program.run("webhooks", "list", "-o", "json")):
        assert time.monotonic() < end
        time.sleep(LOOK_S)
    fields = credentials.of_user("alice", "read")["kraken"]
    names = {"apiKey": "key"}
    for name, value in fields.items():
        (tmp_path / names.get(name, name)).write_text(value)
    given = [f"{names.get(name, name)}=@{tmp_path / names.get(name, name)}" for name in fields]
    program.run("accounts", "add", "kraken", *given)
    assert listener.wait(READY_S) == 0
    log.seek(0)
    heard = [json.loads(line) for line in log]
    log.close()
    assert [said["type"] for said in heard] == [
        "connection.created", "transactions.updated", "balances.updated", "sync.completed",
    ]  # fmt: skip
    assert {said["data"]["provider"] for said in heard} == {"kraken"}
    assert json.loads(program.run("webhooks", "list", "-o", "json")) == []


def test_a_webhook_is_added_tested_changed_and_removed(program: Program) -> None:
    made = json.loads(program.run("webhooks", "add", "http://127.0.0.1:9/", "--event", "user.erased", "-o", "json"))
    number = made["id"]
    assert made["secret"].startswith("whsec_")
    assert made["events"] == ["user.erased"]
    tried = json.loads(program.run("webhooks", "test", number, "-o", "json"))
    assert (tried["outcome"], tried["status"]) == ("unreachable", None)
    (found,) = json.loads(program.run("webhooks", "deliveries", number, "-o", "json"))
    assert (found["id"], found["state"], found["tries"]) == (tried["delivery"], "dead", 1)
    shown = json.loads(program.run("webhooks", "deliveries", number, "--attempts", found["id"], "-o", "json"))
    assert [one["outcome"] for one in shown] == ["unreachable"]
    assert "1 to be sent again" in program.run("webhooks", "replay", number)
    turned = json.loads(program.run("webhooks", "rotate", number, "--overlap-hours", "1", "-o", "json"))
    assert turned["secret"] != made["secret"]
    assert json.loads(program.run("webhooks", "show", number, "--secret", "-o", "json"))["secret"] == turned["secret"]
    assert "secret" not in json.loads(program.run("webhooks", "show", number, "-o", "json"))
    changed = json.loads(program.run("webhooks", "change", number, "--off", "--all-events", "-o", "json"))
    assert (changed["is_active"], changed["events"]) == (False, ["all"])
    program.run("webhooks", "remove", number)
    program.run("webhooks", "show", number, code=USAGE)


def test_what_cannot_be_is_told_plainly(program: Program) -> None:
    program.run("webhooks", "add", "http://169.254.169.254/", code=USAGE)
    program.run("webhooks", "add", "http://127.0.0.1:9/", "--event", "sync.begun", code=USAGE)
    program.run("webhooks", "list", "--team", "nobody", code=USAGE)
    program.environment.pop("OMNIFOLIO_WEBHOOKS_PRIVATE")
    program.run("webhooks", "add", "http://127.0.0.1:9/", code=USAGE)
    program.run("webhooks", "listen", "--count", "1", code=SETUP)
