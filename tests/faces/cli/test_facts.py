"""The facts that commands give: a file beside the interface, two processes on one database, a recording, the recorded cases."""

import asyncio
import json
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from omnifolio.app.facts import account_facts
from omnifolio.app.runtime import open_runtime
from omnifolio.app.sandbox import SandboxProcess, credentials_of, truth_of
from omnifolio.faces.cli.session import chosen_account, session_of
from omnifolio.model.settings import Settings
from tests.faces.cli.program import Done, Program, ready
from tests.venues.exchanges import test_recorded_cases as recorded
from tests.venues.exchanges.differences import DIFFERENT_BY_DESIGN

SYNCS = 3
LOOKS_MAX = 60
"""Each look is a command of its own and takes about a second."""
UNCHANGED_CALLS_MAX = 3
"""Requests of one sync that finds nothing new, the key's rights included."""


def add_kraken(program: Program, user: str, *more: str) -> Done:
    """Links the user's Kraken account."""
    fields = credentials_of(user)["kraken"]
    return program("accounts", "add", "kraken", "key=-", "secret=-", *more, stdin=f"{fields['key']}\n{fields['secret']}\n")


def settled(program: Program, account: str) -> Any:
    """The account once nobody is reading it: beside a server, the next round may begin at any time, and ends by itself."""
    for _ in range(LOOKS_MAX):
        found = program("accounts", "show", account, "-o", "json").json
        if found["status"] != "syncing":
            return found
    raise AssertionError(f"the account was still being read after {LOOKS_MAX} looks: {found}")


def refs(program: Program, account: str) -> Counter[str]:
    """The transactions of an account by their venue's name, each as often as it is there."""
    rows = program("transactions", "--account", account, "--limit", "100000", "-o", "json").json
    return Counter(row["ref"] for row in rows)


def true_refs(sandbox: SandboxProcess, user: str, venue: str) -> Counter[str]:
    """The same from the sandbox's truth."""
    lines = truth_of(user, server=sandbox.url)
    return Counter(str(line["ref"]) for line in lines if line["kind"] == "transaction" and _is_at(line, venue))


def _is_at(line: dict[str, Any], venue: str) -> bool:
    return any(leg["asset_id"].startswith(f"venue:{venue}/") for leg in line["legs"])


@pytest.mark.parametrize("kind", ["ledgers", "trades"])
def test_a_file_that_the_interface_told_already_adds_nothing(linked: Program, tmp_path: Path, kind: str) -> None:
    before = asyncio.run(_stored(linked, "Main"))
    exported = linked.start("sandbox", "csv", "--user", "alice", "--venue", "kraken", "--kind", kind)
    text, _ = exported.communicate(timeout=60)
    (tmp_path / "export.csv").write_text(text, encoding="utf-8")
    done = linked("accounts", "import", "Main", str(tmp_path / "export.csv"), "-o", "json")
    assert (done.code, done.json["layout"], done.json["new"], done.json["unreadable"]) == (0, f"kraken-{kind}", 0, [])
    assert done.json["lines"] > 10
    assert asyncio.run(_stored(linked, "Main")) == before
    assert linked("accounts", "import", "Main", str(tmp_path / "export.csv"), "-o", "json").json["new"] == 0


def test_a_plain_file_adds_its_lines_and_names_those_that_it_cannot_read(simulated: Program, tmp_path: Path) -> None:
    assert simulated("accounts", "add", "demo", "username=demo", "password=demo", "--no-sync").code == 0
    file = tmp_path / "plain.csv"
    file.write_text(
        "date,type,asset,amount\n2025-01-02 03:04:05,deposit,BTC,0.5\n2025-01-03,deposit,BTC,much\n", encoding="utf-8"
    )
    done = simulated("accounts", "import", "demo", str(file), "-o", "json")
    assert (done.code, done.json["new"]) == (6, 1)
    assert "line 3" in done.json["unreadable"][0]
    (row,) = simulated("transactions", "-o", "json").json
    assert (row["type"], row["in"]) == ("deposit", "0.5 BTC")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("{folder}/none.csv",), "there is no file"),
        (("{folder}/odd.csv",), "known files are"),
        (("{folder}/odd.csv", "--layout", "nothing"), "known are binance-statement, binance-statement-local, bitfinex"),
        (("{folder}/kraken.csv",), "the account is at demo"),
        (("{folder}/binary.csv",), "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(linked: Program, tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (tmp_path / "kraken.csv").write_text("txid,refid,time,type,asset,amount,fee\n", encoding="utf-8")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")
    done = linked("accounts", "import", "demo", *(text.format(folder=tmp_path) for text in arguments))
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_commands_beside_a_running_server_double_nothing(home: Path, database_url: str, sandbox: SandboxProcess) -> None:
    program = Program(home, database=database_url, sandbox_url=sandbox.url)
    server = program.start("serve", "--port", "0")
    try:
        ready(server)
        added = add_kraken(program, "bob", "-o", "json")
        assert added.code == 0, added.err
        calls = program("accounts", "show", "kraken", "-o", "json").json["venue_calls"]
        several = [program.start("accounts", "sync", "kraken", "-o", "json") for _ in range(SYNCS)]
        ends = [process.communicate(timeout=120) for process in several]
        assert [process.returncode for process in several] == [0] * SYNCS, ends
        account = settled(program, "kraken")
        assert account["status"] == "ok"
        # The server listens to the account: the stream that it opened asks for one round more, whenever that is.
        assert account["venue_calls"] - calls <= (SYNCS + 1) * UNCHANGED_CALLS_MAX
        assert refs(program, "kraken") == true_refs(sandbox, "bob", "kraken")
    finally:
        server.terminate()
        _, errors = server.communicate(timeout=60)
    # That it listens to the venue is all that a healthy server writes down.
    written = [line for line in errors.splitlines() if " INFO omnifolio.sync.live live_" not in line]
    assert (server.returncode, written) == (0, [])


def test_replay_of_a_recorded_sync_prints_the_facts_of_that_sync(linked: Program) -> None:
    done = linked("replay", str(linked.home / "kraken.json"))
    assert done.code == 0
    assert [json.loads(line) for line in done.out.splitlines()] == asyncio.run(_stored(linked, "Main"))
    recording = (linked.home / "kraken.json").read_text(encoding="utf-8")
    fields = credentials_of("alice")["kraken"]
    assert not [name for name, value in fields.items() if value in recording]


async def _stored(program: Program, account: str) -> list[dict[str, Any]]:
    """An account's facts as they lie in the program's database."""
    home = program.home
    settings = Settings(
        database=f"sqlite:///{home / '.local/share/omnifolio/omnifolio.db'}", key_file=str(home / ".config/omnifolio/root.key")
    )
    runtime = await open_runtime(settings, with_workers=False)
    try:
        session = await session_of(runtime)
        number = await chosen_account(session, account)
        return await runtime.context.store.read(account_facts, session.owner.principal, number)
    finally:
        await runtime.close()


@pytest.mark.parametrize("path", recorded.CASES, ids=lambda path: path.stem)
def test_replay_of_a_recorded_case_prints_its_facts(omnifolio: Program, path: Path) -> None:
    case = json.loads(path.read_bytes())
    done = omnifolio("replay", str(path))
    assert done.code == 0, done.err
    lines = [json.loads(line) for line in done.out.splitlines()]
    found = Counter(_moves(lines))
    wanted = (
        Counter(
            (recorded.SYNONYMS.get(asset, asset), amount, direction) for asset, amount, direction, _ in recorded.expected(case)
        )
        if "expected" in case
        else Counter()
    )
    if case["name"] not in DIFFERENT_BY_DESIGN:
        assert wanted - found == Counter()


def _moves(lines: list[dict[str, Any]]) -> list[tuple[str, Any, str]]:
    """Balances and legs as recorded cases tell them: asset, amount without sign, and where it goes."""
    held: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        if line["kind"] == "balance":
            held[line["asset"]] += Decimal(line["amount"])
    moves = [(asset, amount, "balance") for asset, amount in held.items()]
    for line in lines:
        for leg in line.get("legs", ()):
            amount = Decimal(leg["amount"])
            direction = "fee" if leg["role"] == "fee" else "in" if amount > 0 else "out"
            moves.append((recorded.SYNONYMS.get(leg["asset"], leg["asset"]), abs(amount), direction))
    return moves
