"""What people read when something is not as it should be, and the exit code that goes with it."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from omnifolio.faces.cli.main import (
    COMMANDS,
    EXIT_CODES,
    EXIT_SETUP,
    EXIT_UNEXPECTED,
    EXIT_USAGE,
    EXIT_VENUE,
    cli,
    exit_code_of,
)
from omnifolio.model import errors
from tests.faces.cli.program import Program


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("balancse",), EXIT_USAGE, "Did you mean balances?"),
        (("venues", "show", "krakn"), EXIT_USAGE, "Did you mean kraken?"),
        (("accounts", "add", "nowhere"), EXIT_USAGE, "omnifolio venues list"),
        (("accounts", "show", "nowhere"), EXIT_USAGE, "omnifolio accounts list"),
        (("accounts", "show", "0" * 24), EXIT_USAGE, "no account has"),
        (("transactions", "--from", "2025-02-01", "--to", "2025-01-01"), EXIT_USAGE, "the last day is before the first"),
        (("transactions", "label", "0" * 24), EXIT_USAGE, "TEXT or --remove"),
        (("balances", "--fiat", "XYZ"), EXIT_USAGE, "XYZ"),
        (("--config", "nowhere.toml", "balances"), EXIT_SETUP, "nowhere.toml does not exist"),
        (("--database", "mysql://x/y", "balances"), EXIT_SETUP, "use sqlite:///PATH or postgresql://"),
        (("--database", "postgresql://u:geheim@127.0.0.1:1/x", "balances"), EXIT_SETUP, "database"),
        (("serve", "--host", "0.0.0.0"), EXIT_SETUP, "--behind-proxy"),
        (("serve", "--tls-cert", "nowhere.pem"), EXIT_SETUP, "nowhere.pem"),
        (("replay", "nowhere.json"), EXIT_USAGE, "nowhere.json"),
        (("db", "backup", "/nowhere/at/all.db"), EXIT_USAGE, "there is no folder"),
    ],
)
def test_an_error_says_what_was_wrong_and_never_a_traceback(
    omnifolio: Program, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = omnifolio(*arguments)
    assert (done.code, done.out) == (code, "")
    assert words in done.err
    assert "Traceback" not in done.err
    assert "geheim" not in done.err


def test_a_file_that_is_no_cassette_is_refused(omnifolio: Program, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}", encoding="utf-8")
    done = omnifolio("replay", str(tmp_path / "x.json"))
    assert (done.code, done.out) == (EXIT_USAGE, "")
    assert "not a cassette" in done.err


def test_an_environment_that_is_not_usable_is_named(omnifolio: Program) -> None:
    done = omnifolio("balances", OMNIFOLIO_PORT="abc")
    assert done.code == EXIT_SETUP
    assert "port" in done.err


def test_a_bug_is_one_line_with_its_place(omnifolio: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_invocation: object, *_: object, **__: object) -> None:
        raise ZeroDivisionError("the secret is 42")

    monkeypatch.setattr("omnifolio.faces.cli.owner.at_work", broken)
    done = omnifolio("owner", "show")
    assert done.code == EXIT_UNEXPECTED
    assert "ZeroDivisionError at test_words.py" in done.err
    assert "42" not in done.err


def test_every_error_has_a_documented_exit_code() -> None:
    def kinds(kind: type[errors.OmnifolioError]) -> list[type[errors.OmnifolioError]]:
        return [kind, *(found for sub in kind.__subclasses__() for found in kinds(sub))]

    codes = {kind.__name__: exit_code_of(kind()) for kind in kinds(errors.OmnifolioError)}
    assert set(codes.values()) <= set(EXIT_CODES) - {0}
    assert codes["VenueUnavailable"] == EXIT_VENUE
    assert codes["InvalidSettings"] == EXIT_SETUP


def test_a_key_that_the_venue_does_not_know_ends_with_the_venues_code(simulated: Program) -> None:
    done = simulated("accounts", "add", "kraken", f"key={'K' * 56}", f"secret={'s' * 86}==", "-o", "json")
    assert done.code == EXIT_VENUE
    assert done.json["status"] == "error"
    assert done.json["error"]


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(omnifolio: Program, name: str) -> None:
    assert omnifolio(name, "--help").out or name == "sandbox"


def test_the_list_of_commands_is_shown_without_loading_any() -> None:
    """What a stranger types first, and every Tab, must not wait for the libraries of all commands."""
    code = "import sys; sys.argv = ['omnifolio', '--help']\nfrom omnifolio.faces.cli.main import main\ntry: main()\n"
    code += "except SystemExit: print(sorted({'sqlalchemy', 'litestar', 'ccxt', 'aiohttp', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(name in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_ask_this_program(omnifolio: Program, shell: str) -> None:
    done = omnifolio("completion", shell)
    assert done.code == 0
    assert "_OMNIFOLIO_COMPLETE" in done.out


def test_completion_names_commands_and_options() -> None:
    context = click.Context(cli)
    assert [item.value for item in cli.shell_complete(context, "acc")] == ["accounts"]
    assert "--database" in [item.value for item in cli.shell_complete(context, "--da")]


def test_a_closed_pipe_ends_a_command_quietly(linked: Program) -> None:
    process = linked.start("transactions", "--limit", "5000", "-o", "ndjson")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 0
    assert process.stderr.read() == ""
    process.stderr.close()
