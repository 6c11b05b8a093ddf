"""0007 → 0008: accounts, wallets and looks know the sequence that they began with; earlier versions are found by their end."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLES = ("accounts", "wallets", "snapshots", "position_snapshots")
OLD_INDEX, INDEX = "ix_past_fact", "ix_past_until"


def upgrade(conn: Connection) -> None:
    """Adds the columns, 0 for what is there already, and puts the one index in the place of the other."""
    number = "INTEGER" if conn.dialect.name == "sqlite" else "BIGINT"
    told = sa.inspect(conn)
    for table in TABLES:
        if any(column["name"] == "since" for column in told.get_columns(table)):
            continue  # the step that made the table in this very start made it as it is now
        conn.execute(sa.text(f"ALTER TABLE {table} ADD COLUMN since {number} NOT NULL DEFAULT 0"))
    conn.execute(sa.text(f"DROP INDEX {OLD_INDEX}"))
    next(index for index in METADATA.tables["past"].indexes if index.name == INDEX).create(conn)
