"""`omnifolio accounts …`: link, list, synchronise and remove the owner's accounts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import click

from omnifolio.app import link as linking
from omnifolio.app.asking import asking_first, hosts_of
from omnifolio.app.importing import import_file
from omnifolio.app.offer import TITLE, Offer
from omnifolio.app.offers import MANUAL
from omnifolio.app.read import Read
from omnifolio.app.refreshing import sync_now
from omnifolio.app.way_out import is_simulated
from omnifolio.catalog.chains import evm_chains
from omnifolio.faces.cli.completeness import coverage, reconcile
from omnifolio.faces.cli.entering import address_of, entered_fields, offer_of, offers_of, our_name
from omnifolio.faces.cli.main import EXIT_INCOMPLETE, EXIT_VENUE, Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show, show_one
from omnifolio.faces.cli.portfolio import unvalued
from omnifolio.faces.cli.progress import watching
from omnifolio.faces.cli.session import Session, at_work, chosen_account, currency, fiat_option
from omnifolio.faces.money import money
from omnifolio.ledger import accounts as stored
from omnifolio.model.accounts import Certificate
from omnifolio.model.clock import EpochMs, SystemClock, iso
from omnifolio.model.errors import AlreadyConnected
from omnifolio.model.ids import AccountId
from omnifolio.model.settings import Settings
from omnifolio.transport.recording import Recorder, dump
from omnifolio.venues.evm.explorer import KEY_METHOD
from omnifolio.views.accounts import AccountView

WALLET = "wallet"
LIST_COLUMNS = ("id", "venue", "name", "status", "balances", "value", "missing", "error")


@click.group()
def accounts() -> None:
    """Link, list, synchronise, check, import into and remove accounts.

    ACCOUNT is an id, or a name or venue that fits only one.
    """


@accounts.command("list")
@fiat_option
@format_option
@pass_invocation
def list_accounts(invocation: Invocation, fiat: str | None, output_format: str) -> None:
    """All linked accounts."""

    async def work(session: Session) -> list[Row]:
        views = await Read(session.runtime.context).accounts(session.owner.principal, fiat=currency(session, fiat), wallet=None)
        return [_row(session, view, currency(session, fiat)) for view in views]

    rows = at_work(invocation, work)
    show(rows, output_format, columns=LIST_COLUMNS, empty="No account is linked yet. Begin with: omnifolio accounts add kraken")


@accounts.command("show")
@click.argument("account")
@fiat_option
@format_option
@pass_invocation
def show_account(invocation: Invocation, account: str, fiat: str | None, output_format: str) -> None:
    """One account: its state, what its key may do, and what is missing."""

    async def work(session: Session) -> Row:
        number = await chosen_account(session, account)
        view = await Read(session.runtime.context).account(session.owner.principal, number, fiat=currency(session, fiat))
        certificate = view.account.certificate
        return {
            **_row(session, view, currency(session, fiat)),
            "key": view.account.key_hint or None,
            **_key(certificate),
            "synced_at": iso(view.account.synced_at) if view.account.synced_at else None,
            "next_sync_at": iso(view.account.next_sync_at) if view.account.next_sync_at else None,
            "live_since": iso(view.account.live_since) if view.account.live_since else None,
            "live_heard_at": iso(view.account.live_heard_at) if view.account.live_heard_at else None,
            "live_problem": view.account.live_problem,
            "venue_calls": view.account.calls,
            "gaps": [f"{gap.stream}: {gap.text}" for gap in view.gaps],
            "warnings": [loss.text for loss in view.losses],
            "seq": view.account.v,
        }

    show_one(at_work(invocation, work), output_format)


@accounts.command()
@click.argument("venue")
@click.argument("fields", nargs=-1, metavar="[FIELD=@FILE | FIELD=- | FIELD=VALUE]...")
@click.option("--name", help="How you call it.")
@click.option(
    "--credential-env", metavar="PREFIX", help="Take the fields from environment variables PREFIX_KEY, PREFIX_SECRET, …."
)
@click.option("--no-sync", is_flag=True, help="Only link; the server synchronises it.")
@click.option("--dry-run", is_flag=True, help="Only say who would be asked for what, and what that costs; nobody is asked.")
@click.option(
    "--record",
    "cassette",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the conversation of the first sync to FILE, without credentials, for omnifolio replay.",
)
@format_option
@pass_invocation
def add(
    invocation: Invocation,
    /,
    *,
    venue: str,
    fields: tuple[str, ...],
    name: str | None,
    credential_env: str | None,
    no_sync: bool,
    dry_run: bool,
    cassette: Path | None,
    output_format: str,
) -> int:
    """Link an account with a read-only key or an address.

    A secret is never given on the command line, where other programs can read it: use FIELD=@FILE, FIELD=- (standard input),
    --credential-env, or wait for the prompt.
    """

    offer = offer_of(offers_of(invocation), venue)
    if cassette is not None and (no_sync or not cassette.parent.is_dir()):
        raise click.UsageError(f"--record: there is no folder {cassette.parent}, or nothing to record with --no-sync")
    if offer.name == MANUAL.name and name is not None:
        fields = (*fields, f"{TITLE}={name}")
    entered = entered_fields(offer, fields, credential_env, is_simulated=is_simulated(invocation.settings(), offer.name))
    if offer.name in evm_chains():
        entered = {
            name: value if our_name(offer, name) != WALLET or dry_run else address_of(invocation, value)
            for name, value in entered.items()
        }
    if dry_run:
        show(_steps(invocation.settings(), offer, entered), output_format, empty="Nobody is asked.")
        return 0
    recorder = None if cassette is None else Recorder(offer.name)

    async def work(session: Session) -> tuple[Row, int]:
        context, principal = session.runtime.context, session.owner.principal
        try:
            number = await linking.link(context, principal, provider=offer.name, entered=entered, name=name, options={})
        except AlreadyConnected as error:
            existing = context.ids.wire("account", cast("int", error.extra["existing"]))
            raise AlreadyConnected(f"you have linked this {offer.display_name} account already: {existing}") from None
        return await _after_link(session, number, is_synced=not no_sync)

    row, code = at_work(invocation, work, with_workers=True, recorder=recorder)
    if cassette is not None and recorder is not None:
        cassette.write_bytes(_without_secrets(recorder, offer, entered))
    show_one(row, output_format)
    return code


@accounts.command()
@click.argument("account")
@click.argument("fields", nargs=-1, metavar="[FIELD=@FILE | FIELD=- | FIELD=VALUE]...")
@click.option(
    "--credential-env", metavar="PREFIX", help="Take the fields from environment variables PREFIX_KEY, PREFIX_SECRET, …."
)
@click.option("--no-sync", is_flag=True, help="Only reconnect; the server synchronises it.")
@format_option
@pass_invocation
def reconnect(
    invocation: Invocation,
    /,
    *,
    account: str,
    fields: tuple[str, ...],
    credential_env: str | None,
    no_sync: bool,
    output_format: str,
) -> int:
    """Give an account new credentials; its id, history and settings stay. Secrets are given as for accounts add."""

    async def work(session: Session) -> tuple[Row, int]:
        context, principal = session.runtime.context, session.owner.principal
        number = await chosen_account(session, account)
        found = await context.store.read(stored.get, principal, number, context.clock.now())
        offer = offer_of(context.offers, found.venue)
        simulated = is_simulated(context.settings, offer.name)
        entered = entered_fields(offer, fields, credential_env, is_simulated=simulated)
        await linking.relink(context, principal, number, entered)
        return await _after_link(session, number, is_synced=not no_sync)

    row, code = at_work(invocation, work, with_workers=True)
    show_one(row, output_format)
    return code


@accounts.command()
@click.argument("account", required=False)
@format_option
@pass_invocation
def sync(invocation: Invocation, account: str | None, output_format: str) -> int:
    """Synchronise one account, or all, now; safe beside a running server."""

    async def work(session: Session) -> tuple[list[Row], int]:
        principal, context = session.owner.principal, session.runtime.context
        chosen = None if account is None else await chosen_account(session, account)
        async with watching(session):
            await sync_now(session.runtime, principal, chosen)
        views = await Read(context).accounts(principal, fiat=context.settings.fiat, wallet=None)
        kept = [view for view in views if chosen in (None, view.account.id)]
        return [_row(session, view, context.settings.fiat) for view in kept], max(map(_code, kept), default=0)

    rows, code = at_work(invocation, work, with_workers=True)
    show(rows, output_format, columns=LIST_COLUMNS, empty="No account is linked yet. Begin with: omnifolio accounts add kraken")
    return code


@accounts.command("import")
@click.argument("account")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--layout", metavar="NAME", help="What kind of file it is.  [default: as its header line says]")
@click.option("--time-zone", metavar="NAME", help="Where its times are local, for files that do not say: Europe/Berlin.")
@click.option("--preview", is_flag=True, help="Only say what it would bring; nothing is saved.")
@format_option
@pass_invocation
def import_into(
    invocation: Invocation,
    /,
    *,
    account: str,
    file: Path,
    layout: str | None,
    time_zone: str | None,
    preview: bool,
    output_format: str,
) -> int:
    """Read an exported file (CSV, XLSX) into an account. What the venue's interface or a file told already is not doubled."""

    async def work(session: Session) -> Row:
        runtime, principal = session.runtime, session.owner.principal
        number = await chosen_account(session, account)
        done = await import_file(runtime, principal, number, file, layout=layout, time_zone=time_zone, is_preview=preview)
        if not preview:
            await runtime.prices.bring()
        return {
            "layout": done.layout,
            "saved": not preview,
            "lines": done.lines,
            "new": done.new,
            "known": done.known,
            "elsewhere": done.elsewhere,
            "ambiguous": done.ambiguous,
            "from": None if done.first is None else iso(done.first),
            "to": None if done.last is None else iso(done.last),
            "unreadable": list(done.unreadable),
        }

    row = at_work(invocation, work)
    show_one(row, output_format)
    return EXIT_INCOMPLETE if row["unreadable"] else 0


accounts.add_command(coverage)
accounts.add_command(reconcile)


@accounts.command()
@click.argument("account")
@click.confirmation_option(prompt="This removes the account, its history and its credentials. Go on?")
@pass_invocation
def remove(invocation: Invocation, account: str) -> None:
    """Remove an account, all its facts and its credentials."""

    async def work(session: Session) -> None:
        number = await chosen_account(session, account)
        await linking.unlink(session.runtime.context, session.owner.principal, number)

    at_work(invocation, work, with_workers=True)
    click.echo("Removed. Its credentials cannot be opened any more, not even from an earlier backup of the database.")


def _steps(settings: Settings, offer: Offer, entered: Mapping[str, str]) -> list[Row]:
    """What linking with these fields would ask, of whom. Raises: InvalidField, PrivateKeyRefused, as linking would."""
    steps = asking_first(settings, offer, entered)
    return [
        {"reads": step.reads, "source": step.source, "own": step.is_own, "calls": step.calls, "time": step.time} for step in steps
    ]


def _without_secrets(recorder: Recorder, offer: Offer, entered: Mapping[str, str]) -> bytes:
    """The recorded conversation. Venues repeat keys in answers (what may this one do?), so what was entered is blotted out."""
    named = {our_name(offer, name): value for name, value in entered.items()}
    public = {field.name: named[field.name] for field in offer.fields if not field.is_secret and field.name in named}
    document = dump(recorder.cassette(recorded_at=SystemClock().now(), fields=public))
    for field in offer.fields:
        if field.is_secret and named.get(field.name):
            document = document.replace(json.dumps(named[field.name])[1:-1].encode(), b"***")
    return document


async def _after_link(session: Session, number: AccountId, *, is_synced: bool) -> tuple[Row, int]:
    context = session.runtime.context
    if is_synced:
        async with watching(session):
            await sync_now(session.runtime, session.owner.principal, number)
    view = await Read(context).account(session.owner.principal, number, fiat=context.settings.fiat)
    return _row(session, view, context.settings.fiat), _code(view) if is_synced else 0


def _code(view: AccountView) -> int:
    """A price that is missing is named, and no reason to fail; what could not be read is.

    `syncing` is none either: ours has ended by now, and somebody else has asked for the next one.
    """
    if view.account.status == "error":
        return EXIT_VENUE
    return EXIT_INCOMPLETE if view.account.status == "retry" or any(gap.is_failure for gap in view.gaps) else 0


def _key(certificate: Certificate | None) -> Row:
    """What the venue says of the key: rights, binding, end, who said so and when, and what has changed since."""
    if certificate is None:
        return {"key_may": "not checked yet"}
    bound = {True: "bound to IP addresses", False: "any address", None: None}[certificate.ip_restricted]
    return {
        "key_may": certificate.state.replace("_", " "),
        "key_rights": list(certificate.rights),
        "turn_off": list(certificate.switches),
        "key_addresses": bound,
        "key_ends": iso(EpochMs(certificate.expires_at)) if certificate.expires_at else None,
        "checked_by": certificate.method or None,
        "checked_at": iso(EpochMs(certificate.checked_at)),
        "key_changes": [f"{iso(EpochMs(change.at))} {change.code}: {change.text}" for change in certificate.changes],
    }


def _row(session: Session, view: AccountView, fiat: str) -> Row:
    account = view.account
    return {
        "id": session.runtime.context.ids.wire("account", account.id),
        "venue": account.venue,
        "name": account.name,
        "status": account.status,
        "balances": len(view.holdings),
        "value": money(view.total.amount),
        "fiat": fiat,
        "complete": view.total.complete,
        "missing": unvalued(view),
        "error": account.error_text,
        "asked": hosts_of(
            session.runtime.context.settings,
            session.runtime.context.offers,
            account.venue,
            fields=account.fields,
            has_key=account.certificate is not None and account.certificate.method == KEY_METHOD,
        ),
    }
