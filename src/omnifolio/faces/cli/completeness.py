"""`omnifolio accounts coverage` and `accounts reconcile`: what is known of an account, and whether it adds up."""

from collections.abc import Sequence

import click

from omnifolio.app.read import Read
from omnifolio.faces.cli.main import EXIT_OPEN, Invocation, pass_invocation
from omnifolio.faces.cli.output import Row, format_option, show
from omnifolio.faces.cli.session import Session, at_work, chosen_account
from omnifolio.model.amounts import canonical
from omnifolio.model.clock import DAY_MS, EpochMs, iso
from omnifolio.model.facts import Interval
from omnifolio.views.coverage import AccountCoverage, KindCoverage
from omnifolio.views.reconciled import STATES, Line

COVERAGE_COLUMNS = ("kind", "records", "read", "proven_empty", "uploaded", "out_of_reach", "not_read", "fill_with", "warning")
RECONCILE_COLUMNS = ("wallet", "asset", "reported", "calculated", "difference", "state", "suspect", "note")


@click.command()
@click.argument("account")
@format_option
@pass_invocation
def coverage(invocation: Invocation, account: str, output_format: str) -> None:
    """Which history of an account was read, by kind, what is out of reach, and which file would tell it."""

    async def work(session: Session) -> list[Row]:
        number = await chosen_account(session, account)
        found = await Read(session.runtime.context).coverage(session.owner.principal, number)
        return [_kind(kind, found) for kind in found.kinds]

    show(at_work(invocation, work), output_format, columns=COVERAGE_COLUMNS, empty="No history was read yet.")


@click.command()
@click.argument("account")
@format_option
@pass_invocation
def reconcile(invocation: Invocation, account: str, output_format: str) -> int:
    """Compare an account's balances with its history, and say where they part; the worst comes first."""

    async def work(session: Session) -> tuple[list[Row], int]:
        number = await chosen_account(session, account)
        found = await Read(session.runtime.context).reconciliation(session.owner.principal, number)
        worst_first = sorted(found.lines, key=lambda line: -STATES.index(line.verdict.state))
        return [_line(line) for line in worst_first], EXIT_OPEN if found.state == "open" else 0

    rows, code = at_work(invocation, work)
    show(rows, output_format, columns=RECONCILE_COLUMNS, empty="No balances and no history yet.")
    return code


def _kind(kind: KindCoverage, found: AccountCoverage) -> Row:
    keeps = "" if kind.look_back_ms is None else f" (the venue keeps {kind.look_back_ms // DAY_MS} days)"
    out_of_reach = _days(kind.unreachable)
    return {
        "kind": kind.kind,
        "streams": list(kind.streams),
        "records": kind.rows,
        "read": _days(kind.fetched),
        "proven_empty": _days(kind.empty),
        "uploaded": _days(kind.uploaded),
        "out_of_reach": f"{out_of_reach}{keeps}" if out_of_reach else None,
        "not_read": _days(kind.unread),
        "fill_with": [row.display_name for row in kind.fill],
        "warning": [loss.text for loss in found.losses if loss.stream in kind.streams],
        "look_back_ms": kind.look_back_ms,
        "fetched_at": _pairs(kind.fetched),
        "empty_at": _pairs(kind.empty),
        "uploaded_at": _pairs(kind.uploaded),
        "unreachable_at": _pairs(kind.unreachable),
        "unread_at": _pairs(kind.unread),
    }


def _line(line: Line) -> Row:
    verdict = line.verdict
    return {
        "wallet": line.wallet.key,
        "asset": line.token.ticker,
        "asset_id": line.token.id,
        "reported": None if line.reported is None else canonical(line.reported),
        "calculated": canonical(line.calculated),
        "difference": None if line.difference is None else canonical(line.difference),
        "state": verdict.state,
        "suspect": "; ".join(f"{_range(found.start, found.end)} in {', '.join(found.streams)}" for found in verdict.suspects)
        or None,
        "note": "; ".join(reason.text for reason in verdict.reasons) or None,
        "diverged_at": verdict.diverged_at,
        "suspects": [
            {
                "start": found.start,
                "end": found.end,
                "amount": canonical(found.amount),
                "missing_before": found.missing_before,
                "missing_after": found.missing_after,
                "streams": list(found.streams),
            }
            for found in verdict.suspects
        ],
    }


def _days(spans: Sequence[Interval]) -> str | None:
    """The stretches for people, by day."""
    return ", ".join(f"{iso(span.start)[:10]} to {iso(span.end)[:10]}" for span in spans) or None


def _range(start: EpochMs | None, end: EpochMs) -> str:
    return f"up to {iso(end)[:19]}" if start is None else f"{iso(start)[:19]} to {iso(end)[:19]}"


def _pairs(spans: Sequence[Interval]) -> list[list[int]]:
    return [[span.start, span.end] for span in spans]
