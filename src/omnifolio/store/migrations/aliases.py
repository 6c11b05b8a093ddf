"""0009 → 0010: ids that accounts bring from another service. The table begins empty: nothing was brought before."""

from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLE = "aliases"


def upgrade(conn: Connection) -> None:
    """Adds the table and its index."""
    METADATA.tables[TABLE].create(conn)
