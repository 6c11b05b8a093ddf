"""The command `omnifolio`: its commands, its common options, and how errors become words and exit codes."""

import asyncio
import importlib
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from omnifolio import __version__
from omnifolio.model.errors import OmnifolioError
from omnifolio.model.settings import Settings, load

T = TypeVar("T")

EXIT_UNEXPECTED = 1
EXIT_USAGE = 2
EXIT_SETUP = 3
EXIT_REFUSED = 4
EXIT_VENUE = 5
EXIT_INCOMPLETE = 6
EXIT_CODES = {
    0: "done",
    EXIT_UNEXPECTED: "something unexpected went wrong; nothing half-written stays",
    EXIT_USAGE: "the command line or an input is not usable",
    EXIT_SETUP: "the configuration, the database or the vault is not usable",
    EXIT_REFUSED: "refused: a permission, a policy or a credential",
    EXIT_VENUE: "a venue could not be read",
    EXIT_INCOMPLETE: "done, but something is missing; it is named",
}
"""What the exit codes mean, in the order of the documentation."""

_SETUP_CODES = frozenset({"invalid_settings", "store_unavailable", "schema_too_new", "vault_unavailable"})
_REFUSED_CODES = frozenset(
    {
        "unauthenticated", "forbidden", "excess_permission", "missing_permission", "bad_credentials", "egress_refused",
        "literal_secret_refused", "private_key_refused", "secret_unreadable", "account_locked",
    }
)  # fmt: skip

COMMANDS = {
    "accounts": "accounts:accounts",
    "balances": "holdings:balances",
    "db": "database:db",
    "demo": "demo:demo",
    "doctor": "doctor:doctor",
    "owner": "owner:owner",
    "rebuild": "rebuild:rebuild",
    "replay": "replay:replay",
    "sandbox": "sandbox:sandbox",
    "serve": "serve:serve",
    "teams": "teams:teams",
    "transactions": "holdings:transactions",
    "vault": "vault:vault",
    "venues": "venues:venues",
}
"""Command → module in this folder and the name of its function; loaded when it is called."""


class Commands(click.Group):
    """The commands by name, each imported at first use, so that `--help` of one does not pay for all."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(f"omnifolio.faces.cli.{module}"), name)
        return command


class Invocation:
    """One call of the program: what its common options said."""

    def __init__(self, *, config: Path | None, overrides: dict[str, object]) -> None:
        self.config = config
        self.overrides = overrides

    def settings(self, **more: object) -> Settings:
        """The settings, with a command's own options on top. Raises: InvalidSettings."""
        return load(file=self.config, overrides={**self.overrides, **more})


pass_invocation = click.make_pass_decorator(Invocation)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="omnifolio")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="TOML file with settings.")
@click.option("--database", metavar="URL", help="sqlite:///PATH or postgresql://user:password@host/name.")
@click.option("--key-file", metavar="PATH", help="Root key of the vault.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), help="How much is logged to stderr.")
@click.pass_context
def cli(ctx: click.Context, /, config: Path | None, **options: str | None) -> None:
    """Omnifolio: every exchange, wallet and chain in one exact, read-only ledger."""
    ctx.obj = Invocation(config=config, overrides={name: value for name, value in options.items() if value is not None})
    level = str(options.get("log_level") or "warning").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # ccxt writes headers and bodies of requests at DEBUG: never, whatever is asked for.
    logging.getLogger("ccxt").setLevel(logging.WARNING)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine function to its end in a loop of its own."""

    async def main() -> T:
        return await work()

    return asyncio.run(main())


def exit_code_of(error: OmnifolioError) -> int:
    """The exit code of an error, see EXIT_CODES."""
    if error.code in _SETUP_CODES:
        return EXIT_SETUP
    if error.code in _REFUSED_CODES:
        return EXIT_REFUSED
    if error.blame == "venue":
        return EXIT_VENUE
    return EXIT_USAGE if error.blame == "caller" else EXIT_UNEXPECTED


def main(arguments: list[str] | None = None) -> None:
    """The entry point: runs the command line and ends the process with a documented exit code."""
    try:
        code: Any = cli.main(args=arguments, prog_name="omnifolio", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = EXIT_USAGE
    except OmnifolioError as error:
        click.echo(f"{error.message}\n{error.action}", err=True)
        code = exit_code_of(error)
    except BrokenPipeError:
        code = 0
    sys.exit(code if isinstance(code, int) else 0)
