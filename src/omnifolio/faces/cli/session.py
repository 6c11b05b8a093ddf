"""A command at work: opens what it needs, acts in the owner's name, closes everything."""

import shlex
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import click
from msgspec import Struct

from omnifolio.app.administer import owner_of
from omnifolio.app.runtime import Runtime, open_runtime
from omnifolio.faces.cli.main import Invocation, run
from omnifolio.ledger import accounts
from omnifolio.ledger.accounts import Account
from omnifolio.model.errors import InvalidField, NotFound
from omnifolio.model.ids import WIRE_LENGTH, AccountId
from omnifolio.model.settings import Settings
from omnifolio.tenancy.owner import Owner
from omnifolio.transport.recording import Recorder

T = TypeVar("T")


class Session(Struct, frozen=True):
    """What a command works with."""

    runtime: Runtime
    owner: Owner


def at_work(
    invocation: Invocation,
    work: Callable[[Session], Awaitable[T]],
    *,
    with_workers: bool = False,
    recorder: Recorder | None = None,
) -> T:
    """Runs `work` with an open runtime; `recorder` hears the venues. Raises: what `work` raises, and what opening does."""
    settings = invocation.settings()

    async def body() -> T:
        runtime = await open_runtime(settings, with_workers=with_workers, recorder=recorder)
        try:
            session = await session_of(runtime)
            introduce(session, is_error_stream=True)
            return await work(session)
        finally:
            await runtime.close()

    return run(body)


async def session_of(runtime: Runtime) -> Session:
    """The owner's session in an open runtime."""
    return Session(runtime, await owner_of(runtime.context))


def introduce(session: Session, *, is_error_stream: bool) -> None:
    """What a first start has made, said once: on standard error where the output belongs to a command's result."""
    settings, owner = session.runtime.context.settings, session.owner

    def say(text: str) -> None:
        click.echo(text, err=is_error_stream)

    if session.runtime.made_key:
        say(f"Created the key file {settings.key_path}, and beside it the key store {settings.key_store_path.name}.")
        say("Keep a copy of both apart from the database: without them every stored credential has to be entered again.")
    if owner.secret is not None:
        say(f"Created the team {owner.team.name!r}: client id {owner.team.client_id}, secret {owner.secret.reveal()}")
        say(f"The secret is shown this once. A token for yourself: {program(settings)} owner token")


def program(settings: Settings) -> str:
    """How to call this program so that it finds the same database and keys."""
    words = ["omnifolio"]
    if settings.database.startswith("sqlite:"):
        words += ["--database", settings.database]
    if settings.key_file:
        words += ["--key-file", settings.key_file]
    return shlex.join(words)


def fiat_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option `--fiat`, as `fiat`; None where the setting decides."""
    return click.option("--fiat", help="Currency of values.  [default: the setting fiat]")(command)


def currency(session: Session, fiat: str | None) -> str:
    """The currency that was asked for, else the setting's."""
    return (fiat or session.runtime.context.settings.fiat).upper()


async def chosen_account(session: Session, text: str) -> AccountId:
    """The account with that id, or the only one with that name or at that venue. Raises: NotFound, InvalidField."""
    context = session.runtime.context
    found = await context.store.read(accounts.listed, session.owner.principal, context.clock.now())
    fitting = [account for account in found if text in (account.name, account.venue)]
    if len(fitting) == 1:
        return fitting[0].id
    if fitting:
        ids = ", ".join(context.ids.wire("account", account.id) for account in fitting)
        raise InvalidField(f"{text}: several accounts fit; give the id of one: {ids}")
    if len(text) != WIRE_LENGTH:
        raise NotFound(f"no account has the id, name or venue {text[:40]!r}; omnifolio accounts list names them")
    number = AccountId(context.ids.integer("account", text))
    if number not in {account.id for account in found}:
        raise NotFound(f"no account has the id {text}; omnifolio accounts list names them")
    return number


def label_of(account: Account) -> str:
    """How people tell the account from others: its name, else its venue."""
    return account.name or account.venue
