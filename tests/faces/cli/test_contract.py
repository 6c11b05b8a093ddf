"""What scripts may rely on: `serve`, its first start, its end, its settings, and teams."""

import asyncio
import signal
import socket
import stat
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa

from omnifolio.faces.cli.main import EXIT_SETUP
from omnifolio.faces.cli.serving import check_exposure
from omnifolio.model.errors import InvalidSettings
from omnifolio.model.settings import Settings
from omnifolio.store.engine import open_store
from tests.faces.cli.program import Program, ready

STOP_S = 30


@contextmanager
def serving(program: Program, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """A running server: its process, address, and what it said. It is stopped at the end."""
    process = program.start("serve", "--port", "0", *arguments)
    try:
        told = ready(process)
        yield process, told["url"], told["said"]
    finally:
        process.terminate()
        process.communicate(timeout=STOP_S)


def test_a_first_start_makes_what_it_needs_and_says_so_once(omnifolio: Program) -> None:
    with serving(omnifolio, "--workers", "0") as (_, url, said), urllib.request.urlopen(f"{url}/providers") as answer:
        assert answer.status == 200
    key = omnifolio.home / ".config" / "omnifolio" / "root.key"
    database = omnifolio.home / ".local" / "share" / "omnifolio" / "omnifolio.db"
    assert stat.S_IMODE(key.stat().st_mode) == 0o400
    assert stat.S_IMODE(database.stat().st_mode) == 0o600
    assert key.parent != database.parent
    assert str(key) in said
    assert "without them every stored credential has to be entered again" in said
    assert "client id" in said
    with serving(omnifolio, "--workers", "0") as (_, _, again):
        assert "Created" not in again


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_server_and_its_sandbox_with_exit_code_0(omnifolio: Program, number: signal.Signals) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with serving(omnifolio, "--sandbox", "--sandbox-port", str(port)) as (process, _, said):
        assert f"export OMNIFOLIO_SANDBOX_URL=http://127.0.0.1:{port}" in said
        socket.create_connection(("127.0.0.1", port)).close()
        process.send_signal(number)
        _, errors = process.communicate(timeout=STOP_S)
        assert (process.returncode, errors) == (0, "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_server_that_is_killed_takes_its_sandbox_along(omnifolio: Program) -> None:
    with serving(omnifolio, "--sandbox") as (process, _, said):
        url = said.partition("OMNIFOLIO_SANDBOX_URL=")[2].split()[0]
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as left:
            process.kill()
            process.wait(STOP_S)
            left.settimeout(STOP_S)
            assert left.recv(1) == b"", "the sandbox closes its connections when it ends"


def test_a_taken_port_is_told_in_one_line(omnifolio: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = omnifolio("serve", "--port", str(taken.getsockname()[1]))
    assert (done.code, done.out) == (EXIT_SETUP, "")
    assert "is taken; choose another with --port" in done.err


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_nothing_listens_beyond_loopback_without_tls(host: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="--behind-proxy"):
        check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, behind_proxy=True))
    for name in ("cert.pem", "key.pem"):
        (tmp_path / name).touch()
    with pytest.raises(InvalidSettings, match="both or neither"):
        check_exposure(Settings(host=host, tls_cert=str(tmp_path / "cert.pem")))
    check_exposure(Settings(host=host, tls_cert=str(tmp_path / "cert.pem"), tls_key=str(tmp_path / "key.pem")))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_loopback_needs_no_tls(host: str) -> None:
    check_exposure(Settings(host=host))


def test_option_environment_and_file_say_the_same(omnifolio: Program, tmp_path: Path) -> None:
    def where(*arguments: str, **variables: str) -> str:
        text: str = omnifolio(*arguments, "db", "status", "-o", "json", **variables).json["where"]
        return text

    urls = [f"sqlite:///{tmp_path / name / 'x.db'}" for name in ("option", "environment", "file")]
    config = tmp_path / "settings.toml"
    config.write_text(f'database = "{urls[2]}"\n', encoding="utf-8")
    assert where("--config", str(config)) == str(tmp_path / "file" / "x.db")
    assert where(OMNIFOLIO_CONFIG=str(config), OMNIFOLIO_DATABASE=urls[1]) == str(tmp_path / "environment" / "x.db")
    assert where("--config", str(config), "--database", urls[0], OMNIFOLIO_DATABASE=urls[1]).endswith("option/x.db")


def test_a_team_made_by_the_command_gets_tokens_until_it_is_deactivated(home: Path, database_url: str) -> None:
    program = Program(home, database=database_url)
    made = program(
        "teams", "create", "App", "--redirect-uri", "https://a.example/back", "--origin", "https://a.example", "-o", "json"
    )
    assert made.code == 0, made.err
    assert {"client_id", "secret"} <= set(made.json)
    team = next(row for row in program("teams", "list", "-o", "json").json if row["client_id"] == made.json["client_id"])
    assert (team["origins"], team["redirect_uris"]) == (["https://a.example"], ["https://a.example/back"])
    with serving(program, "--workers", "0") as (_, url, _):

        def token(secret: str) -> int:
            body = {"clientId": made.json["client_id"], "secret": secret}
            return requests.post(f"{url}/auth/token", json=body, headers={"loginName": "u"}, timeout=STOP_S).status_code

        rotated = program("teams", "rotate", made.json["client_id"], "-o", "json").json
        assert [token(made.json["secret"]), token(rotated["secret"]), token("omni_live_no")] == [200, 200, 401]
        own = program("owner", "token").out.strip()
        answer = requests.get(f"{url}/accounts", headers={"Authorization": f"Bearer {own}"}, timeout=STOP_S)
        assert (answer.status_code, answer.json()) == (200, [])
        assert program("teams", "deactivate", made.json["client_id"]).code == 0
        assert token(rotated["secret"]) == 403


def test_the_audit_tells_who_did_what_and_sees_a_changed_line(home: Path, database_url: str) -> None:
    program = Program(home, database=database_url)
    made = program("teams", "create", "App", "-o", "json")
    assert program("teams", "rotate", made.json["client_id"]).code == 0
    own = program("owner", "show", "-o", "json").json
    assert program("accounts", "add", "kraken", "key=-", "secret=-", "--no-sync", stdin=f"{'K' * 56}\n{'s' * 86}==\n").code == 0
    account = program("accounts", "list", "-o", "json").json[0]["id"]
    assert program("accounts", "remove", "kraken", "--yes").code == 0
    assert program("owner", "revoke").code == 0
    ours = [(row["action"], row["target"]) for row in program("audit", "list", "-o", "json").json]
    made_teams = [("team.created", own["client_id"]), ("team.created", made.json["client_id"])]
    assert ours == [*made_teams, ("team.secret_rotated", made.json["client_id"])]
    of_owner = program("audit", "list", "--team", own["client_id"], "-o", "json").json
    assert [(row["action"], row["target"], row["user"]) for row in of_owner] == [
        ("account.linked", account, own["user"]),
        ("account.removed", account, own["user"]),
        ("tokens.revoked", own["user"], own["user"]),
    ]
    anchor = program("audit", "head", "-o", "json").json["anchor"]
    assert program("audit", "verify", "--anchor", anchor).code == 0
    assert program("audit", "verify", "--anchor", "7:ab").code == 2
    asyncio.run(_forge(database_url))
    changed = program("audit", "verify")
    assert (changed.code, "Line 1 " in changed.out) == (4, True)


async def _forge(database_url: str) -> None:
    store = open_store(database_url)
    await store.write(lambda conn: conn.execute(sa.text("UPDATE audit SET target = 'other' WHERE action = 'team.created'")))
    await store.close()


def test_a_backup_is_a_whole_database_and_overwrites_nothing(linked: Program, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    assert linked("db", "backup", str(target)).code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    copied = linked("--database", f"sqlite:///{target}", "transactions", "-o", "json")
    assert copied.json == linked("transactions", "-o", "json").json
    assert linked("db", "backup", str(target)).code == 2


def test_vault_commands_rotate_and_destroy_keys(tmp_path: Path) -> None:
    program = Program(tmp_path)
    add = ("accounts", "add", "kraken", "key=-", "secret=-", "--no-sync")
    assert program(*add, stdin=f"{'K' * 56}\n{'s' * 86}==\n").code == 0
    assert program("vault", "rotate", "--drop-old").code == 0
    assert program("vault", "rotate", "--intake").code == 0
    assert program("doctor").code == 0
    shredded = program("vault", "shred", "--user", program("owner", "show", "-o", "json").json["user"], "--yes")
    assert shredded.code == 0, shredded.err
    assert program("vault", "shred", "--yes").code == 2
    assert program("vault", "selftest", "--seconds", "0.3", "-o", "json").json["failures"] == []
