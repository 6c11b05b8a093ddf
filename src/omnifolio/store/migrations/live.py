"""0004 → 0005: an account knows who listens to its private stream, and processes that listen say that they live."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

COLUMNS = ("live_owner", "live_since", "live_heard_at", "live_problem", "live_after")
INDEX = "ix_accounts_live"


def upgrade(conn: Connection) -> None:
    """Adds the columns, their index and the table of listeners. Nobody listens yet."""
    number = "INTEGER" if conn.dialect.name == "sqlite" else "BIGINT"
    kinds = ("TEXT NOT NULL DEFAULT ''", number, number, "TEXT", f"{number} NOT NULL DEFAULT 0")
    for name, kind in zip(COLUMNS, kinds, strict=True):
        conn.execute(sa.text(f"ALTER TABLE accounts ADD COLUMN {name} {kind}"))
    METADATA.tables["listeners"].create(conn)
    next(index for index in METADATA.tables["accounts"].indexes if index.name == INDEX).create(conn)
