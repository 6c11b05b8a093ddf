"""How far visits of a Connect page came: rows that name a step, a venue and an outcome, and no person."""

from typing import Literal

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from omnifolio.model.clock import DAY_MS, EpochMs
from omnifolio.model.ids import TeamId
from omnifolio.store.schema import connect_events

Step = Literal["opened", "consented", "searched", "chosen", "entered", "checked", "done", "closed", "refused"]

KEPT_MS = 90 * DAY_MS

_INSERT = sa.insert(connect_events)
_FORGET = sa.delete(connect_events).where(
    connect_events.c.team_id == sa.bindparam("team"), connect_events.c.at < sa.bindparam("before")
)
_COUNTS = (
    sa.select(
        connect_events.c.step,
        connect_events.c.venue,
        connect_events.c.outcome,
        sa.func.count(connect_events.c.visit.distinct()).label("visits"),
    )
    .where(connect_events.c.team_id == sa.bindparam("team"), connect_events.c.at >= sa.bindparam("since"))
    .group_by(connect_events.c.step, connect_events.c.venue, connect_events.c.outcome)
    .order_by(connect_events.c.step, connect_events.c.venue, connect_events.c.outcome)
)


class Reached(Struct, frozen=True, kw_only=True):
    """How many visits came to a step, by venue and outcome."""

    step: str
    venue: str | None
    outcome: str
    visits: int


def append(
    conn: Connection, team: TeamId, *, visit: str, step: Step, venue: str | None = None, outcome: str = "", now: EpochMs
) -> None:
    """Notes a step. Rows older than 90 days go whenever a page is opened."""
    row = {"team_id": team, "visit": visit, "step": step, "venue": venue, "outcome": outcome, "at": now}
    conn.execute(_INSERT, row)
    if step == "opened":
        conn.execute(_FORGET, {"team": team, "before": now - KEPT_MS})


def counted(conn: Connection, team: TeamId, *, since: EpochMs) -> list[Reached]:
    """How many of a team's visits came to which step since an instant."""
    return [
        Reached(step=row.step, venue=row.venue, outcome=row.outcome, visits=row.visits)
        for row in conn.execute(_COUNTS, {"team": team, "since": since})
    ]
