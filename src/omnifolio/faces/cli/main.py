"""The command `omnifolio`: its commands, its common options, and how errors become words and exit codes."""

import asyncio
import difflib
import importlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

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
EXIT_OPEN = 7
EXIT_TERMINATED = 143
EXIT_INTERRUPTED = 130
EXIT_CODES = {
    0: "done; also a server that was stopped by Ctrl-C or SIGTERM, and output into a pipe that was closed",
    EXIT_UNEXPECTED: "something unexpected went wrong; nothing half-written stays",
    EXIT_USAGE: "the command line or an input is not usable",
    EXIT_SETUP: "the configuration, the database or the vault is not usable",
    EXIT_REFUSED: "refused: a permission, a policy or a credential",
    EXIT_VENUE: "a venue could not be read",
    EXIT_INCOMPLETE: "done, but something could not be read; it is named",
    EXIT_OPEN: "done, but a balance differs from its history and nothing explains it; it is named",
    EXIT_INTERRUPTED: "stopped by Ctrl-C before it was done",
    EXIT_TERMINATED: "stopped by SIGTERM before it was done",
}
"""What the exit codes mean, in the order of the documentation."""

PRIVATE = 0o077
"""The umask: what this program writes is its user's alone."""

_SETUP_CODES = frozenset({"invalid_settings", "store_unavailable", "schema_too_new", "vault_unavailable"})
REFUSED_CODES = frozenset(
    {
        "unauthenticated", "forbidden", "excess_permission", "missing_permission", "bad_credentials", "egress_refused",
        "literal_secret_refused", "private_key_refused", "secret_unreadable", "account_locked",
    }
)  # fmt: skip
"""Errors that are a refusal, of ours or of the venue."""

COMMANDS = {
    "accounts": ("accounts:accounts", "Link, list, synchronise, check, import into and remove accounts."),
    "audit": ("audit:audit", "Who did what here, and proof that nobody has changed that record."),
    "balances": ("holdings:balances", "What is held where, and what it is worth."),
    "completion": ("completion:completion", "Completion of commands and options for your shell."),
    "connect": ("connecting:connect", "The Connect page: a link that opens it once, and its visits."),
    "db": ("database:db", "The database: status, upgrade, backup."),
    "decisions": ("deciding:decisions", "What you have said: list, undo, export, import."),
    "demo": ("demo:demo", "Simulated exchanges, a server and a portfolio in one command."),
    "doctor": ("doctor:doctor", "Is this installation in order, and whom may it call?"),
    "explain": ("explain:explain", "One transaction of a chain: its legs and its meaning."),
    "export": ("export:export", "Your transactions as a file for a tax program or a spreadsheet."),
    "holdings": ("manual:holdings", "What you own that no venue tells: houses, shares, cash."),
    "import": ("moving:import_", "Take users over from Vezgo, with their accounts' ids and history."),
    "owner": ("owner:owner", "The owner's team and user, and a token for the API."),
    "portfolio": ("portfolio:portfolio", "Everything in one view, in one or several currencies."),
    "positions": ("positions:positions", "What is open, and what it is worth beside the balances."),
    "prices": ("prices:prices", "Prices that you set yourself, in the place of every source."),
    "rebuild": ("rebuild:rebuild", "Derive the history again from its kept evidence."),
    "replay": ("replay:replay", "Print the facts of a recorded conversation, without network."),
    "sandbox": ("sandbox:sandbox", "Run simulated venues; print their credentials and truth."),
    "serve": ("serve:serve", "Serve the API and keep every account up to date."),
    "teams": ("teams:teams", "Teams that use the API: create, list, rotate, deactivate."),
    "transactions": ("holdings:transactions", "What happened, and your labels and notes on it."),
    "transfers": ("transfers:transfers", "What went between your own wallets, and saying what did."),
    "vault": ("vault:vault", "The keys of stored credentials: status, rotation, shredding, self-test."),
    "venues": ("venues:venues", "What can be connected, and how each connector was proved."),
    "webhooks": ("webhooks:webhooks", "Who is told what happened: add, test, replay, rotate secrets, listen."),
}
"""Command → where it is in this folder, loaded when it is called, and what it does in one line."""


class Commands(click.Group):
    """The commands by name, each imported at first use.

    `format_commands` and `shell_complete` name them from the table, so that neither the list of all nor a Tab costs seconds.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(f"omnifolio.faces.cli.{module}"), name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and names what may have been meant."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            ctx.fail(f"There is no command {name!r}.{hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands without loading them, then the common options."""
        named = [CompletionItem(name, help=text) for name, (_, text) in COMMANDS.items() if name.startswith(incomplete)]
        return [*named, *click.Command.shell_complete(self, ctx, incomplete)]

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command; a reader of the output that has had enough (`| head`) ends it quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # What is still buffered for the closed pipe must not fail once more when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


class Invocation:
    """One call of the program: what its common options said."""

    def __init__(self, *, config: Path | None, overrides: dict[str, object]) -> None:
        self.config = config
        self.overrides = overrides

    def settings(self, **more: object) -> Settings:
        """The settings, with a command's own options on top. Raises: InvalidSettings."""
        return load(file=self.config, overrides={**self.overrides, **more})


pass_invocation = click.make_pass_decorator(Invocation)


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
    logging.getLogger("uvicorn").setLevel(logging.WARNING)


def run(work: Callable[[], Awaitable[T]]) -> T:
    """Runs a coroutine function to its end in a loop of its own."""

    async def main() -> T:
        return await work()

    return asyncio.run(main())


def exit_code_of(error: OmnifolioError) -> int:
    """The exit code of an error, see EXIT_CODES."""
    if error.code in _SETUP_CODES:
        return EXIT_SETUP
    if error.code in REFUSED_CODES:
        return EXIT_REFUSED
    if error.blame == "venue":
        return EXIT_VENUE
    return EXIT_USAGE if error.blame == "caller" else EXIT_UNEXPECTED


def main(arguments: list[str] | None = None) -> None:
    """The entry point: runs the command line and ends the process with a documented exit code."""
    os.umask(PRIVATE)
    # As Ctrl-C, not as sudden death: whatever was started is stopped on the way out.
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code: Any = cli.main(args=arguments, prog_name="omnifolio", standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("Stopped.", err=True)
        code = EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        code = EXIT_USAGE
    except OmnifolioError as error:
        click.echo(f"Error: {error.message} ({error.code})\n{error.action}", err=True)
        code = exit_code_of(error)
    except Exception as error:
        # The edge of the program: a bug is told in a line, with its place, and in full to who asks for it.
        logging.getLogger(__name__).debug("command_failed", exc_info=True)
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(last.filename).name}:{last.lineno}"
        click.echo(f"Error: something inside failed: {type(error).__name__} at {place} (internal)", err=True)
        click.echo("Nothing is lost. For a report, run it again with: omnifolio --log-level debug …", err=True)
        code = EXIT_UNEXPECTED
    sys.exit(code if isinstance(code, int) else 0)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(EXIT_TERMINATED)
