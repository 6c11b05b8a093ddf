"""`omnifolio doctor`: is this installation in order, and whom may it call?"""

import click

from omnifolio.app.doctor import checks, hosts
from omnifolio.faces.cli.main import EXIT_SETUP, Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work


@click.command()
@click.option("--egress", "is_egress", is_flag=True, help="List every host that this configuration may call, and stop.")
@format_option
@pass_invocation
def doctor(invocation: Invocation, is_egress: bool, output_format: str) -> int:
    """Check database, keys, workers, overdue accounts and history about to be lost; name what is not in order."""

    async def work(session: Session) -> list[Row]:
        if is_egress:
            return [dict(row) for row in hosts(session.runtime)]
        looked = await checks(session.runtime, session.owner.principal)
        return [{"check": found.name, "ok": found.is_ok, "finding": found.text} for found in looked]

    rows = at_work(invocation, work)
    show(rows, output_format)
    return 0 if is_egress or all(row["ok"] for row in rows) else EXIT_SETUP
