"""No credential is ever written: every byte of a whole run is searched for every form of every secret that was given.

Servers, commands, faults, a crash, debug logs, a backup and the API's answers are all there; the only place where the secrets may
be found is the folder of the files that the user gave.
"""

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from omnifolio.store import codec
from omnifolio_sandbox import credentials
from tests import postgres
from tests.proof.canaries import forms_of, found_in
from tests.proof.programs import LOOK_S, READY_S, Program
from tests.proof.simulation import NOW, Venues, simulated

USER, OTHER = "canary-60", "second-60"
VENUES = ("kraken", "coinbase")
CLI_VENUE = "binance"
USAGE = 2
HELD_MS = 2_000


@pytest.fixture
def venues() -> Iterator[Venues]:
    """Venues in the machine's time."""
    with simulated(now=NOW, wire="real") as found:
        yield found
        assert found.violations() == []


def secrets_of(user: str) -> dict[str, dict[str, str]]:
    """The user's credentials under our names of the fields."""
    names = {"apiKey": "key"}
    found = credentials.of_user(user, "read")
    return {venue: {names.get(name, name): value for name, value in found[venue].items()} for venue in (*VENUES, CLI_VENUE)}


class Client:
    """A developer's client that writes down every answer, headers included."""

    def __init__(self, url: str, folder: Path, team: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/v1", timeout=READY_S)
        self._folder = folder
        self._count = 0
        client_id, secret = (
            team.partition(f"{word} ")[2].split("\n")[0].split(",")[0].strip() for word in ("client id", "secret")
        )
        answer = self.ask("POST", "/auth/token", {"clientId": client_id, "secret": secret}, {"loginName": "somebody"})
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        """The answer's JSON, None where there is none."""
        answer = self._http.request(method, path, json=body, headers=headers)
        self._count += 1
        told = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        (self._folder / f"answer-{self._count:03d}").write_bytes(f"{answer.status_code}\n{told}\n\n".encode() + answer.content)
        return json.loads(answer.content) if answer.content else None

    def until(self, account: str, is_so: Callable[[Any], bool]) -> Any:
        """The account, once it is so."""
        end = time.monotonic() + READY_S
        while not is_so(shown := self.ask("GET", f"/accounts/{account}")):
            assert time.monotonic() < end, shown
            time.sleep(LOOK_S)
        return shown


def talk(client: Client, venues: Venues) -> None:
    """Links, reads, is refused, fails and mends: whatever a client may do with credentials."""
    given, wrong = secrets_of(USER), secrets_of(OTHER)
    accounts = {}
    for venue in VENUES:
        body = {"provider": venue, "credentials": given[venue]}
        accounts[venue] = client.ask("POST", "/accounts", body)["id"]
        client.ask("POST", "/accounts", body)
        client.ask("POST", "/accounts", body | {"credentials": {**given[venue], "unknown": given[venue]["secret"]}})
        client.ask(
            "POST", "/accounts", body | {"credentials": {"key": given[venue]["secret"] * 9, "secret": given[venue]["key"]}}
        )
        client.ask("POST", "/accounts", {"provider": given[venue]["secret"], "credentials": given[venue]})
        client.ask("POST", f"/accounts?key={given[venue]['key'][:8]}", {"provider": venue, "credentials": given[venue]["secret"]})
    for number in accounts.values():
        client.until(number, lambda shown: shown["status"] == "ok")
    kraken = accounts["kraken"]
    listen(client, venues, kraken)
    for fault in ({"effect": "half"}, {"status": 500}, {"status": 200, "body": {"error": ["EAPI:Invalid key"]}}):
        venues.fault({"venue": "kraken", **fault})
        client.ask("POST", f"/accounts/{kraken}/sync")
        client.until(kraken, lambda shown: shown["status"] in ("retry", "error"))
        venues.heal()
    client.ask("PUT", f"/accounts/{kraken}", {"credentials": wrong["kraken"]})
    client.until(kraken, lambda shown: shown["status"] == "ok")
    client.ask("PUT", f"/accounts/{kraken}", {"credentials": given["kraken"]})
    for path in ("/accounts", "/teams/info", "/providers", "/portfolio", "/schema/openapi.json", "/openapi.json"):
        client.ask("GET", path)
    for number in accounts.values():
        for path in ("", "/transactions", "/history", "/orders", "/poll"):
            client.ask("GET", f"/accounts/{number}{path}")


def listen(client: Client, venues: Venues, account: str) -> None:
    """The private stream is opened with the key, tells something, breaks, and is opened again with another token."""
    for count in (1, 2):
        client.until(account, lambda shown: bool(shown["live"] and shown["live"]["since"]))
        asked = {"user": USER, "venue": "kraken", "base": "ETH", "quote": "USD", "amount": f"0.00{count}"}
        assert venues.ask("POST", "/purchases", asked)["told"] == 1
        client.until(account, lambda shown: bool(shown["live"]["heard_at"]))
        venues.ask("POST", "/sockets", {"do": "drop"})
        client.until(account, lambda shown: not shown["live"]["since"])
    client.until(account, lambda shown: shown["status"] == "ok")


def unpacked(rows: list[bytes], folder: Path) -> None:
    """The evidence as it was before it was compressed."""
    folder.mkdir()
    assert rows
    for number, body in enumerate(rows):
        (folder / str(number)).write_bytes(codec.unsqueeze(body))


def whole_run(program: Program, venues: Venues) -> None:
    """Serve, link, sync, fail, die in the middle of a sync and begin again."""
    answers, given = program.folder / "answers", program.folder.parent / "given"
    answers.mkdir()
    given.mkdir()
    for name, value in secrets_of(USER)[CLI_VENUE].items():
        (given / name).write_text(value)
    server = program.serve()
    team = server.said
    talk(Client(server.url, answers, team), venues)
    venues.fault({"venue": CLI_VENUE, "path": "/api/v3/account", "delay_ms": HELD_MS})
    fields = [f"{name}=@{given / name}" for name in ("key", "secret")]
    program.run("accounts", "add", CLI_VENUE, *fields, "--no-sync")
    program.run("accounts", "add", CLI_VENUE, *fields, code=USAGE)
    end = time.monotonic() + READY_S
    while not [call for call in venues.calls() if call["venue"] == CLI_VENUE]:
        assert time.monotonic() < end
        time.sleep(LOOK_S)
    server.kill()
    venues.heal()
    Client(program.serve().url, answers, team).ask("GET", "/accounts")
    program.run("accounts", "list", "-o", "json")


@pytest.fixture
def program(tmp_path: Path, venues: Venues, request: pytest.FixtureRequest) -> Iterator[Program]:
    """The program with debug logs, on a SQLite database of its own or on the PostgreSQL database of the test."""
    database = f"sqlite:///{tmp_path / 'run' / 'data' / 'omnifolio.db'}"
    if "postgres_url" in request.fixturenames:
        database = request.getfixturevalue("postgres_url")
    made = Program(tmp_path / "run", database, sandbox_url=venues.url, log_level="debug", workers="2")
    yield made
    made.end()


def is_nowhere(program: Program, venues: Venues, *more: Path) -> None:
    """The secrets are in what the user gave and nowhere else; a secret in any form would have been found."""
    secrets = [value for user in (USER, OTHER) for fields in secrets_of(user).values() for value in fields.values()]
    tokens = venues.ask("GET", "/sockets")["tokens"]
    assert len(tokens) >= 2, "the streams were opened with tokens, which are secrets as well"
    assert found_in([program.folder, *more], [*secrets, *tokens]) == []
    assert found_in([program.folder.parent / "given"], secrets)
    planted = program.folder / "home" / "planted"
    planted.mkdir()
    forms = [value for secret in secrets for value in forms_of(secret).values()]
    for number, value in enumerate(forms):
        (planted / str(number)).write_bytes(b"before" + value + b"after")
    assert len({path for path, _ in found_in([program.folder], secrets)}) == len(forms)


def test_no_credential_is_in_any_byte_that_was_written_with_sqlite(program: Program, venues: Venues) -> None:
    whole_run(program, venues)
    copy = program.folder / "backup.db"
    program.run("db", "backup", str(copy))
    assert (program.folder / "data" / "omnifolio.db-wal").stat().st_size
    with sqlite3.connect(copy) as backup:
        bodies = [row[0] for row in backup.execute("SELECT body FROM evidence WHERE body IS NOT NULL")]
    unpacked(bodies, program.folder / "evidence")
    is_nowhere(program, venues)


async def test_no_credential_is_in_any_byte_that_was_written_with_postgresql(
    program: Program, venues: Venues, postgres_server: postgres.Server, postgres_url: str
) -> None:
    await asyncio.to_thread(whole_run, program, venues)
    connection = await asyncpg.connect(postgres_url)
    rows = await connection.fetch("SELECT body FROM evidence WHERE body IS NOT NULL")
    await connection.execute("CHECKPOINT")
    await connection.close()
    unpacked([row["body"] for row in rows], program.folder / "evidence")
    is_nowhere(program, venues, postgres_server.data)
