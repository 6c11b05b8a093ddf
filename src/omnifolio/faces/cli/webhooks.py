"""`omnifolio webhooks …`: whom a team wants told what happened, with which secret, and what became of it."""

import click

from omnifolio.app import notifying
from omnifolio.app.notifying import WebhookView
from omnifolio.faces.cli.listening import listen
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show, show_one
from omnifolio.faces.cli.session import Session, at_work
from omnifolio.faces.cli.webhook_team import acting, team_option
from omnifolio.model.clock import HOUR_MS, iso
from omnifolio.model.happenings import WebhookFormat

OVERLAP_HOURS = 24


@click.group()
def webhooks() -> None:
    """Webhooks: who is told what happened, and what became of each message."""


@webhooks.command()
@click.argument("url")
@click.option("--format", "form", type=click.Choice(["omnifolio", "vezgo"]), default="omnifolio", show_default=True,
              help="Our events, or Vezgo's two bodies.")  # fmt: skip
@click.option("--event", "types", multiple=True, help="Only events of this type; may be repeated.  [default: all]")
@team_option
@format_option
@pass_invocation
def add(
    invocation: Invocation, url: str, form: WebhookFormat, types: tuple[str, ...], team: str | None, output_format: str
) -> None:
    """Tell URL what happens from now on; prints the signing secret."""

    async def work(session: Session) -> Row:
        context = session.runtime.context
        principal = await acting(session, team)
        made, secret = await notifying.add(context, principal, url=url, form=form, types=types)
        return {**_row(made), "secret": secret.reveal()}

    show_one(at_work(invocation, work), output_format)


@webhooks.command("list")
@team_option
@format_option
@pass_invocation
def list_webhooks(invocation: Invocation, team: str | None, output_format: str) -> None:
    """All webhooks of the team."""

    async def work(session: Session) -> list[Row]:
        found = await notifying.webhooks_of(session.runtime.context, await acting(session, team))
        return [_row(webhook) for webhook in found]

    columns = ("id", "url", "format", "is_active", "waiting", "delivered", "dead")
    show(at_work(invocation, work), output_format, columns=columns, empty="No webhook yet: omnifolio webhooks add URL")


@webhooks.command("show")
@click.argument("webhook")
@click.option("--secret", "with_secret", is_flag=True, help="Show the signing secret too; the audit notes it.")
@team_option
@format_option
@pass_invocation
def show_webhook(invocation: Invocation, webhook: str, with_secret: bool, team: str | None, output_format: str) -> None:
    """One webhook."""

    async def work(session: Session) -> Row:
        context = session.runtime.context
        principal = await acting(session, team)
        row = _row(await notifying.webhook_of(context, principal, webhook))
        if with_secret:
            row = {**row, "secret": (await notifying.secret_of(context, principal, webhook)).reveal()}
        return row

    show_one(at_work(invocation, work), output_format)


@webhooks.command()
@click.argument("webhook")
@click.option("--url", help="Another URL.")
@click.option(
    "--event", "types", multiple=True, help="Only events of this type; may be repeated, and takes the place of the old choice."
)
@click.option("--all-events", is_flag=True, help="Events of every type.")
@click.option("--on/--off", "is_active", default=None, help="Switch it on or off; off, what waits is dead until it is replayed.")
@team_option
@format_option
@pass_invocation
def change(
    invocation: Invocation,
    webhook: str,
    url: str | None,
    types: tuple[str, ...],
    all_events: bool,
    is_active: bool | None,
    team: str | None,
    output_format: str,
) -> None:
    """Another URL, another choice of events, on or off."""

    async def work(session: Session) -> Row:
        chosen = types if types or all_events else None
        principal = await acting(session, team)
        context = session.runtime.context
        return _row(await notifying.change(context, principal, webhook, url=url, types=chosen, is_active=is_active))

    show_one(at_work(invocation, work), output_format)


@webhooks.command()
@click.argument("webhook")
@team_option
@format_option
@pass_invocation
def test(invocation: Invocation, webhook: str, team: str | None, output_format: str) -> None:
    """Send a test message now and say what came back."""

    async def work(session: Session) -> Row:
        context = session.runtime.context
        principal = await acting(session, team)
        delivery = await notifying.test_fire(context, principal, webhook)
        await session.runtime.notifier.run_until_idle()
        tries = await notifying.attempts(context, principal, webhook, delivery)
        last = tries[-1] if tries else None
        return {
            "delivery": delivery,
            "outcome": last.outcome if last else "being sent by a server",
            "status": last.status if last else None,
            "duration_ms": last.duration_ms if last else None,
            "answer": last.answer if last else "",
        }

    show_one(at_work(invocation, work), output_format)


@webhooks.command()
@click.argument("webhook")
@click.option("--overlap-hours", type=click.IntRange(0, 720), default=OVERLAP_HOURS, show_default=True,
              help="How long messages are signed with the old secret as well; 0 ends it at once.")  # fmt: skip
@team_option
@format_option
@pass_invocation
def rotate(invocation: Invocation, webhook: str, overlap_hours: int, team: str | None, output_format: str) -> None:
    """A new signing secret; the old one signs beside it for a while."""

    async def work(session: Session) -> Row:
        principal = await acting(session, team)
        overlap_ms = overlap_hours * HOUR_MS
        found, secret = await notifying.rotate(session.runtime.context, principal, webhook, overlap_ms=overlap_ms)
        return {**_row(found), "secret": secret.reveal()}

    show_one(at_work(invocation, work), output_format)


@webhooks.command()
@click.argument("webhook")
@team_option
@pass_invocation
def remove(invocation: Invocation, webhook: str, team: str | None) -> None:
    """Take a webhook away, with what waits for it."""

    async def work(session: Session) -> None:
        await notifying.remove(session.runtime.context, await acting(session, team), webhook)

    at_work(invocation, work)
    click.echo("Removed. Nothing more is sent there.")


@webhooks.command()
@click.argument("webhook")
@click.option("--state", type=click.Choice(["waiting", "delivered", "dead"]), help="Only those.")
@click.option("--before", metavar="DELIVERY", help="Those before this one: the next page.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@click.option("--attempts", "of", metavar="DELIVERY", help="Every try of this one instead.")
@team_option
@format_option
@pass_invocation
def deliveries(
    invocation: Invocation, /, webhook: str, team: str | None, output_format: str, **options: str | int | None
) -> None:
    """What was delivered, waits, or is dead; the newest first."""

    async def work(session: Session) -> list[Row]:
        context = session.runtime.context
        principal = await acting(session, team)
        if of := options.pop("of"):
            return [
                {
                    "at": iso(one.at),
                    "outcome": one.outcome,
                    "status": one.status,
                    "duration_ms": one.duration_ms,
                    "answer": one.answer,
                }
                for one in await notifying.attempts(context, principal, webhook, str(of))
            ]
        found = await notifying.deliveries(context, principal, webhook, **options)  # type: ignore[arg-type]
        return [
            {
                "id": one.id, "type": one.type, "state": one.state, "tries": one.tries, "happened_at": iso(one.happened_at),
                "due_at": None if one.due_at is None else iso(one.due_at), "user": one.user, "account": one.account,
                "sequence": one.sequence, "message": one.message,
            }
            for one in found
        ]  # fmt: skip

    show(at_work(invocation, work), output_format, empty="Nothing has happened since this webhook was added.")


@webhooks.command()
@click.argument("webhook")
@click.argument("delivery", required=False)
@team_option
@pass_invocation
def replay(invocation: Invocation, webhook: str, delivery: str | None, team: str | None) -> None:
    """Send one delivery again, or every dead one; a running server sends them."""

    async def work(session: Session) -> int:
        return await notifying.replay(session.runtime.context, await acting(session, team), webhook, delivery)

    count = at_work(invocation, work)
    click.echo(f"{count} to be sent again.")


def _row(webhook: WebhookView) -> Row:
    until = webhook.earlier_secret_until
    return {
        "id": webhook.id,
        "url": webhook.url,
        "format": webhook.format,
        "events": list(webhook.types) or ["all"],
        "is_active": webhook.is_active,
        "off_reason": webhook.off_reason,
        "secret_version": webhook.secret_version,
        "earlier_secret_until": None if until is None else iso(until),
        "created_at": iso(webhook.created_at),
        **{state: webhook.counts.get(state, 0) for state in ("waiting", "delivered", "dead")},
    }


webhooks.add_command(listen)
