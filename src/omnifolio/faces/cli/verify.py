"""`omnifolio venues verify`: is this exchange read right with your key? And a recording of it that can be shown."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec import Struct

from omnifolio.app.findings import Finding
from omnifolio.app.link import check
from omnifolio.app.sharing import result_of, sample, shareable
from omnifolio.app.verifying import Verification
from omnifolio.app.verifying import verify as verify_venue
from omnifolio.app.verifying_chain import verify_chain
from omnifolio.app.way_out import base_urls_of, is_simulated
from omnifolio.faces.cli.entering import address_of, entered_fields, offer_of, offers_of
from omnifolio.faces.cli.main import (
    EXIT_INCOMPLETE,
    EXIT_OPEN,
    EXIT_REFUSED,
    EXIT_VENUE,
    REFUSED_CODES,
    Invocation,
    pass_invocation,
    run,
)
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.model.clock import SystemClock
from omnifolio.transport.recording import dump
from omnifolio.transport.redaction import Redacted

COLUMNS = ("check", "outcome", "text", "action")
PAGES_DEFAULT, PAGES_MAX = 2, 100_000
NO_FINGERPRINT = bytes(32)
"""Nothing is filed, so the fingerprint of the key is compared with nothing."""


class Recording(Struct, frozen=True):
    """A redacted conversation that waits for its owner's word, and the line that goes beside it."""

    redacted: Redacted
    result: Row


@click.command()
@click.argument("venue")
@click.argument("fields", nargs=-1, metavar="[FIELD=@FILE | FIELD=- | FIELD=VALUE]...")
@click.option(
    "--credential-env", metavar="PREFIX", help="Take the fields from environment variables PREFIX_KEY, PREFIX_SECRET, …."
)
@click.option(
    "--pages", type=click.IntRange(1, PAGES_MAX), default=PAGES_DEFAULT, show_default=True, help="So many pages of each stream."
)
@click.option(
    "--record",
    "cassette",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Save the conversation to FILE, redacted, after you have seen what is in it.",
)
@click.option("--address", help="Of a chain: any address, whose balance two sources must agree on.")
@click.option(
    "--result",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Of a chain: write the dated result, in which the address is not.",
)
@click.option("--scale", "is_scaled", is_flag=True, help="With --record: multiply all amounts by one factor that nobody knows.")
@click.option("--yes", is_flag=True, help="With --record: save without asking.")
@format_option
@pass_invocation
def verify(
    invocation: Invocation,
    /,
    *,
    venue: str,
    fields: tuple[str, ...],
    credential_env: str | None,
    pages: int,
    cassette: Path | None,
    address: str | None,
    result: Path | None,
    is_scaled: bool,
    yes: bool,
    output_format: str,
) -> int:
    """Check with your own read-only key that an exchange is read right, or with an address that a chain is; nothing is stored.

    Secrets are given as for omnifolio accounts add. Exit code 4: the key was refused, can do too much or too little; 5: the venue
    could not be read; 6: some of it could not; 7: a balance differs from its history.
    """
    if address is not None:
        return _verify_chain(invocation, venue, address_of(invocation, address), result, output_format)
    if (is_scaled or yes) and cassette is None:
        raise click.UsageError("--scale and --yes say how to --record")
    if cassette is not None and not cassette.parent.is_dir():
        raise click.UsageError(f"--record: there is no folder {cassette.parent}")
    if cassette is not None and not yes and not sys.stdin.isatty():
        raise click.UsageError("--record asks before it saves, and nobody can answer here: give --yes")
    settings, offer = invocation.settings(), offer_of(offers_of(invocation), venue)
    entered = entered_fields(offer, fields, credential_env, is_simulated=is_simulated(settings, offer.name))
    credentials = check(offer, entered, fingerprint_key=NO_FINGERPRINT)
    is_own_host = offer.name not in base_urls_of(settings)

    async def work() -> tuple[Verification, Recording | None]:
        clock = SystemClock()
        done = await verify_venue(settings, offer.name, credentials, pages_max=pages, clock=clock)
        if cassette is None or done.is_refused:
            return done, None
        redacted = await shareable(done.cassette, credentials.secrets, is_scaled=is_scaled)
        return done, Recording(redacted, result_of(done, is_scaled=is_scaled, is_own_host=is_own_host))

    done, recording = run(work)
    show([_row(finding) for finding in done.findings], output_format, columns=COLUMNS)
    if cassette is not None:
        _save(cassette, recording, is_sure=yes)
    return _code(done)


def _verify_chain(invocation: Invocation, venue: str, address: str, result: Path | None, output_format: str) -> int:
    settings, clock = invocation.settings(), SystemClock()
    done = run(lambda: verify_chain(settings, venue, address, clock=clock))
    show([_row(finding) for finding in done.findings], output_format, columns=COLUMNS)
    if result is not None:
        result.write_text(json.dumps(done.result, ensure_ascii=False) + "\n", encoding="utf-8")
    if not done.sources:
        return EXIT_VENUE
    return EXIT_INCOMPLETE if any(finding.outcome == "failed" for finding in done.findings) else 0


def _save(path: Path, recording: Recording | None, *, is_sure: bool) -> None:
    """Shows what would be saved and saves it when its owner agrees; all words go to standard error."""
    if recording is None:
        click.echo("Nothing was recorded: nothing was read with this key.", err=True)
        return
    result_path = path.with_name(path.name + ".result.json")
    replaced, kept = recording.redacted.replaced, recording.redacted.kept
    click.echo(f"Recorded for {path}: {len(recording.redacted.cassette.requests)} answers.", err=True)
    click.echo(f"Replaced: {_counts(replaced)}. Kept: {_counts(kept)}.", err=True)
    click.echo(f"A part of it:\n{sample(recording.redacted)}", err=True)
    if not is_sure and not click.confirm("Save it?", err=True):
        click.echo("Nothing was saved.", err=True)
        return
    path.write_bytes(dump(recording.redacted.cassette))
    result_path.write_text(json.dumps(recording.result, ensure_ascii=False) + "\n", encoding="utf-8")
    click.echo(f"Saved {path} and {result_path}.", err=True)


def _counts(found: object) -> str:
    assert isinstance(found, dict)
    return ", ".join(f"{count} {kind}s" for kind, count in sorted(found.items()) if count) or "nothing"


def _row(finding: Finding) -> Row:
    return {"check": finding.check, "outcome": finding.outcome, "text": finding.text, "action": finding.action or None}


def _code(done: Verification) -> int:
    """The exit code: the key first, then the venue, then what is missing, then what does not add up."""
    failed: Sequence[Finding] = [finding for finding in done.findings if finding.outcome == "failed"]
    if any(finding.code in REFUSED_CODES for finding in failed):
        return EXIT_REFUSED
    if done.is_refused or (done.streams and all(read.error is not None for read in done.streams)):
        return EXIT_VENUE
    if failed:
        return EXIT_INCOMPLETE
    return EXIT_OPEN if any(finding.code == "open" for finding in done.findings) else 0
