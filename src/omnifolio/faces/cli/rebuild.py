"""`omnifolio rebuild`: the history derived again from its evidence, with equal ids."""

import click

from omnifolio.app.rebuilding import rebuild_all
from omnifolio.faces.cli.main import Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work, chosen_account


@click.command()
@click.argument("account", required=False, metavar="[ACCOUNT]")
@format_option
@pass_invocation
def rebuild(invocation: Invocation, account: str | None, output_format: str) -> None:
    """Decode the kept evidence of one account, or of all, again: a better decoder needs no second fetch."""

    async def work(session: Session) -> list[Row]:
        context = session.runtime.context
        chosen = None if account is None else await chosen_account(session, account)
        done = await rebuild_all(context, session.owner.principal, chosen)
        return [
            {
                "account": context.ids.wire("account", number),
                "venue": venue,
                "pages": result.pages,
                "changed": result.changed,
                "taken_back": result.taken_back,
            }
            for number, venue, result in done
        ]

    show(at_work(invocation, work), output_format, empty="No account is linked.")
