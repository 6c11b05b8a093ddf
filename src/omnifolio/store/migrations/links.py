"""0006 → 0007: legs that may be sides of a transfer, the links between them, and under which rules these were concluded.

The tables begin empty: a user's links are concluded from the legs with the first commit that finds them so.
"""

from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLES = ("ends", "links", "linking")


def upgrade(conn: Connection) -> None:
    """Adds the tables and their indexes."""
    for name in TABLES:
        METADATA.tables[name].create(conn)
