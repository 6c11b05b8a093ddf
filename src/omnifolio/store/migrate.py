"""Brings a database to this version's schema: a fresh one at once, an older one step by step, a newer one not at all.

The stamp is kept in the table `alembic_version`. A step is a function over an open connection; all steps and the stamp are one
transaction, so a database is at one revision or at the next, whatever happens in between.
"""

from collections.abc import Callable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.model.errors import SchemaTooNew
from omnifolio.store.migrations import links, live, names, pages, positions, replica, touches
from omnifolio.store.schema import METADATA

REVISION = "0008"
"""The schema that this version writes."""
START_LOCK = 7_245_203
"""Names the advisory lock under which PostgreSQL lets one process at a time prepare the database."""

STEPS: Mapping[str, tuple[str, Callable[[Connection], None]]] = {
    "0001": ("0002", pages.upgrade),
    "0002": ("0003", touches.upgrade),
    "0003": ("0004", positions.upgrade),
    "0004": ("0005", live.upgrade),
    "0005": ("0006", names.upgrade),
    "0006": ("0007", links.upgrade),
    "0007": ("0008", replica.upgrade),
}
"""Revision → the next one, and the step that leads there."""

_version = sa.Table("alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True))


def prepare(conn: Connection) -> None:
    """Creates every table where there are none, or brings those that are there up to date, in the caller's transaction.

    Raises: SchemaTooNew when the database was written by a newer version.
    """
    if conn.dialect.name == "postgresql":
        # Two processes that start at once must not create the same tables: the second waits here and finds them.
        conn.execute(sa.select(sa.func.pg_advisory_xact_lock(START_LOCK)))
    if not sa.inspect(conn).has_table(_version.name):
        METADATA.create_all(conn)
        _version.create(conn)
        conn.execute(_version.insert().values(version_num=REVISION))
        return
    found = str(conn.execute(sa.select(_version.c.version_num)).scalar_one_or_none())
    while found != REVISION:
        if found not in STEPS:
            raise SchemaTooNew(f"the database has schema {found}; this version knows {REVISION}")
        found, step = STEPS[found]
        step(conn)
        conn.execute(_version.update().values(version_num=found))
