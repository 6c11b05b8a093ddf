"""0003 → 0004: open positions, and the tokens in which they have their worth."""

from sqlalchemy.engine import Connection

from omnifolio.store.schema import METADATA

TABLES = ("position_snapshots", "positions", "position_tokens")


def upgrade(conn: Connection) -> None:
    """Adds the tables and their indexes."""
    for name in TABLES:
        METADATA.tables[name].create(conn)
