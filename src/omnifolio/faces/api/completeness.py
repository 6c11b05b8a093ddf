"""`/v1/accounts/{id}/coverage` and `/reconciliation`: which part of a history is complete, and whether balances agree with it."""

from collections.abc import Sequence

from litestar import Response, Router, get

from omnifolio.catalog.layouts import LayoutRow
from omnifolio.faces.api.account_shape import gap_out, warning_out
from omnifolio.faces.api.admission import SCOPE
from omnifolio.faces.api.answers import answer, responses
from omnifolio.faces.api.given import Account, DeskGiven, SessionGiven
from omnifolio.faces.api.shape import wallet_id
from omnifolio.faces.api.wire import (
    AccountCoverageOut,
    HoleOut,
    IntervalOut,
    KindOut,
    ReasonOut,
    ReconciledOut,
    ReconciliationOut,
    StreamOut,
    SuspectOut,
    UploadOut,
)
from omnifolio.model.amounts import canonical
from omnifolio.model.facts import Interval
from omnifolio.model.ids import AccountId
from omnifolio.views.coverage import AccountCoverage, KindCoverage
from omnifolio.views.reconciled import Line
from omnifolio.views.reconciliation import Suspect


@get(
    "/coverage",
    summary="See which parts of an account's history are complete",
    opt={SCOPE: "read"},
    responses=responses(AccountCoverageOut, refusals=(401, 403, 404)),
)
async def get_coverage(desk: DeskGiven, session: SessionGiven, account_id: Account) -> Response[bytes]:
    """What was read of each kind of data and of each stream."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    found = await desk.read.coverage(session.principal, account)
    return answer(
        AccountCoverageOut(
            account=account_id.lower(),
            complete_from=found.complete_from,
            complete_to=found.complete_to,
            kinds=[_kind(kind) for kind in found.kinds],
            streams=_streams(found),
            gaps=[gap_out(gap) for gap in found.gaps],
            warnings=[warning_out(loss) for loss in found.losses],
        )
    )


@get(
    "/reconciliation",
    summary="Compare an account's balances with its history, and see where they part",
    opt={SCOPE: "read"},
    responses=responses(ReconciliationOut, refusals=(401, 403, 404)),
)
async def get_reconciliation(desk: DeskGiven, session: SessionGiven, account_id: Account) -> Response[bytes]:
    """Reported, calculated and what lies between, for each token in each wallet."""
    account = AccountId(desk.context.ids.integer("account", account_id))
    found = await desk.read.reconciliation(session.principal, account)
    balances = [_line(found.venue, line) for line in found.lines]
    return answer(ReconciliationOut(account=account_id.lower(), state=found.state, balances=balances))


def _kind(kind: KindCoverage) -> KindOut:
    return KindOut(
        kind=kind.kind,
        streams=list(kind.streams),
        records=kind.rows,
        look_back_ms=kind.look_back_ms,
        fetched=_intervals(kind.fetched),
        empty=_intervals(kind.empty),
        uploaded=_intervals(kind.uploaded),
        unreachable=_intervals(kind.unreachable),
        unread=_intervals(kind.unread),
        fill=[_upload(row) for row in kind.fill],
    )


def _upload(row: LayoutRow) -> UploadOut:
    return UploadOut(layout=row.id, name=row.display_name, columns=list(row.header), docs_url=row.source)


def _streams(found: AccountCoverage) -> list[StreamOut]:
    marks = {mark.stream: mark for mark in found.bookmarks}
    return [
        StreamOut(
            stream=name,
            intervals=_intervals(found.intervals.get(name, ())),
            updated_at=marks[name].updated_at if name in marks else None,
            reached_present_at=marks[name].done_at if name in marks else None,
        )
        for name in sorted({*marks, *found.intervals})
    ]


def _intervals(spans: Sequence[Interval]) -> list[IntervalOut]:
    return [IntervalOut(start=span.start, end=span.end) for span in spans]


def _line(venue: str, line: Line) -> ReconciledOut:
    return ReconciledOut(
        wallet=wallet_id(venue, line.wallet),
        ticker=line.token.ticker,
        asset_id=line.token.id,
        reported=None if line.reported is None else canonical(line.reported),
        calculated=canonical(line.calculated),
        difference=None if line.difference is None else canonical(line.difference),
        state=line.verdict.state,
        reasons=[ReasonOut(code=reason.code, text=reason.text) for reason in line.verdict.reasons],
        diverged_at=line.verdict.diverged_at,
        suspects=[_suspect(suspect) for suspect in line.verdict.suspects],
    )


def _suspect(suspect: Suspect) -> SuspectOut:
    return SuspectOut(
        start=suspect.start,
        end=suspect.end,
        amount=canonical(suspect.amount),
        missing_before=suspect.missing_before,
        missing_after=suspect.missing_after,
        streams=list(suspect.streams),
        holes=[
            HoleOut(stream=hole.stream, why=hole.why, start=hole.start, end=hole.end, text=hole.text) for hole in suspect.holes
        ],
    )


ROUTER = Router("/v1/accounts/{account_id:str}", tags=["accounts"], route_handlers=[get_coverage, get_reconciliation])
