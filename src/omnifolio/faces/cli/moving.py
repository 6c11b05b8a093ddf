"""`omnifolio import …`: take users over from another service, with their accounts' ids and history."""

import sys
from pathlib import Path

import click

from omnifolio.app.moving import SOURCE, Credentials, MovedUser, move_users
from omnifolio.faces.cli.entering import entered_fields
from omnifolio.faces.cli.main import EXIT_INCOMPLETE, Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.model.errors import InvalidField
from omnifolio.model.secrets import Secret

COLUMNS = ("login", "provider", "id", "outcome", "balances", "transactions", "new", "unread")
LOGINS_BYTES_MAX = 64 * 1024 * 1024


@click.group("import")
def import_() -> None:
    """Take users over from another service."""


@import_.command()
@click.argument("fields", nargs=-1, metavar="[client_id=ID | secret=@FILE | secret=-]...")
@click.option("--login", "named", multiple=True, metavar="NAME", help="A user, as your application calls them; may be repeated.")
@click.option(
    "--logins",
    "listed",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="A file with one login name a line; - for standard input.",
)
@click.option("--team", metavar="CLIENT_ID", help="The team of ours whose users they become.  [default: the owner's]")
@click.option("--as-owner", is_flag=True, help="All accounts become the owner's own, as if linked with omnifolio accounts add.")
@click.option("--credential-env", metavar="PREFIX", help="Take the fields from PREFIX_CLIENT_ID and PREFIX_SECRET.")
@click.option("--dry-run", is_flag=True, help="Read at Vezgo and say what would come; nothing is saved.")
@format_option
@pass_invocation
def vezgo(
    invocation: Invocation,
    /,
    *,
    fields: tuple[str, ...],
    named: tuple[str, ...],
    listed: Path | None,
    team: str | None,
    as_owner: bool,
    credential_env: str | None,
    dry_run: bool,
    output_format: str,
) -> int:
    """Bring users over from Vezgo: accounts with their ids, balances and transactions, through your own client id and secret.

    Vezgo is only read, and hands on no credentials: each account waits until its user connects it again. Run it as often as you
    like; what is here already is not doubled. Vezgo makes a user of every login name that it is asked for, so name only those
    that you have there.
    """
    if as_owner and team is not None:
        raise click.UsageError("--as-owner and --team say two things: whose the accounts become")
    if listed is not None and str(listed) == "-" and any(item.endswith("=-") for item in fields):
        raise click.UsageError("standard input can give the secret or the login names, not both")
    entered = entered_fields(SOURCE, fields, credential_env, is_simulated=False)
    credentials = _credentials(entered)
    logins = _logins(named, listed)

    async def work(session: Session) -> list[MovedUser]:
        chosen = team or session.owner.team.client_id
        say = _say if sys.stderr.isatty() else _silence
        owner = session.owner.principal if as_owner else None
        found = move_users(session.runtime, credentials, logins, team=chosen, owner=owner, is_preview=dry_run, say=say)
        return [user async for user in found]

    users = at_work(invocation, work)
    show([row for user in users for row in _rows(user)], output_format, columns=COLUMNS)
    return 0 if all(user.is_whole for user in users) else EXIT_INCOMPLETE


def _credentials(entered: dict[str, str]) -> Credentials:
    """Raises: InvalidField naming the field."""
    for field in SOURCE.fields:
        if not field.accepts(entered.get(field.name, "")):
            raise InvalidField(f"{field.name}: expected your Vezgo {field.label}, as Vezgo's portal shows it")
    return Credentials(entered["client_id"], Secret(entered["secret"]))


def _logins(named: tuple[str, ...], listed: Path | None) -> list[str]:
    """The login names, each once, in order. Raises: InvalidField, UsageError."""
    lines: list[str] = []
    if listed is not None:
        if str(listed) != "-" and not listed.is_file():
            raise InvalidField(f"--logins: there is no file {listed}")
        text = sys.stdin.read(LOGINS_BYTES_MAX) if str(listed) == "-" else listed.read_text(encoding="utf-8")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = list(dict.fromkeys((*named, *lines)))
    if not found:
        raise click.UsageError("name at least one user: --login NAME, or --logins FILE")
    return found


def _say(text: str) -> None:
    click.echo(text, err=True)


def _silence(_text: str) -> None:
    """Where nobody watches, nothing is said until the end."""


def _rows(user: MovedUser) -> list[Row]:
    """A row for each account; one for a user without any."""
    about: Row = {"login": user.login, "user": user.user}
    if not user.accounts:
        outcome = "left_out" if user.unread else "nothing_there"
        empty: Row = {
            "provider": None, "venue": None, "reconnectable": None, "id": None, "outcome": outcome, "balances": 0,
            "transactions": 0, "new": 0,
        }  # fmt: skip
        return [{**about, **empty, "unread": list(user.unread)}]
    return [
        {
            **about,
            "provider": account.provider,
            "venue": account.venue,
            "reconnectable": account.is_known_venue,
            "id": account.id,
            "outcome": account.outcome,
            "balances": account.balances,
            "transactions": account.transactions,
            "new": account.new,
            "unread": list(account.unread),
        }
        for account in user.accounts
    ]
