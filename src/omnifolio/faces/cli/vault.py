"""`omnifolio vault …`: the state of the keys, their rotation, and a proof of both on this machine."""

import tempfile
from pathlib import Path

import click

from omnifolio.app import upkeep
from omnifolio.faces.cli.main import EXIT_UNEXPECTED, Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show_one
from omnifolio.faces.cli.session import Session, at_work, chosen_account
from omnifolio.model.clock import iso


@click.group()
def vault() -> None:
    """The keys of stored credentials: status, rotation, shredding, self-test."""


@vault.command()
@format_option
@pass_invocation
def status(invocation: Invocation, output_format: str) -> None:
    """Which keys there are, how old they are, and how many credentials they keep."""

    async def work(session: Session) -> Row:
        found = await upkeep.vault_status(session.runtime.context)
        return {
            "kept_credentials": found.kept,
            "oldest_kept": iso(found.oldest_kept_at) if found.oldest_kept_at else None,
            "waiting": [f"{item.count} sealed to {item.key_id}" for item in found.waiting],
            "keys": [f"{item.count} {item.kind} under root {item.root_id}" for item in found.keys],
        }

    show_one(at_work(invocation, work, with_workers=True), output_format)


@vault.command()
@click.option("--drop-old", is_flag=True, help="Then forget root keys that wrap nothing any more.")
@click.option("--intake", "is_intake", is_flag=True, help="Only a new key for sealing; the root key stays.")
@pass_invocation
def rotate(invocation: Invocation, drop_old: bool, is_intake: bool) -> None:
    """Make a new root key and a new key for sealing; every stored key is wrapped anew. Safe while servers run."""

    async def seal_anew(session: Session) -> str:
        return await upkeep.rotate_intake(session.runtime.context)

    if is_intake:
        click.echo(f"New credentials are sealed to {at_work(invocation, seal_anew, with_workers=True)}.")
        return

    async def work(session: Session) -> upkeep.Rotated:
        return await upkeep.rotate_keys(session.runtime.context, drop_old=drop_old)

    done = at_work(invocation, work, with_workers=True)
    click.echo(f"Wrapped {done.wrapped} keys under the new root key; new credentials are sealed to {done.intake_key}.")
    if done.dropped:
        click.echo(f"Forgot root keys {', '.join(done.dropped)}.")
    click.echo("Copy the key file and the key store again: earlier copies do not open what comes from now on.")


@vault.command()
@click.option("--user", metavar="UUID", help="All keys of this user.")
@click.option("--account", metavar="ACCOUNT", help="The keys of this account of the owner.")
@click.confirmation_option(prompt="What these keys wrap opens never again, in no backup either. Go on?")
@pass_invocation
def shred(invocation: Invocation, user: str | None, account: str | None) -> None:
    """Destroy keys: what they wrapped opens no more, in earlier backups of the database either. Nothing else is deleted."""
    if (user is None) is (account is None):
        raise click.UsageError("give either --user or --account")

    async def work(session: Session) -> int:
        number = None if account is None else await chosen_account(session, account)
        return await upkeep.shred(session.runtime.context, user or session.owner.user.uuid, number)

    click.echo(f"Destroyed {at_work(invocation, work, with_workers=True)} keys.")


@vault.command()
@click.option("--workers", default=4, show_default=True, type=click.IntRange(1, 32), help="Threads that keep and open.")
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.1, 600), help="How long.")
@format_option
def selftest(workers: int, seconds: float, output_format: str) -> int:
    """Rotate the root key again and again under load, in a folder of its own; no real key is touched."""
    with tempfile.TemporaryDirectory(prefix="omnifolio-vault-") as folder:
        proof = upkeep.vault_selftest(Path(folder), workers=workers, seconds=seconds)
    show_one({"opened": proof.opened, "rotations": proof.rotations, "failures": list(proof.failures)}, output_format)
    return EXIT_UNEXPECTED if proof.failures else 0
