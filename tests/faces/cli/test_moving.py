"""`omnifolio import vezgo` as people call it: where the secret comes from, what is said, and a kill in the middle."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from omnifolio.app.sandbox import SandboxProcess, credentials_of
from omnifolio.faces.cli.main import EXIT_INCOMPLETE, EXIT_REFUSED, EXIT_USAGE
from omnifolio.model.clock import SystemClock
from tests import vezgo
from tests.faces.cli.program import Program

ID = "5f1a2b3c4d5e6f708192a3b4"
ROWS = 40
KILLED_AT = (3, 6, 9)
"""At which request the import is killed."""


@contextmanager
def served() -> Iterator[tuple[vezgo.Vezgo, str]]:
    """Vezgo in a thread, so that commands can block."""
    made: list[tuple[vezgo.Vezgo, str]] = []
    ready, over = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with vezgo.serving(SystemClock().now) as found:
            made.append(found)
            ready.set()
            await over.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    ready.wait()
    try:
        yield made[0]
    finally:
        loop.call_soon_threadsafe(over.set)
        thread.join()
        loop.close()


@pytest.fixture
def server() -> Iterator[tuple[vezgo.Vezgo, str]]:
    with served() as (made, url):
        rows = [
            vezgo.transaction(
                vezgo.wire_id(place), 1_700_000_000_000 + place * 1_000, "deposit", [vezgo.part("received", "1.5", "BTC")],
                misc={"origin_id": f"Q{place}"},
            )
            for place in range(ROWS)
        ]  # fmt: skip
        made.add("user-1", vezgo.account(ID, "kraken", name="Main"), rows)
        yield made, url


def program(tmp_path: Path, url: str) -> Program:
    return Program(tmp_path, base_url__vezgo=url)


def test_an_import_that_is_killed_is_gone_on_with(tmp_path: Path, server: tuple[vezgo.Vezgo, str]) -> None:
    made, url = server
    made.rows_max = 20
    omnifolio = program(tmp_path, url)
    secret = tmp_path / "secret"
    secret.write_text(vezgo.SECRET + "\n", encoding="utf-8")
    words = ("import", "vezgo", f"client_id={vezgo.CLIENT_ID}", f"secret=@{secret}", "--login", "user-1", "-o", "json")
    for number in KILLED_AT:
        process = omnifolio.start(*words)
        made.before = _at_request(number, lambda pid=process.pid: os.kill(pid, 9))  # type: ignore[misc]
        assert process.wait(60) == -9
        process.communicate()
        made.before = lambda: None
    done = omnifolio(*words)
    assert done.code == 0, done.err
    [row] = done.json
    assert (row["id"], row["outcome"], row["venue"], row["unread"]) == (ID, "known", "kraken", [])
    again = omnifolio(*words).json[0]
    assert (again["transactions"], again["new"]) == (ROWS, 0)
    assert vezgo.SECRET not in done.out + done.err


def _at_request(number: int, do: Callable[[], None]) -> Callable[[], None]:
    left = [number]

    def count() -> None:
        left[0] -= 1
        if not left[0]:
            do()

    return count


def test_secret_and_names_come_from_files_standard_input_and_environment(tmp_path: Path, server: tuple[vezgo.Vezgo, str]) -> None:
    made, url = server
    omnifolio = program(tmp_path, url)
    given = f"client_id={vezgo.CLIENT_ID}"
    literal = omnifolio("import", "vezgo", given, f"secret={vezgo.SECRET}", "--login", "user-1")
    assert (literal.code, vezgo.SECRET in literal.out + literal.err) == (EXIT_REFUSED, False)
    assert omnifolio("import", "vezgo", given, "secret=-", "--logins", "-", stdin="x").code == EXIT_USAGE
    assert omnifolio("import", "vezgo", given, "secret=-", stdin="x").code == EXIT_USAGE
    (tmp_path / "names").write_text("user-1\n\nnobody\nuser-1\n", encoding="utf-8")
    asked = omnifolio(
        "import", "vezgo", given, "secret=-", "--logins", str(tmp_path / "names"), "--dry-run", "-o", "json", stdin=vezgo.SECRET
    )
    assert [(row["login"], row["outcome"], row["transactions"]) for row in asked.json] == [
        ("user-1", "would_import", ROWS),
        ("nobody", "nothing_there", 0),
    ]
    wrong = omnifolio("import", "vezgo", given, "secret=-", "--login", "user-1", stdin="wrong")
    assert (wrong.code, "Vezgo refuses" in wrong.err) == (EXIT_REFUSED, True)
    made.transactions[ID].append({"id": "f" * 24})
    found = omnifolio("import", "vezgo", given, "secret=-", "--login", "user-1", "-o", "json", stdin=vezgo.SECRET)
    assert found.code == EXIT_INCOMPLETE
    assert "initiated_at is missing" in found.json[0]["unread"][0]
    own = omnifolio("owner", "show", "-o", "json").json
    told = omnifolio("audit", "list", "--team", own["client_id"], "-o", "json").json
    assert [(row["action"], row["target"]) for row in told if row["action"] == "account.imported"] == [("account.imported", ID)]


def test_the_owner_takes_an_account_over_and_reconnects_it(
    tmp_path: Path, sandbox: SandboxProcess, server: tuple[vezgo.Vezgo, str]
) -> None:
    _, url = server
    omnifolio = Program(tmp_path, base_url__vezgo=url, sandbox_url=sandbox.url)
    environment = {"VEZGO_CLIENT_ID": vezgo.CLIENT_ID, "VEZGO_SECRET": vezgo.SECRET}
    done = omnifolio(
        "import", "vezgo", "--credential-env", "VEZGO", "--login", "user-1", "--as-owner", "-o", "json", **environment
    )
    assert [(row["id"], row["new"]) for row in done.json] == [(ID, ROWS)]
    [waiting] = omnifolio("accounts", "list", "-o", "json").json
    assert (waiting["id"], waiting["status"], waiting["venue"]) == (ID, "error", "kraken")
    assert "reconnect Kraken to go on" in waiting["error"]
    fields = credentials_of("alice")["kraken"]
    again = omnifolio(
        "accounts", "reconnect", ID, "key=-", "secret=-", "-o", "json", stdin=f"{fields['key']}\n{fields['secret']}\n"
    )
    assert (again.json["id"], again.json["status"]) == (ID, "ok")
