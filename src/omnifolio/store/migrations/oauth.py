"""0013 → 0014: consents under way, credentials to take back at their venue, and a lease for renewing one."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLES = ("authorisations", "revocations")
COLUMN = "busy_until"


def upgrade(conn: Connection) -> None:
    """Adds the tables and the column; nobody renews anything yet."""
    number = "INTEGER" if conn.dialect.name == "sqlite" else "BIGINT"
    conn.execute(sa.text(f"ALTER TABLE secrets ADD COLUMN {COLUMN} {number} NOT NULL DEFAULT 0"))
    for name in TABLES:
        METADATA.tables[name].create(conn)
